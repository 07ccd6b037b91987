"""A worker's actor, without Ray: it is an ordinary object."""

from __future__ import annotations

import threading
from pathlib import Path

import psutil
from databases import counts_of, trials_of
from shared_study import assert_nothing_lost, create

from lrsearch.launch.ray import code_bundle
from lrsearch.launch.ray.actor import Assignment, WorkerActor

OWN = """
import sys
import lrsearch, torch
if "--one-of" in sys.argv:
    raise RuntimeError("only where the study was started")
@lrsearch.task
def mine() -> lrsearch.Task:
    data = torch.ones(8, 2), torch.ones(8, 1)
    return lrsearch.Task(model=lambda: torch.nn.Linear(2, 1), train=data, test=data, loss="mse", metric="mse")
"""
FLAGS = ("--quiet", "--engine", "sequential")


def wait_for_trials(url: str, running: threading.Thread) -> None:
    while not any("worker" in trial.user_attrs for trial in trials_of(url, "shared")):
        running.join(0.2)
        assert running.is_alive()


def test_a_worker_that_fails_says_why_in_its_own_words(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/s.db"
    (tmp_path / "mine.py").write_text(OWN)
    create(url, tmp_path, trials=4, task="mine", options="# it has none", load='load = ["mine.py"]')
    actor = WorkerActor(Assignment("shared", url, FLAGS, code_bundle.pack([str(tmp_path / "mine.py")]), 1, 1))
    ended = actor.run()
    assert ended.code == 2
    assert "only where the study was started" in ended.reason
    assert actor.read_output().lines == ()


def test_an_actor_that_is_stopped_hands_back_and_one_that_runs_again_goes_on(tmp_path: Path) -> None:
    """As Ray runs it again after an accident: what is run is the study, not a number of trials."""
    url = f"sqlite:///{tmp_path}/s.db"
    create(url, tmp_path, trials=30, rows=400)
    before = psutil.Process().children()
    assignment = Assignment("shared", url, FLAGS, (), 1, 1)
    actor, codes = WorkerActor(assignment), []
    running = threading.Thread(target=lambda: codes.append(actor.run().code))
    running.start()
    wait_for_trials(url, running)
    actor.stop()
    running.join()
    counts = counts_of(url, "shared")
    assert codes == [0]
    assert (counts.running, counts.retried) == (0, counts.waiting)
    assert not set(psutil.Process().children()) - set(before)
    assert WorkerActor(assignment).run().code == 0
    assert_nothing_lost(url, 30)


def test_a_worker_that_begins_late_has_only_the_time_that_is_left(tmp_path: Path) -> None:
    command = WorkerActor(Assignment("shared", "sqlite:///s.db", FLAGS, (), 1, 1, ends=0.0))._command(tmp_path)
    assert command[command.index("--timeout") + 1] == "0.0"


def test_an_assignment_shows_neither_password_nor_code() -> None:
    own = code_bundle.Source("a.py", "/a.py", {})
    shown = repr(Assignment("shared", "postgresql://me:hunter2@host/db", (), (own,), 1, 1))
    assert "hunter2" not in shown
    assert "a.py" not in shown
