"""The epochs of a single run as a file for other tools."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from lrsearch.report import files

SUFFIXES = (".csv", ".json")


def write(rows: Sequence[Mapping[str, float]], file: Path) -> None:
    """Write one row per epoch, with all digits.

    Args:
        rows: Column -> number; all have the same columns.
        file: Where; its ending is one of `SUFFIXES` and decides the format.

    Raises:
        InputError: It cannot be written.
    """
    text = _json(rows) if file.suffix == ".json" else _csv(rows)
    files.replace(file.parent, {file.name: text.encode()})


def _csv(rows: Sequence[Mapping[str, float]]) -> str:
    table = io.StringIO()
    writer = csv.DictWriter(table, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return table.getvalue()


def _json(rows: Sequence[Mapping[str, float]]) -> str:
    """JSON has no NaN and no infinity."""
    plain = [{name: value if math.isfinite(value) else None for name, value in row.items()} for row in rows]
    return json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
