"""How far a study is, and what is best so far."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from lrsearch.errors import input_error
from lrsearch.storage.attributes import (
    AUDIT_CURVE,
    AUDIT_DIVERGED_AT,
    AUDIT_ERROR,
    AUDIT_VALUE,
    EXTRA_CURVES,
    FINALISTS,
    LR_CURVE,
    PLAN,
    RETRIED,
    TRAIN_CURVE,
)
from lrsearch.storage.counts import Tally
from lrsearch.study import stored as studies
from lrsearch.study.confirmed_runs import seeds_in
from lrsearch.study.ranking import is_diverged, ranked
from lrsearch.study.stored import StoredStudy


@dataclass(frozen=True, kw_only=True)
class TrialCounts(Tally):
    """How far a study is. At the end ``complete + pruned + failed = budget``.

    Attributes:
        budget: Trials the study has in all; None for a study that lrsearch did not create.
    """

    budget: int | None

    @property
    def finished(self) -> int:
        """Settings that are done: complete, pruned, or failed for good."""
        return self.complete + self.pruned + self.failed

    @property
    def claimed(self) -> int:
        """Settings that are done, under way or waiting."""
        return self.finished + self.running + self.waiting

    @property
    def is_done(self) -> bool:
        """Whether the study is finished, see `is_done`."""
        return is_done(self.budget, self.finished, self.running + self.waiting)

    def as_dict(self) -> dict[str, int | None]:
        return {"budget": self.budget, **asdict(self)}


def is_done(budget: int | None, finished: int, under_way: int) -> bool:
    """Whether a study is finished: its whole budget is complete, pruned or failed for good, and nothing is left to do.

    A trial that is excluded was trained nevertheless, and counts. One that runs or waits does not let the study be
    finished, not even beyond the budget. A study without a budget is finished while nobody trains any of its trials.

    Args:
        budget: Its trials in all; None for a study that lrsearch did not create.
        finished: Trials that are complete, pruned or failed for good.
        under_way: Trials that run or wait.
    """
    return under_way == 0 and (budget is None or finished >= budget)


def count(stored: StoredStudy) -> TrialCounts:
    """How far the study is, as cheaply as it can be counted.

    Args:
        stored: The study.
    """
    return TrialCounts(budget=stored.budget, **asdict(stored.reader.tally()))


def best(stored: StoredStudy, trials: Sequence[FrozenTrial] | None = None) -> FrozenTrial | None:
    """The first of `ranking.ranked`; None if there is none.

    Args:
        stored: The study.
        trials: Its trials, if they were read already.

    Raises:
        InputError: It has several objectives, so that nothing is the best.
    """
    if not stored.has_one_objective:
        rule = f"has {len(stored.study.directions)} objectives; lrsearch shows the best of studies with one"
        raise input_error(f"study {stored.name}", rule)
    trials = stored.trials() if trials is None else trials
    return next(iter(ranked(trials, stored.excluded(), maximise=stored.maximises)), None)


def best_value(stored: StoredStudy) -> float | None:
    """The value of the best trial so far, as cheaply as it can be had; None if there is none.

    Args:
        stored: The study.

    Raises:
        InputError: It has several objectives.
    """
    if stored.definition is not None:
        return stored.reader.best_value(stored.excluded(), maximise=stored.maximises)
    # Another tool may have constraints of its own, which the database cannot compare.
    winner = best(stored)
    return winner.value if winner else None


def epochs_trained(trials: Iterable[FrozenTrial], evaluations_per_epoch: float = 1) -> int:
    """Epochs of all trials together, audits included; a trial's seeds count as one.

    Args:
        trials: The trials.
        evaluations_per_epoch: How many steps of their curves an epoch is.
    """
    steps = sum(len(trial.intermediate_values) + len(trial.user_attrs.get(AUDIT_CURVE, [])) for trial in trials)
    return round(steps / evaluations_per_epoch)


def confirmation(stored: StoredStudy) -> dict[str, Any] | None:
    """How far the study's confirmation is; None if it has none.

    Args:
        stored: The study.
    """
    linked = studies.linked(stored, "confirm")
    if linked is None:
        return None
    there = linked.reader.attributes()
    seeds = seeds_in(there, linked.definition)
    if not seeds:
        return None
    return {
        "study": linked.name,
        "finalists": len(there.get(FINALISTS, [])),
        "seeds": seeds,
        "finished": count(linked).is_done and bool(there.get(PLAN, {"done": True})["done"]),
    }


def state(trial: FrozenTrial) -> str:
    """What became of a trial, in one word."""
    if trial.state == TrialState.COMPLETE and is_diverged(trial):
        return "diverged"
    if trial.state == TrialState.FAIL:
        return "retried" if RETRIED in trial.user_attrs else "failed"
    return trial.state.name.lower()


def curves(trial: FrozenTrial, unit: str = "epoch") -> list[dict[str, Any]]:
    """A trial's epochs: epoch, learning rate, metric on training and test rows, and what else was shown.

    Args:
        trial: Any trial; one that lrsearch did not train has its intermediate values only.
        unit: What the steps of its curve are called.
    """
    attributes = trial.user_attrs
    further = {"lr": attributes.get(LR_CURVE, []), "train": attributes.get(TRAIN_CURVE, [])}
    further.update(attributes.get(EXTRA_CURVES, {}))
    return [
        {unit: epoch, "test": trial.intermediate_values[epoch]}
        | {name: values[epoch - 1] for name, values in further.items() if 0 < epoch <= len(values)}
        for epoch in sorted(trial.intermediate_values)
    ]


def audit(trial: FrozenTrial, unit: str = "epoch") -> dict[str, Any]:
    """What became of a pruned trial that was trained on; empty for any other.

    Args:
        trial: Any trial.
        unit: What the steps of its curve are called.
    """
    stored = trial.user_attrs
    if AUDIT_CURVE not in stored:
        return {}
    end = stored.get(AUDIT_VALUE, stored.get(AUDIT_ERROR))
    if AUDIT_DIVERGED_AT in stored:
        end = f"diverged in {unit} {stored[AUDIT_DIVERGED_AT]}"
    return {"audit": end, f"{unit}s of audit": len(stored[AUDIT_CURVE])}
