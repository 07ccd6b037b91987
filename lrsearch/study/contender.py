"""Who is compared: finalists on fresh seeds, and predictions for which nothing was learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lrsearch.sampling.space import LR_NAMES
from lrsearch.study.snippet import Steps

Numbers = NDArray[np.float64]


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

    @property
    def is_complete(self) -> bool:
        """Trained to the end on every seed, without diverging."""
        return bool(np.isfinite(self.values).all())

    @property
    def has_left(self) -> bool:
        """Whether it was left out after some seeds, because it could not win any more."""
        return self.planned < len(self.values) and not self.diverged and not self.failed

    @property
    def is_constant(self) -> bool:
        return self.params.get("scheduler") == "constant"

    @property
    def complexity(self) -> tuple[bool, int]:
        """How simple it is, simplest first: a constant rate, then schedules by the number of their parameters."""
        return (not self.is_constant, sum(name not in (*LR_NAMES, "scheduler") for name in self.params))

    @property
    def mean(self) -> float:
        """Over all seeds; NaN if it is not complete."""
        return float(np.mean(self.values))


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
