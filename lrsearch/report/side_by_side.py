"""Two studies of the same task in one report: what differs between them, and which found the better settings."""

from __future__ import annotations

import shlex
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from lrsearch.errors import Fault, InputError, input_error
from lrsearch.report import document, figures, standings, tables, wording
from lrsearch.report.document import FIGURES, Form
from lrsearch.report.escaping import code_span, inline
from lrsearch.report.frames import StudyFrames
from lrsearch.study import crossed
from lrsearch.study.contender import Contender
from lrsearch.study.evidence import Evidence
from lrsearch.study_file.load import differences

PICTURE = "two_studies.png"
FEWEST_SEEDS = 2
"""Common seeds below which a difference has no interval."""


def write(
    first: StudyFrames, second: StudyFrames, folder: Path, form: Form = Form.MARKDOWN, *, svg: bool = False
) -> Path:
    """Write the comparison. The same frames give the same bytes.

    Args:
        first: A study.
        second: Another one.
        folder: Where it goes.
        form: ``report.md`` with ``figures/``, or ``report.html``.
        svg: Whether to write the figure as SVG, too.

    Returns:
        The path of ``report.md`` or ``report.html``.

    Raises:
        InputError: The studies cannot be compared, or the folder cannot be written.
    """
    check_comparable(first, second)
    found = any(len(standings.ranked(frames)) for frames in (first, second))
    draw = {PICTURE: partial(figures.two_studies, first, second)} if found else {}
    title = f"{first.name}, {second.name}"
    return document.write(text(first, second), title, draw, folder, form, frozenset({PICTURE}), svg=svg)


def check_comparable(first: StudyFrames, second: StudyFrames) -> None:
    """Refuse two studies whose values do not mean the same.

    Args:
        first: A study.
        second: Another one.

    Raises:
        InputError: lrsearch did not create one of them, or task, task options or metric differ.
    """
    for frames in (first, second):
        if frames.definition is None:
            raise input_error("report", "was not created by lrsearch, so its task is not known", received=frames.name)
    assert first.definition is not None
    assert second.definition is not None
    faults = [f for f in differences(first.definition, second.definition) if f.key.startswith("task.")]
    if first.metric != second.metric:
        faults.append(Fault("metric", f"study {first.name!r} has {first.metric}", second.metric))
    if faults:
        raise InputError(f"studies {first.name!r} and {second.name!r} are not of the same task", faults)


def text(first: StudyFrames, second: StudyFrames) -> str:
    """The comparison in markdown.

    Args:
        first: A study.
        second: Another one, comparable with it.
    """
    both = (first, second)
    names = [inline(frames.name) for frames in both]
    blocks = [f"# {names[0]} and {names[1]} side by side", _verdict(first, second)]
    if any(len(standings.ranked(frames)) for frames in both):
        title, seen = _picture_in_words(both)
        blocks += [f"![{title}: {seen}]({FIGURES}/{PICTURE})", f"{title}."]
    blocks += ["## Results", tables.table(["", *(frames.name for frames in both)], _facts(both), words=("",))]
    blocks += ["## By scheduler type", _by_scheduler(both), "## What differs", _differences(first, second)]
    return "\n\n".join(blocks) + "\n"


def _picture_in_words(both: tuple[StudyFrames, StudyFrames]) -> tuple[str, str]:
    """What the figure shows, and what is seen in it: the second panel is there only where both are confirmed."""
    metric = wording.test_metric(both[0].metric)
    ends = []
    for frames in both:
        finished = standings.ranked(frames)
        best = f"best {wording.number(float(finished['value'].iloc[0]))}" if len(finished) else "no trial at the end"
        ends.append(inline(f"{frames.name} {best} of {wording.plural(standings.count(frames).done, 'trial')}"))
    title = f"Best {metric} so far, among the trials that went on to the end"
    if all(frames.evidence is not None and frames.evidence.complete for frames in both):
        title += ", and the recommended settings on fresh seeds with the 95 % interval of their mean"
    return inline(title), ", ".join(ends)


def _verdict(first: StudyFrames, second: StudyFrames) -> str:
    """Which study's recommendation is better, on the seeds that both have."""
    confirmed = [(frames, frames.evidence) for frames in (first, second)]
    lacking = [frames.name for frames, found in confirmed if found is None or not found.complete]
    if lacking:
        commands = " and ".join(code_span(f"lrsearch study confirm {shlex.quote(name)}") for name in lacking)
        return f"Best values of two searches compare luck with luck. To compare fresh seeds: {commands}"
    (_, one), (_, other) = confirmed
    assert one is not None
    assert other is not None
    seeds = [seed for seed in one.seeds if seed in other.seeds]
    if one.rows != other.rows or len(seeds) < FEWEST_SEEDS:
        return "The two confirmations have no rows or seeds in common, so their means are all that can be compared."
    cells = [_on(found, found.recommended, seeds) for found in (one, other)]
    if cells[0].shape != cells[1].shape or first.data != second.data:  # then the rows are no pairs
        cells = [own.mean(axis=1, keepdims=True) for own in cells]
    better, worse = (0, 1) if one.sign * (cells[0].mean() - cells[1].mean()) <= 0 else (1, 0)
    names, found = (first.name, second.name), (one, other)
    interval = crossed.interval(one.sign * (cells[worse] - cells[better]))
    side = "higher" if one.maximise else "lower"
    by = f"{wording.number(interval.mean)} (95 % interval {wording.limits(interval.low, interval.high)})"
    metric = inline(wording.confirmed_metric(first.metric, one.rows))
    settings = [inline(wording.describe(own.recommended.params)) for own in found]
    words = (
        f"On {wording.plural(len(seeds), 'common fresh seed')} the recommended settings of {inline(names[better])}, "
        f"**{settings[better]}**, have a {metric} {side} by {by} than those of {inline(names[worse])}, "
        f"**{settings[worse]}**"
    )
    return f"{words}." if interval.excludes_zero else f"{words}: the two cannot be told apart."


def _on(evidence: Evidence, contender: Contender, seeds: list[int]) -> np.ndarray[Any, np.dtype[np.float64]]:
    return contender.cells[[evidence.seeds.index(seed) for seed in seeds]]


def _facts(both: tuple[StudyFrames, StudyFrames]) -> list[list[Any]]:
    columns = [_facts_of(frames) for frames in both]
    return [[name, *(column[name] for column in columns)] for name in columns[0]]


def _facts_of(frames: StudyFrames) -> dict[str, Any]:
    count, finished, evidence = standings.count(frames), standings.ranked(frames), frames.evidence
    metric = wording.test_metric(frames.metric)
    best = finished.iloc[0] if len(finished) else None
    chosen = evidence.recommended if evidence is not None and evidence.complete else None
    expected = evidence.expected if evidence is not None and chosen else None
    return {
        "trials": count.done,
        "complete": count.complete,
        "pruned": count.pruned,
        "diverged": count.diverged,
        "epochs trained": round(frames.trials[["epochs", "audit_epochs"]].sum().sum() / frames.evaluations_per_epoch),
        "seconds of training": float(frames.trials[["seconds", "audit_seconds"]].sum().sum()),
        f"best {metric} in the search": None if best is None else float(best["value"]),
        "settings of it": None if best is None else wording.describe(best["params"]),
        "fresh seeds": len(evidence.seeds) if evidence else None,
        "recommended": wording.describe(chosen.params) if chosen else None,
        "its mean on fresh seeds": chosen and chosen.mean,
        "to expect when it is trained again": expected and expected.mean,
        "95 % interval of that": expected and wording.limits(expected.low, expected.high),
    }


def _by_scheduler(both: tuple[StudyFrames, StudyFrames]) -> str:
    found = [{row["scheduler"]: row for row in standings.by_scheduler(frames).to_dict("records")} for frames in both]
    names = list(dict.fromkeys(name for rows in found for name in rows))
    headers = ["scheduler"]
    for frames in both:
        headers += [f"{frames.name}: trials", f"{frames.name}: best {wording.test_metric(frames.metric)}"]
    rows = []
    for name in names:
        cells = [[own[name]["trials"], own[name]["best"]] if name in own else [None, None] for own in found]
        rows.append([wording.scheduler(name), *cells[0], *cells[1]])
    return tables.table(headers, rows) if rows else "Neither study has a trial."


def _differences(first: StudyFrames, second: StudyFrames) -> str:
    assert first.definition is not None
    assert second.definition is not None
    found = [fault for fault in differences(first.definition, second.definition) if fault.key != "study.name"]
    rows: list[list[Any]] = [["study.trials", first.definition.trials, second.definition.trials]]
    rows += [[f.key, f.rule.removeprefix("the stored study has "), f.received] for f in found]
    return tables.table(["key", first.name, second.name], rows, words=("key", first.name, second.name))
