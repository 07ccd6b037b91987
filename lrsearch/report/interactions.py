"""What was searched beside the rate and may move the best one: weight decay and batch size."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from lrsearch.report import standings
from lrsearch.report.frames import StudyFrames
from lrsearch.study.batch_size_law import BatchSizeLaw, Trained, batch_size_law
from lrsearch.study_file.option_axes import OptionChoices, OptionRange
from lrsearch.study_file.searched_options import OPTIMIZER, Option

BATCH_SIZE = "batch_size"
WEIGHT_DECAY = "weight_decay"
DRAWN = (WEIGHT_DECAY, BATCH_SIZE)
"""Keys that are known to move the best rate."""
FEWEST = 10
"""Trials of an optimizer that were trained to the end, from which on a picture of them says something."""


@dataclass(frozen=True)
class Interaction:
    """The rate and one other parameter, over the trials of one optimizer.

    Attributes:
        optimizer: Whose trials; None where only one is tried.
        key: The other parameter's key in ``[training]``.
        choices: Its values in order, where there are a few only; empty for a range.
        log: Whether a range is searched in logarithms.
        trials: Rows of the trials frame that were trained to the end, best first, with the parameter as column `other`.
        law: How the best rate moves with it, where that is the batch size and there are trials enough to ask.
    """

    optimizer: str | None
    key: str
    choices: tuple[float, ...]
    log: bool
    trials: pd.DataFrame
    law: BatchSizeLaw | None = None


def interactions(frames: StudyFrames) -> list[Interaction]:
    """What there is to draw: weight decay first, then the batch size, optimizer by optimizer.

    Args:
        frames: The study.
    """
    if frames.definition is None:
        return []
    options = frames.definition.search.options
    optimizers: list[str | None] = list(options.optimizers) or [None]
    found = []
    for key in DRAWN:
        for optimizer in optimizers:
            own = options.shared() if optimizer is None else [*options.shared(), *options.own(optimizer)]
            searched = next((one for one in own if one.section == "training" and one.key == key), None)
            made = None if searched is None else _interaction(frames, optimizer, searched)
            found += [] if made is None else [made]
    return found


def _interaction(frames: StudyFrames, optimizer: str | None, option: Option) -> Interaction | None:
    """None where the other parameter, or the rate, has one value only, or the trials are few."""
    ended = standings.ranked(frames)
    there = ended["params"].map(lambda params: _is_of(params, optimizer) and _is_number(params.get(option.name)))
    ended = ended[there.astype(bool) & (ended["lr"] > 0)]
    ended = ended.assign(other=ended["params"].map(lambda params: float(params[option.name])).astype(float))
    if len(ended) < FEWEST or ended["other"].nunique() < 2 or ended["lr"].nunique() < 2:
        return None
    axis = option.axis
    choices = tuple(sorted(map(float, axis.choices))) if isinstance(axis, OptionChoices) else ()  # type: ignore[arg-type]
    log = isinstance(axis, OptionRange) and axis.log
    law = _law(frames, ended) if option.key == BATCH_SIZE else None
    return Interaction(optimizer, option.key, choices, log, ended, law)


def _law(frames: StudyFrames, ended: pd.DataFrame) -> BatchSizeLaw | None:
    sign = -1.0 if frames.maximise else 1.0
    values = sign * ended["value"].to_numpy(dtype=float)
    rates, sizes = ended["lr"].to_numpy(dtype=float), ended["other"].to_numpy(dtype=float)
    return batch_size_law(Trained(rates, sizes, values, list(ended["scheduler"])))


def _is_of(params: dict[str, object], optimizer: str | None) -> bool:
    return optimizer is None or params.get(OPTIMIZER) == optimizer


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
