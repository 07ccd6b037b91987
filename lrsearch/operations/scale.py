"""From runs of several lengths in a file to a rate for a longer one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lrsearch.errors import Fault, InputError, input_error
from lrsearch.report.files import check_picture
from lrsearch.report.runs import files, gathering, sources
from lrsearch.report.runs.gathering import Columns
from lrsearch.study.judged import Run
from lrsearch.study.scaling.runs import UNNAMED, ScaleRun
from lrsearch.study.scaling.scaled import Scaled, scaled

LR, SCHEDULER = "lr", "scheduler"


@dataclass(frozen=True)
class Question:
    """What a person wants to know of her runs.

    Attributes:
        axis: What grows; the name of a column.
        to: The target.
        rungs: The only places of the axis to look at; all below the target by default.
        value: The column of what a run came to.
        seed: The column of seeds.
        direction: Whether small or large values are good.
        fixed: What stays the same where data or batch size grow.
    """

    axis: str
    to: float
    rungs: tuple[float, ...] = ()
    value: str = "value"
    seed: str = "seed"
    direction: Literal["minimize", "maximize"] = "minimize"
    fixed: Literal["updates", "epochs"] = "updates"


def target(text: str) -> tuple[str, float]:
    """The axis and the place that ``epochs=240`` names.

    Args:
        text: As a person wrote it.

    Raises:
        InputError: It names none.
    """
    axis, equals, written = text.partition("=")
    place = files.number(written)
    if not equals or not axis.strip() or not _is_place(place):
        raise input_error("scale", "write it as AXIS=NUMBER, such as epochs=240", key="--to", received=text)
    return axis.strip(), float(place)


def places(text: str | None) -> tuple[float, ...]:
    """The rungs that ``15,30,60`` names.

    Args:
        text: As a person wrote it; None for none.

    Raises:
        InputError: One is no number above 0, or they are not in ascending order.
    """
    if text is None:
        return ()
    found = [files.number(part) for part in text.split(",")]
    if not all(map(_is_place, found)) or sorted(set(found)) != found:
        raise input_error("scale", "write ascending numbers, such as 15,30,60", key="--from", received=text)
    return tuple(map(float, found))


def from_file(file: Path, question: Question) -> tuple[Scaled, list[str]]:
    """What the runs of a file say about the target.

    Args:
        file: CSV, JSON lines, JSON or parquet, as `judge` reads them.
        question: What its columns are, and what to predict.

    Returns:
        The answer, and sentences about runs that do not count.

    Raises:
        InputError: The file, a column or a cell is not what it must be.
    """
    if question.rungs and question.rungs[-1] >= question.to:
        raise input_error("scale", f"must be below the target, {question.to:g}", key="--from",
                          received=f"{question.rungs[-1]:g}")  # fmt: skip
    try:
        found = _gathered(file, question)
    except InputError as error:
        raise InputError("scale", [_in_our_words(fault) for fault in error.faults]) from None
    sign = -1.0 if question.direction == "maximize" else 1.0
    short, longer = _chosen([_run(run, question.axis, sign) for run in found.runs], question)
    notes = found.notes
    if longer:
        notes = [*notes, f"{longer} runs at {question.axis} {question.to:g} or more are left out."]
    return scaled(short, question.axis, question.to, question.fixed), notes


def _gathered(file: Path, question: Question) -> gathering.Gathered:
    rows = files.read(file)
    if not rows:
        raise input_error("scale", "has no rows", key="--runs", received=str(file))
    table = sources.table(file, rows, question.value)
    there = {name for row in table.rows for name in row}
    typed = sources.column(SCHEDULER, there, sources.SETTINGS) is not None
    settings = [question.axis, LR, *([SCHEDULER] if typed else [])]
    found = gathering.gather([table], Columns(question.value, settings, question.seed))
    faults = [fault for place, run in enumerate(found.runs, start=1) for fault in _faults(run, question.axis, place)]
    if faults:
        raise InputError("scale", faults[: gathering.SHOWN])
    return found


def _faults(run: Run, axis: str, place: int) -> list[Fault]:
    found = {name: run.params.get(sources.plain(name)) for name in (axis, LR)}
    return [
        Fault(name, f"must be a number above 0 in run {place}", None if value is None else repr(value))
        for name, value in found.items()
        if not _is_place(value)
    ]


def _run(run: Run, axis: str, sign: float) -> ScaleRun:
    kind = str(run.params.get(SCHEDULER, UNNAMED))
    at, lr = float(run.params[sources.plain(axis)]), float(run.params[LR])
    return ScaleRun(at, lr, run.seed, sign * run.value, kind)


def _chosen(runs: Sequence[ScaleRun], question: Question) -> tuple[list[ScaleRun], int]:
    """The runs of the rungs, and how many there are at the target or beyond."""
    there = sorted({run.at for run in runs if run.at < question.to})
    missing = [place for place in question.rungs if place not in there]
    if missing or not there:
        listed = ", ".join(f"{place:g}" for place in there) or "none"
        wanted = ",".join(f"{place:g}" for place in missing)
        rule = f"there are no runs there; below {question.axis} {question.to:g} there are {listed}"
        raise input_error("scale", rule, key="--from" if missing else "--runs", received=wanted or None)
    wanted_rungs = question.rungs or tuple(there)
    longer = sum(run.at >= question.to for run in runs)
    return [run for run in runs if run.at in wanted_rungs], longer


def _in_our_words(fault: Fault) -> Fault:
    """A fault that `judge` would find, under the flag that says so here."""
    keys = {"--settings": "--runs", "RUNS": "--runs"}
    return Fault(keys.get(fault.key, fault.key), fault.rule, fault.received, fault.nearest)


def _is_place(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < float("inf")


def draw(found: Scaled, file: Path) -> None:
    """Draw the valleys of all rungs, and the lines through them.

    Args:
        found: What was found.
        file: A .png file.

    Raises:
        InputError: It cannot be written.
    """
    from lrsearch.report.figures.look import image  # matplotlib takes a while
    from lrsearch.report.figures.scaling import scaling

    check_picture(file, "--plot")
    file.write_bytes(image(scaling(found), ".png"))
