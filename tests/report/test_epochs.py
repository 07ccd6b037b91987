"""Epochs of a single run as files."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pandas as pd

from lrsearch.report import epochs

ROWS = [{"epoch": 1, "lr": 0.1 + 0.2, "test_mse": 1e-17}, {"epoch": 2, "lr": 0.1, "test_mse": math.inf}]


def test_csv_keeps_all_digits(tmp_path: Path) -> None:
    epochs.write(ROWS, tmp_path / "e.csv")
    read = pd.read_csv(tmp_path / "e.csv", float_precision="round_trip")
    assert read.to_dict("records") == ROWS


def test_json_has_no_infinity(tmp_path: Path) -> None:
    epochs.write(ROWS, tmp_path / "e.json")
    assert json.loads((tmp_path / "e.json").read_text()) == [ROWS[0], {**ROWS[1], "test_mse": None}]
