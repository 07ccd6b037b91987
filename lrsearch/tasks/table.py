"""What a CSV file holds: which column can be read as what, what is missing, and what the target asks for."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lrsearch.errors import InputError, input_error, nearest

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["regression", "classification"]
KINDS: tuple[Kind, ...] = ("regression", "classification")
FEWEST_ROWS = 20
"""With fewer rows, no part of a split says anything."""
FEW_VALUES = 12
"""A category of so many values gets a column for each; one of more gets an embedding."""
MOST_CLASSES = 10
"""Whole numbers of so many values are taken for classes, where each has rows enough."""
ROWS_PER_CLASS = 10
MOSTLY = 0.9
"""A column of texts in which so many are numbers is one of numbers; the other texts are missing ones."""
SEPARATORS = ",;\t|"


@dataclass(frozen=True)
class Table:
    """A CSV file that was looked at.

    Attributes:
        file: Where it is.
        separator: Between two values.
        decimal: The point of its numbers.
        rows: Those with a target.
        dropped: Rows without a target.
        target: The column to predict.
        kind: What is asked of it.
        because: Why this kind, in words.
        other_kind: What the target could be as well; None for texts, and where a person has chosen.
        classes: Class -> its rows, the rarest first; empty for regression.
        numbers: Columns that are scaled.
        categories: Column of few values -> how many it has.
        many: Column of many values -> how many it has.
        left_out: Column -> why it is not used.
        missing: Column -> how many values it lacks.
    """

    file: Path
    separator: str
    decimal: str
    rows: int
    dropped: int
    target: str
    kind: Kind
    because: str
    other_kind: Kind | None
    classes: dict[str, int]
    numbers: tuple[str, ...]
    categories: dict[str, int]
    many: dict[str, int]
    left_out: dict[str, str]
    missing: dict[str, int]


def look(file: Path, target: str, kind: str | None = None) -> Table:
    """Find out what a CSV file holds.

    Args:
        file: With the names of its columns in the first line, as UTF-8.
        target: The column to predict.
        kind: ``regression`` or ``classification``; by default what the target looks like.

    Raises:
        InputError: It cannot be read, has no such column, too few rows, or nothing to learn from.
    """
    separator, decimal, frame = _read(file)
    if target not in frame.columns:
        columns = [str(name) for name in frame.columns]
        raise _fault("--target", f"no such column; there are {_shortened(columns)}", target, nearest(target, columns))
    if kind is not None and kind not in KINDS:
        raise _fault("--kind", f"a table is for {' or '.join(KINDS)}", kind, nearest(kind, KINDS))
    known = frame[frame[target].notna()]
    if len(known) < FEWEST_ROWS:
        raise input_error(str(file), f"{len(known)} rows with a value of {target}; at least {FEWEST_ROWS} are needed")
    guessed, because = _kind_of(known[target])
    asked: Kind = guessed if kind is None else "regression" if kind == "regression" else "classification"
    classes = _classes(known[target], asked)
    numbers, categories, many, left_out = _columns(frame.drop(columns=target))
    if not (numbers or categories or many):
        reasons = "; ".join(f"{column}: {reason}" for column, reason in left_out.items()) or "there is no other column"
        raise input_error(str(file), f"nothing to predict {target} from ({reasons})")
    other: Kind | None = "classification" if asked == "regression" else "regression"
    if kind is not None or (asked == "classification" and not _is_amount(known[target])):
        other = None
    used = [*numbers, *categories, *many]
    lacks = {column: int(_values(known[column], column in numbers).isna().sum()) for column in used}
    return Table(
        file, separator, decimal, len(known), len(frame) - len(known), target, asked,
        because if kind is None else "as you say", other, classes, tuple(numbers), categories, many, left_out,
        {column: number for column, number in lacks.items() if number},
    )  # fmt: skip


def _read(file: Path) -> tuple[str, str, pd.DataFrame]:
    import pandas as pd

    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            head = opened.readline()
        separator = max(SEPARATORS, key=lambda mark: len(next(csv.reader([head], delimiter=mark), [])))
        frame = pd.read_csv(file, sep=separator, low_memory=False)
        decimal = "," if separator != "," and _has_decimal_commas(frame) else "."
        if decimal == ",":
            frame = pd.read_csv(file, sep=separator, decimal=decimal, low_memory=False)
    except UnicodeDecodeError:
        raise input_error(str(file), "is not UTF-8 text: save it as CSV UTF-8") from None
    except FileNotFoundError:
        beside = [other.name for other in file.parent.glob("*.csv")] if file.parent.is_dir() else []
        raise input_error(str(file), "no such file", nearest=nearest(file.name, beside)) from None
    except OSError as error:
        raise input_error(str(file), f"cannot be read: {error.strerror or error}") from None
    except ValueError as error:  # what pandas raises of a text that is no table, too
        raise input_error(str(file), f"is no CSV file: {' '.join(str(error).split())}") from None
    return separator, decimal, frame.replace([float("inf"), float("-inf")], float("nan"))


def _has_decimal_commas(frame: pd.DataFrame) -> bool:
    texts = [column.dropna().astype(str) for _, column in frame.items() if not _is_number(column)]
    return any(len(own) > 0 and own.str.fullmatch(r"[+-]?\d+,\d+").mean() >= MOSTLY for own in texts)


def _is_number(column: pd.Series) -> bool:
    return bool(column.dtype.kind in "iufb")


def _is_amount(column: pd.Series) -> bool:
    return _is_number(column) or _values(column.dropna(), True).notna().mean() >= MOSTLY


def _values(column: pd.Series, as_numbers: bool) -> pd.Series:
    import pandas as pd

    return pd.to_numeric(column, errors="coerce") if as_numbers else column


def _kind_of(target: pd.Series) -> tuple[Kind, str]:
    """What a target asks for, and why it looks like it."""
    different = target.nunique()
    if not _is_amount(target):
        return "classification", f"texts, {different} different ones"
    if different == 2 or target.dtype.kind == "b":
        return "classification", f"{different} different values"
    numbers = _values(target, True).dropna()
    if (numbers % 1 == 0).all() and different <= MOST_CLASSES and len(target) >= ROWS_PER_CLASS * different:
        return "classification", f"whole numbers, {different} different ones"
    return "regression", f"numbers, {different} different ones"


def _classes(target: pd.Series, kind: Kind) -> dict[str, int]:
    """The classes with their rows, if the target can be what is asked for."""
    if target.nunique() < 2:
        raise _fault("--target", "has one value only, so there is nothing to learn", str(target.name))
    if kind == "regression":
        if texts := list(target[_values(target, True).isna()].unique()):
            rule = f"regression needs numbers, and it has {_shortened(texts)}: empty these, or take classification"
            raise _fault("--target", rule, str(target.name))
        return {}
    counts = target.value_counts(ascending=True)
    if len(counts) > len(target) / 2:
        rule = f"{len(counts)} classes in {len(target)} rows: most have one row, from which nothing is learned"
        raise _fault("--target", rule, str(target.name))
    return {str(value): int(number) for value, number in counts.items()}


def _columns(frame: pd.DataFrame) -> tuple[list[str], dict[str, int], dict[str, int], dict[str, str]]:
    """Numbers, categories of few values, categories of many, and what is left out with the reason."""
    numbers: list[str] = []
    few: dict[str, int] = {}
    many: dict[str, int] = {}
    left_out: dict[str, str] = {}
    for name, column in frame.items():
        different = column.nunique()
        if different < 2:
            left_out[str(name)] = "empty" if different == 0 else "the same in every row"
        elif _counts_rows(column):
            left_out[str(name)] = "numbers the rows"
        elif _is_amount(column):
            numbers.append(str(name))
        elif (reason := _no_category(column, different)) is not None:
            left_out[str(name)] = reason
        else:
            (few if different <= FEW_VALUES else many)[str(name)] = different
    return numbers, few, many, left_out


def _counts_rows(column: pd.Series) -> bool:
    return bool(column.dtype.kind in "iu" and (column.diff().dropna() == 1).all())


def _no_category(column: pd.Series, different: int) -> str | None:
    import pandas as pd

    texts = column.dropna().astype(str)
    if pd.to_datetime(texts, errors="coerce", format="ISO8601").notna().mean() >= MOSTLY:
        return "dates; make numbers of them, such as the month, to use them"
    if different > len(texts) / 2:
        return "texts that are nearly all different"
    return None


def _shortened(names: Sequence[object]) -> str:
    shown = ", ".join(map(str, names[:12]))
    return f"{shown}, ... ({len(names)} in all)" if len(names) > 12 else shown


def _fault(key: str, rule: str, received: str, near: tuple[str, ...] = ()) -> InputError:
    return input_error("tasks new", rule, key=key, received=f'"{received}"', nearest=near)
