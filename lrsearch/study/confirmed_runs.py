"""A confirmation as the storage has it, and the evidence that its runs give."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from lrsearch.sampling.space import SEED
from lrsearch.storage.attributes import FINALISTS, HORIZON, ORIGIN, RETRIED
from lrsearch.storage.reader import StudyReader
from lrsearch.study import stored as studies
from lrsearch.study.evidence import Contender, Evidence
from lrsearch.study.ranking import is_diverged
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file.model import Definition


@dataclass(frozen=True)
class Confirmation:
    """The finalists of a study, trained again on fresh seeds, as the storage has them.

    Attributes:
        rows: What scored them: ``holdout``, or ``test`` where the task has no holdout rows.
        row_count: How many rows those are.
        reason: Why those are not holdout rows; empty where they are.
        seeds: The fresh seeds.
        finalists: ``params``, ``role``, ``number`` and ``value`` of each, as `study.confirmation.Finalist` has them.
        trials: One per finalist and seed, with ``seed`` among its parameters, and those that were run again.
        maximise: Whether larger values are better.
    """

    rows: str
    row_count: int
    reason: str
    seeds: list[int]
    finalists: list[dict[str, Any]]
    trials: Sequence[FrozenTrial]
    maximise: bool = False


def confirmation_of(stored: StoredStudy) -> Confirmation | None:
    """The confirmation of a study, as far as it is; None if none was begun.

    Args:
        stored: The study that is confirmed.
    """
    linked = studies.linked(stored, "confirm")
    if linked is None or linked.definition is None:
        return None
    return confirmation_in(stored, linked.reader, linked.definition)


def confirmation_in(stored: StoredStudy, linked: StudyReader, definition: Definition) -> Confirmation | None:
    """The confirmation that a linked study holds; None if its finalists are not chosen yet.

    Args:
        stored: The study that is confirmed.
        linked: Reads the study that confirms it.
        definition: Of that study.
    """
    attributes = linked.attributes()
    link, finalists = attributes.get(ORIGIN), attributes.get(FINALISTS)
    if not link or not finalists:
        return None
    excluded = stored.excluded()
    return Confirmation(
        rows=str(link["rows"]),
        row_count=int(link["row_count"]),
        reason=str(link.get("reason") or ""),
        seeds=list(definition.training.seeds),
        # A person who takes a trial out of the search does not want its settings either.
        finalists=[entry for entry in finalists if entry["number"] is None or entry["number"] not in excluded],
        trials=linked.all_trials(),
        maximise=stored.maximises,
    )


def gather(confirmation: Confirmation) -> Evidence:
    """What a confirmation shows.

    Args:
        confirmation: As the storage has it.
    """
    trials: dict[frozenset[tuple[str, Any]], dict[int, FrozenTrial]] = {}
    for trial in confirmation.trials:
        if trial.state in (TrialState.COMPLETE, TrialState.FAIL) and RETRIED not in trial.user_attrs:
            params = {name: value for name, value in trial.params.items() if name != SEED}
            if SEED in trial.params:
                trials.setdefault(frozenset(params.items()), {}).setdefault(int(trial.params[SEED]), trial)
    contenders = [
        _contender(entry, trials.get(frozenset(entry["params"].items()), {}), confirmation.seeds)
        for entry in confirmation.finalists
    ]
    sign = -1 if confirmation.maximise else 1
    contenders.sort(key=lambda contender: sign * contender.mean if contender.is_complete else math.inf)
    return Evidence(
        confirmation.rows,
        confirmation.row_count,
        confirmation.reason,
        confirmation.seeds,
        contenders,
        confirmation.maximise,
    )


def _contender(entry: dict[str, Any], trials: dict[int, FrozenTrial], seeds: Sequence[int]) -> Contender:
    complete = {seed: trial for seed, trial in trials.items() if trial.state == TrialState.COMPLETE}
    steady = {seed: trial for seed, trial in complete.items() if not is_diverged(trial)}
    horizons = [trial.user_attrs[HORIZON] for trial in steady.values() if HORIZON in trial.user_attrs]
    return Contender(
        params=dict(entry["params"]),
        role=str(entry["role"]),
        number=entry["number"],
        searched=entry["value"],
        values=np.array([steady[seed].values[0] if seed in steady else math.nan for seed in seeds]),
        tests=np.array([_last_test(steady[seed]) if seed in steady else math.nan for seed in seeds]),
        diverged=len(complete) - len(steady),
        failed=len(trials) - len(complete),
        horizon=float(horizons[0]) if horizons else math.nan,
    )


def _last_test(trial: FrozenTrial) -> float:
    reported = trial.intermediate_values
    return reported[max(reported)] if reported else math.nan
