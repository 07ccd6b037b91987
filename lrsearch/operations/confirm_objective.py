"""Confirm a study of anybody's: call its objective with finalists and fresh seeds."""

from __future__ import annotations

import logging
import math
import time
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.trial import Trial, TrialState

from lrsearch.errors import LrsearchWarning, input_error
from lrsearch.sampling.space import SEED
from lrsearch.storage.attributes import ERROR
from lrsearch.storage.choice import trial_store
from lrsearch.storage.heartbeat import Heartbeat
from lrsearch.storage.liveness import Worker
from lrsearch.storage.store import GRACE, Chosen, Claim, TrialEnd, TrialStore
from lrsearch.storage.tables import FIXED_PARAMS
from lrsearch.study import own_objective, rate_parameter, recommendation
from lrsearch.study.evidence import Evidence
from lrsearch.study.stored import StoredStudy
from lrsearch.training.command_process import RunFailedError

Objective = Callable[[Trial], float]
Axes = Mapping[str, BaseDistribution]
PAUSE = 1.0
"""Seconds after which it is looked again whether others are done."""
LARGEST_SEED = 2**32 - 1
"""What numpy takes as a seed, too."""
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wanted:
    """What a person wants of a confirmation.

    Attributes:
        top: Finalists; 5 by default.
        seeds: Exactly so many fresh seeds; by default as many as it takes.
        valley: Whether other rates than the recommended one are run, too; see `closing`.
        rate: The parameter that plays the learning rate; None for the one that is called so.
    """

    top: int | None = None
    seeds: int | None = None
    valley: bool = True
    rate: str | None = None


def confirm(objective: Objective, stored: StoredStudy, wanted: Wanted, jobs: int = 1) -> Evidence:
    """Run what a study's confirmation lacks, round by round.

    Args:
        objective: What the study optimised.
        stored: The study.
        wanted: What a person wants.
        jobs: Calls at the same time, each in a thread.

    Raises:
        InputError: The study cannot be confirmed in this way.
    """
    axes: dict[str, BaseDistribution] = {SEED: IntDistribution(0, LARGEST_SEED)}
    trials = stored.trials()
    for one in trials:
        axes |= one.distributions
    rate = rate_parameter.varied(trials, wanted.rate, "confirm")
    if rate is None and wanted.valley:
        logger.info("No other rates are run: it is not known which parameter is the learning rate (lr_parameter).")
    made: StoredStudy | None = own_objective.prepare(stored, wanted.top, wanted.seeds, rate)
    with warnings.catch_warnings():
        # A rate beyond the study's range is stored with a range that has it (`_reaching`), not with the objective's.
        warnings.filterwarnings("ignore", "Inconsistent parameter values for distribution", RuntimeWarning)
        while made is not None:
            made.study.pruner = optuna.pruners.NopPruner()
            store = trial_store(made.study, made.storage, patience=made.patience)
            store.reap(GRACE)
            if not _run_waiting(objective, made, store, axes, jobs):
                time.sleep(PAUSE)  # another process has the rest of this round
            made = own_objective.go_on(stored, valley=wanted.valley and rate is not None)
    recommendation.keep(stored)
    evidence = recommendation.evidence_of(stored)
    assert evidence is not None
    if not evidence.uses_seeds:
        warnings.warn(
            "all fresh seeds of each finalist gave exactly the same value, so the objective does not use "
            "lrsearch.seed(trial): no verdict",
            LrsearchWarning,
            stacklevel=3,
        )
    return evidence


def _run_waiting(objective: Objective, made: StoredStudy, store: TrialStore, axes: Axes, jobs: int) -> int:
    """Call the objective for all that waits; what is under way when this is interrupted waits again.

    Returns:
        How many calls there were.
    """
    number = 0
    calls: dict[Future[TrialEnd], Claim] = {}
    heartbeat = Heartbeat(store, GRACE)
    pool = ThreadPoolExecutor(jobs)
    try:
        with heartbeat:
            while True:
                claims = store.claim(jobs - len(calls), 0, Worker.this().as_dict())
                chosen = _chosen(made.study, claims, axes)
                store.choose(chosen)
                made.study.get_trials(deepcopy=False)
                for claim in claims:
                    call = pool.submit(_call, objective, made.study, claim, chosen[claim.trial_id])
                    calls[call] = claim
                number += len(claims)
                heartbeat.watch([claim.trial_id for claim in calls.values()])
                if not calls:
                    return number
                done, _ = wait(calls, timeout=GRACE, return_when=FIRST_COMPLETED)
                store.finish([ended.result() for ended in done])
                for ended in done:
                    del calls[ended]
    finally:
        if calls:
            store.hand_back([claim.trial_id for claim in calls.values()], "interrupted")
        pool.shutdown(wait=False, cancel_futures=True)


def _chosen(study: optuna.Study, claims: Sequence[Claim], axes: Axes) -> dict[int, Chosen]:
    """The settings of claimed trials, to be stored before anything can go wrong in them."""
    trials = study.get_trials(deepcopy=False)  # this also lets Optuna's cache see what somebody else has made
    fixed = {claim.trial_id: trials[claim.number].system_attrs[FIXED_PARAMS] for claim in claims}
    return {
        trial_id: Chosen(params, {name: _reaching(axes[name], value) for name, value in params.items()})
        for trial_id, params in fixed.items()
    }


def _reaching(axis: BaseDistribution, value: object) -> BaseDistribution:
    """An axis that has a value: other rates may lie beyond those that the study has looked at."""
    if not isinstance(axis, FloatDistribution) or not isinstance(value, float) or axis.low <= value <= axis.high:
        return axis
    return FloatDistribution(min(axis.low, value), max(axis.high, value), log=axis.log)


def _call(objective: Objective, study: optuna.Study, claim: Claim, chosen: Chosen) -> TrialEnd:
    """One run. What goes wrong in it ends this run only."""
    trial = Trial(study, claim.trial_id)
    try:
        value = float(objective(trial))
    except RunFailedError as error:
        logger.warning("A run of %s failed: %s", study.study_name, error)
        return TrialEnd(claim.trial_id, TrialState.FAIL, None, {ERROR: str(error)})
    except Exception as error:
        logger.warning("A run of %s failed: %s", study.study_name, traceback.format_exc())
        return TrialEnd(claim.trial_id, TrialState.FAIL, None, {ERROR: f"{type(error).__name__}: {error}"})
    if further := sorted(trial.params.keys() - chosen.params.keys()):
        rule = "the objective asks for it now, but did not when it was optimised; it must ask for the same parameters"
        raise input_error("confirm", rule, key=", ".join(further))
    if not math.isfinite(value):
        return TrialEnd(claim.trial_id, TrialState.FAIL, None, {ERROR: f"the objective returned {value}"})
    return TrialEnd(claim.trial_id, TrialState.COMPLETE, value)
