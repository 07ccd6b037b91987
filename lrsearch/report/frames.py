"""A study as two pandas frames: trials and curves. The only part of the report that knows Optuna."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import optuna
import pandas as pd
from numpy.typing import NDArray
from optuna.trial import FrozenTrial

from lrsearch.errors import InputError, input_error
from lrsearch.garbage import not_searched
from lrsearch.sampling.space import rate_of
from lrsearch.storage import attributes
from lrsearch.storage.choice import study_reader
from lrsearch.storage.reader import StudyReader
from lrsearch.study import contest, rate_parameter, recommendation, scale_record
from lrsearch.study import stored as studies
from lrsearch.study.both_answers import BothAnswers, answers_of
from lrsearch.study.confirmed_runs import confirmation_in, gather
from lrsearch.study.evidence import Evidence
from lrsearch.study.ranking import is_diverged, may_be_best
from lrsearch.study.recommended_settings import Recommendation
from lrsearch.study.savings import Savings, savings
from lrsearch.study.scale_record import ScaleRecord
from lrsearch.study.small_rates import SmallRates, small_rates
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file import load
from lrsearch.study_file.model import Definition

Values = NDArray[np.float64]
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


@dataclass(frozen=True)
class StudyFrames:
    """What a storage holds about a study.

    Attributes:
        name: The study's name, as a person typed it: escape it before it goes anywhere.
        metric: What the values are, such as ``mse``; ``value`` where the study does not say.
        maximise: Whether larger values are better; never so in a study that lrsearch made.
        definition: What the study is; None in a study that lrsearch did not make.
        definition_fault: Why a stored definition could not be understood.
        version: The lrsearch that created the study.
        trials: A row per trial, in the order of their numbers; the columns are `COLUMNS`.
        curves: A row per trial and epoch, in that order; the columns are `CURVES` and the extra metrics.
        evidence: What its confirmation shows; None if it was not confirmed.
        answer: What it recommends; None if no trial is complete that did not diverge.
        provenance: What was noted of versions and repository when the study was created.
        data: The fingerprint of its task's data, by part; empty where there is none.
        budget: Its trials in all; fewer than its file says where the space has fewer settings.
        evaluations_per_epoch: How many steps of a curve an epoch is.
        savings: What pruning saved; None where nothing was pruned.
        small_rates: Small rates that may have been pruned too early.
        both: What to take if the last epoch of a run is kept, and if the best one is; None where no curves are stored.
        scale: What short runs say of a longer one; None where `lrsearch scale` was not asked about it.
        lr_parameter: What its learning rate is called, in a study of another tool; here it is called ``lr``.
    """

    name: str
    metric: str
    maximise: bool
    definition: Definition | None
    definition_fault: str | None
    version: str | None
    trials: pd.DataFrame
    curves: pd.DataFrame
    evidence: Evidence | None = None
    answer: Recommendation | None = None
    provenance: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    budget: int | None = None
    evaluations_per_epoch: float = 1
    savings: Savings | None = None
    small_rates: SmallRates | None = None
    both: BothAnswers | None = None
    scale: ScaleRecord | None = None
    lr_parameter: str | None = None

    @property
    def unit(self) -> str:
        """What a curve counts; what plain Optuna calls a step may be anything."""
        if self.definition is not None:
            return self.definition.training.unit
        return "epoch" if self.version else "step"

    @property
    def kept_unit(self) -> str:
        """What the length of a run is told in, also where nobody knows what a step is."""
        return "evaluation" if self.unit == "evaluation" else "epoch"

    @property
    def extras(self) -> list[str]:
        """Names of the metrics that are shown but not optimised."""
        return [str(column) for column in self.curves.columns if column not in CURVES]


def read(study: optuna.Study, confirmation: optuna.Study | None = None) -> StudyFrames:
    """A study's trials and curves, from whoever wrote them.

    Args:
        study: A study of lrsearch, or of plain Optuna: what it does not have is missing in the frames.
        confirmation: The linked study that confirms it, if there is one.

    Returns:
        The frames; the same for the same storage, whatever order the database answers in.

    Raises:
        InputError: The study has several objectives.
    """
    linked = None if confirmation is None else study_reader(confirmation, confirmation._storage)
    return _frames(study, study_reader(study, study._storage), linked)


@not_searched()
def _frames(
    study: optuna.Study, reader: StudyReader, confirmation: StudyReader | None, lr: str | None = None
) -> StudyFrames:
    if len(study.directions) != 1:
        rule = f"has {len(study.directions)} objectives; the report is about studies with one"
        raise input_error(f"study {study.study_name!r}", rule)
    stored, trials = reader.attributes(), reader.all_trials()
    definition, fault = _definition(stored.get(attributes.DEFINITION), study.study_name)
    own = StoredStudy.of(study, definition, reader)
    if lr is None and definition is None:
        lr = _rate_parameter(trials, confirmation)
    trials = rate_parameter.renamed(trials, lr)
    evidence = None if confirmation is None else _evidence(own, confirmation, lr)
    answer = recommendation.compute(own, evidence, trials)
    shown = evidence if answer is not None and answer.is_confirmed else None
    return StudyFrames(
        name=study.study_name,
        metric=_text(stored.get(attributes.METRIC)) or "value",
        maximise=study.direction == optuna.study.StudyDirection.MAXIMIZE,
        definition=definition,
        definition_fault=fault,
        version=_text(stored.get(attributes.VERSION)),
        trials=_trials(trials, stored.get(attributes.EXCLUDED)),
        curves=_curves(trials),
        evidence=evidence,
        answer=answer,
        provenance=dict(stored.get(attributes.PROVENANCE) or {}),
        data=dict(stored.get(attributes.DATA) or {}),
        budget=own.budget,
        evaluations_per_epoch=own.evaluations_per_epoch,
        savings=savings(own, trials),
        small_rates=small_rates(trials, own.excluded(), maximise=own.maximises),
        both=answers_of(shown, trials, own.excluded(), maximise=own.maximises),
        lr_parameter=lr,
    )


def read_stored(stored: StoredStudy, lr: str | None = None) -> StudyFrames:
    """A study with its confirmation.

    Args:
        stored: The study.
        lr: The parameter that plays the learning rate, in a study of another tool; by default the one that is called
            so.

    Raises:
        InputError: It has several objectives, or belongs to another study, whose report speaks of it.
    """
    if (origin := stored.origin) is not None:
        raise input_error(f"study {stored.name!r}", f"belongs to study {origin!r}: ask for the report of that one")
    linked = studies.linked(stored, "confirm")
    frames = _frames(stored.study, stored.reader, None if linked is None else linked.reader, lr)
    return replace(frames, scale=scale_record.read(stored))


def _evidence(own: StoredStudy, linked: StudyReader, lr: str | None) -> Evidence | None:
    definition, _ = _definition(linked.attributes().get(attributes.DEFINITION), "")
    found = confirmation_in(own, linked, definition)
    if found is None:
        return None
    found = contest.joined(own, found)
    finalists, beside = (
        [replace(one, params=rate_parameter.with_lr(one.params, lr)) for one in entries]
        for entries in (found.finalists, found.beside if found.rate_parameter in (None, lr) else ())
    )
    trials = rate_parameter.renamed(found.trials, lr)
    return gather(replace(found, finalists=finalists, beside=beside, trials=trials, rate_parameter=None))


def _rate_parameter(trials: Sequence[FrozenTrial], confirmation: StudyReader | None) -> str | None:
    """What plays the learning rate in a study of another tool: what its confirmation says, or the one there is."""
    said = None if confirmation is None else _text(confirmation.attributes().get(attributes.RATE_PARAMETER))
    found = rate_parameter.candidates(trials)
    return said or (found[0] if len(found) == 1 else None)


def _definition(stored: object, name: str) -> tuple[Definition | None, str | None]:
    if stored is None:
        return None, None
    if not isinstance(stored, dict):
        return None, "it is not a table"
    try:
        return load.parse_stored(stored, f"study {name!r}"), None
    except InputError as error:
        return None, str(error)


def _trials(trials: Sequence[FrozenTrial], excluded: object) -> pd.DataFrame:
    reasons = {int(number): reason for number, reason in (excluded if isinstance(excluded, dict) else {}).items()}
    rows = [
        {
            **_row(trial),
            "excluded": (_text(reasons[trial.number]) or NO_REASON) if trial.number in reasons else None,
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
        "scheduler": _text(trial.params.get("scheduler")),
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
        "engine": _text(stored.get(attributes.ENGINE)),
        "device": _text(stored.get(attributes.DEVICE)),
        "threads": stored.get(attributes.THREADS),
        "error": _text(stored.get(attributes.ERROR)),
        "retried": _text(stored.get(attributes.RETRIED)),
        "started": trial.datetime_start,
        "completed": trial.datetime_complete,
    }


def _curves(trials: Sequence[FrozenTrial]) -> pd.DataFrame:
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


def _text(value: object) -> str | None:
    """A text; None for what is empty, so that writing an empty text takes an attribute back."""
    return str(value) if value else None
