"""Judge runs from anywhere: read their files, and say what they show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from lrsearch.errors import Fault, InputError, input_error
from lrsearch.report.files import check_picture
from lrsearch.report.runs import files, gathering, sources
from lrsearch.report.runs.gathering import Columns
from lrsearch.report.runs.sources import Table
from lrsearch.study import confirmed_runs, finalist_table
from lrsearch.study.judged import Judged, Run, judge, uses_seeds

Direction = Literal["minimize", "maximize"]


@dataclass(frozen=True)
class Question:
    """What a person wants to know of her runs.

    Attributes:
        value: The column of what a run came to.
        settings: The columns of settings.
        seed: The column of seeds.
        epoch: The column of epochs, where a run is several rows; its last row counts.
        baseline: Some or all of the settings that are used today; none for no such comparison.
        direction: Whether small or large values are good; None for what the file says, or else small ones.
    """

    value: str
    settings: Sequence[str]
    seed: str
    epoch: str | None = None
    baseline: dict[str, Any] | None = None
    direction: Direction | None = None


@dataclass(frozen=True)
class Answer:
    """What the runs show, and what is to be said about them beforehand.

    Attributes:
        judged: What they show.
        notes: Sentences about runs that do not count.
    """

    judged: Judged
    notes: list[str]


def judge_files(runs: Sequence[Path], question: Question) -> Answer:
    """What the runs of some files show.

    Args:
        runs: CSV, JSON lines, JSON or parquet files.
        question: What their columns are, and what to compare.

    Raises:
        InputError: A file, a column or a cell is not what it must be.
    """
    read = {file: files.read(file) for file in runs}
    empty = [Fault("RUNS", "has no rows", str(file)) for file, rows in read.items() if not rows]
    if empty:
        raise InputError("judge", empty)
    name = ", ".join(str(file) for file in runs)
    only = next(iter(read.values()))
    if len(read) == 1 and finalist_table.is_table(only) and (question.value, question.seed) == ("value", "seed"):
        return Answer(_confirmed(only, name, question), [])
    return _anybodys([sources.table(file, rows, question.value) for file, rows in read.items()], name, question)


def _anybodys(tables: Sequence[Table], name: str, question: Question) -> Answer:
    found = gathering.gather(tables, Columns(question.value, question.settings, question.seed, question.epoch))
    today = _baseline(question.baseline, [run.params for run in found.runs])
    maximise = question.direction == "maximize"
    return Answer(judge(found.runs, name, question.value, maximise=maximise, today=today), found.notes)


def _confirmed(rows: Sequence[dict[str, Any]], name: str, question: Question) -> Judged:
    """The runs of a study's confirmation, which its own code puts together again."""
    confirmation, metric = finalist_table.confirmation(rows)
    own = "maximize" if confirmation.maximise else "minimize"
    if question.direction not in (None, own):
        raise input_error("judge", f"the study of this file says {own}", key="--direction", received=question.direction)
    params = [finalist.params for finalist in confirmation.finalists]
    there = {setting for one in params for setting in one}
    unknown = [setting for setting in question.settings if sources.plain(setting) not in there]
    if unknown:
        listed = f"no such setting; there are {', '.join(sorted(there))}"
        raise InputError("judge", [Fault("--settings", listed, setting) for setting in unknown])
    if question.baseline is not None:
        confirmation = replace(confirmation, wanted_today=_baseline(question.baseline, params))
    evidence = confirmed_runs.gather(confirmation)
    told = [Run(one.params, place, value) for one in evidence.contenders for place, value in enumerate(one.values)]
    return Judged(name, metric, evidence, uses_seeds(told), planned=True)


def _baseline(wanted: dict[str, Any] | None, there: Sequence[Any]) -> dict[str, Any] | None:
    """The one setting that a person means by some of its parameters."""
    if wanted is None:
        return None
    distinct = {frozenset(params.items()): dict(params) for params in there}
    named = {sources.plain(name): value for name, value in wanted.items()}
    found = [params for params in distinct.values() if named.items() <= params.items()]
    if len(found) == 1:
        return found[0]
    received = ", ".join(f"{name}={value}" for name, value in wanted.items())
    if not found:
        listed = "; ".join(_told(params) for params in list(distinct.values())[: gathering.SHOWN])
        raise input_error("judge", f"no run has it; there are {listed}", key="--baseline", received=received)
    listed = "; ".join(_told(params) for params in found[: gathering.SHOWN])
    raise input_error("judge", f"several settings have it, say more: {listed}", key="--baseline", received=received)


def _told(params: dict[str, Any]) -> str:
    return ",".join(f"{name}={value}" for name, value in params.items())


def draw(judged: Judged, file: Path) -> None:
    """Draw every run, and the means with their intervals.

    Args:
        judged: What the runs show.
        file: A .png file.

    Raises:
        InputError: It cannot be written.
    """
    from lrsearch.report.figures.finalists import runs  # matplotlib takes a while
    from lrsearch.report.figures.look import image

    check_picture(file, "--plot")
    file.write_bytes(image(runs(judged.evidence, judged.metric), ".png"))
