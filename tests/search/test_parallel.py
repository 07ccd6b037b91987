"""Trials side by side on processes of one run: same numbers on one or two, and nothing lost when a process dies."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from databases import close, trials_of
from forgotten import forgotten
from optuna.trial import FrozenTrial, TrialState
from shared_study import assert_handed_back, assert_nothing_lost, wait_until

import lrsearch
from lrsearch.errors import InputError, LrsearchError
from lrsearch.search import training_process
from lrsearch.search.engines import Engines, Machine
from lrsearch.search.recipe import only_here, recipe_of
from lrsearch.search.runner import Runner
from lrsearch.signals import Interruption
from lrsearch.storage.rdb import open_storage
from lrsearch.study import open as opening
from lrsearch.study import stored as studies
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file.load import parse
from lrsearch.training import choice
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.processes import CANNOT_START, TrainingProcesses

OWN = """
import time, traceback
from pathlib import Path
import lrsearch, torch

def loss(output, target):
    # Each update takes as long as the file beside this one says; trying the task out before is not slowed down.
    beside = Path(__file__).with_name("pause")
    if beside.is_file() and any(f.f_code.co_filename.endswith("segment.py") for f, _ in traceback.walk_stack(None)):
        time.sleep(float(beside.read_text()))
    return torch.nn.functional.mse_loss(output, target)

@lrsearch.task
def own(*, dropout: float = 0.0) -> lrsearch.Task:
    x = torch.linspace(-1, 1, 60)[:, None]
    def net():
        parts = torch.nn.Linear(1, 4), torch.nn.Tanh(), torch.nn.Dropout(dropout), torch.nn.Linear(4, 1)
        return torch.nn.Sequential(*parts)
    return lrsearch.Task(net, (x[::2], x[::2] ** 2), (x[1::2], x[1::2] ** 2), loss=loss, metric="mse")
"""
STUDY = """
[study]
name = "shared"
trials = {trials}
load = ["{own}"]
[task]
name = "own"
{options}
[training]
epochs = 12
batch_size = 10
{training}
[search]
schedulers = ["constant", "lambda"]
[sampler]
name = "random"
[pruner]
name = "halving"
audit = 0.3
[confirm]
top = 0
"""


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the file of the own task, which processes that live on have imported."""
    folder = tmp_path_factory.mktemp("code")
    (folder / "own.py").write_text(OWN)
    return folder


@pytest.fixture(scope="module")
def cache(code: Path) -> Iterator[Path]:
    """Where checkpoints go, for processes of this module, too."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_CACHE_HOME", str(code / "cache"))
        yield code / "cache" / "lrsearch" / "checkpoints"


@pytest.fixture
def make(code: Path, cache: Path, tmp_path: Path) -> Iterator[Callable[..., StoredStudy]]:
    """Makes a study of the own task in a storage of its own, and forgets the task in the end."""

    def study(trials: int = 12, options: str = "dropout = 0.2", training: str = "", name: str = "s.db") -> StoredStudy:
        file = tmp_path / "shared.toml"
        file.write_text(STUDY.format(own=code / "own.py", trials=trials, options=options, training=training))
        return lrsearch.create_study(file, storage=f"sqlite:///{tmp_path}/{name}")

    with forgotten(code):
        yield study
    assert not list(cache.glob("*")), "every checkpoint is removed when its trial ends"


@pytest.fixture(scope="module")
def two(cache: Path) -> Iterator[TrainingProcesses]:
    """Two training processes, started once for all tests that do not need their own."""
    environment = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    with TrainingProcesses(training_process.program(), [environment, environment], logging.info) as started:
        yield started


def machine(processes: int) -> Machine:
    return Machine("cpu", environments=({},) * processes)


def run(stored: StoredStudy, processes: TrainingProcesses | None = None, engine: str = "parallel") -> StoredStudy:
    """Train a study in this process, or in those that are given."""
    said: list[str] = []
    engines = Engines(engine, machine(2 if processes else 1), said.append)
    engines._processes = processes
    task = opening.task_of(stored)
    made = engines.make(engines.choice(stored, task), stored, task)
    list(Runner(stored, task, made, Interruption(), say=said.append).events())
    return stored


def numbers(trials: Sequence[FrozenTrial]) -> list[tuple[object, ...]]:
    """All of a trial but when, how long and by which engine."""
    own = ("train_curve", "lr_curve", "seed_values", "audit_curve", "before_training", "place")
    return [
        (t.number, t.state, t.params, t.value, t.intermediate_values, [t.user_attrs.get(key) for key in own])
        for t in trials
    ]


def test_two_processes_one_process_and_the_batchs_prunings_agree(
    make: Callable[..., StoredStudy], two: TrainingProcesses
) -> None:
    """Replicates on two seeds, dropout, audits: the same study on one and on two processes is equal bit for bit."""
    seeds = "seeds = [1, 2]"
    one = run(make(training=seeds, name="one.db")).trials()
    assert numbers(run(make(training=seeds, name="two.db"), two).trials()) == numbers(one)
    pids = {process.pid for process in two.processes}
    assert len(pids - {None}) == 2
    # Judged together: those whom the batched engine prunes; without dropout its numbers are the same to rounding.
    ours = run(make(options="", training=seeds, name="plain.db"), two)
    batched = make(options="", training=seeds, name="batched.db")
    list(Runner(batched, opening.task_of(batched), BatchedEngine(), Interruption()).events())
    assert [(t.state, len(t.intermediate_values)) for t in ours.trials()] == [
        (t.state, len(t.intermediate_values)) for t in batched.trials()
    ]
    assert {t.state for t in ours.trials()} == {TrialState.COMPLETE, TrialState.PRUNED}
    assert {process.pid for process in two.processes} == pids, "processes serve one study after the other"
    assert {t.user_attrs["engine"] for t in ours.trials()} == {"parallel"}


def test_a_killed_process_loses_only_its_trial_which_is_run_again(
    make: Callable[..., StoredStudy], two: TrainingProcesses
) -> None:
    expected = numbers(run(make(trials=8, name="whole.db")).trials())
    stored = make(trials=8, name="killed.db")
    said: list[str] = []
    engines = Engines("parallel", machine(2), said.append)
    engines._processes = two
    task = opening.task_of(stored)
    events = Runner(stored, task, engines.make(engines.choice(stored, task), stored, task), Interruption()).events()
    for place, _ in enumerate(events):
        if place == 20:
            busy = next(process.pid for process in two.processes if process.work is not None)
            assert busy is not None
            os.kill(busy, signal.SIGKILL)
    assert numbers(stored.trials()) == expected
    assert not any("retry_of" in trial.user_attrs for trial in stored.trials())


def command(url: str, *arguments: str) -> list[str]:
    return [
        *(sys.executable, "-m", "lrsearch", "study", "run", "shared.toml", "--quiet", "--grace", "6"),
        *("--storage", url, "--engine", "parallel", "--workers", "2", *arguments),
    ]


def test_a_killed_run_leaves_no_process_and_goes_on_from_what_was_saved(
    make: Callable[..., StoredStudy], code: Path, cache: Path, tmp_path: Path
) -> None:
    """Kill -9: its processes notice a closed pipe; the trials are run again from their checkpoints, bit for bit."""
    expected = {tuple(t.params.items()): t.intermediate_values for t in run(make(name="whole.db")).trials()}
    url = f"sqlite:///{tmp_path}/killed.db"
    make(name="killed.db", training="checkpoint_minutes = 0")
    (code / "pause").write_text("0.02")
    process = subprocess.Popen(command(url), cwd=tmp_path, stderr=subprocess.PIPE, text=True, stdout=subprocess.DEVNULL)
    wait_until(lambda: len(list(cache.glob("*.checkpoint"))) > 1, process)
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) == 2
    process.kill()
    process.communicate()
    gone, alive = psutil.wait_procs(children, timeout=30)
    assert (len(gone), alive) == (2, [])
    (code / "pause").unlink()
    assert list(cache.glob("*.checkpoint"))
    run(studies.load(open_storage(url), "shared"))
    assert_nothing_lost(url, 12)
    done = [t for t in trials_of(url, "shared") if t.state != TrialState.FAIL]
    assert {tuple(t.params.items()) for t in done} == set(expected)
    for trial in done:
        # What was lost is run again in smaller company, so that others may be pruned; no number changes.
        whole = expected[tuple(trial.params.items())]
        assert all(whole[epoch] == value for epoch, value in trial.intermediate_values.items() if epoch in whole)


def test_what_no_other_process_can_import_is_trained_here(
    make: Callable[..., StoredStudy], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cell of a notebook: its task belongs to __main__."""
    stored = make(trials=2, options="")
    assert only_here(stored) is None
    task = opening.task_of(stored)
    monkeypatch.setattr(lrsearch.registry.tasks.get("own").function, "__module__", "__main__")
    said: list[str] = []
    with Engines("parallel", machine(2), said.append) as engines:
        made = engines.make(engines.choice(stored, task), stored, task)
        list(Runner(stored, task, made, Interruption()).events())
        assert engines._processes is None
    assert len(said) == 1
    assert "task own is defined in this program only" in said[0]
    assert all(trial.state == TrialState.COMPLETE for trial in stored.trials())


@pytest.mark.parametrize(
    ("program", "words"),
    [("import nowhere_to_be_found", "nowhere_to_be_found"), ("raise SystemExit(3)", "exit code 3")],
)
def test_a_process_that_cannot_start_says_why(make: Callable[..., StoredStudy], program: str, words: str) -> None:
    stored = make(trials=2)
    with (
        TrainingProcesses(["-c", program], [{}, {}], logging.info) as broken,
        pytest.raises(LrsearchError, match=f"{CANNOT_START}: .*{words}"),
    ):
        run(stored, broken)
    assert [trial.state for trial in stored.trials()].count(TrialState.RUNNING) == 0


def test_a_process_whose_data_are_others_refuses(make: Callable[..., StoredStudy], code: Path) -> None:
    """Here in this process, which is what a training process runs."""
    stored = make(trials=2)
    recipe = recipe_of(stored, [str(code / "own.py")], "cpu", 1)
    assert recipe.sources == (str(code / "own.py"),)
    training_process.build(recipe, logging.info)
    other = {**(recipe.data or {}), "train": {"rows": 31}}
    with pytest.raises(InputError, match="other data in a training process: train rows 30 against 31"):
        training_process.build(replace(recipe, data=other), logging.info)
    with pytest.raises(InputError, match="cannot be found by a training process"):
        training_process.build(replace(recipe, task="gone"), logging.info)


DATABASES = ("sqlite", "postgres", "mysql")


@pytest.mark.parametrize("database_url", DATABASES, indirect=True)
def test_a_study_keeps_the_engine_that_it_was_begun_with(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    document = {
        "study": {"name": "kept", "trials": 3},
        "task": {"name": "polynomial", "rows": 60},
        "confirm": {"top": 0},
    }
    definition = parse({**document, "training": {"epochs": 1}}, "test")
    stored = opening.create(definition, database_url)
    task, said = opening.task_of(stored), list[str]()
    from lrsearch.training import choice

    monkeypatch.setattr(choice, "gain", lambda *_: 0.5)
    assert Engines("auto", machine(1), said.append).choice(stored, task).engine == "sequential"
    monkeypatch.setattr(choice, "gain", lambda *_: 5.0)
    again = studies.load(stored.storage, "kept")
    assert again.engine == "sequential"
    assert Engines("auto", machine(1), said.append).choice(again, task).engine == "sequential"
    assert not said
    assert Engines("batched", machine(1), said.append).choice(again, task).engine == "batched"
    assert len(said) == 1
    assert "was begun by the sequential engine; --engine batched" in said[0]
    assert again.settle("lrsearch:engine", "batched") == "sequential"
    again.remember("lrsearch:engine", "quantum")
    with pytest.raises(InputError, match=r'engine "quantum".*--engine sequential') as refused:
        Engines("auto", machine(1), said.append).choice(again, task)
    assert refused.value.exit_code == 2
    close(stored.storage)


def test_an_engine_that_cannot_go_on_says_what_to_write(make: Callable[..., StoredStudy]) -> None:
    stored = make(trials=2)
    stored.remember("lrsearch:engine", "batched")
    stored = studies.load(stored.storage, "shared")
    task = opening.task_of(stored)

    class No:
        ok, reason = False, "it draws random numbers"

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(choice, "probe", lambda *_: No)
        with pytest.raises(InputError) as refused:
            Engines("auto", machine(1), logging.info).choice(stored, task)
    assert "batched engine since it began, which cannot train this task: it draws random numbers" in str(refused.value)
    assert "--engine sequential or --engine parallel" in str(refused.value)


def test_ctrl_c_hands_back_and_ends_the_processes(make: Callable[..., StoredStudy], code: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/s.db"
    make()
    (code / "pause").write_text("30")
    process = subprocess.Popen(command(url), cwd=tmp_path, stderr=subprocess.PIPE, text=True, stdout=subprocess.DEVNULL)
    began = time.monotonic()
    wait_until(lambda: len(psutil.Process(process.pid).children()) == 2, process)
    children = psutil.Process(process.pid).children()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert time.monotonic() - began < 60
    assert not any(child.is_running() for child in children)
    (code / "pause").unlink()
    assert_handed_back(url)
