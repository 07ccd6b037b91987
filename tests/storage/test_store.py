"""What every trial store promises, over both ways of writing and all databases."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any
from wsgiref.util import setup_testing_defaults

import optuna
import optuna_dashboard
import pytest
import sqlalchemy
from databases import close
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from lrsearch.storage import schema_check
from lrsearch.storage.choice import study_reader, trial_store
from lrsearch.storage.counts import engine_of
from lrsearch.storage.liveness import Worker
from lrsearch.storage.rdb import open_storage
from lrsearch.storage.store import RETRIES, Chosen, TrialEnd, TrialStore
from lrsearch.storage.tables import HEARTBEATS

DISTRIBUTIONS = {"lr": FloatDistribution(1e-4, 1.0, log=True), "scheduler": CategoricalDistribution(["a", "b"])}

WIDE = {**DISTRIBUTIONS, "lr": FloatDistribution(1e-4, 100.0)}


class Place:
    """A study in a fresh database, with a store to write it."""

    def __init__(self, storage: BaseStorage, store_of: Callable[[optuna.Study], TrialStore]) -> None:
        self.storage = storage
        self.study = optuna.create_study(storage=storage, study_name="s")
        self.store = store_of(self.study)

    @property
    def trials(self) -> list[FrozenTrial]:
        return self.study.get_trials(deepcopy=False)

    def states(self) -> list[str]:
        return [trial.state.name for trial in self.trials]


def me() -> dict[str, Any]:
    return Worker.this().as_dict()


def gone() -> dict[str, Any]:
    """A process of this machine that has ended."""
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    process.wait()
    return {**me(), "pid": process.pid, "started": 0.0}


def elsewhere() -> dict[str, Any]:
    return {**me(), "host": "another-machine", "boot": "another-boot"}


@pytest.fixture(params=["bulk", "public"])
def place(request: pytest.FixtureRequest, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    if request.param == "public":
        monkeypatch.setattr(schema_check, "tables_are_known", lambda: "broken for this test")
    storage = open_storage(database_url, create=True)
    yield Place(storage, lambda study: trial_store(study, storage))
    close(storage)


@pytest.fixture
def bulk(database_url: str) -> Iterator[Place]:
    storage = open_storage(database_url, create=True)
    yield Place(storage, lambda study: trial_store(study, storage))
    close(storage)


def test_a_claim_stays_within_the_budget(place: Place) -> None:
    assert [claim.number for claim in place.store.claim(3, 5, me())] == [0, 1, 2]
    assert [claim.number for claim in place.store.claim(3, 5, me())] == [3, 4]
    assert place.store.claim(3, 5, me()) == []
    assert place.states() == ["RUNNING"] * 5


def test_settings_that_wait_are_claimed_first(place: Place) -> None:
    assert place.store.enqueue([{"lr": 0.1}, {"lr": 0.2}], there=0)
    claims = place.store.claim(3, 3, me())
    assert [claim.number for claim in claims] == [0, 1, 2]
    assert place.trials[1].system_attrs["fixed_params"] == {"lr": 0.2}
    assert place.store.claim(1, 3, me()) == []


def test_settings_are_added_only_to_what_the_caller_has_seen(place: Place) -> None:
    """So that an answer that was lost, or another process that adds the same, makes no trial twice."""
    assert place.store.enqueue([{"lr": 0.1}], there=0)
    assert not place.store.enqueue([{"lr": 0.1}], there=0)
    assert place.states() == ["WAITING"]
    assert place.store.enqueue([{"lr": 0.2}], there=1)
    assert place.states() == ["WAITING", "WAITING"]


def test_a_claim_that_is_repeated_takes_nothing_twice(bulk: Place) -> None:
    """The answer of a commit may be lost with the connection."""
    worker = me()
    first = bulk.store.claim(3, 10, worker)
    assert bulk.store.claim(3, 10, worker) == first
    assert len(bulk.trials) == 3
    assert bulk.store.claim(3, 10, me()) != first


def test_values_outcomes_and_constraints_are_what_optuna_reads(place: Place) -> None:
    first, second, third = place.store.claim(3, 3, me())
    chosen = Chosen({"lr": 0.05, "scheduler": "b"}, DISTRIBUTIONS)
    for _ in range(2):  # whatever is repeated changes nothing
        place.store.choose({claim.trial_id: chosen for claim in (first, second, third)})
        place.store.record({first.trial_id: {1: 0.5, 2: math.inf}, second.trial_id: {1: math.nan, 2: 7.0}})
        place.store.record({first.trial_id: {2: 0.25}})
    outcomes = [
        TrialEnd(first.trial_id, TrialState.COMPLETE, 0.25, {"curve": [1.0, None]}, {"diverged": 1.0}),
        TrialEnd(second.trial_id, TrialState.PRUNED, 7.0),
        TrialEnd(third.trial_id, TrialState.FAIL, None, {"error": "é|"}),
    ]
    assert place.store.finish(outcomes) == {first.trial_id, second.trial_id, third.trial_id}
    assert place.store.finish(outcomes) == set()
    one, two, three = place.trials
    assert (one.state, one.value, one.intermediate_values) == (TrialState.COMPLETE, 0.25, {1: 0.5, 2: 0.25})
    assert one.constraints == {"diverged": 1.0}
    assert one.user_attrs["curve"] == [1.0, None]
    assert one.params == {"lr": 0.05, "scheduler": "b"}
    assert one.distributions == DISTRIBUTIONS
    assert (two.state, two.value) == (TrialState.PRUNED, 7.0)
    assert math.isnan(two.intermediate_values[1])
    assert (three.state, three.value, three.user_attrs["error"]) == (TrialState.FAIL, None, "é|")
    assert all(t.datetime_start and t.datetime_complete and t.duration.total_seconds() < 60 for t in (one, two, three))  # type: ignore[union-attr]


def test_what_one_trial_gets_replaces_nothing_of_another(place: Place) -> None:
    """A trial that diverges where others reach a rung brings all its epochs, and they none."""
    first, second, third = (claim.trial_id for claim in place.store.claim(3, 3, me()))
    place.store.record({first: {1: 5.0, 2: 4.0}, second: {1: 7.0}})
    place.store.record({first: {}, second: {2: 6.5, 3: 6.0}, third: {1: 9.0, 2: 8.0, 3: 7.0}})
    place.store.record({first: {2: 3.5}, second: {}})
    curves = [trial.intermediate_values for trial in place.trials]
    assert curves == [{1: 5.0, 2: 3.5}, {1: 7.0, 2: 6.5, 3: 6.0}, {1: 9.0, 2: 8.0, 3: 7.0}]


def test_the_last_values_come_with_the_end_and_not_to_who_has_lost_the_trial(place: Place) -> None:
    first, second, third = (claim.trial_id for claim in place.store.claim(3, 3, me()))
    place.store.record({first: {1: 5.0, 2: 4.0}})
    place.store.hand_back([second], "ctrl-C")
    ends = [TrialEnd(own, TrialState.COMPLETE, 3.0, reported={2: 3.5, 3: math.inf}) for own in (first, second)]
    assert place.store.finish([*ends, TrialEnd(third, TrialState.PRUNED, 9.0)]) == {first, third}
    curves = [trial.intermediate_values for trial in place.trials]
    assert curves == [{1: 5.0, 2: 3.5, 3: math.inf}, {}, {}, {}]


def test_settings_handed_back_wait_under_a_new_number(place: Place) -> None:
    [claim] = place.store.claim(1, 2, me())
    place.store.choose({claim.trial_id: Chosen({"lr": 0.05, "scheduler": "b"}, DISTRIBUTIONS)})
    place.store.record({claim.trial_id: {1: 3.0}})
    place.store.hand_back([claim.trial_id], "ctrl-C")
    place.store.hand_back([claim.trial_id], "ctrl-C")
    original, retry = place.trials
    assert (original.state, original.user_attrs["retried"]) == (TrialState.FAIL, "ctrl-C")
    assert (retry.state, retry.user_attrs["retry_of"]) == (TrialState.WAITING, 0)
    assert retry.system_attrs["fixed_params"] == original.params
    assert retry.intermediate_values == {}
    assert [claim.number for claim in place.store.claim(5, 2, me())] == [1, 2]
    assert place.store.finish([TrialEnd(claim.trial_id, TrialState.COMPLETE, 1.0)]) == set()


def test_a_dead_process_of_this_machine_is_found_at_once(place: Place) -> None:
    [lost] = place.store.claim(1, 3, gone())
    [alive] = place.store.claim(1, 3, me())
    assert place.store.reap(grace=1e6) == [lost.number]
    assert place.store.reap(grace=1e6) == []
    assert place.states() == ["FAIL", "RUNNING", "WAITING"]
    assert alive.number == 1


def test_settings_are_not_run_again_for_ever(place: Place) -> None:
    for _ in range(RETRIES + 1):
        assert len(place.store.claim(1, 1, gone())) == 1
        assert len(place.store.reap(grace=1e6)) == 1
    assert place.store.claim(1, 1, me()) == []
    assert place.states() == ["FAIL"] * (RETRIES + 1)
    assert "lost" in place.trials[-1].user_attrs["error"]
    assert [("retried" in trial.user_attrs) for trial in place.trials] == [True] * RETRIES + [False]


def test_settings_that_were_lost_are_run_again_in_ever_smaller_company(place: Place) -> None:
    """One of 24 kills its worker: in the end it is alone, and only it is given up."""
    budget, deadly = 24, 13
    lost_with: list[int] = []
    while claims := place.store.claim(64, budget, gone()):
        fresh = {claim.trial_id: Chosen({"lr": 0.01 + claim.number, "scheduler": "a"}, WIDE) for claim in claims}
        place.store.choose({} if lost_with else fresh)
        numbers = [_origin(place.trials, claim.number) for claim in claims]
        if deadly in numbers:
            lost_with.append(len(claims))
            place.store.reap(grace=1e6)
        else:
            place.store.finish([TrialEnd(claim.trial_id, TrialState.COMPLETE, 1.0) for claim in claims])
    assert lost_with == [24, 8, 1, 1]
    given_up = [trial for trial in place.trials if "error" in trial.user_attrs]
    assert [_origin(place.trials, trial.number) for trial in given_up] == [deadly]
    assert place.states().count("COMPLETE") == budget - 1


def _origin(trials: list[FrozenTrial], number: int) -> int:
    while (before := trials[number].user_attrs.get("retry_of")) is not None:
        number = before
    return number


def test_a_process_elsewhere_is_lost_when_its_heart_stops(bulk: Place) -> None:
    """Told by the database's clock, whatever the machines' clocks say."""
    silent, beating = bulk.store.claim(2, 2, elsewhere())
    engine = engine_of(bulk.storage)
    assert engine is not None
    assert bulk.store.reap(grace=60) == []
    with engine.begin() as connection:
        hour_ago = {
            "sqlite": "datetime('now', '-1 hour')",
            "postgresql": "CURRENT_TIMESTAMP - interval '1 hour'",
        }.get(engine.dialect.name, "CURRENT_TIMESTAMP - interval 1 hour")
        connection.exec_driver_sql(f"UPDATE {HEARTBEATS.name} SET heartbeat = {hour_ago}")
    bulk.store.beat([beating.trial_id])
    assert bulk.store.reap(grace=60) == [silent.number]


def test_a_running_trial_of_another_tool_is_left_alone(place: Place) -> None:
    place.study.ask()
    assert place.store.reap(grace=0.0) == []
    assert place.states() == ["RUNNING"]


def test_numbers_stay_distinct_when_optuna_creates_trials_in_between(place: Place) -> None:
    place.store.claim(2, 9, me())
    place.study.ask()
    place.store.claim(2, 9, me())
    assert [trial.number for trial in place.trials] == [0, 1, 2, 3, 4]


def test_the_database_counts_as_the_trials_say(bulk: Place) -> None:
    claims = bulk.store.claim(6, 6, me())
    kinds = [TrialState.COMPLETE, TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL]
    outcomes = [TrialEnd(claim.trial_id, kind, 1.0) for claim, kind in zip(claims, kinds, strict=False)]
    outcomes[0] = TrialEnd(claims[0].trial_id, TrialState.COMPLETE, 1.0, {}, {"diverged": 1.0})
    bulk.store.finish(outcomes)
    bulk.store.hand_back([claims[4].trial_id], "test")
    assert vars(study_reader(bulk.study, bulk.storage).tally()) == {
        "complete": 2, "pruned": 1, "failed": 1, "retried": 1, "running": 1, "waiting": 1, "diverged": 1,
    }  # fmt: skip


def test_bulk_rows_are_what_optuna_itself_writes(bulk: Place) -> None:
    """The same trials through Optuna's public API and through ours, compared in all that study.trials gives."""
    ours, theirs = bulk.study, optuna.create_study(storage=bulk.storage, study_name="public")
    rows = [(0.01 * n + 0.001, "ab"[n % 2], [float(n), math.inf, -math.inf, 1e-300, 0.1]) for n in range(20)]
    claims = bulk.store.claim(20, 20, me())
    bulk.store.choose(
        {
            claim.trial_id: Chosen({"lr": lr, "scheduler": kind}, DISTRIBUTIONS)
            for claim, (lr, kind, _) in zip(claims, rows, strict=True)
        }
    )
    curves = {c.trial_id: dict(enumerate(curve, 1)) for c, (_, _, curve) in zip(claims, rows, strict=True)}
    bulk.store.record(curves)
    states = [TrialState.COMPLETE, TrialState.PRUNED]
    bulk.store.finish(
        [
            TrialEnd(claim.trial_id, states[n % 2], 0.1, {"train_curve": [n, None]}, {"diverged": 0.0})
            for n, claim in enumerate(claims)
        ]
    )
    for n, (lr, kind, curve) in enumerate(rows):
        trial = theirs.ask()
        bulk.storage.set_trial_user_attr(trial._trial_id, "worker", ours.trials[n].user_attrs["worker"])
        for name, value in (("lr", lr), ("scheduler", kind)):
            distribution = DISTRIBUTIONS[name]
            internal = distribution.to_internal_repr(value)
            bulk.storage.set_trial_param(trial._trial_id, name, internal, distribution)
        for step, value in enumerate(curve, 1):
            trial.report(value, step)
        trial.set_user_attr("train_curve", [n, None])
        trial.set_constraint("diverged", 0.0)
        theirs.tell(trial, 0.1 if n % 2 == 0 else None, states[n % 2])
    for mine, other in zip(ours.trials, theirs.trials, strict=True):
        for field in ("number", "state", "value", "params", "distributions", "user_attrs", "system_attrs",
                      "intermediate_values"):  # fmt: skip
            assert getattr(mine, field) == getattr(other, field), field
        assert abs((mine.datetime_start - other.datetime_start).total_seconds()) < 120  # type: ignore[operator]
        assert mine.datetime_complete is not None
        assert os.getpid() == mine.user_attrs["worker"]["pid"]


def test_a_broken_canary_falls_back_with_one_warning(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another Optuna may call a column otherwise."""
    schema_check.tables_are_known.cache_clear()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # where nobody has found them known yet
    monkeypatch.setattr("lrsearch.storage.tables.put_intermediate", lambda *_, **__: None)
    said: list[str] = []
    storage = open_storage(f"sqlite:///{tmp_path}/a.db", create=True)
    store = trial_store(optuna.create_study(storage=storage), storage, said.append)
    schema_check.tables_are_known.cache_clear()
    monkeypatch.undo()
    assert type(store).__name__ == "ApiStore"
    assert len(said) == 1
    assert "intermediate values" in said[0]
    assert schema_check.tables_are_known() is None


def test_many_processes_share_a_budget_exactly(database_url: str) -> None:
    """Four processes claim and finish as fast as they can; numbers are distinct and the budget is met."""
    storage = open_storage(database_url, create=True)
    optuna.create_study(storage=storage, study_name="s")
    code = (
        "import sys, optuna\n"
        "from lrsearch.storage.rdb import open_storage\n"
        "from lrsearch.storage.choice import study_reader, trial_store\n"
        "from lrsearch.storage.liveness import Worker\n"
        "from lrsearch.storage.store import TrialEnd\n"
        "storage = open_storage(sys.argv[1])\n"
        "store = trial_store(optuna.load_study(study_name='s', storage=storage), storage)\n"
        "while claims := store.claim(3, 101, Worker.this().as_dict()):\n"
        "    store.record({c.trial_id: {1: 1.0, 2: 2.0} for c in claims})\n"
        "    store.beat([c.trial_id for c in claims])\n"
        "    done = store.finish([TrialEnd(c.trial_id, optuna.trial.TrialState.COMPLETE, 1.0) for c in claims])\n"
        "    assert len(done) == len(claims)\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", code, database_url], stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    errors = [process.communicate(timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, "".join(errors)
    assert "locked" not in "".join(errors)
    trials = optuna.load_study(study_name="s", storage=storage).trials
    close(storage)
    assert [trial.number for trial in trials] == list(range(101))
    assert all(trial.state == TrialState.COMPLETE and len(trial.intermediate_values) == 2 for trial in trials)


def test_urls_of_servers_name_their_drivers(database_url: str) -> None:
    """The fixture's URL is what a person types."""
    assert sqlalchemy.engine.make_url(database_url).drivername in {"sqlite", "postgresql", "mysql"}


def dashboard_trials(storage: BaseStorage, study_id: int) -> list[dict[str, Any]]:
    """What optuna-dashboard's own API says of a study's trials, without what differs from trial to trial."""
    environment: dict[str, Any] = {}
    setup_testing_defaults(environment)
    environment.update({"PATH_INFO": f"/api/studies/{study_id}", "QUERY_STRING": "after=0"})
    status: list[str] = []
    body = b"".join(optuna_dashboard.wsgi(storage)(environment, lambda code, *_: status.append(code)))
    assert status == ["200 OK"]
    trials: list[dict[str, Any]] = json.loads(body)["trials"]
    own = ("trial_id", "study_id", "datetime_start", "datetime_complete")
    return [{key: value for key, value in trial.items() if key not in own} for trial in trials]


def sorted_rows(value: Any) -> Any:
    return sorted(value, key=str) if isinstance(value, list) else value


def test_the_dashboard_shows_the_same_for_bulk_rows(bulk: Place) -> None:
    """Through Optuna's public API and through ours, as the dashboard reads it."""
    public = optuna.create_study(storage=bulk.storage, study_name="public")
    claims = bulk.store.claim(4, 4, me())
    settings = {"lr": 0.05, "scheduler": "b"}
    bulk.store.choose({claim.trial_id: Chosen(settings, DISTRIBUTIONS) for claim in claims})
    bulk.store.record({claim.trial_id: {1: 0.5, 2: math.inf, 3: 0.25} for claim in claims})
    ended = [TrialEnd(c.trial_id, TrialState.COMPLETE, 0.25, {"curve": [1.0]}, {"diverged": 1.0}) for c in claims]
    bulk.store.finish(ended)
    for mine in bulk.trials:
        trial = public.ask()
        bulk.storage.set_trial_user_attr(trial._trial_id, "worker", mine.user_attrs["worker"])
        trial.suggest_float("lr", 1e-4, 1.0, log=True)
        trial.suggest_categorical("scheduler", ["a", "b"])
        for step, value in mine.intermediate_values.items():
            trial.report(value, step)
        trial.set_user_attr("curve", [1.0])
        trial.set_constraint("diverged", 1.0)
        public.tell(trial, 0.25)
    ours, theirs = (dashboard_trials(bulk.storage, study._study_id) for study in (bulk.study, public))
    assert len(ours) == 4
    drawn = ("params", "fixed_params")  # the public trials drew their own
    for mine_shown, other in zip(ours, theirs, strict=True):
        assert mine_shown.keys() == other.keys()
        assert {p["name"] for p in mine_shown["params"]} == {p["name"] for p in other["params"]}
        for key in mine_shown.keys() - set(drawn):
            # Databases give rows in any order.
            assert sorted_rows(mine_shown[key]) == sorted_rows(other[key]), key


def test_whoever_notices_and_dies_in_the_middle_changes_nothing(bulk: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Marking the lost trial and letting its settings wait are one transaction."""
    bulk.store.claim(3, 3, gone())

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr("lrsearch.storage.tables.add_trials", die)
        with pytest.raises(KeyboardInterrupt):
            bulk.store.reap(grace=1e6)
    assert bulk.states() == ["RUNNING"] * 3
    assert bulk.store.reap(grace=1e6) == [0, 1, 2]
    assert bulk.states() == ["FAIL"] * 3 + ["WAITING"] * 3
