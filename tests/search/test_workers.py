"""Several worker processes: exact budgets, killed workers, restarts. Real processes and databases, no mocks."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import optuna
import psutil
import pytest
from databases import counts_of, fresh_database, opened, trials_of
from optuna.trial import TrialState
from shared_study import assert_handed_back, assert_nothing_lost, create, start, wait_until

from lrsearch.study import status


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with fresh_database(request.param, tmp_path) as fresh:
        yield fresh


@pytest.mark.parametrize("engine", ["sequential", "batched"])
def test_four_workers_share_a_budget_exactly(engine: str, tmp_path: Path) -> None:
    """Also where one generation would be larger than the study: no worker takes more than its part."""
    url = f"sqlite:///{tmp_path}/s.db"
    create(url, tmp_path, trials=101)
    process = start(url, "--workers", "4", folder=tmp_path, engine=engine)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert_nothing_lost(url, 101)
    pids = {trial.user_attrs["worker"]["pid"] for trial in trials_of(url, "shared")}
    assert len(pids) > 1


def test_eight_processes_on_one_sqlite_file(tmp_path: Path) -> None:
    """No process ever gives up because another one writes."""
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
        target = before + chance.randint(1, max(1, budget // (2 * kills)))
        deadline = time.monotonic() + 120
        while len(trials_of(url, "shared")) < min(target, budget) and time.monotonic() < deadline:
            assert any(worker.poll() is None for worker in workers)
        victim = chance.randrange(2)
        workers[victim].kill()
        workers[victim].communicate()
        workers[victim] = start(url, folder=folder, engine=engine)
    errors = [worker.communicate(timeout=300)[1] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], errors
    assert_nothing_lost(url, budget)


def test_killed_workers_lose_nothing(url: str, tmp_path: Path) -> None:
    assert_kills_lose_nothing(url, tmp_path, kills=5, budget=60)


@pytest.mark.soak
def test_workers_killed_twenty_times_lose_nothing(url: str, tmp_path: Path) -> None:
    assert_kills_lose_nothing(url, tmp_path, kills=20, budget=400)


@pytest.mark.soak
def test_batches_killed_twenty_times_lose_nothing(url: str, tmp_path: Path) -> None:
    assert_kills_lose_nothing(url, tmp_path, kills=20, budget=4000, engine="batched")


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


def test_a_batch_killed_under_way_loses_no_settings_and_no_epochs_of_earlier_rungs(url: str, tmp_path: Path) -> None:
    """256 trials are under way; the worker dies before their first rung, the next one after it."""
    (tmp_path / "slow.py").write_text(SLOW)
    create(url, tmp_path, trials=300, task="slow", options="# it has none", load='load = ["slow.py"]')
    arguments = ("--load", str(tmp_path / "slow.py"))
    set_pause(tmp_path, 60)
    worker = start(url, *arguments, folder=tmp_path, engine="batched")
    wait_until(lambda: counts_of(url, "shared").running == 256, worker)
    worker.kill()
    worker.communicate()
    assert counts_of(url, "shared").pruned == 0

    set_pause(tmp_path, 0.3)
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
    assert_nothing_lost(url, 300)
    trials = trials_of(url, "shared")
    assert {number: trials[number].intermediate_values for number in curves} == curves


def set_pause(folder: Path, seconds: float) -> None:
    """How long each update of the slow task takes."""
    (folder / "pause").write_text(str(seconds))


def test_only_the_worker_that_died_is_restarted(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/s.db"
    create(url, tmp_path, trials=80, rows=400)
    supervisor = start(url, "--workers", "2", folder=tmp_path)
    deadline = time.monotonic() + 120
    while len({trial.user_attrs.get("worker", {}).get("pid") for trial in trials_of(url, "shared")} - {None}) < 2:
        assert supervisor.poll() is None
        assert time.monotonic() < deadline
    children = psutil.Process(supervisor.pid).children()
    children[0].kill()
    _, errors = supervisor.communicate(timeout=300)
    assert supervisor.returncode == 0, errors
    assert errors.count("died (signal 9); restarting") == 1
    assert_nothing_lost(url, 80)
    pids = {trial.user_attrs["worker"]["pid"] for trial in trials_of(url, "shared")}
    assert {child.pid for child in children} <= pids


def test_interrupting_the_supervisor_hands_everything_back(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/s.db"
    create(url, tmp_path, trials=1000, rows=400)
    supervisor = start(url, "--workers", "2", folder=tmp_path)
    deadline = time.monotonic() + 120
    while not any(trial.state == TrialState.COMPLETE for trial in trials_of(url, "shared")):
        assert supervisor.poll() is None
        assert time.monotonic() < deadline
    children = psutil.Process(supervisor.pid).children()
    supervisor.send_signal(signal.SIGINT)
    _, errors = supervisor.communicate(timeout=60)
    assert supervisor.returncode == 130
    assert "Go on with: lrsearch study run shared" in errors
    assert not any(child.is_running() for child in children)
    assert_handed_back(url)


def test_a_password_is_on_no_command_line(tmp_path: Path) -> None:
    """A worker's URL travels in its environment, which other users cannot read."""
    url = f"sqlite:///{tmp_path}/hunter2.db"
    create(url, tmp_path, trials=1000, rows=400)
    supervisor = start(url, "--workers", "2", folder=tmp_path)
    try:
        deadline = time.monotonic() + 120
        while not trials_of(url, "shared"):
            assert time.monotonic() < deadline
        family = [psutil.Process(supervisor.pid), *psutil.Process(supervisor.pid).children(recursive=True)]
        assert len(family) == 3
        assert all("hunter2" not in " ".join(process.cmdline()) for process in family)
    finally:
        supervisor.send_signal(signal.SIGINT)
        supervisor.communicate(timeout=60)


def test_optuna_sees_what_the_workers_wrote(tmp_path: Path) -> None:
    """A plain Optuna script reads the study without lrsearch."""
    url = f"sqlite:///{tmp_path}/s.db"
    create(url, tmp_path, trials=5)
    worker = start(url, folder=tmp_path)
    worker.communicate(timeout=120)
    assert worker.returncode == 0
    plain = optuna.load_study(study_name="shared", storage=url)
    with opened(url, "shared") as study:
        best = status.best(study)
    assert best is not None
    assert plain.best_trial.number == best.number


def test_workers_bring_the_code_that_the_study_file_names(tmp_path: Path) -> None:
    """A worker runs by the study's name, and a task of the person's own is not in the storage."""
    (tmp_path / "mine.py").write_text(
        "import lrsearch, torch\n"
        "@lrsearch.task\n"
        "def mine() -> lrsearch.Task:\n"
        "    data = torch.ones(8, 2), torch.ones(8, 1)\n"
        "    net = lambda: torch.nn.Linear(2, 1)\n"
        "    return lrsearch.Task(model=net, train=data, test=data, loss='mse', metric='mse')\n"
    )
    text = '[study]\nname = "own"\ntrials = 6\nload = ["mine.py"]\n[task]\nname = "mine"\n[training]\nepochs = 2\n'
    (tmp_path / "own.toml").write_text(text)
    url = f"sqlite:///{tmp_path}/s.db"
    command = [sys.executable, "-m", "lrsearch", "study", "run", "own.toml", "--workers", "2", "--storage", url]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    counts = counts_of(url, "own")
    assert counts.complete + counts.pruned == 6
