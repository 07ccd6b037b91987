"""Trials as rows of pandas tables: one table of trials, one of their curves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lrsearch.sampling.space import rate_of
from lrsearch.storage import attributes
from lrsearch.study.ranking import is_diverged, may_be_best

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

COLUMNS = {
    "number": "int64",
    "state": "object",  # complete, pruned, failed, running, waiting
    "value": "float64",  # what it was told
    "last": "float64",  # the last finite value it reported
    "diverged": "bool",
    "diverged_at": "float64",
    "scheduler": "object",
    "lr": "float64",
    "params": "object",  # dict, by Optuna's names
    "epochs": "float64",  # finished and reported; with evaluate_every those are evaluations, here and below
    "before": "float64",  # test metric before training
    "seed_values": "object",  # list of float
    "seconds": "float64",
    "audit_epochs": "float64",  # for which a pruned trial was trained on
    "audit_curve": "object",  # list of float, the test metric after each of them
    "audit_value": "float64",  # what it came to then
    "audit_diverged_at": "float64",
    "audit_seconds": "float64",
    "kept_epochs": "object",  # list of int, the epoch that each seed keeps, where that may be another than the last
    "horizon": "float64",
    "engine": "object",
    "device": "object",
    "threads": "object",
    "error": "object",
    "retried": "object",
    "excluded": "object",
    "ranked": "bool",  # may be the best, see `study.ranking`
    "started": "object",  # datetime
    "completed": "object",  # datetime
}
"""Columns of the trials frame, with their types. A number that is missing is NaN, anything else None."""
CURVES = ("number", "epoch", "test_metric", "train_metric", "lr")
"""Columns of the curves frame that every study has; the others are its extra metrics."""
NO_REASON = "no reason given"


def trials_table(trials: Sequence[FrozenTrial], excluded: object) -> pd.DataFrame:
    """A row per trial; the columns are `COLUMNS`.

    Args:
        trials: In the order of their numbers.
        excluded: What is stored of excluded ones: number -> reason; anything else excludes nobody.
    """
    reasons = {int(number): reason for number, reason in (excluded if isinstance(excluded, dict) else {}).items()}
    rows = [
        {
            **_row(trial),
            "excluded": (text_of(reasons[trial.number]) or NO_REASON) if trial.number in reasons else None,
            "ranked": may_be_best(trial, reasons),
        }
        for trial in trials
    ]
    columns = {name: pd.Series([row[name] for row in rows], dtype=kind) for name, kind in COLUMNS.items()}
    return pd.DataFrame(columns)


def _row(trial: FrozenTrial) -> dict[str, Any]:
    stored = trial.user_attrs
    state = trial.state.name.lower()
    state = "failed" if state == "fail" else state
    value = _number(trial.values[0] if trial.values else None)
    reported = trial.intermediate_values
    # Plain Optuna has no constraint of ours, but it does let an infinite value through.
    infinite = state == "complete" and math.isinf(value)
    lr = rate_of(trial.params)
    audit = stored.get(attributes.AUDIT_CURVE)
    return {
        "number": trial.number,
        "state": state,
        "value": value,
        "last": _last_finite(reported),
        "diverged": infinite or is_diverged(trial),
        "diverged_at": _number(stored.get(attributes.DIVERGED_AT)),
        "scheduler": text_of(trial.params.get("scheduler")),
        "lr": _number(lr),
        "params": dict(trial.params),
        "epochs": float(max(reported, default=0)),
        "before": _number(stored.get(attributes.BEFORE)),
        "seed_values": _numbers(stored.get(attributes.SEED_VALUES)),
        "seconds": _number(stored.get(attributes.SECONDS)),
        "audit_epochs": float(len(audit)) if isinstance(audit, list) else math.nan,
        "audit_curve": _numbers(audit),
        "audit_value": _number(stored.get(attributes.AUDIT_VALUE)),
        "audit_diverged_at": _number(stored.get(attributes.AUDIT_DIVERGED_AT)),
        "audit_seconds": _number(stored.get(attributes.AUDIT_SECONDS)),
        "kept_epochs": [int(epoch) for epoch in _numbers(stored.get(attributes.KEPT_EPOCHS)) if math.isfinite(epoch)],
        "horizon": _number(stored.get(attributes.HORIZON)),
        "engine": text_of(stored.get(attributes.ENGINE)),
        "device": text_of(stored.get(attributes.DEVICE)),
        "threads": stored.get(attributes.THREADS),
        "error": text_of(stored.get(attributes.ERROR)),
        "retried": text_of(stored.get(attributes.RETRIED)),
        "started": trial.datetime_start,
        "completed": trial.datetime_complete,
    }


def curves_table(trials: Sequence[FrozenTrial]) -> pd.DataFrame:
    """A row per trial and epoch; the columns are `CURVES` and the extra metrics.

    Args:
        trials: In the order of their numbers.
    """
    extras = sorted({name for trial in trials for name in _extra_curves(trial)} - set(CURVES))
    names = (*CURVES[3:], *extras)
    columns: dict[str, list[float]] = {name: [] for name in (*CURVES, *extras)}
    for trial in trials:
        for name, numbers in _curves_of(trial, names).items():
            columns[name] += numbers
    kinds = {"number": np.int64, "epoch": np.int64}
    return pd.DataFrame({name: np.array(own, dtype=kinds.get(name, np.float64)) for name, own in columns.items()})


def _curves_of(trial: FrozenTrial, names: Sequence[str]) -> dict[str, list[float]]:
    """Number, epoch, test metric and the named curves of a trial; [epochs] each.

    Lists, because a study has thousands of short curves, and making an array takes as long as going through a list.
    """
    reported, stored = trial.intermediate_values, trial.user_attrs
    own = {"train_metric": stored.get(attributes.TRAIN_CURVE), "lr": stored.get(attributes.LR_CURVE)}
    curves = {name: _numbers(curve) for name, curve in {**_extra_curves(trial), **own}.items() if name in names}
    longest = max(len(curve) for curve in curves.values())
    epochs = sorted(reported.keys() | set(range(1, longest + 1)))
    columns: dict[str, list[float]] = {"number": [trial.number] * len(epochs), "epoch": list(epochs)}
    columns["test_metric"] = [reported.get(epoch, math.nan) for epoch in epochs]
    for name in names:
        curve = curves.get(name, [])
        columns[name] = [curve[epoch - 1] if 1 <= epoch <= len(curve) else math.nan for epoch in epochs]
    return columns


def _last_finite(reported: Mapping[int, float]) -> float:
    return next((reported[step] for step in sorted(reported, reverse=True) if math.isfinite(reported[step])), math.nan)


def _extra_curves(trial: FrozenTrial) -> dict[str, object]:
    stored = trial.user_attrs.get(attributes.EXTRA_CURVES)
    return {str(name): curve for name, curve in stored.items()} if isinstance(stored, dict) else {}


def _numbers(value: object) -> list[float]:
    if not isinstance(value, list):
        return []
    # Nearly all curves are floats from end to end, and ten thousand of them are half a million numbers.
    return value if set(map(type, value)) <= {float} else [_number(item) for item in value]


def _number(value: object) -> float:
    """A float; NaN for whatever is no number, as where a curve has null."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return math.nan
    return float(value)


def text_of(value: object) -> str | None:
    """A text; None for what is empty, so that writing an empty text takes an attribute back.

    Args:
        value: An attribute as it is stored, whatever it is.
    """
    return str(value) if value else None
