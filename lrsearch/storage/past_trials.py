"""A study's trials as a sampler sees them: settings and outcomes, without curves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import Connection, Engine, Select, Table, and_, func, select

from lrsearch.storage import stored_values, tables
from lrsearch.storage.store import settings_key
from lrsearch.storage.tables import CONSTRAINT_PREFIX, FIXED_PARAMS, INTERMEDIATE, PARAMS, SYSTEM, TRIALS, VALUES


@dataclass(frozen=True)
class PastTrial:
    """A trial, with no more than a sampler looks at.

    Attributes:
        number: Its number.
        state: Its state.
        params: Its settings by Optuna's names; before they are chosen, those that are fixed beforehand. No table where
            somebody else stored something else there.
        value: Its value; of a complete trial only.
        last: Step and value of the last intermediate value; of a pruned trial only.
        violation: By how much its constraints are violated; a diverged trial's are.
    """

    number: int
    state: TrialState
    params: Mapping[str, Any]
    value: float | None = None
    last: tuple[int, float] | None = None
    violation: float = 0.0


def past(trial: FrozenTrial) -> PastTrial:
    """A trial as Optuna reads it, reduced to what a sampler looks at.

    Args:
        trial: Any.
    """
    step = trial.last_step if trial.state == TrialState.PRUNED else None
    return PastTrial(
        number=trial.number,
        state=trial.state,
        params=merged(trial.system_attrs.get(FIXED_PARAMS, {}), trial.params),
        value=trial.values[0] if trial.state == TrialState.COMPLETE else None,
        last=None if step is None else (step, trial.intermediate_values[step]),
        violation=sum((value for value in trial.constraints.values() if value > 0), start=0.0),
    )


def negated(trial: PastTrial) -> PastTrial:
    """A trial of a study that maximises, as samplers want it: the smaller its values, the better.

    Args:
        trial: As it is stored.
    """
    last = None if trial.last is None else (trial.last[0], -trial.last[1])
    return replace(trial, value=None if trial.value is None else -trial.value, last=last)


def key_of(trial: FrozenTrial) -> Hashable:
    """What tells a trial's settings apart, chosen ones and those that are fixed beforehand (`store.settings_key`).

    Args:
        trial: Any.
    """
    params = past(trial).params
    return settings_key(params) if isinstance(params, Mapping) else repr(params)


@dataclass
class _Parts:
    """What the tables say of one trial."""

    params: dict[str, Any] = field(default_factory=dict)
    fixed: Any = field(default_factory=dict)
    value: float | None = None
    last: tuple[int, float] | None = None
    violation: float = 0.0


def past_trials(engine: Engine, study_id: int, first_id: int) -> dict[int, PastTrial]:
    """Trial id -> trial, oldest first, of a study's trials from one id on; six queries however many they are.

    Args:
        engine: Of Optuna's RDB storage.
        study_id: Optuna's id of the study.
        first_id: Trials with a smaller id are not read.
    """
    with engine.connect() as connection:
        # First, so that a trial that is said to be finished has everything it will ever have.
        rows = connection.execute(
            select(TRIALS.c.trial_id, TRIALS.c.number, TRIALS.c.state)
            .where(TRIALS.c.study_id == study_id, TRIALS.c.trial_id >= first_id)
            .order_by(TRIALS.c.trial_id)
        ).all()
        parts = _parts(connection, study_id, first_id) if rows else defaultdict(_Parts)
    return {
        int(trial_id): PastTrial(
            number=int(number),
            state=state,
            params=merged(own.fixed, own.params),
            value=own.value if state == TrialState.COMPLETE else None,
            last=own.last,
            violation=own.violation,
        )
        for trial_id, number, state in rows
        for own in (parts[trial_id],)
    }


def settings(engine: Engine, trial_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Trial id -> what is chosen or fixed of its settings, without a look at any other trial.

    Args:
        engine: Of Optuna's RDB storage.
        trial_ids: Which trials.
    """
    with engine.connect() as connection:
        fixed = tables.attributes(connection, SYSTEM, trial_ids, FIXED_PARAMS)
        chosen = tables.params(connection, trial_ids)
    return {trial_id: merged(fixed.get(trial_id, {}), chosen.get(trial_id, {})) for trial_id in trial_ids}


def merged(fixed: Any, chosen: Mapping[str, Any]) -> Any:
    """A trial's settings so far; where what is fixed is no table, that as it is: then the trial can be refused.

    Args:
        fixed: What is fixed beforehand, whoever wrote it.
        chosen: What is chosen.
    """
    return {**fixed, **chosen} if isinstance(fixed, Mapping) else fixed


def _parts(connection: Connection, study_id: int, first: int) -> defaultdict[int, _Parts]:
    """What hangs on the study's trials from one id on; those before it are finished and known."""

    def of(table: Table, *columns: Any) -> Select[Any]:
        joined = table.join(TRIALS, TRIALS.c.trial_id == table.c.trial_id)
        wanted = (TRIALS.c.study_id == study_id, TRIALS.c.trial_id >= first)
        return select(table.c.trial_id, *columns).select_from(joined).where(*wanted)

    parts: defaultdict[int, _Parts] = defaultdict(_Parts)
    named = of(PARAMS, PARAMS.c.param_name, PARAMS.c.param_value, PARAMS.c.distribution_json)
    for trial_id, name, stored, distribution in connection.execute(named):
        parts[trial_id].params[name] = stored_values.param_of(distribution, stored)
    for trial_id, stored, kind in connection.execute(of(VALUES, VALUES.c.value, VALUES.c.value_type)):
        parts[trial_id].value = stored_values.value_of(stored, kind)
    steps = of(INTERMEDIATE, func.max(INTERMEDIATE.c.step).label("step")).where(TRIALS.c.state == TrialState.PRUNED)
    latest = steps.group_by(INTERMEDIATE.c.trial_id).subquery()
    same = and_(INTERMEDIATE.c.trial_id == latest.c.trial_id, INTERMEDIATE.c.step == latest.c.step)
    curve = (INTERMEDIATE.c.step, INTERMEDIATE.c.intermediate_value, INTERMEDIATE.c.intermediate_value_type)
    for trial_id, step, stored, kind in connection.execute(select(latest.c.trial_id, *curve).join(latest, same)):
        parts[trial_id].last = (int(step), stored_values.intermediate_of(stored, kind))
    fixed = of(SYSTEM, SYSTEM.c.value_json).where(SYSTEM.c.key == FIXED_PARAMS)
    for trial_id, text in connection.execute(fixed):
        parts[trial_id].fixed = stored_values.readable(text)
    constraints = of(SYSTEM, SYSTEM.c.value_json).where(SYSTEM.c.key.startswith(CONSTRAINT_PREFIX))
    for trial_id, text in connection.execute(constraints):
        broken = stored_values.readable(text)
        parts[trial_id].violation += max(0.0, broken) if isinstance(broken, (int, float)) else 0.0
    return parts
