"""The top of a report: the answer, or why there is none yet."""

from __future__ import annotations

import math
from collections.abc import Callable

from lrsearch.report import standings, tables, wording
from lrsearch.report.escaping import code_block, code_span, inline
from lrsearch.report.frames import StudyFrames
from lrsearch.report.headline import Answer


def verdict(frames: StudyFrames) -> list[str]:
    """The blocks at the top of the report: headline, code, three rows, how sure, and what is not done yet.

    Args:
        frames: The study.

    Returns:
        Markdown, everything escaped.
    """
    count = standings.count(frames)
    if not len(frames.trials):
        blocks = ["This study has no trials yet, so there is nothing to say."]
    elif frames.answer is None:
        blocks = [_nothing(frames, count)]
    else:
        told = answer(frames, show=inline, code=code_span)
        blocks = [f"**{told.headline()}**", *_code(frames), _table(told), f"**How sure?** {told.how_sure()}"]
    return [*blocks, *_unfinished(count)]


def answer(frames: StudyFrames, show: Callable[[str], str] = str, code: Callable[[str], str] = str) -> Answer:
    """What a study found, ready to be told.

    Args:
        frames: The study.
        show: What texts from the storage go through.
        code: How a command is set off; it takes the text as it is.
    """
    runs = len(standings.ranked(frames))
    return Answer(
        frames.name,
        frames.answer,
        frames.evidence,
        frames.definition,
        runs,
        show,
        code,
        frames.small_rates,
        frames.both,
    )


def _table(told: Answer) -> str:
    header, *rows = told.table()
    return tables.table(header, rows, words=("settings",))


def _code(frames: StudyFrames) -> list[str]:
    """The recommended settings as lines of torch code."""
    assert frames.answer is not None
    if frames.answer.code is not None:
        return ["Where your script makes its optimizer:", code_block(frames.answer.code, "python")]
    reason = "the storage does not say how the trial was trained, or its scheduler is not known here"
    return [f"{inline(wording.describe(frames.answer.params))}. There is no code to paste: {reason}."]


def _nothing(frames: StudyFrames, count: standings.Counts) -> str:
    trials = standings.counted(frames)
    parts = [
        f"{number} {word}"
        for number, word in (
            (count.diverged, "diverged"), (count.pruned, "pruned"), (count.failed, "failed"),
            (count.running, "running"), (count.waiting, "waiting"), (count.excluded, "excluded"),
        )
        if number
    ]  # fmt: skip
    said = f"No trial has been trained to the end ({', '.join(parts)}), so there are no best settings."
    lost = trials[trials["diverged"]]["lr"].min()
    lasts = trials[trials["state"] == "pruned"]["last"]
    if count.pruned and lasts.notna().any():
        last = lasts.max() if frames.maximise else lasts.min()
        said += f" The best last value of a pruned trial is {wording.number(float(last))}."
    elif count.diverged and not count.running + count.waiting and math.isfinite(lost):
        said += f" The lowest learning rate that diverged is {wording.number(float(lost))}: search lower ones."
    return said


def _unfinished(count: standings.Counts) -> list[str]:
    if count.is_done:
        return []
    left = f"{count.running} running, {count.waiting} waiting"
    if count.budget is not None:
        return [f"The study is not finished: {count.done} of {count.budget} trials are done ({left})."]
    return [f"The study is not finished: {wording.plural(count.done, 'trial')} done ({left})."]
