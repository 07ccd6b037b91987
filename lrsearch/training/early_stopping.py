"""When a run stops early: its test metric has not become better for some evaluations in a row."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from lrsearch.study_file.model import TrainingSection


@dataclass
class EarlyStopping:
    """The rule for one run.

    An evaluation is an improvement if ``value < best - min_delta``, where `best` is the value of the last improvement;
    the first one always is. The run has stopped when `patience` evaluations in a row were none.

    Attributes:
        patience: How many; None: it never stops.
        min_delta: What an improvement has to gain.
        maximise: Whether larger values are better.
    """

    patience: int | None
    min_delta: float = 0.0
    maximise: bool = False
    _best: float = field(default=math.inf, init=False)
    _without: int = field(default=0, init=False)

    @classmethod
    def of(cls, training: TrainingSection, *, maximise: bool) -> EarlyStopping:
        """The rule of a training section.

        Args:
            training: Has `patience` and `min_delta`.
            maximise: Whether larger values of the metric are better.
        """
        return cls(training.patience, training.min_delta, maximise)

    @property
    def has_stopped(self) -> bool:
        return self.patience is not None and self._without >= self.patience

    def take(self, value: float) -> bool:
        """Take note of an evaluation.

        Args:
            value: The test metric; NaN is no improvement.

        Returns:
            Whether the run has stopped now.
        """
        value = -value if self.maximise else value
        if value < self._best - self.min_delta:
            self._best, self._without = value, 0
        else:
            self._without += 1
        return self.has_stopped


class LaneStops:
    """The rule for many runs at once.

    Args:
        training: Has `patience` and `min_delta`.
        maximise: Whether larger values of the metric are better.
    """

    def __init__(self, training: TrainingSection, *, maximise: bool) -> None:
        self._training, self._maximise = training, maximise
        self._rules: dict[int, EarlyStopping] = {}

    def take(self, lanes: Sequence[int], values: Iterable[float]) -> frozenset[int]:
        """Take note of an evaluation of some lanes.

        Args:
            lanes: Which, as positions in the list given to the engine.
            values: The test metric of each.

        Returns:
            Those of them that have stopped now.
        """
        if self._training.patience is None:
            return frozenset()
        for lane in lanes:
            if lane not in self._rules:
                self._rules[lane] = EarlyStopping.of(self._training, maximise=self._maximise)
        pairs = zip(lanes, values, strict=True)
        return frozenset(lane for lane, value in pairs if self._rules[lane].take(float(value)))
