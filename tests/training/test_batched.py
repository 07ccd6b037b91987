"""The batched engine gives what the sequential loop gives, and a lane's numbers do not depend on its neighbours."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from workloads import TASKS, in_float64, polynomial, regression

from lrsearch import registry
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.task import Task
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.engine import Engine, Lane, LaneRecords, SequentialEngine

OPTIMIZERS: dict[str, dict[str, Any]] = {
    "sgd": {},
    "nesterov": {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
    "momentum": {"momentum": 0.5},
    "adam": {"optimizer": "adam", "weight_decay": 0.01, "eps": 1e-4},
    "adamw": {"optimizer": "adamw", "weight_decay": 0.1, "betas": [0.8, 0.99], "eps": 1e-4},
}
"""Adam's eps is large: with 1e-8 it makes steps of gradients that are nothing but rounding."""


def schedule(name: str, **values: float) -> Any:
    return registry.schedules.get(name).of(values)


FAMILIES = [
    *(schedule(name) for name in registry.schedules),
    schedule("plateau", patience=0, threshold=0.5, factor=0.5),
    schedule("plateau", patience=1, threshold=0.3, warmup_fraction=0.4),
    schedule("cosine", warmup_fraction=0.3),
    schedule("lambda", warmup_fraction=0.5),
]


def settings(number: int) -> Lane:
    """Lanes of many rates, families and three seeds."""
    lr = float(10 ** np.random.default_rng(number).uniform(-4, -0.5))
    return Lane(lr, FAMILIES[number % len(FAMILIES)], number % 3)


def curves(records: Sequence[LaneRecords], lane: int) -> list[tuple[float, ...]]:
    """Everything an engine says of a lane, epoch by epoch."""
    found = []
    for record in records:
        if lane in record.lanes:
            row = record.lanes.index(lane)
            extra = (values[row] for values in record.extra.values())
            found.append((record.lr[row], record.train_metric[row], record.test_metric[row], *extra))
    return found


def train(engine: Engine, task: Task, lanes: Sequence[Lane], training: TrainingSection) -> list[LaneRecords]:
    return list(engine.train(task, lanes, training))


def train_keeping(
    task: Task,
    lanes: Sequence[Lane],
    training: TrainingSection,
    keep: Callable[[int], Collection[int]],
    engine: Engine | None = None,
) -> list[LaneRecords]:
    stream = (engine or BatchedEngine()).train(task, lanes, training)
    records = [next(stream)]
    try:
        while True:
            records.append(stream.send(keep(records[-1].epoch)))
    except StopIteration:
        return records


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("task", TASKS)
def test_equals_the_sequential_engine(task: str, optimizer: str) -> None:
    """In float64, at rates where training is not chaotic, over every family."""
    training = TrainingSection(epochs=5, batch_size=16, **OPTIMIZERS[optimizer])
    lanes = [Lane(0.003 * (1 + index % 3), shape, index % 2) for index, shape in enumerate(FAMILIES)]
    double = in_float64(TASKS[task])
    expected = train(SequentialEngine(), double, lanes, training)
    found = train(BatchedEngine(), double, lanes, training)
    for lane in range(len(lanes)):
        np.testing.assert_allclose(curves(found, lane), curves(expected, lane), rtol=1e-9)
        assert [row[0] for row in curves(found, lane)] == [row[0] for row in curves(expected, lane)]


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("weight_decay", (0.0, 0.001, 0.3)),
        ("momentum", (0.0, 0.5, 0.9)),
        ("betas", ([0.9, 0.99], [0.5, 0.9], [0.8, 0.8])),
    ],
)
def test_lanes_with_sections_of_their_own_equal_the_sequential_engine(key: str, values: Sequence[Any]) -> None:
    """Each lane is trained with its own weight decay, momentum or betas, and some leave on the way."""
    common = TrainingSection(epochs=3, batch_size=16, optimizer="adam" if key == "betas" else "sgd")
    shape = schedule("linear")
    lanes = [
        Lane(0.003 * (1 + index % 2), shape, index % 2, training=common.model_copy(update={key: value}))
        for index, value in enumerate([*values, *values])
    ]
    double = in_float64(TASKS["layer_norm"])
    expected = train(SequentialEngine(), double, lanes, common)
    found = train_keeping(double, lanes, common, lambda epoch: range(6) if epoch < 2 else (1, 3, 4))
    for lane in range(len(lanes)):
        own = curves(found, lane)
        np.testing.assert_allclose(own, curves(expected, lane)[: len(own)], rtol=1e-9)
    assert len({tuple(curves(expected, lane)[-1]) for lane in range(len(lanes))}) == len(lanes)


def test_plateau_drops_in_that_comparison() -> None:
    lanes = [Lane(0.003, FAMILIES[-4], 0)]
    records = train(BatchedEngine(), in_float64(TASKS["layer_norm"]), lanes, TrainingSection(epochs=5, batch_size=16))
    assert len({float(record.lr[0]) for record in records}) > 2


def test_float32_is_off_by_no_more_than_a_change_of_one_last_bit() -> None:
    """The seed workload itself, at a rate where rounding grows slowly."""
    training = TrainingSection(epochs=5)
    lanes = [Lane(0.01, schedule("constant"), seed) for seed in range(4)]
    task = registry.tasks.get("polynomial").build({"holdout_rows": 0})

    def nudged() -> nn.Module:
        model: nn.Module = task.model()
        with torch.no_grad():
            model[0].weight[0, 0] = torch.nextafter(model[0].weight[0, 0], torch.tensor(9.0))  # type: ignore[index]
        return model

    control_task = Task(nudged, task.train, task.test, "mse", "mse")
    plain, control, found = (
        np.array([record.test_metric for record in train(engine, which, lanes, training)])
        for engine, which in ((SequentialEngine(), task), (SequentialEngine(), control_task), (BatchedEngine(), task))
    )
    assert np.abs(found - plain).max() <= 30 * np.abs(control - plain).max()


ALL_COMPANY = [
    pytest.param(task, optimizer, batch_size, 512, marks=pytest.mark.soak)
    for task in TASKS
    for optimizer in ("nesterov", "adam")
    for batch_size in (16, 50)
]


@pytest.mark.parametrize(
    ("task", "optimizer", "batch_size", "most"),
    [
        *((task, ("nesterov", "adam")[place % 2], (16, 50)[place % 2], 128) for place, task in enumerate(TASKS)),
        *ALL_COMPANY,
    ],
)
def test_last_bits_are_the_same_in_any_company(task: str, optimizer: str, batch_size: int, most: int) -> None:
    """Beside 8, 64 or many lanes, computed 32 at a time, and before and after others leave."""
    training = TrainingSection(epochs=4, batch_size=batch_size, **OPTIMIZERS[optimizer])
    lanes = [settings(number) for number in range(most)]
    alone = train(BatchedEngine(), TASKS[task], lanes[:8], training)
    expected = [repr(curves(alone, lane)) for lane in range(8)]
    company = {
        "64": train(BatchedEngine(), TASKS[task], lanes[:64], training),
        "parts": train(BatchedEngine(memory=1), TASKS[task], lanes[:101], training),
        "most, then few": train_keeping(
            TASKS[task], lanes, training, lambda epoch: [*range(8), *range(8, most, 1 + 7 * epoch)]
        ),
        "all at once": train_keeping(TASKS[task], lanes[:64], training, lambda _: range(8)),
    }
    for name, records in company.items():
        assert [repr(curves(records, lane)) for lane in range(8)] == expected, name


def test_last_bits_stay_when_the_lanes_in_front_leave() -> None:
    training = TrainingSection(epochs=6, batch_size=50)
    task = registry.tasks.get("polynomial").build({"holdout_rows": 0})
    lanes = [settings(number) for number in range(64)]
    whole = train(BatchedEngine(), task, lanes, training)
    for step in (3, 5, 7):
        left = list(range(step, 64, step))
        fewer = train_keeping(task, lanes, training, lambda epoch, kept=left: kept if epoch > 1 else range(64))
        assert [repr(curves(fewer, lane)) for lane in left] == [repr(curves(whole, lane)) for lane in left]


def test_seeds_vary_weights_and_order_and_share_both() -> None:
    training = TrainingSection(epochs=2)
    lanes = [Lane(0.01, schedule("constant"), seed) for seed in (1, 2, 1, 2**32 - 1)]
    records = train(BatchedEngine(), polynomial(), lanes, training)
    values = records[-1].test_metric
    assert len({float(value) for value in values}) == 3
    assert values[0] == pytest.approx(values[2])


@pytest.mark.parametrize("batch_norm", ["none", "pre"])
def test_exploding_lanes_leave_and_disturb_nobody(batch_norm: str) -> None:
    """Also one that explodes and then vanishes: whatever it measures afterwards, it has diverged."""
    task = polynomial(batch_norm=batch_norm)
    training = TrainingSection(epochs=6, batch_size=16)
    calm = [Lane(0.003, schedule("constant"), seed) for seed in range(8)]
    wild = [
        Lane(1e6, schedule("constant"), 1),
        Lane(1e30, schedule("constant"), 2),
        Lane(1e38, schedule("constant"), 3),
        Lane(1e5, schedule("lambda", decay=1e-9), 4),
    ]
    expected = train(BatchedEngine(), task, calm, training)
    found = train(BatchedEngine(), task, calm + wild, training)
    one_by_one = train(SequentialEngine(), task, calm + wild, training)
    for lane in range(8):
        assert repr(curves(found, lane)) == repr(curves(expected, lane))
    for lane in range(12):
        assert len(curves(found, lane)) == len(curves(one_by_one, lane))
    gone = {lane for record in found for lane, is_gone in zip(record.lanes, record.diverged, strict=True) if is_gone}
    assert gone <= {8, 9, 10, 11}
    assert batch_norm == "pre" or gone == {8, 9, 10, 11}


def test_nan_at_once_is_divergence_in_the_convolution_too() -> None:
    task = TASKS["convolution"]
    training = TrainingSection(epochs=3, batch_size=16)
    lanes = [Lane(0.01, schedule("constant"), seed) for seed in range(8)]
    expected = train(BatchedEngine(), task, lanes, training)
    found = train(BatchedEngine(), task, [*lanes, Lane(1e38, schedule("constant"), 0)], training)
    assert [bool(record.diverged[-1]) for record in found[:2]] == [False, True]
    assert [repr(curves(found, lane)) for lane in range(8)] == [repr(curves(expected, lane)) for lane in range(8)]


def test_own_loss_and_metric_and_integer_targets() -> None:
    def absolute(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return (outputs - targets).abs().mean()

    plain = regression(lambda: nn.Linear(8, 1))
    task = Task(plain.model, plain.train, plain.test, absolute, absolute, extra={"largest": lambda o, y: (o - y).max()})
    training = TrainingSection(epochs=2, batch_size=7)
    lanes = [Lane(0.01, schedule("linear"), 5)]
    found, expected = (train(engine, task, lanes, training) for engine in (BatchedEngine(), SequentialEngine()))
    np.testing.assert_allclose(curves(found, 0), curves(expected, 0), rtol=1e-5)
    digits = registry.tasks.get("digits").build({"hidden": [8]})
    found, expected = (train(engine, digits, lanes, training) for engine in (BatchedEngine(), SequentialEngine()))
    np.testing.assert_allclose(curves(found, 0), curves(expected, 0), rtol=1e-3)
    assert set(found[0].extra) == {"accuracy"}


def test_tied_frozen_unused_and_integer_members() -> None:
    """Each counts once, or not at all, as in torch's optimizers."""

    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Linear(8, 8)
            self.tied = nn.Linear(8, 8)
            self.tied.weight = self.first.weight
            self.frozen = nn.Linear(8, 8)
            self.frozen.weight.requires_grad_(False)
            self.unused = nn.Linear(2, 2)
            self.more = nn.ModuleList([nn.LazyLinear(8) for _ in range(2)])
            self.scale = nn.Parameter(torch.tensor(1.5))
            self.register_buffer("calls", torch.tensor(0))

        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            self.calls += 1
            for layer in (self.first, self.tied, self.frozen, *self.more):
                rows = torch.tanh(layer(rows))
            return rows.sum(dim=1, keepdim=True) * self.scale

    double = in_float64(regression(Odd))
    training = TrainingSection(epochs=3, batch_size=16, **OPTIMIZERS["adamw"])
    lanes = [Lane(0.01, schedule("linear"), seed) for seed in range(3)]
    found, expected = (train(engine, double, lanes, training) for engine in (BatchedEngine(), SequentialEngine()))
    for lane in range(3):
        np.testing.assert_allclose(curves(found, lane), curves(expected, lane), rtol=1e-9)


def test_nothing_is_drawn_from_the_global_stream() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    train(BatchedEngine(), polynomial(), [settings(0)], TrainingSection(epochs=1))
    assert torch.equal(torch.rand(3), expected)
