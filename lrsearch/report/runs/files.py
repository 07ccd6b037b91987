"""Rows of a file that anybody may have written: CSV, JSON lines, JSON or parquet."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lrsearch import extras
from lrsearch.errors import InputError, input_error

SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet")
Row = dict[str, Any]
"""Column -> value; what is missing, blank or NaN is not in it."""


def read(file: Path) -> list[Row]:
    """The rows of a file, in its order.

    Args:
        file: Its ending says what is in it.

    Raises:
        InputError: There is no such file, its ending is unknown, or it is not what its ending says.
    """
    try:
        return [_without_blanks(row) for row in _READERS[file.suffix.lower()](file)]
    except KeyError:
        raise _fault(file, f"must end in {', '.join(SUFFIXES)}") from None
    except ImportError:
        raise _fault(file, f"parquet needs pyarrow; install it, {extras.install('parquet')}") from None
    except OSError as error:
        raise _fault(file, f"cannot be read: {error.strerror or error}") from None
    except (ValueError, csv.Error) as error:  # JSON's and pyarrow's errors, and those of an encoding, are ValueErrors
        raise _fault(file, f"is no {file.suffix.lower()[1:]} file of runs: {error}") from None


def number(text: str) -> Any:
    """What a cell of a CSV file means: a whole number, a number, a truth value, or itself.

    Args:
        text: The cell.
    """
    text = text.strip()
    if text in ("True", "False"):
        return text == "True"
    if "_" in text:  # Python takes 1_000 for a number, nobody else does
        return text
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _table(file: Path, delimiter: str) -> Iterable[Row]:
    with file.open(encoding="utf-8-sig", newline="") as opened:
        reader = csv.DictReader(opened, delimiter=delimiter, restval="")
        if reader.fieldnames is None:
            raise ValueError("it is empty")
        for row in reader:
            if None in row:
                raise ValueError(f"line {reader.line_num} has more cells than there are columns")
            yield {str(name): number(cell) for name, cell in row.items()}


def _lines(file: Path) -> Iterable[Row]:
    with file.open(encoding="utf-8") as opened:
        for place, line in enumerate(opened, start=1):
            if line.strip():
                yield _object(json.loads(line), f"line {place}")


def _document(file: Path) -> Iterable[Row]:
    found = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(found, list):
        raise ValueError("it must be a list of objects, one per run")
    for place, entry in enumerate(found, start=1):
        yield _object(entry, f"entry {place}")


def _parquet(file: Path) -> Iterable[Row]:
    import pandas as pd

    yield from ({str(key): value for key, value in row.items()} for row in pd.read_parquet(file).to_dict("records"))


def _object(found: Any, where: str) -> Row:
    if not isinstance(found, dict):
        raise ValueError(f"{where} is no object")
    return _flat(found)


def _flat(nested: Mapping[str, Any], before: str = "") -> Row:
    """``{"params": {"lr": 0.1}}`` as ``{"params.lr": 0.1}``."""
    row: Row = {}
    for key, value in nested.items():
        row |= _flat(value, f"{before}{key}.") if isinstance(value, dict) else {f"{before}{key}": value}
    return row


def _without_blanks(row: Row) -> Row:
    plain = {key: value.item() if hasattr(value, "item") else value for key, value in row.items()}
    return {key: value for key, value in plain.items() if not _is_blank(value)}


def _is_blank(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


def _fault(file: Path, rule: str) -> InputError:
    return input_error("judge", rule, key="RUNS", received=str(file))


_READERS = {
    ".csv": lambda file: list(_table(file, ",")),
    ".tsv": lambda file: list(_table(file, "\t")),
    ".jsonl": lambda file: list(_lines(file)),
    ".ndjson": lambda file: list(_lines(file)),
    ".json": lambda file: list(_document(file)),
    ".parquet": lambda file: list(_parquet(file)),
}
