"""Large studies in a browser: fewer curves go out, for a page draws a line for each, and thousands freeze it.

Nothing is thinned that a page computes with: every trial keeps its number, state, value and parameters. What leaves is
drawn only: learning curves of all but the best trials, and points that lie closer than the pixels of a plot. Whole
curves stay in the storage, in the report and in `lrsearch study export`.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from typing import Any

import optuna_dashboard._app as dashboard
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from lrsearch.storage.attributes import AUDIT_CURVE, EXTRA_CURVES, LR_CURVE, TRAIN_CURVE

MOST_CURVES = 200
"""Trials whose curves go out; a plot shows no more lines that an eye could follow."""
MOST_POINTS = 500
"""Of a curve: about as many as a plot is wide."""
CURVES = (AUDIT_CURVE, EXTRA_CURVES, LR_CURVE, TRAIN_CURVE)
"""Attributes that optuna-dashboard cuts off as text after 1,024 characters, and shows in no plot."""
_ORDER = {TrialState.COMPLETE: 0, TrialState.RUNNING: 1, TrialState.PRUNED: 2}


def remark(trials: int) -> str:
    """What a note says about the page of a study that is thinned; nothing where it is not.

    Args:
        trials: How many the study has.
    """
    if trials <= MOST_CURVES:
        return ""
    return (
        f"Intermediate values on this page: of the best {MOST_CURVES} of {trials} trials, so that a browser can show "
        "them, those that were trained to the end first. `lrsearch study export --curves` has all.\n"
    )


def thin_answers() -> None:
    """Let optuna-dashboard thin what it says about a study, in this process from now on."""
    whole = dashboard.serialize_study_detail
    if getattr(whole, "is_thinned", False):
        return

    def serialize(study: Any, best: Any, trials: list[FrozenTrial], *others: Any, **named: Any) -> dict[str, Any]:
        maximise = study.directions[0] == StudyDirection.MAXIMIZE
        answer: dict[str, Any] = whole(study, best, thinned(trials, maximise=maximise), *others, **named)
        return answer

    serialize.is_thinned = True  # type: ignore[attr-defined]
    dashboard.serialize_study_detail = serialize


def thinned(trials: Sequence[FrozenTrial], *, maximise: bool = False) -> list[FrozenTrial]:
    """Trials as a page gets them; those that are given stay as they are.

    Args:
        trials: Some of a study, or all.
        maximise: Whether larger values are better.

    Returns:
        The same trials in the same order: `MOST_CURVES` of them with curves, the others without.
    """
    if len(trials) <= MOST_CURVES:
        return [_with_fewer_points(trial) for trial in trials]
    ranked = sorted((trial for trial in trials if trial.state in _ORDER), key=lambda trial: _rank(trial, maximise))
    kept = {trial.number for trial in ranked[:MOST_CURVES]}
    return [_with_fewer_points(trial) if trial.number in kept else _without_curves(trial) for trial in trials]


def _rank(trial: FrozenTrial, maximise: bool) -> tuple[int, float, int]:
    """Best first: trials that were trained to the end, those under way, those that were pruned."""
    value = trial.values[0] if trial.values else math.inf
    return _ORDER[trial.state], -value if maximise and trial.values else value, trial.number


def _with_fewer_points(trial: FrozenTrial) -> FrozenTrial:
    if len(trial.intermediate_values) <= MOST_POINTS:
        return trial
    steps = sorted(trial.intermediate_values)
    kept = {steps[round(place * (len(steps) - 1) / (MOST_POINTS - 1))] for place in range(MOST_POINTS)}
    return _changed(trial, {step: trial.intermediate_values[step] for step in sorted(kept)}, trial.user_attrs)


def _without_curves(trial: FrozenTrial) -> FrozenTrial:
    own = {name: value for name, value in trial.user_attrs.items() if name not in CURVES}
    return _changed(trial, {}, own)


def _changed(trial: FrozenTrial, values: dict[int, float], attributes: Mapping[str, Any]) -> FrozenTrial:
    changed = copy.copy(trial)
    changed.intermediate_values, changed.user_attrs = values, dict(attributes)
    return changed
