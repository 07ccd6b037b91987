"""Epochs of a single run as files."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

from lrsearch.report import epochs

ROWS = [{"epoch": 1, "lr": 0.1 + 0.2, "test_mse": 1e-17}, {"epoch": 2, "lr": 0.1, "test_mse": math.inf}]


def test_csv_keeps_all_digits(tmp_path: Path) -> None:
    epochs.write(ROWS, tmp_path / "e.csv")
    with (tmp_path / "e.csv").open() as file:
        read = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    assert read == ROWS


def test_json_has_no_infinity(tmp_path: Path) -> None:
    epochs.write(ROWS, tmp_path / "e.json")
    assert json.loads((tmp_path / "e.json").read_text()) == [ROWS[0], {**ROWS[1], "test_mse": None}]
