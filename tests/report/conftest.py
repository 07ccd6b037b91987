"""Studies to report on, built through Optuna's public API."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import optuna
import pytest
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from lrsearch.storage import attributes
from lrsearch.study_file.load import parse_stored

EPOCHS = 6
TYPES = ("constant", "lambda", "exponential", "one_cycle")
OWN = {"lambda": {"decay": 0.9}, "exponential": {"exponential.decades": 1.0}}


def document(name: str, trials: int, **sections: Any) -> dict[str, Any]:
    return {
        "study": {"name": name, "trials": trials},
        "task": {"name": "polynomial", "degree": 2},
        "training": {"epochs": EPOCHS},
        "search": {"lr": {"low": 1e-4, "high": 1.0, "log": True}, "schedulers": list(TYPES)},
        "sampler": {"name": "tpe", "seed": 7},
        "pruner": {"name": "halving", "rungs": [0.25, 0.5]},
        **sections,
    }


def distributions(params: dict[str, Any]) -> dict[str, BaseDistribution]:
    return {
        name: CategoricalDistribution([value]) if isinstance(value, str) else FloatDistribution(1e-9, 1e9)
        for name, value in params.items()
    }


@pytest.fixture
def trial() -> Callable[..., FrozenTrial]:
    """Makes a trial as lrsearch stores it; `end` is its value, and its curve falls towards that."""

    def make(
        end: float = 8.0,
        scheduler: str = "constant",
        lr: float = 0.01,
        state: str = "complete",
        epochs: int = EPOCHS,
        diverged: bool = False,
        params: dict[str, Any] | None = None,
        **attrs: Any,
    ) -> FrozenTrial:
        own = {"lr": lr, "scheduler": scheduler, **OWN.get(scheduler, {})} if params is None else params
        curve = [end + 20.0 / epoch**2 - 20.0 / epochs**2 for epoch in range(1, epochs + 1)]
        stored: dict[str, Any] = {
            attributes.TRAIN_CURVE: [0.9 * value for value in curve],
            attributes.LR_CURVE: [lr] * epochs,
            attributes.BEFORE: 30.0,
            attributes.HORIZON: EPOCHS * (14 if scheduler in ("exponential", "one_cycle") else 1),
            attributes.ENGINE: "sequential",
            attributes.THREADS: 1,
            attributes.SECONDS: 0.5,
        }
        if diverged:
            curve[-1] = math.inf
            stored[attributes.TRAIN_CURVE][-1] = None
            stored[attributes.DIVERGED_AT] = epochs
        value = {"complete": 30.0 if diverged else end, "pruned": end}.get(state)
        return create_trial(
            state=TrialState[{"failed": "FAIL"}.get(state, state.upper())],
            value=value,
            params=own,
            distributions=distributions(own),
            user_attrs={**stored, **attrs},
            intermediate_values=dict(enumerate(curve, 1)),
            constraints={attributes.CONSTRAINT: 1.0} if diverged else None,
        )

    return make


@pytest.fixture
def audit(trial: Callable[..., FrozenTrial]) -> Callable[..., FrozenTrial]:
    """Makes a pruned trial that was trained on; it would have come to `end`, or diverged, or its training failed."""

    def make(
        end: float | None,
        scheduler: str = "constant",
        epochs: int = 3,
        diverged_at: int | None = None,
        error: str | None = None,
        trained: int | None = None,
        **attrs: Any,
    ) -> FrozenTrial:
        many = (diverged_at or EPOCHS) - epochs if trained is None else trained
        stored: dict[str, Any] = {attributes.AUDIT_CURVE: [end or 20.0] * many, attributes.AUDIT_SECONDS: 0.25}
        known = {
            attributes.AUDIT_VALUE: end,
            attributes.AUDIT_DIVERGED_AT: diverged_at,
            attributes.AUDIT_ERROR: error,
        }
        stored |= {key: value for key, value in known.items() if value is not None}
        return trial(15.0, scheduler, state="pruned", epochs=epochs, **stored, **attrs)

    return make


@pytest.fixture
def study() -> Callable[..., optuna.Study]:
    """Makes a study of lrsearch from trials; keyword arguments replace sections of its definition."""

    def make(
        trials: Sequence[FrozenTrial] = (),
        name: str = "small",
        metric: str = "mse",
        budget: int | None = None,
        storage: str | None = None,
        **sections: Any,
    ) -> optuna.Study:
        made = optuna.create_study(study_name=name, storage=storage)
        definition = parse_stored(document(name, budget or max(len(trials), 1), **sections), "test")
        made.set_user_attr(attributes.DEFINITION, definition.document())
        made.set_user_attr(attributes.VERSION, "0.1.0")
        made.set_user_attr(attributes.METRIC, metric)
        made.add_trials(trials)
        # A trial of these tests may say that it is excluded; the storage keeps that with the study.
        reasons = {str(n): t.user_attrs.get(attributes.EXCLUDED) for n, t in enumerate(trials)}
        made.set_user_attr(attributes.EXCLUDED, {number: reason for number, reason in reasons.items() if reason})
        return made

    return make


@pytest.fixture
def confirmation(trial: Callable[..., FrozenTrial]) -> Callable[..., optuna.Study]:
    """Makes the confirmation of a study; each finalist is its settings, its role, and a value per seed."""

    def make(
        finalists: Sequence[tuple[dict[str, Any], str, Sequence[float | None]]],
        rows: str = "holdout",
        reason: str = "",
        promised: float | None = 7.0,
        before: float = 30.0,
    ) -> optuna.Study:
        made = optuna.create_study(study_name="small/confirm")
        seeds = list(range(1000, 1000 + max(len(values) for _, _, values in finalists)))
        own = document("small", len(seeds) * len(finalists), training={"epochs": EPOCHS, "seeds": seeds})
        made.set_user_attr(attributes.DEFINITION, parse_stored(own, "test").document())
        made.set_user_attr(
            attributes.ORIGIN, {"study": "small", "role": "confirm", "rows": rows, "row_count": 300, "reason": reason}
        )
        entries = [{"params": params, "role": role, "number": 0, "value": promised} for params, role, _ in finalists]
        made.set_user_attr(attributes.FINALISTS, entries)
        for params, _, values in finalists:
            for seed, value in zip(seeds, values, strict=False):
                named = {**params, "seed": seed}
                diverged = value is None
                kept = {attributes.BEFORE: before}
                made.add_trial(trial(value or 30.0, str(params["scheduler"]), params=named, diverged=diverged, **kept))
        return made

    return make


@pytest.fixture
def mixed(trial: Callable[..., FrozenTrial], study: Callable[..., optuna.Study]) -> optuna.Study:
    """Three trials of each type: complete, pruned, diverged; constant 0.01 is the best."""
    trials = []
    for place, name in enumerate(TYPES):
        trials.append(trial(8.0 + place, name, 0.01 * (place + 1)))
        trials.append(trial(15.0 + place, name, 0.002, "pruned", epochs=3))
        trials.append(trial(0.0, name, 0.5 + 0.1 * place, epochs=2, diverged=True))
    return study(trials)
