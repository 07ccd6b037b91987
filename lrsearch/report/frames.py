"""A study as two pandas frames. The only part of the report that reads from Optuna."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import optuna
import pandas as pd
from optuna.trial import FrozenTrial

from lrsearch.errors import InputError, input_error
from lrsearch.garbage import not_searched
from lrsearch.report.trial_tables import CURVES, curves_table, text_of, trials_table
from lrsearch.storage import attributes
from lrsearch.storage.choice import study_reader
from lrsearch.storage.reader import StudyReader
from lrsearch.study import contest, rate_parameter, recommendation, scale_record
from lrsearch.study import stored as studies
from lrsearch.study.both_answers import BothAnswers, answers_of
from lrsearch.study.confirmed_runs import confirmation_in, gather
from lrsearch.study.evidence import Evidence
from lrsearch.study.recommended_settings import Recommendation
from lrsearch.study.savings import Savings, savings
from lrsearch.study.scale_record import ScaleRecord
from lrsearch.study.small_rates import SmallRates, small_rates
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file import load
from lrsearch.study_file.model import Definition


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
        trials: A row per trial, in the order of their numbers; the columns are `trial_tables.COLUMNS`.
        curves: A row per trial and epoch, in that order; the columns are `trial_tables.CURVES` and the extra metrics.
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
        metric=text_of(stored.get(attributes.METRIC)) or "value",
        maximise=study.direction == optuna.study.StudyDirection.MAXIMIZE,
        definition=definition,
        definition_fault=fault,
        version=text_of(stored.get(attributes.VERSION)),
        trials=trials_table(trials, stored.get(attributes.EXCLUDED)),
        curves=curves_table(trials),
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
    said = None if confirmation is None else text_of(confirmation.attributes().get(attributes.RATE_PARAMETER))
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
