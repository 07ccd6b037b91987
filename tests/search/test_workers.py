"""Several worker processes: exact budgets, killed workers, restarts. Real processes and databases, no mocks."""

from __future__ import annotations

import random
import signal
from pathlib import Path

import optuna
import psutil
import pytest
from databases import counts_of, opened, trials_of
from optuna.trial import TrialState
from shared_study import assert_handed_back, assert_nothing_lost, create, start, wait_until

from lrsearch.study import status

both_databases = pytest.mark.parametrize("fresh_database_url", ["sqlite", "postgres"], indirect=True)


@pytest.mark.soak
@pytest.mark.parametrize("engine", ["sequential", "batched"])
def test_four_workers_share_a_budget_exactly(engine: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/s.db"
    create(url, tmp_path, trials=101)
    process = start(url, "--workers", "4", folder=tmp_path, engine=engine)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert_nothing_lost(url, 101)
    assert len(workers_of(url)) > 1


@pytest.mark.soak
def test_eight_processes_on_one_sqlite_file(tmp_path: Path) -> None:
    """No process ever gives up because another one writes; tests/storage/test_store.py has four that only write."""
    url = f"sqlite:///{tmp_path}/s.db"
    create(url, tmp_path, trials=400)
    processes = [start(url, folder=tmp_path) for _ in range(8)]
    errors = [process.communicate(timeout=600)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 8, errors
    assert "locked" not in "".join(errors)
    assert_nothing_lost(url, 400)


def assert_kills_lose_nothing(url: str, folder: Path, kills: int, budget: int, engine: str = "sequential") -> None:
    """Two workers at a time; one of them is killed at a random moment and replaced, again and again."""
    chance = random.Random(kills)
    create(url, folder, trials=budget, rows=200)
    workers = [start(url, folder=folder, engine=engine) for _ in range(2)]
    for _ in range(kills):
        before = len(trials_of(url, "shared"))
        target = min(budget, before + chance.randint(1, max(1, budget // (2 * kills))))
        victim = chance.randrange(2)
        wait_until(lambda target=target: len(trials_of(url, "shared")) >= target, workers[victim])  # type: ignore[misc]
        workers[victim].kill()
        workers[victim].communicate()
        workers[victim] = start(url, folder=folder, engine=engine)
    errors = [worker.communicate(timeout=300)[1] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], errors
    assert_nothing_lost(url, budget)


@pytest.mark.parametrize("fresh_database_url", ["postgres"], indirect=True)
def test_a_killed_worker_loses_nothing(fresh_database_url: str, tmp_path: Path) -> None:
    create(fresh_database_url, tmp_path, trials=24, rows=200)
    victim = start(fresh_database_url, folder=tmp_path)
    wait_until(lambda: counts_of(fresh_database_url, "shared").finished > 0, victim)
    victim.kill()
    victim.communicate()
    left = counts_of(fresh_database_url, "shared").finished
    worker = start(fresh_database_url, folder=tmp_path)
    _, errors = worker.communicate(timeout=300)
    assert worker.returncode == 0, errors
    assert left < 24, "it was done before it was killed"
    assert_nothing_lost(fresh_database_url, 24)


@pytest.mark.soak
@both_databases
def test_workers_killed_twenty_times_lose_nothing(fresh_database_url: str, tmp_path: Path) -> None:
    assert_kills_lose_nothing(fresh_database_url, tmp_path, kills=20, budget=400)


@pytest.mark.soak
@both_databases
def test_batches_killed_twenty_times_lose_nothing(fresh_database_url: str, tmp_path: Path) -> None:
    assert_kills_lose_nothing(fresh_database_url, tmp_path, kills=20, budget=4000, engine="batched")


SLOW = """
import time
import traceback
from pathlib import Path
import lrsearch, torch

def loss(output, target):
    # Each update takes as long as the file beside this one says; trying the task out before is not slowed down.
    if any(Path(frame.f_code.co_filename).name == "training_pass.py" for frame, _ in traceback.walk_stack(None)):
        time.sleep(float(Path(__file__).with_name("pause").read_text()))
    return torch.nn.functional.mse_loss(output, target)

@lrsearch.task
def slow() -> lrsearch.Task:
    x = torch.linspace(-1, 1, 40)[:, None]
    net = lambda: torch.nn.Linear(1, 1)
    return lrsearch.Task(model=net, train=(x, 2 * x), test=(x + 3, 2 * x), loss=loss, metric="mse")
"""
SLOW_TASK = {"task": "slow", "options": "# it has none", "load": 'load = ["slow.py"]'}
"""What a study file says of it."""


def assert_a_killed_batch_loses_nothing(url: str, tmp_path: Path, trials: int, at_once: int) -> None:
    """All that are trained at once are under way; the worker dies before their first rung, the next one after it."""
    (tmp_path / "slow.py").write_text(SLOW)
    create(url, tmp_path, trials=trials, **SLOW_TASK)
    arguments = ("--load", str(tmp_path / "slow.py"))
    set_pause(tmp_path, 60)
    worker = start(url, *arguments, folder=tmp_path, engine="batched")
    wait_until(lambda: counts_of(url, "shared").running == at_once, worker)
    worker.kill()
    worker.communicate()
    assert counts_of(url, "shared").pruned == 0

    set_pause(tmp_path, 0.1)
    worker = start(url, *arguments, folder=tmp_path, engine="batched")
    wait_until(lambda: counts_of(url, "shared").pruned > 0, worker)
    worker.kill()
    worker.communicate()
    killed = [trial for trial in trials_of(url, "shared") if trial.state == TrialState.RUNNING]
    assert killed
    assert {len(trial.intermediate_values) for trial in killed} <= {1, 3, 6}
    curves = {trial.number: trial.intermediate_values for trial in killed}

    set_pause(tmp_path, 0)
    worker = start(url, *arguments, folder=tmp_path, engine="batched")
    _, errors = worker.communicate(timeout=300)
    assert worker.returncode == 0, errors
    assert_nothing_lost(url, trials)
    trials = trials_of(url, "shared")
    assert {number: trials[number].intermediate_values for number in curves} == curves


def test_a_batch_killed_under_way_loses_no_settings_and_no_epochs_of_earlier_rungs(tmp_path: Path) -> None:
    assert_a_killed_batch_loses_nothing(f"sqlite:///{tmp_path}/s.db", tmp_path, trials=40, at_once=40)


@pytest.mark.soak
@both_databases
def test_a_whole_generation_killed_under_way_loses_nothing(fresh_database_url: str, tmp_path: Path) -> None:
    assert_a_killed_batch_loses_nothing(fresh_database_url, tmp_path, trials=300, at_once=256)


def set_pause(folder: Path, seconds: float) -> None:
    """How long each update of the slow task takes."""
    (folder / "pause").write_text(str(seconds))


def workers_of(url: str) -> set[int]:
    """The processes that have taken trials."""
    return {trial.user_attrs["worker"]["pid"] for trial in trials_of(url, "shared") if "worker" in trial.user_attrs}


def test_workers_share_a_budget_exactly_and_only_the_one_that_died_is_restarted(tmp_path: Path) -> None:
    """Also where one generation would be larger than the study; and plain Optuna sees what they wrote.

    They train a task of the person's own: the workers bring the code that the study file names.
    """
    url = f"sqlite:///{tmp_path}/s.db"
    (tmp_path / "slow.py").write_text(SLOW)
    create(url, tmp_path, trials=41, **SLOW_TASK)
    set_pause(tmp_path, 1)
    supervisor = start(url, "--workers", "2", folder=tmp_path, engine="batched", study="shared.toml")
    wait_until(lambda: len(workers_of(url)) == 2, supervisor)
    children = psutil.Process(supervisor.pid).children()
    children[0].kill()
    set_pause(tmp_path, 0)
    _, errors = supervisor.communicate(timeout=300)
    assert supervisor.returncode == 0, errors
    assert errors.count("died (signal 9); restarting") == 1
    assert_nothing_lost(url, 41)
    assert {child.pid for child in children} <= workers_of(url)
    with opened(url, "shared") as study:
        best = status.best(study)
    assert best is not None
    assert optuna.load_study(study_name="shared", storage=url).best_trial.number == best.number


def test_interrupting_the_supervisor_hands_everything_back(tmp_path: Path) -> None:
    """Nor is a password on a command line: a worker's URL travels in its environment, which other users cannot read."""
    url = f"sqlite:///{tmp_path}/hunter2.db"
    create(url, tmp_path, trials=1000, rows=400)
    supervisor = start(url, "--workers", "2", folder=tmp_path)
    wait_until(lambda: counts_of(url, "shared").complete > 0, supervisor)
    children = psutil.Process(supervisor.pid).children(recursive=True)
    assert len(children) == 2
    lines = [" ".join(process.cmdline()) for process in (psutil.Process(supervisor.pid), *children)]
    assert not [line for line in lines if "hunter2" in line]
    supervisor.send_signal(signal.SIGINT)
    _, errors = supervisor.communicate(timeout=60)
    assert supervisor.returncode == 130
    assert "Go on with: lrsearch study run shared" in errors
    assert not any(child.is_running() for child in children)
    assert_handed_back(url)
