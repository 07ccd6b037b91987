"""What a study's trials came to at the epochs after which they are compared."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import Engine, select

from lrsearch.storage import stored_values
from lrsearch.storage.tables import INTERMEDIATE, PARAMS, TRIALS

KINDS = ("scheduler", "optimizer")
"""Parameters that say what kind of trial one is."""


@dataclass
class RungTrial:
    """A trial at the rungs.

    Attributes:
        number: Its number.
        state: Its state when it was read.
        scheduler: Its scheduler type; None before its settings are chosen.
        values: Epoch -> intermediate value.
        optimizer: Its optimizer, where several are searched.
    """

    number: int
    state: TrialState
    scheduler: str | None = None
    values: dict[int, float] = field(default_factory=dict)
    optimizer: str | None = None


def rung_trial(trial: FrozenTrial, rungs: Collection[int]) -> RungTrial:
    """A trial as Optuna reads it, reduced to its rungs.

    Args:
        trial: Any.
        rungs: Epochs after which trials are compared.
    """
    values = {rung: trial.intermediate_values[rung] for rung in rungs if rung in trial.intermediate_values}
    params = trial.params
    return RungTrial(trial.number, trial.state, params.get("scheduler"), values, params.get("optimizer"))


def rung_trials(engine: Engine, study_id: int, rungs: Collection[int], first_id: int) -> dict[int, RungTrial]:
    """Trial id -> trial, oldest first, of a study's trials from one id on.

    Args:
        engine: Of Optuna's RDB storage.
        study_id: Optuna's id of the study.
        rungs: Epochs after which trials are compared.
        first_id: Trials with a smaller id are not read.
    """
    own = (TRIALS.c.study_id == study_id, TRIALS.c.trial_id >= first_id)
    with engine.connect() as connection:
        rows = connection.execute(
            select(TRIALS.c.trial_id, TRIALS.c.number, TRIALS.c.state).where(*own).order_by(TRIALS.c.trial_id)
        )
        found = {int(trial_id): RungTrial(int(number), state) for trial_id, number, state in rows}
        joined = PARAMS.join(TRIALS, TRIALS.c.trial_id == PARAMS.c.trial_id)
        kind = (PARAMS.c.trial_id, PARAMS.c.param_name, PARAMS.c.param_value, PARAMS.c.distribution_json)
        kinds = select(*kind).select_from(joined).where(PARAMS.c.param_name.in_(KINDS), *own)
        for trial_id, name, value, text in connection.execute(kinds):
            if trial_id in found:
                named = stored_values.param_of(text, value)
                setattr(found[trial_id], name, None if named is None else str(named))
        joined = INTERMEDIATE.join(TRIALS, TRIALS.c.trial_id == INTERMEDIATE.c.trial_id)
        columns = (INTERMEDIATE.c.step, INTERMEDIATE.c.intermediate_value, INTERMEDIATE.c.intermediate_value_type)
        values = select(INTERMEDIATE.c.trial_id, *columns).select_from(joined)
        for trial_id, step, stored, kind in connection.execute(
            values.where(INTERMEDIATE.c.step.in_(list(rungs)), *own).order_by(INTERMEDIATE.c.step)
        ):
            if trial_id in found:
                found[trial_id].values[int(step)] = stored_values.intermediate_of(stored, kind)
    return found
