"""Rows of files as runs: which columns, which rows are one run, and which runs count."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lrsearch.errors import Fault, InputError, nearest
from lrsearch.report.runs import sources
from lrsearch.report.runs.files import Row
from lrsearch.report.runs.sources import Table
from lrsearch.study.judged import Run

LOOK = "look"
SHOWN = 5
"""Most columns that a message lists."""


@dataclass(frozen=True)
class Columns:
    """What a person says about her columns.

    Attributes:
        value: What a run came to.
        settings: Which settings; a setting that a run lacks is none of its settings.
        seed: What tells apart runs of the same settings.
        epoch: After which epoch a row is; None where a run is one row.
    """

    value: str
    settings: Sequence[str]
    seed: str
    epoch: str | None = None


@dataclass
class _Found:
    """A run on the way: its rows, and where the first of them is."""

    where: str
    rows: list[Row] = field(default_factory=list)


@dataclass(frozen=True)
class Gathered:
    """Runs, and what a person should know about them.

    Attributes:
        runs: Those that count.
        notes: Sentences about those that do not, or that came to nothing.
    """

    runs: list[Run]
    notes: list[str]


def gather(tables: Sequence[Table], wanted: Columns) -> Gathered:
    """The runs of some files.

    Args:
        tables: One per file.
        wanted: Which columns say what.

    Raises:
        InputError: Columns or cells are missing, or two runs cannot be told apart; all faults at once.
    """
    columns = _resolved(tables, wanted)
    runs: dict[tuple[Any, ...], _Found] = {}
    faults: list[Fault] = []
    unfinished = 0
    for table in tables:
        for place, row in enumerate(table.rows, start=1):
            where = f"{table.file}, run {place}" if columns.epoch is None else f"{table.file}, row {place}"
            if sources.state(row) == "open":
                unfinished += 1
                continue
            params = {name: row[name] for name in columns.settings if name in row}
            faults += _faults_of(row, params, columns, where)
            key = (frozenset(params.items()), row.get(columns.seed))
            there = runs.setdefault(key, _Found(where))
            if columns.epoch is None and there.rows:
                _replace_failed(there, row, where, columns, faults)
            else:
                there.rows.append(row)
    if faults:
        raise InputError("judge", faults[:SHOWN] + _further(faults))
    if not runs:
        raise InputError("judge", [Fault("RUNS", "there is no finished run in it")])
    notes = [f"{unfinished} rows of runs that are not finished are left out."] if unfinished else []
    return _ended(list(runs.values()), columns, notes)


def _resolved(tables: Sequence[Table], wanted: Columns) -> Columns:
    """The columns by the names that they have in the files."""
    there = list(dict.fromkeys(name for table in tables for row in table.rows for name in row))
    own_value = next((table.value for table in tables if table.value), None)
    own_epoch = next((table.epoch for table in tables if table.epoch), None)
    value = own_value or sources.column(wanted.value, there, sources.VALUES)
    seed = sources.column(wanted.seed, there, sources.SETTINGS)
    epoch = own_epoch if wanted.epoch is None else sources.column(wanted.epoch, there, sources.VALUES)
    settings = {name: sources.column(name, there, sources.SETTINGS) for name in wanted.settings}
    asked = [("--value", wanted.value, value), ("--seed", wanted.seed, seed)]
    asked += [("--settings", name, found) for name, found in settings.items()]
    if wanted.epoch is not None:
        asked.append(("--epoch", wanted.epoch, epoch))
    faults = [_no_column(key, name, there) for key, name, found in asked if found is None]
    if not settings:
        faults.append(Fault("--settings", "name at least one column"))
    if seed is not None and seed in settings.values():
        faults.append(Fault("--settings", "the seed is not one of the settings", seed))
    if faults or value is None or seed is None:
        raise InputError("judge", faults)
    return Columns(value, [name for name in settings.values() if name], seed, epoch)


def _no_column(key: str, name: str, there: Sequence[str]) -> Fault:
    near = nearest(name, [*there, *map(sources.plain, there)])
    listed = "" if near else f"; there are {', '.join(there[: 4 * SHOWN])}"
    return Fault(key, f"no such column{listed}", name, near)


def _faults_of(row: Row, params: Row, columns: Columns, where: str) -> list[Fault]:
    faults = []
    if columns.seed not in row:
        faults.append(Fault(columns.seed, f"{where} has no seed"))
    if not params:
        faults.append(Fault(", ".join(columns.settings), f"{where} has none of the settings"))
    for name in (columns.value, *([columns.epoch] if columns.epoch else [])):
        found = row.get(name, 0.0)
        if isinstance(found, bool) or not isinstance(found, (int, float)):
            faults.append(Fault(name, f"must be a number in {where}", repr(found)))
    unhashable = [name for name, value in params.items() if isinstance(value, (list, dict))]
    return faults + [Fault(name, f"must be one number or text in {where}", repr(row[name])) for name in unhashable]


def _replace_failed(there: _Found, row: Row, where: str, columns: Columns, faults: list[Fault]) -> None:
    """Of two runs with the same settings and seed the finished one counts, if the other failed."""
    before = there.rows[0]
    if sources.state(row) == "failed":
        return
    if sources.state(before) == "failed":
        there.rows[0] = row
        return
    skipped = {columns.value, columns.seed, *columns.settings}
    differing = [name for name in row.keys() | before.keys() if row.get(name) != before.get(name)]
    usual = sorted(name for name in differing if name not in skipped)[:SHOWN]
    hint = f"; they differ in {', '.join(usual)}" if usual else ""
    rule = f"{there.where} and {where} have the same settings and the same seed: name in --settings what differs{hint}"
    faults.append(Fault("RUNS", rule))


def _further(faults: Sequence[Fault]) -> list[Fault]:
    return [Fault("", f"and {len(faults) - SHOWN} more of the kind")] if len(faults) > SHOWN else []


def _ended(found: Sequence[_Found], columns: Columns, notes: list[str]) -> Gathered:
    """What each run came to: its last value, if it got as far as the others."""
    epochs = [_epochs(run, columns) for run in found]
    longest = max((max(of_one, default=0) for of_one in epochs), default=0)
    runs, short, failed = [], 0, 0
    for run, reached in zip(found, epochs, strict=True):
        rows = run.rows if columns.epoch is None else sorted(run.rows, key=lambda row: row.get(columns.epoch or "", 0))
        last = rows[-1]
        curve = tuple(float(row[columns.value]) for row in rows if columns.value in row)
        value = curve[-1] if curve else math.nan
        if columns.epoch is not None and max(reached, default=0) < longest:
            short, value = short + 1, math.nan
        if sources.state(last) == "failed" or not math.isfinite(value):
            failed, value = failed + 1, math.nan
        params = {sources.plain(name): last[name] for name in columns.settings if name in last}
        look = last.get(LOOK, 0)
        runs.append(Run(params, last[columns.seed], value, look if isinstance(look, int) else 0, curve))
    if short:
        notes = [*notes, f"{short} runs end before {columns.epoch} {longest:g}; they count as runs that failed."]
    elif failed:
        notes = [*notes, f"{failed} runs failed or have no finite value; their settings cannot be recommended."]
    return Gathered(runs, notes)


def _epochs(run: _Found, columns: Columns) -> list[float]:
    """The epochs after which a run has a value."""
    if columns.epoch is None:
        return []
    return [row[columns.epoch] for row in run.rows if columns.epoch in row and columns.value in row]
