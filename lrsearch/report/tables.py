"""The tables of a report, as markdown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from tabulate import tabulate

from lrsearch.report import standings, wording
from lrsearch.report.escaping import inline
from lrsearch.report.frames import StudyFrames
from lrsearch.report.gains import label
from lrsearch.study import gained
from lrsearch.study.contender import Contender
from lrsearch.study.evidence import Evidence

TOP = 10
"""Rows of the table of top trials."""


def by_scheduler(frames: StudyFrames) -> str:
    """A row per scheduler type, best first.

    Args:
        frames: A study with trials.
    """
    metric = wording.test_metric(frames.metric)
    last = _last_extras(frames)
    headers = [
        "scheduler",
        "trials",
        "complete",
        "of them diverged",
        "pruned",
        f"best {metric}",
        "median",
        "lr of best",
    ]
    rows = []
    for row in standings.by_scheduler(frames).to_dict("records"):
        numbers = [row[key] for key in ("trials", "complete", "diverged", "pruned", "best", "median", "best_lr")]
        extras = [last.get((row["best_number"], name)) for name in frames.extras]
        rows.append([wording.scheduler(row["scheduler"]), *numbers, *extras])
    return table([*headers, *(f"{wording.metric(name)} of best" for name in frames.extras)], rows)


def top_trials(frames: StudyFrames) -> str:
    """The best trials with their settings.

    Args:
        frames: A study in which a trial was trained to the end.
    """
    best = standings.ranked(frames).head(TOP)
    last = _last_extras(frames)
    several = bool((best["seed_values"].map(len) > 1).any())
    typed = bool(best["scheduler"].notna().any())
    headers = ["trial", wording.test_metric(frames.metric), *(["over seeds"] if several else [])]
    headers += [*map(wording.metric, frames.extras), "lr", *(["scheduler"] if typed else []), "parameters"]
    rows = []
    for row in best.to_dict("records"):
        extras = [last.get((row["number"], name)) for name in frames.extras]
        spread = [_spread(row["seed_values"])] if several else []
        scheduler = [wording.scheduler(row["scheduler"])] if typed else []
        own = wording.settings(row["params"]) or None
        rows.append([row["number"], row["value"], *spread, *extras, row["lr"], *scheduler, own])
    return table(headers, rows, words=("scheduler", "parameters", "over seeds"))


def finalists(frames: StudyFrames, evidence: Evidence) -> str:
    """A row per finalist: what it came to on fresh seeds, and what the search saw.

    Args:
        frames: The study.
        evidence: What its confirmation shows.
    """
    chances = dict(zip(map(id, evidence.complete), evidence.chances, strict=True)) if evidence.complete else {}
    rows = []
    for contender in evidence.contenders:
        interval = evidence.interval(contender) if contender.is_complete else None
        limits = wording.limits(interval.low, interval.high) if interval else _missing(contender)
        chance = wording.percent(chances[id(contender)]) if interval else None
        some = interval is not None or contender.has_left
        tests = float(np.nanmean(contender.tests)) if some else None
        mean = float(np.nanmean(contender.values)) if some else None
        rows.append([wording.describe(contender.params), _origin(contender), mean, limits, chance, tests,
                     contender.searched])  # fmt: skip
    metric = wording.test_metric(frames.metric)
    headers = ["finalist", "from", f"{wording.confirmed_metric(frames.metric, evidence.rows)}, mean", "95 % interval",
               "best in", f"{metric}, same seeds", f"{metric} in the search"]  # fmt: skip
    return table(headers, rows, words=("finalist", "from"))


def differences(evidence: Evidence) -> str:
    """How much worse than the recommended finalist each other one is, seed by seed; empty if there is no other.

    Args:
        evidence: What a confirmation shows.
    """
    rows = []
    for contender in evidence.complete:
        if contender is not evidence.recommended:
            interval = evidence.difference(contender, evidence.recommended)
            limits = wording.limits(interval.low, interval.high)
            said = "yes" if interval.excludes_zero else "no"
            rows.append([wording.describe(contender.params), interval.mean, limits, said])
    headers = ["finalist", "worse by", "95 % interval", "told apart"]
    return table(headers, rows, words=("finalist",)) if rows else ""


def gains(frames: StudyFrames, evidence: Evidence) -> str:
    """What the search gained over what people do without one; empty where none of that was trained.

    Args:
        frames: The study.
        evidence: What its confirmation shows.
    """
    rows: list[list[str | float | None]] = []
    for one in gained.gains(evidence):
        name, settings = label(one.name, frames.definition), wording.describe(one.contender.params)
        found = one.difference
        if found is None:
            rows.append([name, settings, None, None, _missing(one.contender), None, None])
            continue
        share = None if one.share is None else wording.percent(one.share)
        said = "yes" if one.is_shown else "no"
        rows.append(
            [name, settings, one.contender.mean, found.mean, wording.limits(found.low, found.high), share, said]
        )
    metric = wording.confirmed_metric(frames.metric, evidence.rows)
    headers = ["without a search", "settings", f"{metric}, mean", "gained", "95 % interval", "share", "told apart"]
    return table(headers, rows, words=("without a search", "settings")) if rows else ""


def _origin(contender: Contender) -> str:
    trial = "" if contender.number is None else f", trial {contender.number}"
    known = {
        "search": f"search{trial}",
        "try": f"tried settings{trial}",
        "constant": f"constant rate{trial}",
        "middle": "middle of the valley",
    }
    return known.get(contender.role, "without a search")


def _missing(contender: Contender) -> str:
    seeds = wording.plural(len(contender.values), "seed")
    if contender.has_left:
        return f"left out after {contender.planned} seeds"
    if contender.diverged:
        return f"diverged on {contender.diverged} of {seeds}"
    lost = int(np.isnan(contender.values).sum())
    return f"{'failed on' if contender.failed else 'without'} {lost} of {seeds}"


def divergence(frames: StudyFrames) -> str:
    """Where each scheduler type breaks; empty if no trial diverged.

    Args:
        frames: The study.
    """
    rows = [
        [
            wording.scheduler(row["scheduler"]),
            f"{row['diverged']} of {row['trials']} ({wording.percent(row['diverged'] / row['trials'])})",
            row["lowest_lr"],
            row["highest_lr"],
        ]
        for row in standings.divergence(frames).to_dict("records")
    ]
    headers = ["scheduler", "diverged", "lowest lr that diverged", "highest lr that trained to the end"]
    return table(headers, rows) if rows else ""


def table(headers: Sequence[str], rows: Sequence[Sequence[Any]], words: Sequence[str] = ("scheduler",)) -> str:
    """GitHub's markdown, all cells escaped.

    Args:
        headers: A name per column.
        rows: A cell per column; numbers are shortened.
        words: Columns whose cells stand to the left; the others are numbers, to the right.
    """
    cells = [[inline(wording.number(cell)) for cell in row] for row in rows]
    names = [inline(header) for header in headers]
    sides = ["left" if header in words else "right" for header in headers]
    # tabulate would read texts as numbers and write them in its own way.
    made: str = tabulate(cells, names, tablefmt="pipe", colalign=sides, disable_numparse=True)
    return made


def _last_extras(frames: StudyFrames) -> dict[tuple[int, str], float]:
    """(trial number, extra metric) -> its value after the last epoch."""
    last = frames.curves.groupby("number").tail(1).to_dict("records")
    return {(row["number"], name): row[name] for name in frames.extras for row in last}


def _spread(values: list[float]) -> str | None:
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return None
    return f"{wording.number(min(finite))} to {wording.number(max(finite))}"
