"""A lane that takes long goes on where a crash left it, bit for bit, and leaves no file when it is done."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn
from workloads import TASKS

from lrsearch import registry
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.task import Task
from lrsearch.training.engine import Engine, Lane, LaneRecords, SequentialEngine
from lrsearch.training.lane_checkpoints import SUFFIX, LaneCheckpoints, cache_folder
from lrsearch.training.parallel import ParallelEngine

TRAINING = TrainingSection(epochs=6, batch_size=16, momentum=0.9, checkpoint_minutes=0)
LANES = [Lane(0.01, registry.schedules.get("plateau")(), 1), Lane(0.02, registry.schedules.get("constant")(), 2)]
ENGINES: list[type[SequentialEngine] | type[ParallelEngine]] = [SequentialEngine, ParallelEngine]
engines = pytest.mark.parametrize("kind", ENGINES)


class Counted:
    """A task whose networks are counted as they are made, and updates as they are done."""

    def __init__(self) -> None:
        self.updates = 0

        def loss(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
            self.updates += outputs.requires_grad
            return torch.nn.functional.mse_loss(outputs, targets)

        base = TASKS["batch_norm_pre"]
        self.task: Task = replace(base, loss=loss, model=lambda: nn.Sequential(nn.Dropout(0.2), base.model()))


def numbers(records: list[LaneRecords]) -> dict[tuple[int, int], tuple[float, float, float]]:
    return {
        (own, record.epoch): (float(record.lr[row]), float(record.train_metric[row]), float(record.test_metric[row]))
        for record in records
        for row, own in enumerate(record.lanes)
    }


def made(
    kind: type[SequentialEngine] | type[ParallelEngine], folder: Path, said: list[str] | None = None, study: str = "s"
) -> Engine:
    say = [].append if said is None else said.append
    return kind("cpu", checkpoints=LaneCheckpoints(study, say, folder))


@engines
def test_a_crash_costs_no_epoch_that_was_saved_and_changes_no_bit(
    kind: type[SequentialEngine] | type[ParallelEngine], tmp_path: Path
) -> None:
    whole = numbers(list(SequentialEngine().train(Counted().task, LANES, TRAINING)))
    first = Counted()
    stream = made(kind, tmp_path).train(first.task, LANES, TRAINING)
    seen = [next(stream) for _ in range(5)]
    assert all(whole[key] == value for key, value in numbers(seen).items())
    del stream  # the process was killed: nobody tidied up
    saved = sorted(tmp_path.glob(f"*{SUFFIX}"))
    assert saved
    (tmp_path / f".{saved[0].name}.1-0.part").write_bytes(b"cut off")  # ... while it wrote
    again = Counted()
    found = list(made(kind, tmp_path).train(again.task, LANES, TRAINING, (2,)))
    assert numbers(found) == whole
    fresh = Counted()
    list(made(kind, tmp_path, study="another").train(fresh.task, LANES, TRAINING))
    assert again.updates < fresh.updates
    assert not list(tmp_path.iterdir()), "every file is removed when its trial ends"


@engines
def test_a_checkpoint_of_other_data_code_or_settings_is_left_alone(
    kind: type[SequentialEngine] | type[ParallelEngine], tmp_path: Path
) -> None:
    stream = made(kind, tmp_path).train(Counted().task, LANES, TRAINING)
    for _ in range(4):
        next(stream)
    del stream
    files = {file: file.read_bytes() for file in tmp_path.glob(f"*{SUFFIX}")}
    task = Counted().task
    inputs, targets = task.train
    other = replace(task, train=(inputs, targets * 1.01))
    expected = numbers(list(SequentialEngine().train(other, LANES, TRAINING)))
    assert numbers(list(made(kind, tmp_path).train(other, LANES, TRAINING))) == expected
    for file, content in files.items():  # cut off by a crash
        file.write_bytes(content[: len(content) // 2])
    expected = numbers(list(SequentialEngine().train(task, LANES, TRAINING)))
    assert numbers(list(made(kind, tmp_path).train(task, LANES, TRAINING))) == expected


def test_lanes_that_are_short_or_belong_to_no_storage_are_not_saved(tmp_path: Path) -> None:
    long = TRAINING.model_copy(update={"checkpoint_minutes": 5.0})
    for checkpoints, section in ((LaneCheckpoints("s", folder=tmp_path), long), (LaneCheckpoints(None), TRAINING)):
        stream = SequentialEngine("cpu", checkpoints).train(Counted().task, LANES, section)
        for _ in range(4):
            next(stream)
        assert not list(tmp_path.iterdir())


@engines
def test_a_folder_that_cannot_be_written_is_said_once(
    kind: type[SequentialEngine] | type[ParallelEngine], tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    said: list[str] = []
    assert len(numbers(list(made(kind, blocked / "cache", said).train(Counted().task, LANES, TRAINING)))) == 14
    assert len(said) == 1
    assert said[0].startswith("No checkpoints of long trials:")
    assert "cannot be written" in said[0]


def test_the_cache_is_where_the_system_wants_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "lrsearch" / "checkpoints"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "lrsearch" / "checkpoints"


def test_what_nobody_came_back_for_goes_after_a_month(tmp_path: Path) -> None:
    old, young = tmp_path / f"old{SUFFIX}", tmp_path / f"young{SUFFIX}"
    cut_off = tmp_path / f".old{SUFFIX}.1-0.part"
    for file in (old, young, cut_off):
        file.write_bytes(b"")
    for file in (old, cut_off):
        os.utime(file, (0, 0))
    stream = made(SequentialEngine, tmp_path).train(Counted().task, LANES, TRAINING)
    next(stream)
    next(stream)
    assert not old.exists()
    assert not cut_off.exists()
    assert young.exists()
