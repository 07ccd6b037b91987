"""What a study says, in one or two sentences that claim no more than it shows."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import Any

from lrsearch.report import standings, wording
from lrsearch.report.escaping import code_span, inline
from lrsearch.report.evidence import Evidence, gather
from lrsearch.report.frames import StudyFrames
from lrsearch.report.recommendation import Recommendation


def verdict(frames: StudyFrames) -> list[str]:
    """The paragraphs at the top of the report.

    Args:
        frames: The study.

    Returns:
        Markdown, everything escaped.
    """
    finished = standings.ranked(frames)
    count = standings.count(frames)
    confirmed = gather(frames)
    if confirmed is not None:
        said = Recommendation(frames, confirmed, show=inline, strong=lambda words: f"**{words}**", code=code_span)
        first = [" ".join(sentences) for sentences in said.paragraphs() if sentences]
        return [*first, *_unfinished(count)]
    if not len(frames.trials):
        first = ["This study has no trials yet, so there is nothing to say."]
    elif not len(finished):
        first = [_nothing(frames, count)]
    else:
        best = finished.iloc[0].to_dict()
        first = [_best(frames, best, len(finished), count), _caution(frames, best, len(finished))]
    return [*first, *_unfinished(count)]


def plain(frames: StudyFrames, evidence: Evidence) -> list[str]:
    """The paragraphs of a confirmed study for a terminal.

    Args:
        frames: The study.
        evidence: What its confirmation shows.
    """
    return [" ".join(sentences) for sentences in Recommendation(frames, evidence).paragraphs() if sentences]


def _best(frames: StudyFrames, best: Mapping[Hashable, Any], finished: int, count: standings.Counts) -> str:
    words = f"**{inline(wording.describe(best['params']))}**"
    value = f"{inline(wording.test_metric(frames.metric))} {wording.number(best['value'])}"
    if frames.definition:
        value += f" after {wording.plural(frames.definition.training.epochs, 'epoch')}"
    total = count.complete + count.pruned + count.failed
    among = f", out of {total}" if total > finished else ""
    if finished == 1:
        among = f", the only one{among} that was trained to the end" if among else ""
        return f"The settings {words} reached {value} (trial {best['number']}){among}."
    return (
        f"The best settings of this search are {words}: {value} (trial {best['number']}), the best of "
        f"{finished} trials that were trained to the end{among}."
    )


def _caution(frames: StudyFrames, best: Mapping[Hashable, Any], finished: int) -> str:
    seeds = list(frames.definition.training.seeds) if frames.definition else []
    many = len(seeds) or len(best["seed_values"]) or 1
    known = f" ({', '.join(map(str, seeds))})" if seeds else ""
    if many > 1:
        measured = f"Every value is the mean over {many} seeds{known}"
    else:
        measured = f"Every value comes from one seed{known}"
    if not frames.definition and not best["seed_values"]:
        measured = "The storage does not say how many seeds a value rests on"
    if finished == 1:
        return f"{measured}, and one trial proves little: train on fresh seeds before you rely on it."
    return (
        f"{measured}, and this one was picked for being the best of {finished}, which makes it optimistic: "
        f"expect a worse one when you train again. `lrsearch study confirm` trains the best on fresh seeds."
    )


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
