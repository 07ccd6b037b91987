"""What a task's data come to, in a few numbers: enough to tell whether two machines train on the same."""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from lrsearch.errors import input_error
from lrsearch.tasks import nest
from lrsearch.tasks.data import Rows, Stream, Streamed, count, same_random_numbers
from lrsearch.tasks.error_location import sentence

if TYPE_CHECKING:
    from lrsearch.tasks.task import Task

SUMS = 8
"""Signed sums that are kept of numbers with a fraction."""
TOLERANCE = 1e-5
"""By how much such a sum may differ, as a share of the numbers' root of squares. Data that are generated may differ in
their last bits (about 1e-7) between machines and versions of torch; to hash rounded numbers would not help, for among
thousands of numbers one always lies at the edge of rounding."""
KINDS = ("inputs", "targets")
EDGE = 4
"""So many of the first and of the last rows are read of a Dataset that is not kept as tensors."""
_PIECE = 2**22
"""Numbers that are looked at together, so that large data need little more memory."""


def fingerprint(task: Task) -> dict[str, Any]:
    """The fingerprint of a task's data, as plain values.

    Whole numbers are hashed. Of numbers with a fraction it keeps `SUMS` sums with pseudo-random signs: other numbers
    give other sums, and numbers that differ by rounding give almost the same. A Dataset that is not kept as tensors
    gives its length and its first and last rows, without what is drawn at random when they are read.

    Args:
        task: What would be trained.

    Returns:
        Part (``train``, ``test``, ``holdout``) -> ``rows`` and what they hold; the ``rows`` of a stream are a text.
    """
    parts = {"train": task.train, "test": task.test, "holdout": task.holdout}
    return {part: _part(part, rows) for part, rows in parts.items() if rows is not None}


def differences(own: Mapping[str, Any], stored: Mapping[str, Any]) -> list[str]:
    """What differs between two fingerprints, in words; empty for the same data.

    Args:
        own: The one that is named first.
        stored: The one that it is compared with.
    """
    found: list[str] = []
    for part in dict.fromkeys([*own, *stored]):
        here, there = own.get(part, {}), stored.get(part, {})
        if here.get("rows") != there.get("rows"):
            found.append(f"{part} rows {here.get('rows', 'none')} against {there.get('rows', 'none')}")
        else:
            for name in dict.fromkeys([*here, *there]):
                if name != "rows":
                    found += _value_differences(f"{part} {name}", here.get(name), there.get(name))
    return found


def _part(part: str, rows: Rows) -> dict[str, Any]:
    if not isinstance(rows, Streamed):
        named = [(kind + path, tensor) for kind, part in zip(KINDS, rows, strict=True)
                 for path, tensor in nest.leaves(part)]  # fmt: skip
        return {"rows": count(rows), **{name: _values(tensor) for name, tensor in named}}
    if isinstance(rows, Stream):
        with same_random_numbers():
            return {"rows": f"{rows.steps} batches an epoch", "first rows": _first_of(part, rows)}
    numbers = sorted({*range(min(EDGE, len(rows))), *range(max(0, len(rows) - EDGE), len(rows))})
    with same_random_numbers():
        return {"rows": len(rows), **{f"row {row}": _row(part, rows, row) for row in numbers}}


def _values(values: Tensor) -> dict[str, Any]:
    """Kind and content of values whose first axis is the rows."""
    if values.layout != torch.strided:
        values = nest.coordinates(values)
        places = hashlib.sha256(values.indices().cpu().numpy().tobytes()).hexdigest()[:16]
        return {**_values(values.values()), "shape": list(values.shape[1:]), "places": places}
    known: dict[str, Any] = {"shape": list(values.shape[1:]), "type": str(values.dtype).removeprefix("torch.")}
    values = torch.view_as_real(values) if values.is_complex() else values
    if not values.is_floating_point():
        return {**known, "hash": hashlib.sha256(values.contiguous().cpu().numpy().tobytes()).hexdigest()[:16]}
    rows = values.detach().reshape(len(values), -1)
    by_row, by_column = _signs(rows.shape[0], 1), _signs(rows.shape[1], 2**40)
    sums, squares = np.zeros(SUMS), 0.0
    step = max(1, _PIECE // max(1, rows.shape[1]))
    for first in range(0, rows.shape[0], step):
        piece = np.nan_to_num(rows[first : first + step].cpu().to(torch.float64).numpy())
        sums += ((piece @ by_column) * by_row[first : first + step]).sum(axis=0)
        squares += float((piece * piece).sum())
    return {**known, "size": _short(math.sqrt(squares)), "sums": [_short(own) for own in sums.tolist()]}


def _value_differences(what: str, own: Any, stored: Any) -> Iterator[str]:
    if own is None or stored is None:
        yield f"{what} {'not here' if own is None else 'only here'}"
    elif isinstance(own, list) and isinstance(stored, list) and len(own) == len(stored):
        for one, other in zip(own, stored, strict=True):
            yield from _value_differences(what, one, other)
    elif not isinstance(own, dict) or not isinstance(stored, dict):
        yield f"{what} of another kind"
    else:
        changed = [key for key in ("shape", "type", "places") if own.get(key) != stored.get(key)]
        yield from (f"{what} {key} {own.get(key)} against {stored.get(key)}" for key in changed)
        if not changed and not _is_same_content(own, stored):
            yield f"{what} with other numbers in the same shape"


def _is_same_content(own: Mapping[str, Any], stored: Mapping[str, Any]) -> bool:
    if "sums" not in own or "sums" not in stored:
        return own.get("hash") == stored.get("hash")
    allowed = TOLERANCE * max(own["size"], stored["size"])
    pairs = zip([own["size"], *own["sums"]], [stored["size"], *stored["sums"]], strict=True)
    return all(abs(one - other) <= allowed for one, other in pairs)


def _row(part: str, rows: Streamed, row: int) -> list[dict[str, Any]]:
    """A row's tensors and numbers, but for those that are others when it is read again."""
    once, again = (_leaves(_read(part, lambda: rows.dataset[row], row, seed)) for seed in (0, 1))
    return _what_stays(once, again)


def _first_of(part: str, rows: Stream) -> list[dict[str, Any]]:
    """The same of the first rows of a stream."""
    once, again = (_leaves(_read(part, lambda: list(islice(rows.dataset, EDGE)), 0, seed)) for seed in (0, 1))
    return _what_stays(once, again)


def _what_stays(once: list[Tensor], again: list[Tensor]) -> list[dict[str, Any]]:
    return [_values(one[None]) for one, other in zip(once, again, strict=False) if torch.equal(one, other)]


def _read(part: str, read: Callable[[], Any], row: int, seed: int) -> Any:
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed)
    try:
        return read()
    except Exception as error:
        raise input_error("task", f"cannot be read: {sentence(error)}", key=f"{part}[{row}]") from error


def _leaves(item: Any) -> list[Tensor]:
    """The tensors, arrays, numbers and texts of a row, whatever it is made of."""
    if isinstance(item, Tensor):
        return [item]
    if isinstance(item, (np.ndarray, np.generic, bool, int, float)):
        return [torch.as_tensor(item)]
    if isinstance(item, str):
        return [torch.tensor(list(item.encode()), dtype=torch.uint8)]
    if isinstance(item, Mapping):
        return [leaf for key in sorted(item, key=str) for leaf in _leaves(item[key])]
    return [leaf for _, own in nest.children(item) or () for leaf in _leaves(own)]


def _signs(number: int, first: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """``[number, SUMS]`` of -1 and 1, the same on every machine: top bits of splitmix64 from place `first` on."""
    mixed = np.arange(first, first + number * SUMS, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    top = (mixed >> np.uint64(63)).astype(np.float64)
    return (2 * top - 1).reshape(number, SUMS)


def _short(value: float) -> float:
    return float(f"{value:.9g}")
