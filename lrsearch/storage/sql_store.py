"""Trials by the hundred: one transaction creates them, one per rung writes their values, one ends them."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from itertools import islice
from typing import Any

from optuna.trial import TrialState
from sqlalchemy import Connection, Engine, insert, select, update

from lrsearch.storage import counts, retrying, tables
from lrsearch.storage.attributes import ERROR, RETRIED, RETRIES_SO_FAR, RETRY_OF, WORKER
from lrsearch.storage.open_trials import OpenTrials, OpenTrialsReader
from lrsearch.storage.silence import Silences
from lrsearch.storage.store import RETRIES, Chosen, Claim, TrialEnd, settings_key, times, together
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


class SqlStore:
    """`TrialStore` in plain SQL. What several processes could do at once happens under the study's row lock.

    Args:
        engine: Of Optuna's RDB storage.
        study_id: Optuna's id of the study.
    """

    def __init__(self, engine: Engine, study_id: int) -> None:
        self._engine = engine
        self._study_id = study_id
        self._tail = OpenTrialsReader(study_id)
        self._last_claim: str | None = None
        self._silences = Silences()

    def enqueue(self, params: Sequence[Mapping[str, Any]], there: int) -> bool:
        """See `TrialStore.enqueue`."""
        rows = [TrialRows(TrialState.WAITING, system={FIXED_PARAMS: dict(own)}) for own in params]
        with self._engine.begin() as connection:
            tables.lock_study(connection, self._study_id)
            counted, newest = tables.last_trial(connection, self._study_id)
            if counted != there:
                return False
            tables.add_trials(connection, self._study_id, rows, (counted, newest))
            return True

    def claim(self, wanted: int, budget: int, worker: Mapping[str, Any]) -> list[Claim]:
        """See `TrialStore.claim`."""
        repeated, self._last_claim = worker["claim"] == self._last_claim, worker["claim"]
        with self._engine.begin() as connection:
            if self._tail.is_new:
                self._tail.read(connection)  # all trials once, while nobody has to wait for it
            tables.lock_study(connection, self._study_id)
            tail = self._tail.read(connection)
            if repeated and (already := _claimed(connection, tail, worker["claim"])):
                return already
            waiting = [Claim(trial_id, number) for trial_id, number in islice(tail.waiting.items(), wanted)]
            ids = [claim.trial_id for claim in waiting]
            lost = tables.attributes(connection, USER, ids, RETRIES_SO_FAR) if ids else {}
            losses = [times(lost.get(trial_id)) for trial_id in ids]
            claims = waiting[: together(losses, wanted)]
            self._start(connection, claims, worker)
            free = 0 if any(losses[:1]) else budget - tail.used
            fresh = TrialRows(TrialState.RUNNING, user={WORKER: dict(worker)}, started=tables.now())
            rows = [fresh] * min(wanted - len(claims), max(0, free))
            new = [
                Claim(*own) for own in tables.add_trials(connection, self._study_id, rows, (tail.trials, tail.last_id))
            ]
            _start_beating(connection, [claim.trial_id for claim in new])
            return claims + new

    def choose(self, chosen: Mapping[int, Chosen], once: Collection[int] = ()) -> set[int]:
        """See `TrialStore.choose`."""
        with self._engine.begin() as connection:
            tables.lock_study(connection, self._study_id)
            done = tables.params(connection, chosen)
            running = self._running(connection, chosen)
            missing = {i: own for i, own in chosen.items() if i not in done and i in running}
            taken = self._taken(connection) if once else set()
            refused = {i for i in once if i in missing and settings_key(missing[i].params) in taken}
            # That another tool may have stored a parameter of the same name in another way is no reason to stop.
            tables.add_params(
                connection, {i: (own.params, own.distributions) for i, own in missing.items() if i not in refused}
            )
            return refused

    def _taken(self, connection: Connection) -> set[Hashable]:
        """The settings that trials of the study have."""
        own = select(TRIALS.c.trial_id).where(TRIALS.c.study_id == self._study_id)
        found = tables.params(connection, own)
        return {settings_key(params) for params in found.values()}

    def record(self, values: Mapping[int, Mapping[int, float]]) -> None:
        """See `TrialStore.record`."""
        with self._engine.begin() as connection:
            running = self._running(connection, values)
            tables.put_intermediate(connection, {i: curve for i, curve in values.items() if i in running})

    def finish(self, outcomes: Sequence[TrialEnd]) -> set[int]:
        """See `TrialStore.finish`."""
        with self._engine.begin() as connection:
            # These rows are locked until the commit: whoever reaps or hands back meanwhile waits, and finds them ended.
            running = self._running(connection, [outcome.trial_id for outcome in outcomes])
            # What is no longer running was taken to be lost and is run again: nothing of it is stored, or the settings
            # would count twice.
            ours = [outcome for outcome in outcomes if outcome.trial_id in running]
            tables.put_intermediate(connection, {o.trial_id: o.reported for o in ours if o.reported})
            tables.put_attributes(connection, USER, {o.trial_id: o.attributes for o in ours})
            system = {o.trial_id: {CONSTRAINT_PREFIX + k: v for k, v in o.constraints.items()} for o in ours}
            tables.put_attributes(connection, SYSTEM, system)
            tables.add_values(connection, {o.trial_id: o.value for o in ours if o.value is not None})
            # Last, and one statement per state: a reader that sees a finished trial sees all of it.
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
            if not counts.stale(connection, self._study_id, grace, self._silences):
                return []
        with self._engine.begin() as connection:
            # Looked at again under the lock: somebody else may have noticed at the same moment.
            tables.lock_study(connection, self._study_id)
            stale = counts.stale(connection, self._study_id, grace, self._silences)
            self._run_again(connection, list(stale), "its worker was lost", lost=True)
            return list(stale.values())

    def retry(self, numbers: Sequence[int], reason: str, *, at_fault: bool = False) -> list[int]:
        """See `TrialStore.retry`."""
        with self._engine.begin() as connection:
            tables.lock_study(connection, self._study_id)
            failed = retrying.failed_for_good(connection, self._study_id, numbers)
            return retrying.run_again(connection, self._study_id, failed, reason, at_fault=at_fault)

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
            losses = times(before.get(trial_id)) + lost
            if losses > RETRIES:
                notes[trial_id] = {ERROR: f"{reason}, for the {losses}th time"}
                continue
            notes[trial_id] = {RETRIED: reason}
            settings = {**(fixed.get(trial_id) or {}), **params.get(trial_id, {})}
            retries.append(
                TrialRows(
                    TrialState.WAITING,
                    user={RETRY_OF: numbers[trial_id], RETRIES_SO_FAR: losses},
                    system={FIXED_PARAMS: settings} if settings else {},
                )
            )
        _set_state(connection, trial_ids, TrialState.FAIL, datetime_complete=tables.now())
        tables.put_attributes(connection, USER, notes)
        tables.add_trials(connection, self._study_id, retries)


def _claimed(connection: Connection, tail: OpenTrials, claim: str) -> list[Claim]:
    """What an earlier attempt of the same claim has got, if its answer was lost with the connection."""
    workers = tables.attributes(connection, USER, tail.running, WORKER)
    mine = {trial_id for trial_id, own in workers.items() if isinstance(own, dict) and own.get("claim") == claim}
    return [Claim(*own) for own in tail.running.items() if own[0] in mine]


def _start_beating(connection: Connection, trial_ids: Sequence[int]) -> None:
    if trial_ids:
        rows = [{"trial_id": trial_id} for trial_id in trial_ids]
        connection.execute(insert(HEARTBEATS).values(heartbeat=DatabaseNow()), rows)


def _set_state(connection: Connection, trial_ids: Sequence[int], state: TrialState, **moment: Any) -> None:
    statement = update(TRIALS).where(TRIALS.c.trial_id.in_(list(trial_ids)))
    connection.execute(statement.values(state=state, **moment))
