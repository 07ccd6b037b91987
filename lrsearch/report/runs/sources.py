"""Whose export a file is, told by its columns: W&B, MLflow, TensorBoard, Optuna. What each calls things."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from lrsearch.errors import input_error
from lrsearch.report.runs.files import Row, number

SETTINGS = ("params.", "params_", "config.", "config/", "hparams.", "hparams/")
"""What stands before a setting's name: in MLflow's and our own exports, Optuna's, W&B's, TensorBoard's."""
VALUES = ("metrics.", "summary.", "summary/", "values_", "user_attrs_")
"""What stands before a value's name: in MLflow's, W&B's and Optuna's exports."""
STATES = ("state", "status")
FINISHED = ("finished", "complete", "completed", "done", "success")
FAILED = ("failed", "fail", "crashed", "diverged")
DOWNLOAD = {"Wall time", "Step", "Value"}
"""The columns of a scalar that TensorBoard lets a person download."""
FRAME = {"run", "tag", "step", "value"}
"""The columns of TensorBoard's scalars as one table."""
_NAMED = re.compile(r"(?:^|[,;/_ ])([A-Za-z][\w.]*?)=([^,;/= ]+?)(?=$|[,;/ ]|_[A-Za-z][\w.]*=)")


@dataclass(frozen=True)
class Table:
    """The rows of one file, and what it calls things.

    Attributes:
        file: Which.
        rows: Its rows; those of TensorBoard have the settings and the seed that the run's name tells.
        value: Its column of values, where the file itself settles that.
        epoch: Its column of epochs or steps, where the file itself settles that.
    """

    file: Path
    rows: list[Row]
    value: str | None = None
    epoch: str | None = None


def table(file: Path, rows: list[Row], value: str) -> Table:
    """A file's rows, with what its format leaves to its name.

    Args:
        file: The file.
        rows: Its rows.
        value: What the person calls the value; of TensorBoard's scalars it is the tag.

    Raises:
        InputError: The file has no settings, or not that tag.
    """
    columns = {name for row in rows for name in row}
    if columns and columns <= DOWNLOAD:
        return _download(file, rows, value)
    if columns >= FRAME:
        return _frame(file, rows, value)
    charted = [name for name in columns if f"{name}__MIN" in columns]
    if charted:
        rule = "is the export of a W&B chart, which has no settings; export the table of runs instead"
        raise input_error("judge", rule, key="RUNS", received=str(file))
    return Table(file, rows)


def column(name: str, columns: Collection[str], prefixes: Sequence[str]) -> str | None:
    """The column that a person means; None if there is none.

    Args:
        name: What she wrote.
        columns: Those that there are.
        prefixes: What a format may have put before it.
    """
    return next((there for there in (name, *(f"{before}{name}" for before in prefixes)) if there in columns), None)


def plain(name: str) -> str:
    """A setting's name without what its format has put before it.

    Args:
        name: Of a column.
    """
    before = next((prefix for prefix in SETTINGS if name.startswith(prefix)), "")
    return name.removeprefix(before)


def state(row: Row) -> str:
    """``finished``, ``failed``, or ``open`` for what is running or was stopped by a person.

    Args:
        row: A run.
    """
    said = next((str(value).lower() for name, value in row.items() if name.lower() in STATES), "finished")
    return "finished" if said in FINISHED else "failed" if said in FAILED else "open"


def _download(file: Path, rows: list[Row], value: str) -> Table:
    """One scalar of one run: TensorBoard calls the file run-RUN-tag-TAG.csv."""
    name, _, tag = file.stem.removeprefix("run-").partition("-tag-")
    if tag and value not in ("Value", tag) and value.replace("/", "_") != tag:
        raise input_error("judge", "holds another tag", key="--value", received=value, nearest=[tag])
    return Table(file, [{**row, **_of_name(name, file)} for row in rows], "Value", "Step")


def _frame(file: Path, rows: list[Row], value: str) -> Table:
    tags = {str(row["tag"]) for row in rows if "tag" in row}
    if value not in tags:
        rule = f"is no tag of {file}; there are {', '.join(sorted(tags))}"
        raise input_error("judge", rule, key="--value", received=value)
    own = [row for row in rows if row.get("tag") == value]
    return Table(file, [{**row, **_of_name(str(row.get("run", "")), file)} for row in own], "value", "step")


def _of_name(name: str, file: Path) -> Row:
    """The settings in a run's name, such as ``lr=0.1_seed=3``."""
    found = {key: number(text) for key, text in _NAMED.findall(name)}
    if not found:
        rule = "TensorBoard's scalars have no settings; the run's name must tell them, such as \"lr=0.1,seed=3\""
        raise input_error("judge", rule, key="RUNS", received=f"{file} (run {name})")
    return found
