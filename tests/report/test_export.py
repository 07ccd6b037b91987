"""Exported files: every trial, every parameter, and nothing that other tools cannot read."""

from __future__ import annotations

import errno
import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import optuna
import pandas as pd
import pytest
from optuna.trial import FrozenTrial

from lrsearch.errors import InputError
from lrsearch.report import export
from lrsearch.report.export import write
from lrsearch.report.frames import read
from lrsearch.storage import attributes

Make = Callable[..., FrozenTrial]
MakeStudy = Callable[..., optuna.Study]


@pytest.mark.parametrize("suffix", [".csv", ".json", ".parquet"])
def test_every_format_holds_every_trial(mixed: optuna.Study, tmp_path: Path, suffix: str) -> None:
    if suffix == ".parquet":
        pytest.importorskip("pyarrow", reason="parquet needs the extra of that name")
    file = tmp_path / f"trials{suffix}"
    frames = read(mixed)
    assert write(frames, file) == len(mixed.trials)
    readers = {".csv": pd.read_csv, ".json": pd.read_json, ".parquet": pd.read_parquet}
    table = readers[suffix](file)
    assert table["number"].tolist() == [trial.number for trial in mixed.trials]
    assert table["params.lr"].tolist() == pytest.approx([trial.params["lr"] for trial in mixed.trials])
    assert {f"params.{name}" for trial in mixed.trials for name in trial.params} <= set(table.columns)


def test_curves_have_a_row_per_epoch(mixed: optuna.Study, tmp_path: Path) -> None:
    rows = write(read(mixed), tmp_path / "curves.csv", curves=True)
    assert rows == sum(len(trial.intermediate_values) for trial in mixed.trials)


def test_several_numbers_are_one_text(trial: Make, study: MakeStudy, audit: Make, tmp_path: Path) -> None:
    seeds = {attributes.SEED_VALUES: [7.5, 8.5]}
    write(read(study([trial(**seeds), audit(9.0)])), tmp_path / "trials.csv")
    table = pd.read_csv(tmp_path / "trials.csv", keep_default_na=False)
    assert table["seed_values"].iloc[0] == "7.5 8.5"
    assert table["audit_curve"].tolist() == ["", "9.0 9.0 9.0"]


def test_json_has_no_infinity(mixed: optuna.Study, tmp_path: Path) -> None:
    """Diverged trials end with an infinite value."""
    frames = read(mixed)
    assert any(math.isinf(value) for value in frames.curves["test_metric"])
    write(frames, tmp_path / "curves.json", curves=True)

    def refuse(literal: str) -> float:
        raise AssertionError(literal)

    assert json.loads((tmp_path / "curves.json").read_text(), parse_constant=refuse)


def test_what_cannot_be_written_is_an_input_error(
    mixed: optuna.Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = read(mixed)
    with pytest.raises(InputError, match=r"must end in \.csv, \.json, \.parquet"):
        write(frames, tmp_path / "trials.xlsx")
    with pytest.raises(InputError, match="cannot be written"):
        write(frames, tmp_path / "no" / "trials.csv")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match=r"pip install \"\.\[parquet\]\""):
        write(frames, tmp_path / "trials.parquet")


@pytest.mark.parametrize("suffix", [".csv", ".json", ".parquet"])
def test_an_export_that_fails_half_way_leaves_the_former_file(
    mixed: optuna.Study, tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames, file = read(mixed), tmp_path / f"trials{suffix}"

    def fail(table: object, suffix: str, opened: BinaryIO) -> None:
        opened.write(b"half")
        opened.flush()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(export, "_write", fail)
    for former in (None, b"what was there"):
        if former is not None:
            file.write_bytes(former)
        with pytest.raises(InputError, match="cannot be written: No space left"):
            write(frames, file)
        assert [path.read_bytes() for path in tmp_path.iterdir()] == ([] if former is None else [former])


def test_values_of_several_types_become_texts_in_parquet(mixed: optuna.Study, tmp_path: Path) -> None:
    """Categories of another tool may be of any type; a column of parquet has one."""
    pytest.importorskip("pyarrow", reason="parquet needs the extra of that name")
    frames, file = read(mixed), tmp_path / "trials.parquet"
    frames.trials["threads"] = [1, "one", *[None] * (len(frames.trials) - 2)]
    write(frames, file)
    threads = pd.read_parquet(file)["threads"]
    assert threads[:2].tolist() == ["1", "one"]
    assert threads[2:].isna().all()


def test_an_export_goes_through_a_link(mixed: optuna.Study, tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    write(read(mixed), tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert len(pd.read_csv(tmp_path / "real.csv")) == len(mixed.trials)


@pytest.mark.parametrize("text", ["=1+2", "+1+cmd", "=cmd|' /C calc'!A0", "@SUM(A1)", "-cmd", "\t=1", "\r=1", "'=1"])
def test_a_text_is_no_formula(text: str) -> None:
    """A spreadsheet takes it for text, and our reader gives it back."""
    cell = export.as_cell(text)
    assert cell[0] == "'"
    assert export.of_cell(cell) == text


@pytest.mark.parametrize("value", [-0.5, "-0.5", "-0.5 1e-05 0.25", "plain", None, 3])
def test_numbers_and_plain_texts_stay(value: object) -> None:
    """What is no formula is written as it is."""
    assert export.as_cell(value) == value
