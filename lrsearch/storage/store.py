"""What a search writes to a storage, for any number of trials at a time."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, Protocol

from optuna.distributions import BaseDistribution
from optuna.trial import TrialState

from lrsearch.storage.defaults import GRACE as GRACE

RETRIES = 3
"""So often the settings of a lost trial are run again."""
MACHINES = 10
"""So often settings that failed are taken back from a machine at fault; after that they are at fault themselves."""
ISOLATION = 8
"""Each time settings were lost, they are run again together with so many times fewer others."""


@dataclass(frozen=True)
class Claim:
    """A trial that this process trains from now on."""

    trial_id: int
    number: int


@dataclass(frozen=True)
class TrialEnd:
    """How a trial ended.

    Attributes:
        trial_id: Which.
        state: COMPLETE, PRUNED or FAIL.
        value: Its value; for a pruned trial the last intermediate value, None if that is not a number.
        attributes: User attributes to store with it.
        constraints: Optuna constraints; a positive one marks the trial as infeasible.
        reported: Step -> intermediate value, of those that are not stored yet.
    """

    trial_id: int
    state: TrialState
    value: float | None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    constraints: Mapping[str, float] = field(default_factory=dict)
    reported: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Chosen:
    """Settings of a trial, as Optuna parameters."""

    params: Mapping[str, Any]
    distributions: Mapping[str, BaseDistribution]


def settings_key(params: Mapping[str, Any]) -> Hashable:
    """What tells settings apart: those with equal keys train the same.

    Args:
        params: Optuna parameters. A value that is not hashable comes from another tool.
    """
    return frozenset((name, value if isinstance(value, Hashable) else repr(value)) for name, value in params.items())


def times(stored: object) -> int:
    """How often something happened, as an attribute says; 0 where there is none, or somebody else's.

    Args:
        stored: The attribute.
    """
    return stored if isinstance(stored, int) and stored > 0 else 0


def together(losses: Sequence[int], wanted: int) -> int:
    """How many of the trials that wait are claimed at once, the oldest first.

    A worker may have died of one trial among many. What was lost with it is run again in smaller and smaller company,
    so that settings that kill their worker end up alone, and only they are given up.

    Args:
        losses: How often each of the trials that wait was lost with its worker, oldest first.
        wanted: How many trials the worker would take.
    """
    if not losses:
        return 0
    alike = sum(1 for _ in takewhile(lambda times: times == losses[0], losses))
    return min(alike, max(1, wanted // int(ISOLATION ** losses[0])))


class TrialStore(Protocol):
    """Writes the trials of one study. Every call may be repeated after an error without doing anything twice."""

    def enqueue(self, params: Sequence[Mapping[str, Any]], there: int) -> bool:
        """Let settings wait to be trained, unless trials have come since the caller looked.

        Args:
            params: The Optuna parameters of each.
            there: How many trials the study had when the caller found that these are missing.

        Returns:
            Whether they wait now; False where the study has another number of trials, so that somebody else may have
            added the same: look again.
        """

    def claim(self, wanted: int, budget: int, worker: Mapping[str, Any]) -> list[Claim]:
        """Take trials to train: those that wait first (see `together`), then new ones while the budget allows.

        Args:
            wanted: How many at most.
            budget: The study's trials in all.
            worker: This process, with a claim of its own (`liveness.Worker`).
        """

    def choose(self, chosen: Mapping[int, Chosen], once: Collection[int] = ()) -> set[int]:
        """Store the settings of claimed trials that have none yet.

        Args:
            chosen: Trial id -> settings.
            once: Ids of those that shall not have the settings of another trial, which somebody else may have chosen
                meanwhile.

        Returns:
            Ids of those of `once` that have none, because another trial has the same: choose again.
        """

    def record(self, values: Mapping[int, Mapping[int, float]]) -> None:
        """Store intermediate values of running trials.

        Args:
            values: Trial id -> step -> value; a step that was stored before gets its new value.
        """

    def finish(self, outcomes: Sequence[TrialEnd]) -> set[int]:
        """End trials.

        Args:
            outcomes: How each ended.

        Returns:
            Ids of those that were still ours to end; the others were taken to be lost and are run again.
        """

    def beat(self, trial_ids: Sequence[int]) -> None:
        """Say that running trials are still being trained.

        Args:
            trial_ids: Which.
        """

    def hand_back(self, trial_ids: Sequence[int], reason: str) -> None:
        """Let the settings of running trials be run again, under new numbers.

        Args:
            trial_ids: Which; those that have ended in the meantime stay as they are.
            reason: Why; stored with the originals.
        """

    def reap(self, grace: float) -> list[int]:
        """Find running trials whose process is gone, and let their settings be run again, each exactly once.

        Args:
            grace: Seconds without a heartbeat after which a process on another machine is taken to be gone.

        Returns:
            Numbers of the trials that were lost.
        """

    def retry(self, numbers: Sequence[int], reason: str, *, at_fault: bool = False) -> list[int]:
        """Let the settings of trials that failed for good be run again, under new numbers.

        Args:
            numbers: The trials'; those that are not failed for good stay as they are.
            reason: Why; stored with the originals.
            at_fault: Whether a machine was at fault. Settings that failed so `MACHINES` times are not run again.

        Returns:
            Numbers of those that are run again.

        Raises:
            LrsearchError: The storage's tables are not known, and without them a failed trial cannot be changed.
        """
