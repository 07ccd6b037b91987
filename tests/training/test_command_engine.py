"""Runs of a command as lanes: real processes, which leave none behind."""

from __future__ import annotations

import contextlib
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from lrsearch.errors import InputError, InterruptedRunError
from lrsearch.registry import schedules
from lrsearch.study_file.load import parse
from lrsearch.tasks.command_task import CommandTask
from lrsearch.training import command_process
from lrsearch.training.command_engine import CommandEngine, settings_of
from lrsearch.training.command_process import CommandProcess, RunFailedError
from lrsearch.training.engine import Lane, LaneRecords

EPOCHS = 4
Engine = Callable[..., list[LaneRecords]]


def task_of(folder: Path, run: str, **command: Any) -> CommandTask:
    sections = {"training": {"epochs": EPOCHS}, "search": {"schedulers": ["constant"]}}
    definition = parse({"study": {"name": "s"}, "command": {"run": run, **command}, **sections}, "file")
    return CommandTask("s", definition, folder)


def lane(schedule: str = "constant", lr: float = 0.5, seed: int = 3, **values: float) -> Lane:
    return Lane(lr, schedules.get(schedule).of(values), seed, trial=7)


@pytest.fixture
def trained(tmp_path: Path) -> Engine:
    """All records of a shell script that is told the learning rate and the seed, and knows both as $1 and $2."""

    def run(script: str, lanes: list[Lane] | None = None, words: str = "{lr} {seed}", **command: Any) -> Any:
        (tmp_path / "run.sh").write_text(script, encoding="utf-8")
        task = task_of(tmp_path / "out", f"sh {tmp_path}/run.sh {words}", **command)
        definition = parse({"study": {"name": "s"}, "command": {"run": "x {lr}"}, "training": {"epochs": EPOCHS},
                            "search": {"schedulers": ["constant"]}}, "file")  # fmt: skip
        return list(CommandEngine().train(task, lanes or [lane()], definition.training))

    return run


def test_a_curve_is_read_epoch_by_epoch(trained: Engine) -> None:
    script = 'for e in 0 1 2 3 4; do echo "epoch=$e test=$((10 - e)).5 train=1 other=2"; done; echo $1 $2'
    records = trained(script, [lane(seed=3), lane(seed=4)])
    assert [record.epoch for record in records] == [0, 1, 2, 3, 4]
    assert [record.test_metric.tolist() for record in records] == [[10.5 - e] * 2 for e in range(5)]
    assert all(record.evaluated and not record.diverged.any() for record in records)
    assert records[1].lr.tolist() == [0.5, 0.5]
    assert records[1].train_metric.tolist() == [1.0, 1.0]


def test_epochs_that_are_not_told_are_not_known(trained: Engine) -> None:
    """A last line without an epoch is about the whole run."""
    records = trained("echo epoch=2 test=3; echo test=1")
    assert [record.evaluated for record in records] == [True, False, True, False, True]
    assert math.isinf(records[0].test_metric[0])
    assert records[-1].test_metric[0] == 1.0


def test_a_value_that_is_no_number_ends_a_run(trained: Engine) -> None:
    records = trained("echo epoch=1 test=2; echo epoch=2 test=nan; sleep 600")[:3]
    assert records[2].diverged.tolist() == [True]


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo epoch=1 test=2; echo out of memory; exit 3", "exit code 3; its last lines: .* | out of memory"),
        ("kill -9 $$", "ended by signal 9"),
        ("echo hello", "without a value"),
        ("echo epoch=0 test=1", "without a value"),
        ("echo epoch=5 test=1", "said epoch=5, but the study has 4 epochs"),
    ],
)
def test_a_bad_run_says_why(trained: Engine, tmp_path: Path, script: str, words: str) -> None:
    with pytest.raises(RunFailedError, match=words) as failed:
        trained(script)
    assert str(tmp_path / "out/trial-7-seed-3.txt") in str(failed.value)


def test_a_file_of_json_lines_is_read_instead(trained: Engine) -> None:
    script = """for e in 1 2 3 4; do echo "{\\"epoch\\": $e, \\"f1\\": 0.$e}" >> $3; echo epoch=$e test=9; done"""
    records = trained(script, words="{lr} {seed} {curve}", metric="f1", direction="maximize")
    assert [float(record.test_metric[0]) for record in records[1:]] == [0.1, 0.2, 0.3, 0.4]
    assert records[0].test_metric[0] == -math.inf


def test_a_program_that_is_not_there_ends_the_study(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be started"):
        next(CommandEngine().train(task_of(tmp_path, "no-such-program {lr}"), [lane()], parse_training()))


def parse_training() -> Any:
    return parse({"study": {"name": "s"}, "task": {"name": "polynomial"}, "training": {"epochs": EPOCHS}}, "f").training


@pytest.mark.parametrize("stubborn", [False, True])
def test_a_closed_stream_leaves_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stubborn: bool) -> None:
    """Not what the command has started either, whether it obeys or not."""
    monkeypatch.setattr(command_process, "GRACE_SECONDS", 0.1)
    trap = "trap '' TERM; " if stubborn else ""
    script = f"{trap}sleep 600 & echo $! > {tmp_path}/child; echo epoch=1 test=1; sleep 600; sleep 600"
    (tmp_path / "run.sh").write_text(script, encoding="utf-8")
    stream = CommandEngine().train(
        task_of(tmp_path / "out", f"sh {tmp_path}/run.sh {{lr}}"), [lane()], parse_training()
    )
    next(stream)
    assert float(stream.send(None).test_metric[0]) == 1.0
    child = int((tmp_path / "child").read_text())
    os.kill(child, 0)
    stream.close()
    assert not psutil.Process().children(), "nobody is left to watch"
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(child).wait(30)


KILLED = """
import sys, time
from pathlib import Path
from lrsearch.training.command_process import CommandProcess
CommandProcess(["sh", "-c", "sleep 600 & echo $! $$; sleep 600"], Path(sys.argv[1]), {})
print("started", flush=True)
time.sleep(600)
"""


def test_a_command_ends_when_lrsearch_is_killed(tmp_path: Path) -> None:
    """With what it has started, although nobody could ask them to end any more."""
    output = tmp_path / "out.txt"
    with subprocess.Popen([sys.executable, "-c", KILLED, str(output)], stdout=subprocess.PIPE) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline() == b"started\n"
        while len(pids := output.read_text().split()) < 2:
            os.sched_yield()
        started = [psutil.Process(int(pid)) for pid in pids]
        killed.kill()
    _, alive = psutil.wait_procs(started, timeout=60)
    assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


def test_a_signal_during_the_start_leaves_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is raised where the process is known to nobody yet."""
    groups: list[int] = []

    def interrupted(group: int) -> None:
        groups.append(group)
        raise InterruptedRunError("interrupted")

    monkeypatch.setattr(command_process, "GroupWatch", interrupted)
    with pytest.raises(InterruptedRunError):
        CommandProcess(["sleep", "600"], tmp_path / "o", {})
    assert not psutil.pid_exists(groups[0])


def test_the_last_lines_are_shown(tmp_path: Path) -> None:
    process = CommandProcess(["sh", "-c", "for i in 1 2 3 4 5 6 7; do echo $i; echo; done; false"], tmp_path / "o", {})
    process._process.wait()
    process.end()
    assert process.last_lines() == ["3", "4", "5", "6", "7"]
    with pytest.raises(RunFailedError, match=r"exit code 1; its last lines: 3 \| 4"):
        process.check(1)


@pytest.mark.parametrize("updates", [None, 3])
@pytest.mark.parametrize(
    ("name", "values"), [("cosine", {"final": 0.1}), ("lambda", {"decay": 0.5, "warmup_fraction": 0.5})]
)
def test_factors_are_those_of_the_schedule(
    tmp_path: Path, updates: int | None, name: str, values: Mapping[str, float]
) -> None:
    task = task_of(tmp_path, "run {lr}", **({} if updates is None else {"updates_per_epoch": updates}))
    own, many = lane(name, **values), updates or 1
    told = json.loads(json.dumps(settings_of(task, own, parse_training())))
    schedule = own.schedule
    if schedule.unit == "batch":
        expected = [schedule.factor(t, EPOCHS * many) for t in range(EPOCHS * many)]
    else:
        steps = [(t, update) for t in range(EPOCHS) for update in range(many)]
        expected = [schedule.factor(t, EPOCHS, update=update, updates=many) for t, update in steps]
    assert told["factors"]["epochs"] == pytest.approx(expected[::many], rel=1e-12)
    if updates is None:
        assert told["factors"]["updates"] is None
    else:
        assert np.allclose(told["factors"]["updates"], expected, rtol=1e-12)
    assert (told["lr"], told["scheduler"], told["seed"], told["epochs"]) == (0.5, name, 3, EPOCHS)


def test_plateau_is_told_as_a_rule(tmp_path: Path) -> None:
    task = task_of(tmp_path, "run {lr}", direction="maximize")
    told = settings_of(task, lane("plateau", patience=2), parse_training())
    assert told["factors"] is None
    assert (told["rule"]["mode"], told["rule"]["patience"]) == ("max", 2)
