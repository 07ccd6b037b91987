"""The parallel engine in one process: the sequential loop's numbers to the last bit, from pause to pause."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from workloads import TASKS

from lrsearch import registry
from lrsearch.errors import InputError
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.blocks import BLOCKS, per_block
from lrsearch.tasks.task import Task
from lrsearch.training import parallel
from lrsearch.training.choice import choose, choose_engine
from lrsearch.training.crew import Here
from lrsearch.training.engine import Engine, Lane, LaneStream, SequentialEngine
from lrsearch.training.lane_checkpoints import LaneCheckpoints
from lrsearch.training.parallel import ParallelEngine
from lrsearch.training.parking import Parking
from lrsearch.training.resumable import is_resumable
from lrsearch.training.segment import Lost, Message, Segment

TRAINING = TrainingSection(epochs=5, batch_size=16, momentum=0.9)
CPU = torch.device("cpu")
Curves = dict[tuple[int, int], str]


def lane(lr: float, seed: int, family: str = "constant") -> Lane:
    return Lane(lr, registry.schedules.get(family)(), seed)


LANES = [lane(0.01, 1), lane(0.01, 2, "plateau"), lane(1e20, 3), lane(0.003, 1, "one_cycle"), lane(0.02, 4, "cyclic")]


def with_dropout(task: Task) -> Task:
    return replace(task, model=lambda: nn.Sequential(nn.Dropout(0.3), task.model()))


TASK = with_dropout(TASKS["batch_norm_pre"])


def told(stream: LaneStream, dropped: dict[int, Collection[int]] | None = None) -> Curves:
    """Lane and epoch -> numbers; after an epoch of `dropped` those lanes are not wanted any more."""
    kept: set[int] | None = None
    curves: Curves = {}
    diverged: set[int] = set()
    records = next(stream)
    while True:
        for row, own in enumerate(records.lanes):
            numbers = (records.lr[row], records.train_metric[row], records.test_metric[row], records.diverged[row])
            assert (own, records.epoch) not in curves, "an epoch is told once"
            curves[own, records.epoch] = repr(tuple(map(float, numbers)))  # as text, in which NaN is NaN
            if records.diverged[row]:
                diverged.add(own)
        wanted = None
        for epoch, gone in (dropped or {}).items():
            kept = set(range(len(LANES))) if kept is None else kept
            here = {own for own in kept if (own, epoch) in curves}
            alive = {own for own in kept if own not in diverged}
            if here >= alive:
                kept = kept - set(gone)
                wanted = kept
        try:
            records = stream.send(wanted)
        except StopIteration:
            return curves


@pytest.mark.parametrize(("pauses", "every"), [((), None), ((1, 3), None), ((1, 2, 3, 4), None), ((1, 5), 3)])
def test_every_number_is_the_sequential_loops(pauses: Sequence[int], every: int | None) -> None:
    """Dropout, momentum, a stateful schedule and a diverged lane among them; also where a pause is within an epoch."""
    training = TRAINING.model_copy(update={"evaluate_every": every})
    ours = told(ParallelEngine().train(TASK, LANES, training, pauses))
    assert ours == told(SequentialEngine().train(TASK, LANES, training))
    last = TRAINING.epochs if every is None else 9  # of 25 updates
    assert max(epoch for own, epoch in ours if own == 2) < last == max(epoch for own, epoch in ours if own == 1)
    assert max(epoch for own, epoch in ours if own == 2) < TRAINING.epochs


def test_nobody_goes_beyond_a_pause_before_all_have_come_to_it() -> None:
    seen = [(r.epoch, *r.lanes) for r in ParallelEngine().train(TASK, LANES, TRAINING, (2, 3))]
    stages = [0 if epoch <= 2 else 1 if epoch == 3 else 2 for epoch, _ in seen]
    assert stages == sorted(stages)


def test_lanes_that_are_not_kept_go_no_further() -> None:
    dropped = {2: (0, 3)}
    ours = told(ParallelEngine().train(TASK, LANES, TRAINING, (2,)), dropped)
    assert ours == told(SequentialEngine().train(TASK, LANES, TRAINING), dropped)
    assert (0, 3) not in ours
    assert (1, 5) in ours


def test_what_waits_beyond_the_limit_waits_in_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "parking_bytes", lambda: 0)
    assert told(ParallelEngine().train(TASK, LANES, TRAINING, (2,))) == told(
        ParallelEngine().train(TASK, LANES, TRAINING)
    )
    parking = Parking(5)
    for own, state in ((0, b"abc"), (1, b"defg"), (0, b"hi"), (2, b"klm")):
        parking.put(own, state)
    assert [parking.get(own) for own in range(4)] == [b"hi", b"defg", b"klm", None]
    assert parking._folder is not None
    folder = parking._folder.name
    parking.drop(1)
    assert parking.get(1) is None
    parking.close()
    with pytest.raises(FileNotFoundError):
        open(folder)  # noqa: SIM115


class Mortal(Here):
    """A process that dies in the middle of some segments."""

    def __init__(self, dies: set[int]) -> None:
        super().__init__(CPU, LaneCheckpoints(None))
        self.dies, self.begun = dies, 0
        self.left = 0

    def begin(self, task: Task, segment: Segment) -> None:
        super().begin(task, segment)
        self.begun += 1
        self.work, self.left = segment.work, 2

    def next(self) -> Message:
        self.left -= 1
        if self.begun in self.dies and not self.left:
            self._messages = None
            return Lost(self.work, "signal 9")
        return super().next()


def test_a_lane_whose_process_died_is_run_again_from_its_last_pause() -> None:
    said: list[str] = []
    engine = ParallelEngine(crew=Mortal({1, 4, 8}), task=TASK, say=said.append)
    assert told(engine.train(TASK, LANES, TRAINING, (2,))) == told(SequentialEngine().train(TASK, LANES, TRAINING))
    assert len(said) == 3
    assert "signal 9" in said[0]


def test_a_lane_that_kills_its_process_again_and_again_is_given_up_alone() -> None:
    engine = ParallelEngine(crew=Mortal({1, 2, 3}), task=TASK)
    records = list(engine.train(TASK, LANES[:2], TRAINING))
    failures = {own: why for record in records for own, why in record.failures.items()}
    assert list(failures) == [0]
    assert "3 times" in failures[0]
    assert (5, 1) in {(record.epoch, *record.lanes) for record in records}


def test_a_model_that_fails_for_one_lane_fails_for_that_one() -> None:
    made = iter(range(100))

    def model() -> nn.Module:
        if next(made) == 1:
            raise RuntimeError("out of luck")
        return TASK.model()

    records = list(ParallelEngine().train(replace(TASK, model=model), LANES[:3], TRAINING))
    assert [record.failures for record in records if record.failures] == [{1: "RuntimeError: out of luck"}]
    assert {own for record in records for own in record.lanes} == {0, 2}


def test_details_are_told_as_by_the_sequential_engine() -> None:
    task = replace(TASK, details={BLOCKS: per_block(TASK, TASK.test)})
    engines: list[Engine] = [SequentialEngine(), ParallelEngine()]
    found = [
        {record.epoch: record.details for record in engine.train(task, LANES[:1], TRAINING, (3,))} for engine in engines
    ]
    assert [list(details) for details in found[0].values()] == [[BLOCKS], [], [], [], [], [BLOCKS]]
    for epoch in (0, 5):
        np.testing.assert_array_equal(found[0][epoch][BLOCKS], found[1][epoch][BLOCKS])


class Counting(nn.Module):
    """Keeps a number that is in no checkpoint, and trains by it."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.calls = nn.Linear(8, 1), 0

    def forward(self, rows: Tensor) -> Tensor:
        self.calls += 1
        out: Tensor = self.layer(rows) * (1 + 1 / self.calls)
        return out


def test_what_keeps_something_outside_its_state_is_not_trained_in_pieces() -> None:
    task = replace(TASKS["layer_norm"], model=Counting)
    assert not is_resumable(task, TRAINING, CPU)
    assert is_resumable(TASK, TRAINING, CPU)
    with pytest.raises(InputError, match="outside its state_dict"):
        choose("parallel", task, TRAINING, "cpu", 2)
    assert choose("auto", replace(task, model=recurrent(Counting)), TRAINING, "cpu", 2).engine == "sequential"


def recurrent(first: type[nn.Module]) -> type[nn.Module]:
    """A network that no batch can train."""

    class Recurrent(first):  # type: ignore[misc, valid-type]
        def forward(self, rows: Tensor) -> Tensor:
            if float(rows.sum()) == 12345.0:
                raise AssertionError
            out: Tensor = super().forward(rows)
            return out

    return Recurrent


class Plain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(8, 1)

    def forward(self, rows: Tensor) -> Tensor:
        out: Tensor = self.layer(rows)
        return out


def test_auto_trains_side_by_side_where_a_batch_does_not_pay_and_there_are_processes() -> None:
    task = replace(TASKS["layer_norm"], model=recurrent(Plain))
    assert [choose("auto", task, TRAINING, "cpu", number).engine for number in (1, 2)] == ["sequential", "parallel"]
    engine, line = choose_engine("auto", task, TRAINING, "cpu", 2)
    assert engine.name == "parallel"
    assert line.startswith("engine: parallel (")
    assert "looks at a tensor's value" in line
