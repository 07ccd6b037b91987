"""Write a study's trials or curves to a file for other tools."""

from __future__ import annotations

from pathlib import Path

from lrsearch.report import export as table_file
from lrsearch.report import frames
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
