"""Who is compared: finalists on fresh seeds, and predictions for which nothing was learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lrsearch.sampling.space import LR_NAMES
from lrsearch.study.contestants import is_other_optimizer
from lrsearch.study.snippet import Steps
from lrsearch.study_file.searched_options import OPTIMIZER

Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]
SCHEDULE_NAMES = ("scheduler", "schedule", "lr_scheduler", "lr_schedule", "lr_scheduler_type")
"""What a schedule is called: by us first, then by those whose runs are judged."""
CONSTANT = ("constant", "constantlr")
"""What a constant rate is called."""


@dataclass(frozen=True)
class Contender:
    """A finalist and what it came to on each fresh seed.

    Attributes:
        params: Its settings, without a seed.
        role: Where it comes from; see `study.finalists.Finalist`.
        number: The trial of the search that had these settings; None if none did.
        searched: What the search saw; None if it did not train them to the end.
        values: What scores it, per seed; NaN where it diverged, failed, or was not trained; [seeds].
        tests: The same on the test rows; [seeds].
        diverged: On how many seeds it diverged.
        failed: On how many seeds its training failed.
        steps: How its scheduler was stepped, as far as it is known.
        cells: What scores it, per seed and block of rows; a seed's mean is its value. One block where the storage has
            no more than that; [seeds, blocks].
        planned: On how many seeds it is to be trained: fewer than there are where it has left.
        own: Which of the seeds are its own, where settings were not all trained on the same ones; None for all
            of them; [seeds].
        curves: The test metric after each epoch, of each of its runs that did not diverge; one curve per seed.
        kept: The epoch that each of its runs keeps, where that is the best one and not the last.
    """

    params: dict[str, Any]
    role: str
    number: int | None
    searched: float | None
    values: Numbers
    tests: Numbers
    diverged: int
    failed: int
    steps: Steps
    cells: Numbers
    planned: int
    own: Mask | None = None
    curves: tuple[tuple[float, ...], ...] = ()
    kept: tuple[int, ...] = ()

    @property
    def mask(self) -> Mask:
        """Which of the seeds are its own; [seeds]."""
        return np.ones(len(self.values), dtype=np.bool_) if self.own is None else self.own

    @property
    def known(self) -> Numbers:
        """Its values on its own seeds; [own seeds]."""
        return np.asarray(self.values[self.mask])

    @property
    def is_complete(self) -> bool:
        """Trained to the end on every seed of its own, without diverging; a single one of some proves nothing."""
        return bool(np.isfinite(self.known).all()) and (self.own is None or len(self.known) > 1)

    @property
    def has_left(self) -> bool:
        """Whether it was left out after some seeds, because it could not win any more."""
        return self.own is None and self.planned < len(self.values) and not self.diverged and not self.failed

    @property
    def has_other_optimizer(self) -> bool:
        """Whether it is a contestant with another optimizer than the study's; their rates say nothing of each other."""
        return is_other_optimizer(self.role, self.params)

    @property
    def is_constant(self) -> bool:
        named = [str(self.params[name]).lower() for name in SCHEDULE_NAMES if name in self.params]
        return not self.has_other_optimizer and any(name in CONSTANT for name in named)

    @property
    def complexity(self) -> tuple[bool, int]:
        """How simple it is, simplest first: a constant rate, then schedules by the number of their parameters."""
        of_optimizer = f"{self.params.get(OPTIMIZER)}."
        others = (name for name in self.params if name not in (*LR_NAMES, *SCHEDULE_NAMES, OPTIMIZER))
        return (not self.is_constant, sum(not name.startswith(of_optimizer) for name in others))

    @property
    def mean(self) -> float:
        """Over all seeds of its own; NaN if it is not complete."""
        return float(np.mean(self.known))

    @property
    def trained(self) -> int:
        """On how many seeds it has a value."""
        return int(np.isfinite(self.known).sum())

    @property
    def mean_so_far(self) -> float | None:
        """Over the seeds that it was meant for; None if it diverged or failed on one of them, or is not done."""
        values = self.known if self.own is not None else self.known[: self.planned]
        mean = float(np.mean(values))
        return mean if np.isfinite(mean) else None


@dataclass(frozen=True)
class Baseline:
    """What a prediction comes to for which nothing was learned.

    Attributes:
        name: What it is.
        cells: What it comes to, as in `Contender`; [seeds or 1, blocks].
    """

    name: str
    cells: Numbers

    @property
    def mean(self) -> float:
        return float(self.cells.mean())
