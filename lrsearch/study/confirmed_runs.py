"""A confirmation as the storage has it, and the evidence that its runs give."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from lrsearch.sampling.space import SEED, Space, rate_name
from lrsearch.storage.attributes import (
    BEFORE,
    BESIDE,
    BLOCK_VALUES,
    BLOCKS_BEFORE,
    CONSTANT_PREDICTION,
    FINALISTS,
    KEPT_EPOCHS,
    ORIGIN,
    PLAN,
    RATE_PARAMETER,
    RETRIED,
    SEEDS,
)
from lrsearch.storage.reader import StudyReader
from lrsearch.study import stored as studies
from lrsearch.study.contender import Baseline, Contender
from lrsearch.study.evidence import Evidence
from lrsearch.study.finalists import Finalist
from lrsearch.study.flanks import without_rate
from lrsearch.study.plan import Plan
from lrsearch.study.ranking import is_diverged
from lrsearch.study.snippet import Steps
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file.model import Definition

Trials = Mapping[int, FrozenTrial]
"""Seed -> trial, of one finalist."""


@dataclass(frozen=True)
class Confirmation:
    """The finalists of a study, trained again on fresh seeds, as the storage has them.

    Attributes:
        rows: What scored them: ``holdout``, or ``test`` where the task has no holdout rows.
        row_count: How many rows those are.
        reason: Why those are not holdout rows; empty where they are.
        seeds: The fresh seeds.
        finalists: Who is trained, and on how many of the seeds.
        plan: How it goes on; None in one that was made before there were plans.
        trials: One per finalist and seed, with ``seed`` among its parameters, and those that were run again.
        maximise: Whether larger values are better.
        margin: See `Evidence`.
        wanted_today: See `Evidence`.
        prediction: What the best constant prediction comes to, as it is stored; None where that is not known.
        keeps_best: Whether each run is scored after its best epoch, not after its last.
        beside: The recommended settings with other rates; see `flanks`.
        contestants: See `Evidence`.
        left_out: See `Evidence`.
        rate_parameter: See `Evidence`.
    """

    rows: str
    row_count: int
    reason: str
    seeds: list[int]
    finalists: list[Finalist]
    plan: Plan | None
    trials: Sequence[FrozenTrial]
    maximise: bool = False
    margin: float | None = None
    wanted_today: dict[str, Any] | None = None
    prediction: Mapping[str, Any] | None = None
    keeps_best: bool = False
    beside: Sequence[Finalist] = ()
    contestants: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    rate_parameter: str | None = None


def confirmation_of(stored: StoredStudy) -> Confirmation | None:
    """The confirmation of a study, as far as it is; None if none was begun.

    Args:
        stored: The study that is confirmed.
    """
    linked = studies.linked(stored, "confirm")
    if linked is None:
        return None
    return confirmation_in(stored, linked.reader, linked.definition)


def confirmation_in(stored: StoredStudy, linked: StudyReader, definition: Definition | None) -> Confirmation | None:
    """The confirmation that a linked study holds; None if its finalists are not chosen yet.

    Args:
        stored: The study that is confirmed.
        linked: Reads the study that confirms it.
        definition: Of that study; None where lrsearch did not create the one that is confirmed.
    """
    attributes = linked.attributes()
    link, finalists, seeds = attributes.get(ORIGIN), attributes.get(FINALISTS), seeds_in(attributes, definition)
    if not link or not finalists or not seeds:
        return None
    excluded, own = stored.excluded(), stored.definition
    tries, rate = own.tries if own else [], attributes.get(RATE_PARAMETER)
    # A person who takes a trial out of the search does not want its settings either.
    entries = [Finalist.of(one) for one in finalists if one["number"] is None or one["number"] not in excluded]
    return Confirmation(
        rows=str(link["rows"]),
        row_count=int(link["row_count"]),
        reason=str(link.get("reason") or ""),
        seeds=seeds,
        finalists=[one for one in entries if one.role != "middle" or _has_others_alike(one, entries, rate)],
        plan=Plan.of(attributes[PLAN]) if PLAN in attributes else None,
        trials=linked.all_trials(),
        maximise=stored.maximises,
        margin=own.confirm.margin if own else None,
        wanted_today=Space.of(own).params_of(tries[0]) if own and tries else None,
        prediction=attributes.get(CONSTANT_PREDICTION),
        keeps_best=own is not None and own.study.value == "best",
        beside=[Finalist.of(one) for one in attributes.get(BESIDE, [])],
        rate_parameter=rate,
    )


def _has_others_alike(middle: Finalist, entries: Sequence[Finalist], rate: str | None) -> bool:
    """Whether there is a finalist that differs from the middle of a valley in its rate only."""
    name = rate or rate_name(middle.params)
    own = without_rate(middle.params, name)
    return any(one.role != "middle" and without_rate(one.params, name) == own for one in entries)


def seeds_in(attributes: Mapping[str, Any], definition: Definition | None) -> list[int]:
    """The fresh seeds of a confirmation, as it is planned now; none where it is not planned yet.

    Args:
        attributes: Of the study that confirms.
        definition: Its definition; None where there is none.
    """
    return list(definition.training.seeds if definition is not None else attributes.get(SEEDS, []))


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
    plan = confirmation.plan
    planned = [one.seeds or len(confirmation.seeds) for one in confirmation.finalists]
    seeds = confirmation.seeds[: max(planned, default=0)]
    blocks = _blocks(confirmation.trials, BLOCK_VALUES)
    counted = [one for one in confirmation.finalists if not _comes_too_late(one, confirmation, trials)]
    contenders, beside = (
        [_contender(entry, trials.get(entry.key, {}), seeds, blocks) for entry in entries]
        for entries in (counted, confirmation.beside)
    )
    sign = -1 if confirmation.maximise else 1
    if confirmation.keeps_best:
        contenders = [
            replace(one, kept=_kept(trials.get(frozenset(one.params.items()), {}), seeds[: one.planned]))
            for one in contenders
        ]
    contenders.sort(key=lambda contender: sign * contender.mean if contender.is_complete else math.inf)
    return Evidence(
        rows=confirmation.rows,
        row_count=confirmation.row_count,
        reason=confirmation.reason,
        seeds=seeds,
        contenders=contenders,
        beside=beside,
        maximise=confirmation.maximise,
        margin=confirmation.margin,
        rounds=len(plan.rounds) if plan and plan.seeds is None else 0,
        done=plan.done if plan else True,
        wanted_today=confirmation.wanted_today,
        untrained=_untrained(trials.values(), seeds),
        prediction=_prediction(confirmation.prediction, blocks),
        contestants=confirmation.contestants,
        left_out=confirmation.left_out,
        rate_parameter=confirmation.rate_parameter,
        uses_seeds=_uses_seeds(trials.values()),
    )


def _comes_too_late(
    finalist: Finalist, confirmation: Confirmation, trials: Mapping[frozenset[tuple[str, Any]], Trials]
) -> bool:
    """Whether it is the middle of a valley, and the question was answered before all of its runs have ended."""
    if finalist.role != "middle" or confirmation.plan is None or not confirmation.plan.done:
        return False
    return any(seed not in trials.get(finalist.key, {}) for seed in confirmation.seeds[: finalist.seeds])


def _uses_seeds(finalists: Iterable[Trials]) -> bool:
    """Whether the seed makes a difference to any finalist, in its value or in what it reported on the way."""
    told = [
        [(trial.values, trial.intermediate_values) for trial in trials.values() if trial.state == TrialState.COMPLETE]
        for trials in finalists
    ]
    repeated = [runs for runs in told if len(runs) > 1]
    return not repeated or any(run != runs[0] for runs in repeated for run in runs)


def _contender(entry: Finalist, trials: Trials, seeds: Sequence[int], blocks: int) -> Contender:
    planned = len(seeds) if entry.seeds is None else entry.seeds
    # A flank may have the settings of a finalist that left early: its further runs are not that finalist's.
    counted = {seed: trials[seed] for seed in seeds[:planned] if seed in trials}
    complete = {seed: trial for seed, trial in counted.items() if trial.state == TrialState.COMPLETE}
    steady = {seed: trial for seed, trial in complete.items() if not is_diverged(trial)}
    known = [Steps.of(trial.user_attrs) for trial in steady.values()]
    values = [steady[seed].values[0] if seed in steady else math.nan for seed in seeds]
    return Contender(
        params=dict(entry.params),
        role=entry.role,
        number=entry.number,
        searched=entry.value,
        values=np.array(values),
        tests=np.array([last_test(steady[seed]) if seed in steady else math.nan for seed in seeds]),
        diverged=len(complete) - len(steady),
        failed=len(counted) - len(complete),
        steps=next((steps for steps in known if steps.horizon), Steps()),
        cells=np.array([_cells(steady.get(seed), blocks, value) for seed, value in zip(seeds, values, strict=True)]),
        planned=planned,
        curves=tuple(_curve(steady[seed]) for seed in seeds if seed in steady),
    )


def _curve(trial: FrozenTrial) -> tuple[float, ...]:
    return tuple(trial.intermediate_values[epoch] for epoch in sorted(trial.intermediate_values))


def _kept(trials: Trials, seeds: Sequence[int]) -> tuple[int, ...]:
    """The epochs that a finalist's runs with one seed each have kept."""
    own = (trials[seed].user_attrs.get(KEPT_EPOCHS) for seed in seeds if seed in trials)
    return tuple(int(epochs[0]) for epochs in own if epochs)


def _blocks(trials: Iterable[FrozenTrial], name: str) -> int:
    """How many blocks of rows every run has; 1 if one of them has none."""
    numbers = {
        len(trial.user_attrs.get(name) or [math.nan])
        for trial in trials
        if trial.state == TrialState.COMPLETE and not is_diverged(trial)
    }
    return numbers.pop() if len(numbers) == 1 else 1


def _cells(trial: FrozenTrial | None, blocks: int, value: float) -> list[float]:
    """A run's values per block of rows, moved so that their mean is its value to the last digit."""
    if trial is None or blocks == 1:
        return [value] * blocks
    cells = np.array(trial.user_attrs[BLOCK_VALUES])
    return list(cells + (value - cells.mean()))


def _untrained(finalists: Iterable[Trials], seeds: Sequence[int]) -> Baseline | None:
    """The networks before training: one for each seed, whatever it is trained with."""
    found = {seed: trial for trials in finalists for seed, trial in trials.items()}
    cells = [_before(found[seed]) for seed in seeds if seed in found]
    if len(cells) < len(seeds) or len({len(row) for row in cells}) != 1:
        return None
    known = np.array(cells)
    return Baseline("the network before training", known) if np.isfinite(known).all() else None


def _before(trial: FrozenTrial) -> list[float]:
    value = trial.user_attrs.get(BEFORE)
    return trial.user_attrs.get(BLOCKS_BEFORE) or [math.nan if value is None else value]


def _prediction(stored: Mapping[str, Any] | None, blocks: int) -> Baseline | None:
    if not stored:
        return None
    own = stored.get("blocks") or []
    return Baseline(str(stored["name"]), np.array([own if len(own) == blocks and blocks > 1 else [stored["value"]]]))


def last_test(trial: FrozenTrial) -> float:
    """The test metric of the epoch that a run with one seed keeps: the last, or the best; NaN if it has none.

    Args:
        trial: Any.
    """
    reported, kept = trial.intermediate_values, trial.user_attrs.get(KEPT_EPOCHS) or []
    if len(kept) == 1 and kept[0] in reported:
        return reported[kept[0]]
    return reported[max(reported)] if reported else math.nan
