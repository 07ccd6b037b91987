"""What a search says while it runs."""

from __future__ import annotations

from dataclasses import dataclass

from optuna.trial import TrialState

from lrsearch.sampling.space import Settings


@dataclass(frozen=True)
class TrialBegan:
    """A trial's settings are chosen."""

    number: int
    settings: Settings


@dataclass(frozen=True)
class EpochDone:
    """Some trials finished an epoch."""

    epoch: int
    trials: int


@dataclass(frozen=True)
class TrialEnded:
    """A trial is told: complete, pruned or failed."""

    number: int
    state: TrialState
    value: float | None
    diverged: bool
    error: str | None = None
    refused: bool = False
    """Whether it could not be trained anywhere: its settings are somebody's mistake."""


@dataclass(frozen=True)
class TrialsAdded:
    """The study goes on, with more trials than it had: a further round of a confirmation."""

    budget: int


Event = TrialBegan | EpochDone | TrialEnded | TrialsAdded
