"""What finalists came to on the test rows, where the trials of the search are judged, too."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lrsearch.report.frames import StudyFrames
from lrsearch.report.wording import describe
from lrsearch.sampling.space import rate_of
from lrsearch.study.contender import Contender

CONFIDENCE = 0.95


@dataclass(frozen=True)
class ConfirmedRate:
    """A finalist with a learning rate, on the test rows.

    Attributes:
        lr: Its initial learning rate.
        settings: What it is.
        mean: Over its seeds.
        low: Lower end of Student's interval of the mean over seeds.
        high: Upper end.
    """

    lr: float
    settings: str
    mean: float
    low: float
    high: float


def confirmed_rates(frames: StudyFrames) -> list[ConfirmedRate]:
    """The finalists that have a rate of the study's optimizer, and a value on the test rows for every seed of theirs.

    Args:
        frames: The study.
    """
    complete = [] if frames.evidence is None else frames.evidence.complete
    return [found for contender in complete if (found := _confirmed(contender)) is not None]


def _confirmed(contender: Contender) -> ConfirmedRate | None:
    tests, lr = contender.tests[contender.mask], rate_of(contender.params)
    if contender.has_other_optimizer:
        return None  # its rate is on another scale
    if not isinstance(lr, (int, float)) or not np.isfinite(tests).all():
        return None
    mean, reach = float(tests.mean()), 0.0
    if len(tests) > 1:
        from scipy.special import stdtrit  # a quarter of a second that a search alone need not wait for

        quantile = float(stdtrit(len(tests) - 1, (1 + CONFIDENCE) / 2))
        reach = quantile * float(tests.std(ddof=1)) / math.sqrt(len(tests))
    return ConfirmedRate(float(lr), describe(contender.params), mean, mean - reach, mean + reach)
