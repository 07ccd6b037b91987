"""A study's trials or curves as a file for other tools."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd

from lrsearch import atomic_file, extras
from lrsearch.errors import input_error
from lrsearch.report.frames import StudyFrames

SUFFIXES = (".csv", ".json", ".parquet")
LISTS = ("seed_values", "audit_curve", "kept_epochs")
"""Columns of the trials frame whose values are several numbers."""


def write(frames: StudyFrames, file: Path, *, curves: bool = False) -> int:
    """Write one row per trial, or one per epoch; the file is the former one or the new one, whole.

    Args:
        frames: The study.
        file: Where; its ending decides the format.
        curves: One row per trial and epoch instead of one per trial.

    Returns:
        Number of rows.

    Raises:
        InputError: The ending is unknown, the file cannot be written, or a package is missing.
    """
    return write_table(_counted(frames, frames.curves if curves else trials(frames)), file)


def _counted(frames: StudyFrames, table: pd.DataFrame) -> pd.DataFrame:
    """The table with its columns of epochs called what they count."""
    if frames.unit != "evaluation":
        return table
    names = {"epoch": "evaluation", "epochs": "evaluations", "audit_epochs": "audit_evaluations"}
    return table.rename(columns=names)


def write_table(table: pd.DataFrame, file: Path) -> int:
    """Write a table; the file is the former one or the new one, whole.

    Args:
        table: Plain values only.
        file: Where; its ending decides the format.

    Returns:
        Number of rows.

    Raises:
        InputError: See `write`.
    """
    if file.suffix not in SUFFIXES:
        rule = f"must end in {', '.join(SUFFIXES)}"
        raise input_error("study export", rule, key="--output", received=str(file))
    try:
        with atomic_file.replacing(file.resolve()) as opened:  # behind a link, the file and not the link
            _write(table, file.suffix, opened)
    except ImportError:
        rule = f"parquet needs pyarrow; install it, {extras.install('parquet')}"
        raise input_error("study export", rule, key="--output", received=str(file)) from None
    except (OSError, ValueError, TypeError) as error:  # of the last two, pyarrow's for values of several types
        rule = f"cannot be written: {getattr(error, 'strerror', None) or error}"
        raise input_error("study export", rule, key="--output", received=str(file)) from None
    return len(table)


def plain_table(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows of plain values as a table.

    Args:
        rows: Column -> value; all have the same columns.
    """
    return pd.DataFrame(rows, dtype="object").infer_objects()


def _write(table: pd.DataFrame, suffix: str, opened: BinaryIO) -> None:
    if suffix == ".csv":
        table.map(as_cell).rename(columns=as_cell).to_csv(opened, index=False)
    elif suffix == ".json":
        opened.write(_json(table).encode())
    else:
        table.apply(_one_type).to_parquet(opened, index=False)


def _one_type(column: pd.Series[Any]) -> pd.Series[Any]:
    """Parquet has one type for a column: categories of several, as another tool may have stored, become texts."""
    there = column.dropna()
    kinds = {type(value) for value in there}
    if column.dtype != object or len(kinds) < 2 or kinds <= {int, float}:
        return column
    return column.where(column.isna(), column.map(str))


def as_cell(value: Any) -> Any:
    """A value as a cell of a CSV file that no spreadsheet takes for a formula.

    Args:
        value: Any; only texts change. One that begins as a formula does gets an apostrophe before it, which
            spreadsheets take for "this is text". Numbers, and several numbers in one text, stay.
    """
    if not isinstance(value, str) or not value.startswith(("=", "+", "-", "@", "\t", "\r", "'")):
        return value
    return value if re.fullmatch(r"-?[\d.e+-]+( -?[\d.e+-]+)*", value) and value[0] != "+" else f"'{value}"


def of_cell(text: str) -> str:
    """The text that `as_cell` made a cell of.

    Args:
        text: The cell.
    """
    return text.removeprefix("'")


def trials(frames: StudyFrames) -> pd.DataFrame:
    """The trials frame with a column for every parameter, and plain values only.

    Args:
        frames: The study.

    Returns:
        Parameters are named as in Optuna, after a ``params.``; several seeds' values and an audit's are one text.
    """
    table = frames.trials.drop(columns=["params", *LISTS])
    names = list(dict.fromkeys(name for params in frames.trials["params"] for name in params))
    for name in names:
        table[f"params.{name}"] = pd.Series([params.get(name) for params in frames.trials["params"]], dtype="object")
        table[f"params.{name}"] = table[f"params.{name}"].infer_objects()
    for name in LISTS:
        table[name] = [" ".join(map(repr, values)) for values in frames.trials[name]]
    for name in ("started", "completed"):
        table[name] = [None if moment is None else moment.isoformat() for moment in frames.trials[name]]
    return table


def _json(table: pd.DataFrame) -> str:
    rows = [{str(key): _plain(value) for key, value in row.items()} for row in table.to_dict("records")]
    return json.dumps(rows, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    """JSON has no NaN and no infinity."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.item() if hasattr(value, "item") else value
