"""A study's trials as a sampler sees them: settings and outcomes without curves, read as far as they have changed."""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, json_to_distribution
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import Connection, Engine, Select, Table, and_, func, select

from lrsearch.storage import tables
from lrsearch.storage.attributes import EXCLUDED
from lrsearch.storage.counts import engine_of
from lrsearch.storage.schema_check import tables_are_known
from lrsearch.storage.tables import CONSTRAINT_PREFIX, FIXED_PARAMS, INTERMEDIATE, PARAMS, SYSTEM, TRIALS, VALUES


@dataclass(frozen=True)
class PastTrial:
    """A trial, with no more than a sampler looks at.

    Attributes:
        number: Its number.
        state: Its state.
        params: Its settings by Optuna's names; before they are chosen, those that are fixed beforehand.
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


class History:
    """The trials of one study, kept from one look to the next: a finished trial is read once.

    Args:
        study: The study.
        storage: Its storage.
    """

    def __init__(self, study: optuna.Study, storage: BaseStorage) -> None:
        self._study, self._storage = study, storage
        self._engine = engine_of(storage) if tables_are_known() is None else None
        self._study_id = storage.get_study_id_from_name(study.study_name)
        self._first_id = 0
        self._trials: dict[int, PastTrial] = {}
        self._told: list[PastTrial] = []
        self._pending: dict[int, PastTrial] = {}
        self._excluded: set[int] = set()

    def refresh(self) -> None:
        """Read what has changed since the last time."""
        self._excluded = {int(number) for number in self._study.user_attrs.get(EXCLUDED, {})}
        if self._engine is None:
            self._trials, self._told, self._pending = {}, [], {}
            changed = [_past(trial) for trial in self._study.get_trials(deepcopy=False)]
        else:
            changed, self._first_id = _changed(self._engine, self._study_id, self._first_id, self._is_done)
        for trial in changed:
            self._take(trial)

    def settings(self, trial_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        """Trial id -> what is chosen or fixed of its settings, without a look at any other trial.

        Args:
            trial_ids: Which trials.
        """
        if self._engine is None:
            trials = {trial_id: self._storage.get_trial(trial_id) for trial_id in trial_ids}
            return {trial_id: dict(_past(trial).params) for trial_id, trial in trials.items()}
        with self._engine.connect() as connection:
            fixed = tables.attributes(connection, SYSTEM, trial_ids, FIXED_PARAMS)
            chosen = tables.params(connection, trial_ids)
        return {trial_id: {**fixed.get(trial_id, {}), **chosen.get(trial_id, {})} for trial_id in trial_ids}

    def __getitem__(self, number: int) -> PastTrial:
        return self._trials[number]

    def told(self) -> list[PastTrial]:
        """Complete and pruned trials by number, without those that a person took out."""
        return [trial for trial in self._told if trial.number not in self._excluded]

    def pending(self) -> list[PastTrial]:
        """Trials that are being trained or wait for it, whoever trains them, by number."""
        return [self._pending[number] for number in sorted(self._pending)]

    def _is_done(self, number: int) -> bool:
        return number in self._trials and self._trials[number].state.is_finished()

    def _take(self, trial: PastTrial) -> None:
        self._trials[trial.number] = trial
        if not trial.state.is_finished():
            self._pending[trial.number] = trial
            return
        self._pending.pop(trial.number, None)
        if trial.state in (TrialState.COMPLETE, TrialState.PRUNED):
            insort(self._told, trial, key=lambda other: other.number)


def _past(trial: FrozenTrial) -> PastTrial:
    step = trial.last_step if trial.state == TrialState.PRUNED else None
    return PastTrial(
        number=trial.number,
        state=trial.state,
        params={**trial.system_attrs.get(FIXED_PARAMS, {}), **trial.params},
        value=trial.values[0] if trial.state == TrialState.COMPLETE else None,
        last=None if step is None else (step, trial.intermediate_values[step]),
        violation=sum(value for value in trial.constraints.values() if value > 0),
    )


@dataclass
class _Parts:
    """What the tables say of one trial."""

    params: dict[str, Any] = field(default_factory=dict)
    fixed: dict[str, Any] = field(default_factory=dict)
    value: float | None = None
    last: tuple[int, float] | None = None
    violation: float = 0.0


def _changed(
    engine: Engine, study_id: int, first_id: int, is_done: Callable[[int], bool]
) -> tuple[list[PastTrial], int]:
    """The trials of a study from one id on that are not done, in six queries however many they are.

    Returns:
        They, and the id from which on to look the next time: what is before it has ended and is known.
    """
    with engine.connect() as connection:
        # First, so that a trial that is said to be finished has everything it will ever have.
        rows = connection.execute(
            select(TRIALS.c.trial_id, TRIALS.c.number, TRIALS.c.state)
            .where(TRIALS.c.study_id == study_id, TRIALS.c.trial_id >= first_id)
            .order_by(TRIALS.c.trial_id)
        ).all()
        states = {int(trial_id): (int(number), state) for trial_id, number, state in rows if not is_done(number)}
        if not states:
            return [], first_id
        parts = _parts(connection, study_id, min(states))
    unfinished = (trial_id for trial_id, (_, state) in states.items() if not state.is_finished())
    changed = [
        PastTrial(
            number=number,
            state=state,
            params={**own.fixed, **own.params},
            value=own.value if state == TrialState.COMPLETE else None,
            last=own.last,
            violation=own.violation,
        )
        for trial_id, (number, state) in states.items()
        for own in (parts[trial_id],)
    ]
    return changed, next(unfinished, int(rows[-1][0]) + 1)


def _parts(connection: Connection, study_id: int, first: int) -> defaultdict[int, _Parts]:
    """What hangs on the study's trials from one id on; those before it are finished and known."""

    def of(table: Table, *columns: Any) -> Select[Any]:
        joined = table.join(TRIALS, TRIALS.c.trial_id == table.c.trial_id)
        wanted = (TRIALS.c.study_id == study_id, TRIALS.c.trial_id >= first)
        return select(table.c.trial_id, *columns).select_from(joined).where(*wanted)

    parts: defaultdict[int, _Parts] = defaultdict(_Parts)
    named = of(PARAMS, PARAMS.c.param_name, PARAMS.c.param_value, PARAMS.c.distribution_json)
    for trial_id, name, stored, distribution in connection.execute(named):
        parts[trial_id].params[name] = _distribution(distribution).to_external_repr(stored)
    for trial_id, stored, kind in connection.execute(of(VALUES, VALUES.c.value, VALUES.c.value_type)):
        parts[trial_id].value = tables.value_of(stored, kind)
    steps = of(INTERMEDIATE, func.max(INTERMEDIATE.c.step).label("step")).where(TRIALS.c.state == TrialState.PRUNED)
    latest = steps.group_by(INTERMEDIATE.c.trial_id).subquery()
    same = and_(INTERMEDIATE.c.trial_id == latest.c.trial_id, INTERMEDIATE.c.step == latest.c.step)
    curve = (INTERMEDIATE.c.step, INTERMEDIATE.c.intermediate_value, INTERMEDIATE.c.intermediate_value_type)
    for trial_id, step, stored, kind in connection.execute(select(latest.c.trial_id, *curve).join(latest, same)):
        parts[trial_id].last = (int(step), tables.intermediate_of(stored, kind))
    fixed = of(SYSTEM, SYSTEM.c.value_json).where(SYSTEM.c.key == FIXED_PARAMS)
    for trial_id, text in connection.execute(fixed):
        parts[trial_id].fixed = tables.attribute_of(text)
    constraints = of(SYSTEM, SYSTEM.c.value_json).where(SYSTEM.c.key.startswith(CONSTRAINT_PREFIX))
    for trial_id, text in connection.execute(constraints):
        parts[trial_id].violation += max(0.0, tables.attribute_of(text))
    return parts


@lru_cache(maxsize=1024)
def _distribution(text: str) -> BaseDistribution:
    """A study has thousands of parameters and a handful of distributions."""
    return json_to_distribution(text)
