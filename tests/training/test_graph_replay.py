"""What is replayed gives the bits of what is called, whatever the network; what cannot be replayed is called."""

from __future__ import annotations

from collections.abc import Collection
from itertools import count

import numpy as np
import pytest
import torch
from torch import Tensor
from workloads import TASKS

from lrsearch.errors import InterruptedRunError
from lrsearch.schedules.annealing import Linear
from lrsearch.study_file.model import TrainingSection
from lrsearch.training import batched
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.engine import Lane, LaneRecords
from lrsearch.training.graph_replay import Recordings

LANES = [Lane(10 ** (-3 + 0.08 * number), Linear(), number % 3) for number in range(40)]
TRAINING = TrainingSection(epochs=6, batch_size=20, momentum=0.5)
"""40 lanes become 12 after the third epoch; the last batch of every epoch is a short one."""


def records_of(engine: BatchedEngine, task: str) -> list[LaneRecords]:
    stream = engine.train(TASKS[task], LANES, TRAINING)
    found = [next(stream)]
    kept: Collection[int] | None = None
    while True:
        try:
            found.append(stream.send(kept))
        except StopIteration:
            return found
        kept = range(0, 40, 3)[:12] if found[-1].epoch >= 3 else None


@pytest.mark.parametrize("task", TASKS)
def test_replayed_training_has_the_bits_of_training(task: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Losses, gradients, running statistics and metrics: a difference anywhere shows in the next epoch's metrics."""
    made: list[Recordings] = []

    class Eager(Recordings):
        def __init__(self) -> None:
            super().__init__(after=1)
            made.append(self)

    called = records_of(BatchedEngine(), task)
    monkeypatch.setattr(batched, "Recordings", Eager)
    engine = BatchedEngine()
    for replayed in (records_of(engine, task), records_of(engine, task)):
        for one, other in zip(called, replayed, strict=True):
            assert one.lanes == other.lanes
            np.testing.assert_array_equal(one.train_metric, other.train_metric)
            np.testing.assert_array_equal(one.test_metric, other.test_metric)
    rows = TASKS[task].train[0].shape[1:]  # type: ignore[index]
    assert all(made[-1].is_replayed(("gradients", lanes, (20, *rows))) for lanes in (64, 32))


def test_a_function_is_recorded_after_some_calls() -> None:
    calls = count()

    def double(value: Tensor) -> Tensor:
        next(calls)
        return 2 * value

    recordings = Recordings(after=3)
    for turn in range(10):
        assert recordings.call("double", double, torch.tensor([float(turn)])).item() == 2 * turn
        assert recordings.is_replayed("double") == (turn >= 3)
    assert next(calls) == 5  # three calls, the recording itself, and the call that the second replay is checked by


def test_another_number_of_lanes_is_recorded_at_its_first_call() -> None:
    """As soon as one number is replayed; and not what only has the same name."""
    calls = count()

    def double(value: Tensor) -> Tensor:
        next(calls)
        return 2 * value

    def of(lanes: int, kind: str) -> tuple[bool, int]:
        before = next(calls)
        assert recordings.call((kind, lanes), double, torch.ones(lanes), kind=kind).tolist() == [2.0] * lanes
        return recordings.is_replayed((kind, lanes)), next(calls) - before - 1

    recordings = Recordings(after=3)
    assert [of(64, "double") for _ in range(5)] == [(False, 1), (False, 1), (False, 2), (True, 1), (True, 0)]
    assert [of(32, "double") for _ in range(3)] == [(False, 2), (True, 1), (True, 0)]
    assert of(32, "other") == (False, 1)


def test_what_cannot_be_recorded_is_called() -> None:
    """A number that Python looks at cannot be recorded."""
    recordings = Recordings(after=1)

    def halve_if_large(value: Tensor) -> Tensor:
        return value / 2 if value.item() > 1 else value

    for given, expected in ((4.0, 2.0), (1.0, 1.0), (8.0, 4.0)):
        assert recordings.call("halve", halve_if_large, torch.tensor(given)).item() == expected
    assert not recordings.is_replayed("halve")


def test_a_signal_while_recording_is_not_swallowed() -> None:
    """Tracing calls the function a second time; what ends the run there must end it."""
    calls = count()

    def interrupted(value: Tensor) -> Tensor:
        if next(calls):
            raise InterruptedRunError("SIGINT")
        return value + 1

    with pytest.raises(InterruptedRunError):
        Recordings(after=1).call("interrupted", interrupted, torch.zeros(1))


def test_what_changes_from_call_to_call_is_not_replayed() -> None:
    """The first replays are compared with calls."""
    recordings = Recordings(after=1)
    turns = count()

    def add_turn(value: Tensor) -> Tensor:
        return value + next(turns)

    results = [recordings.call("add", add_turn, torch.zeros(1)).item() for _ in range(3)]
    assert not recordings.is_replayed("add")
    assert results == sorted(set(results))


def test_a_number_that_was_kept_from_the_first_call_is_noticed() -> None:
    """NumPy sees the numbers where no operation of torch does: with those of one call alone nothing would show."""
    recordings = Recordings(after=1)

    def add_sum(value: Tensor) -> Tensor:
        return value + float(value.numpy().sum())

    for number in (1.0, 2.0, 3.0):
        assert recordings.call("sum", add_sum, torch.tensor([number])).item() == 2 * number
    assert not recordings.is_replayed("sum")


def test_shapes_are_recorded_each_for_itself() -> None:
    recordings = Recordings(after=1)

    def mean(value: Tensor) -> Tensor:
        return value.sum() / len(value)

    for length in (2, 3, 2, 3):
        assert recordings.call(length, mean, torch.ones(length)).item() == 1


def test_not_a_number_is_replayed_as_such() -> None:
    recordings = Recordings(after=1)
    for _ in range(2):
        assert recordings.call("log", torch.log, torch.tensor([-1.0, 1.0])).isnan().tolist() == [True, False]
    assert recordings.is_replayed("log")
