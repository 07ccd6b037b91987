"""Training from Python: the same as the commands, to the last bit."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import lrsearch

SMALL = {"rows": 60, "holdout_rows": 0}


def small(**settings: object) -> lrsearch.TrainingRun:
    return lrsearch.train("polynomial", task_options=SMALL, **{"lr": 0.01, "epochs": 3, **settings})  # type: ignore[arg-type]


def numbers(run: lrsearch.TrainingRun) -> list[tuple[float, float, float]]:
    return [(record.lr, record.train_metric, record.test_metric) for record in run.records]


def test_train_does_what_the_command_does(tmp_path: Path) -> None:
    settings = ["--lr", "0.05", "--scheduler", "lambda", "--decay", "0.9", "--epochs", "4", "--seed", "3"]
    own = ["--set", "task.rows=60", "--set", "training.momentum=0.5", "--quiet", "--output", "epochs.json"]
    command = [sys.executable, "-m", "lrsearch", "train", "--task", "polynomial", *settings, *own]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    rows = json.loads((tmp_path / "epochs.json").read_text())
    run = lrsearch.train(
        "polynomial", lr=0.05, scheduler="lambda", decay=0.9, epochs=4, seed=3,
        task_options={"rows": 60}, training={"momentum": 0.5},
    )  # fmt: skip
    assert numbers(run) == [(row["lr"], row["train_mse"], row["test_mse"]) for row in rows]


def test_a_schedule_may_be_a_name_or_an_object() -> None:
    named = small(scheduler="LambdaLR", decay=0.5)
    made = small(scheduler=lrsearch.schedules.Lambda(decay=0.5))
    assert numbers(named) == numbers(made)
    assert [record.lr for record in made.records] == [0.01, 0.005, 0.0025]


def test_a_task_may_be_the_decorated_function() -> None:
    from lrsearch import registry

    run = lrsearch.start(registry.tasks.get("polynomial"), lr=0.01, task_options=SMALL)
    assert run.definition.task.name == "polynomial"
    with pytest.raises(lrsearch.InputError, match="must be the name of a task"):
        lrsearch.start(run.task, lr=0.01)  # type: ignore[arg-type]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(lrsearch.InputError) as caught:
        lrsearch.train("polynomail", lr=-1.0, scheduler="lambda", dacay=0.5, training={"batch_sise": 3})
    text = str(caught.value)
    assert all(word in text for word in ("polynomial", "lr = -1", "decay", "batch_size"))


def test_rounds_by_hand_keep_the_state() -> None:
    steered = lrsearch.start("polynomial", lr=0.05, task_options=SMALL)
    steered.steer(epochs=2)
    steered.steer(epochs=1)
    assert numbers(steered) == numbers(small(lr=0.05))
    last = steered.steer(epochs=2, lr=0.01)
    assert [record.epoch for record in last] == [4, 5]
    assert "starts = [0, 3]" in steered.code
    assert "rates = [0.05, 0.01]" in steered.code


def test_a_run_with_a_schedule_of_its_own_cannot_be_steered() -> None:
    with pytest.raises(lrsearch.InputError, match="constant schedule"):
        small(scheduler="lambda").steer(epochs=1, lr=0.1)


def test_a_resumed_run_equals_the_uninterrupted_one(tmp_path: Path) -> None:
    first = lrsearch.start("polynomial", lr=0.05, scheduler="cosine", epochs=6, task_options=SMALL)
    first.train(2)
    first.save(tmp_path / "run.ckpt")
    again = lrsearch.resume(tmp_path / "run.ckpt")
    again.train()
    assert numbers(again) == numbers(small(lr=0.05, scheduler="cosine", epochs=6))
    with pytest.raises(lrsearch.InputError, match="laid out for 6 epochs"):
        lrsearch.resume(tmp_path / "run.ckpt", epochs=9)


def test_a_constant_run_may_be_resumed_for_longer(tmp_path: Path) -> None:
    small().save(tmp_path / "run.ckpt")
    longer = lrsearch.resume(tmp_path / "run.ckpt", epochs=5)
    longer.train()
    assert numbers(longer) == numbers(small(epochs=5))


def test_a_run_that_diverges_says_so_and_ends() -> None:
    run = small(lr=1e6, epochs=20)
    assert run.diverged
    assert run.outcome.diverged
    assert len(run.records) < 20
    assert run.train() == []


def test_torchs_threads_are_the_callers_again() -> None:
    torch.set_num_threads(2)
    assert small(threads=1).threads == 1
    assert torch.get_num_threads() == 2


def test_a_run_names_itself_in_a_line() -> None:
    assert repr(small()) == "<run of polynomial: constant, lr 0.01, 3 epochs>"
