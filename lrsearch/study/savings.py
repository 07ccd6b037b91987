"""What pruning saved of a study, in epochs and in seconds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from lrsearch.pruning.lane_cost import ONE_BY_ONE, LaneCost
from lrsearch.storage.attributes import AUDIT_CURVE, AUDIT_SECONDS, ENGINE, PLACE, RETRIED, SECONDS
from lrsearch.study import lane_costs
from lrsearch.study.stored import StoredStudy

ONE_PASS = ("batched", "compiled")
"""Engines whose lanes take their steps together."""
ENDED = (TrialState.COMPLETE, TrialState.PRUNED)


@dataclass(frozen=True)
class Length:
    """How long a trial was trained.

    Attributes:
        number: Its number.
        trained: Evaluations, those of its audit included: one for each epoch, unless `evaluate_every` says otherwise.
        whole: Evaluations that it would have been trained without a pruner, as far as is known.
        places: Where its lanes stood in its generation.
    """

    number: int
    trained: int
    whole: int
    places: Sequence[int]


@dataclass(frozen=True)
class Savings:
    """What pruning saved.

    Attributes:
        trials: Trials that were ended early.
        epochs_saved: Epochs that were not trained for that; a trial's seeds count as one.
        epochs_unpruned: Epochs that all trials together would have taken.
        seconds_saved: About how many seconds of training that saved.
        seconds_unpruned: About how many all trials together would have taken.
    """

    trials: int
    epochs_saved: int
    epochs_unpruned: int
    seconds_saved: float
    seconds_unpruned: float

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def savings(stored: StoredStudy, trials: Sequence[FrozenTrial]) -> Savings | None:
    """What pruning saved of a study; None where nothing was pruned, or nothing says how long trials should have been.

    Seconds follow from what was measured while the trials were trained, and from what lanes cost in a batch
    (`pruning.lane_cost`): a batch of a few lanes is hardly faster than one of many.

    Args:
        stored: The study.
        trials: Its trials.
    """
    definition = stored.definition
    ended = [trial for trial in trials if trial.state in ENDED and RETRIED not in trial.user_attrs]
    pruned = sum(trial.state == TrialState.PRUNED for trial in ended)
    if definition is None or not pruned:
        return None
    seeds = len(definition.training.seeds)
    last = stored.evaluations
    lengths = [_length(trial, last, seeds) for trial in ended]
    together = any(trial.user_attrs.get(ENGINE) in ONE_PASS for trial in ended)
    cost = (lane_costs.of(stored) or ONE_BY_ONE) if together else ONE_BY_ONE
    share = share_of_seconds(lengths, cost, stored.generation if together else 1)
    took = spent(ended)
    whole = sum(own.whole for own in lengths)
    saved = whole - sum(own.trained for own in lengths)
    unpruned = took / share if share else 0.0
    saved, whole = (round(steps / stored.evaluations_per_epoch) for steps in (saved, whole))
    return Savings(pruned, saved, whole, unpruned - took, unpruned)


def spent(trials: Iterable[FrozenTrial]) -> float:
    """Seconds that trials were trained for, audits included; pauses between them do not count.

    Args:
        trials: Of one study; those that were trained together share what that took.
    """
    return sum(_seconds(trial.user_attrs) for trial in trials)


def share_of_seconds(lengths: Iterable[Length], cost: LaneCost, generation: int) -> float:
    """What training took, as a share of what it would have taken without a pruner; 1 if there is nothing.

    Args:
        lengths: How long each trial was trained.
        cost: What lanes cost.
        generation: How many trials are trained together: those with neighbouring numbers.
    """
    groups: dict[int, list[Length]] = defaultdict(list)
    for own in lengths:
        groups[own.number // generation].append(own)
    took, whole = (
        sum(_batch_seconds([(getattr(own, what), own.places) for own in group], cost) for group in groups.values())
        for what in ("trained", "whole")
    )
    return took / whole if whole else 1.0


def _batch_seconds(trials: Sequence[tuple[int, Sequence[int]]], cost: LaneCost) -> float:
    """What a batch costs whose trials leave after so many evaluations, with the places that they have."""
    total, begin = 0.0, 0
    for end in sorted({steps for steps, _ in trials}):
        live = [place for steps, places in trials if steps >= end for place in places]
        total += (end - begin) * cost.seconds(cost.lanes(live))
        begin = end
    return total


def _length(trial: FrozenTrial, last: int, seeds: int) -> Length:
    audit = trial.user_attrs.get(AUDIT_CURVE)
    trained = len(trial.intermediate_values) + (len(audit) if isinstance(audit, list) else 0)
    # An audit that ended before the last epoch diverged there, as the trial would have; a complete trial, too.
    whole = trained if trial.state == TrialState.COMPLETE or isinstance(audit, list) else last
    place = trial.user_attrs.get(PLACE)
    first = place if isinstance(place, int) else trial.number * seeds
    return Length(trial.number, trained, max(trained, whole), range(first, first + seeds))


def _seconds(attributes: Mapping[str, Any]) -> float:
    there = (attributes.get(key) for key in (SECONDS, AUDIT_SECONDS))
    return float(sum(own for own in there if isinstance(own, (int, float))))
