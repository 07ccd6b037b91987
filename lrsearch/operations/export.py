"""Write a study's trials or curves to a file for other tools."""

from __future__ import annotations

from pathlib import Path

from lrsearch.errors import input_error
from lrsearch.report import export as table_file
from lrsearch.report import frames
from lrsearch.study import contest, finalist_table
from lrsearch.study.confirmed_runs import confirmation_of
from lrsearch.study.stored import StoredStudy


def export(stored: StoredStudy, output: Path, *, curves: bool = False) -> int:
    """Write a study's trials to a file.

    Args:
        stored: The study.
        output: A file ending in .csv, .json or .parquet.
        curves: One row per epoch instead of one per trial.

    Returns:
        How many rows were written.

    Raises:
        InputError: The file cannot be written, or its ending is unknown.
    """
    return table_file.write(frames.read(stored.study), output, curves=curves)


def finalists(stored: StoredStudy, output: Path) -> int:
    """Write the runs of a study's confirmation to a file that `lrsearch judge` reads.

    Args:
        stored: The study.
        output: A file ending in .csv, .json or .parquet.

    Returns:
        How many rows were written.

    Raises:
        InputError: The study has no confirmed runs yet, the file cannot be written, or its ending is unknown.
    """
    found = confirmation_of(stored)
    found = None if found is None else contest.joined(stored, found)
    rows = finalist_table.rows(found, stored.metric) if found is not None else []
    if not rows:
        rule = f"study {stored.name} has no confirmed runs yet; make them with: lrsearch study confirm {stored.name}"
        raise input_error("study export", rule, key="--finalists")
    return table_file.write_table(table_file.plain_table(rows), output)
