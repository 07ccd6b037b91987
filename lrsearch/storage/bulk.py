"""Trials by the hundred: one transaction creates them, one per rung writes their values, one ends them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from optuna.trial import TrialState
from sqlalchemy import Connection, Engine, func, insert, select, update

from lrsearch.storage import reading, tables
from lrsearch.storage.attributes import ERROR, RETRIED, RETRIES_SO_FAR, RETRY_OF, WORKER
from lrsearch.storage.store import RETRIES, Chosen, Claim, Outcome, together
from lrsearch.storage.tables import (
    CONSTRAINT_PREFIX,
    FIXED_PARAMS,
    HEARTBEATS,
    SYSTEM,
    TRIALS,
    USER,
    DatabaseNow,
    TrialRows,
)


class BulkStore:
    """`TrialStore` in plain SQL. What several processes could do at once happens under the study's row lock.

    Args:
        engine: Of Optuna's RDB storage.
        study_id: Optuna's id of the study.
    """

    def __init__(self, engine: Engine, study_id: int) -> None:
        self._engine = engine
        self._study_id = study_id

    def enqueue(self, params: Sequence[Mapping[str, Any]]) -> None:
        """See `TrialStore.enqueue`."""
        rows = [TrialRows(TrialState.WAITING, system={FIXED_PARAMS: dict(own)}) for own in params]
        with self._engine.begin() as connection:
            tables.lock_study(connection, self._study_id)
            tables.add_trials(connection, self._study_id, rows)

    def claim(self, wanted: int, budget: int, worker: Mapping[str, Any]) -> list[Claim]:
        """See `TrialStore.claim`."""
        with self._engine.begin() as connection:
            tables.lock_study(connection, self._study_id)
            if already := self._claimed(connection, worker["claim"]):
                return already
            rows = connection.execute(self._in_state(TrialState.WAITING).order_by(TRIALS.c.trial_id).limit(wanted))
            waiting = [Claim(int(trial_id), int(number)) for trial_id, number in rows]
            lost = tables.attributes(connection, USER, [claim.trial_id for claim in waiting], RETRIES_SO_FAR)
            losses = [int(lost.get(claim.trial_id, 0)) for claim in waiting]
            claims = waiting[: together(losses, wanted)]
            self._start(connection, claims, worker)
            free = 0 if any(losses[:1]) else budget - self._used(connection)
            fresh = TrialRows(TrialState.RUNNING, user={WORKER: dict(worker)}, started=tables.now())
            added = tables.add_trials(connection, self._study_id, [fresh] * min(wanted - len(claims), max(0, free)))
            new = [Claim(trial_id, number) for trial_id, number in added]
            _start_beating(connection, [claim.trial_id for claim in new])
            return claims + new

    def choose(self, chosen: Mapping[int, Chosen]) -> None:
        """See `TrialStore.choose`."""
        with self._engine.begin() as connection:
            done = tables.params(connection, chosen)
            missing = {trial_id: own for trial_id, own in chosen.items() if trial_id not in done}
            wanted = {name: kind for own in missing.values() for name, kind in own.distributions.items()}
            tables.check_distributions(connection, self._study_id, wanted)
            tables.add_params(connection, {i: (own.params, own.distributions) for i, own in missing.items()})

    def record(self, values: Mapping[int, Mapping[int, float]]) -> None:
        """See `TrialStore.record`."""
        with self._engine.begin() as connection:
            running = self._running(connection, values)
            tables.put_intermediate(connection, {i: curve for i, curve in values.items() if i in running})

    def finish(self, outcomes: Sequence[Outcome]) -> set[int]:
        """See `TrialStore.finish`."""
        with self._engine.begin() as connection:
            running = self._running(connection, [outcome.trial_id for outcome in outcomes])
            ours = [outcome for outcome in outcomes if outcome.trial_id in running]
            tables.put_attributes(connection, USER, {o.trial_id: o.attributes for o in ours})
            system = {o.trial_id: {CONSTRAINT_PREFIX + k: v for k, v in o.constraints.items()} for o in ours}
            tables.put_attributes(connection, SYSTEM, system)
            tables.add_values(connection, {o.trial_id: o.value for o in ours if o.value is not None})
            for state in {outcome.state for outcome in ours}:
                ended = [outcome.trial_id for outcome in ours if outcome.state == state]
                _set_state(connection, ended, state, datetime_complete=tables.now())
            return running

    def beat(self, trial_ids: Sequence[int]) -> None:
        """See `TrialStore.beat`."""
        statement = update(HEARTBEATS).where(HEARTBEATS.c.trial_id.in_(list(trial_ids)))
        with self._engine.begin() as connection:
            connection.execute(statement.values(heartbeat=DatabaseNow()))

    def hand_back(self, trial_ids: Sequence[int], reason: str) -> None:
        """See `TrialStore.hand_back`."""
        with self._engine.begin() as connection:
            tables.lock_study(connection, self._study_id)
            self._run_again(connection, sorted(self._running(connection, trial_ids)), reason, lost=False)

    def reap(self, grace: float) -> list[int]:
        """See `TrialStore.reap`."""
        with self._engine.begin() as connection:
            if not reading.stale(connection, self._study_id, grace):
                return []
        with self._engine.begin() as connection:
            # Looked at again under the lock: somebody else may have noticed at the same moment.
            tables.lock_study(connection, self._study_id)
            stale = reading.stale(connection, self._study_id, grace)
            self._run_again(connection, list(stale), "its worker was lost", lost=True)
            return list(stale.values())

    def _in_state(self, state: TrialState) -> Any:
        return select(TRIALS.c.trial_id, TRIALS.c.number).where(
            TRIALS.c.study_id == self._study_id, TRIALS.c.state == state
        )

    def _claimed(self, connection: Connection, claim: str) -> list[Claim]:
        """What an earlier attempt of the same claim has got, if its answer was lost with the connection."""
        rows = connection.execute(self._in_state(TrialState.RUNNING))
        running = {int(trial_id): int(number) for trial_id, number in rows}
        workers = tables.attributes(connection, USER, running, WORKER)
        return [Claim(i, running[i]) for i in sorted(running) if (workers.get(i) or {}).get("claim") == claim]

    def _used(self, connection: Connection) -> int:
        """How much of the budget is done, under way or waiting: failed trials that were run again do not count."""
        there = select(func.count()).where(TRIALS.c.study_id == self._study_id)
        again = (
            select(func.count())
            .select_from(TRIALS.join(USER, USER.c.trial_id == TRIALS.c.trial_id))
            .where(TRIALS.c.study_id == self._study_id, TRIALS.c.state == TrialState.FAIL, USER.c.key == RETRIED)
        )
        return int(connection.execute(there).scalar_one()) - int(connection.execute(again).scalar_one())

    def _start(self, connection: Connection, claims: Sequence[Claim], worker: Mapping[str, Any]) -> None:
        ids = [claim.trial_id for claim in claims]
        if not ids:
            return
        _set_state(connection, ids, TrialState.RUNNING, datetime_start=tables.now())
        tables.put_attributes(connection, USER, {trial_id: {WORKER: dict(worker)} for trial_id in ids})
        _start_beating(connection, ids)

    def _running(self, connection: Connection, trial_ids: Any) -> set[int]:
        rows = connection.execute(
            select(TRIALS.c.trial_id)
            .where(TRIALS.c.trial_id.in_(list(trial_ids)), TRIALS.c.state == TrialState.RUNNING)
            .order_by(TRIALS.c.trial_id)
            .with_for_update()
        )
        return {int(trial_id) for (trial_id,) in rows}

    def _run_again(self, connection: Connection, trial_ids: list[int], reason: str, *, lost: bool) -> None:
        """End trials as failed and let their settings wait, in one transaction under the study's lock."""
        if not trial_ids:
            return
        params = tables.params(connection, trial_ids)
        fixed = tables.attributes(connection, SYSTEM, trial_ids, FIXED_PARAMS)
        before = tables.attributes(connection, USER, trial_ids, RETRIES_SO_FAR)
        rows = connection.execute(select(TRIALS.c.trial_id, TRIALS.c.number).where(TRIALS.c.trial_id.in_(trial_ids)))
        numbers = {int(trial_id): int(number) for trial_id, number in rows}
        notes: dict[int, dict[str, Any]] = {}
        retries = []
        for trial_id in trial_ids:
            times = int(before.get(trial_id, 0)) + lost
            if times > RETRIES:
                notes[trial_id] = {ERROR: f"{reason}, for the {times}th time"}
                continue
            notes[trial_id] = {RETRIED: reason}
            settings = {**fixed.get(trial_id, {}), **params.get(trial_id, {})}
            retries.append(
                TrialRows(
                    TrialState.WAITING,
                    user={RETRY_OF: numbers[trial_id], RETRIES_SO_FAR: times},
                    system={FIXED_PARAMS: settings} if settings else {},
                )
            )
        _set_state(connection, trial_ids, TrialState.FAIL, datetime_complete=tables.now())
        tables.put_attributes(connection, USER, notes)
        tables.add_trials(connection, self._study_id, retries)


def _start_beating(connection: Connection, trial_ids: Sequence[int]) -> None:
    if trial_ids:
        rows = [{"trial_id": trial_id} for trial_id in trial_ids]
        connection.execute(insert(HEARTBEATS).values(heartbeat=DatabaseNow()), rows)


def _set_state(connection: Connection, trial_ids: Sequence[int], state: TrialState, **moment: Any) -> None:
    statement = update(TRIALS).where(TRIALS.c.trial_id.in_(list(trial_ids)))
    connection.execute(statement.values(state=state, **moment))
