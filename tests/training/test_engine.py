"""The contract that every engine keeps: lanes in, one record per epoch out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from compiler import needs_compiler
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset
from workloads import TASKS, in_float64

from lrsearch import registry
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.blocks import PerBlock, per_block
from lrsearch.tasks.data import pair
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.compiled.engine import CompiledEngine
from lrsearch.training.engine import Engine, Lane, SequentialEngine
from lrsearch.training.loop import start, train

ENGINES: list[Engine] = [SequentialEngine(), BatchedEngine(), CompiledEngine()]
TASK = registry.tasks.get("polynomial").build({"rows": 60, "holdout_rows": 0, "batch_norm": "none"})
TRAINING = TrainingSection(epochs=4, batch_size=14)


def lane(lr: float, seed: int, family: str = "constant") -> Lane:
    return Lane(lr, registry.schedules.get(family)(), seed)


@pytest.fixture(params=ENGINES, ids=lambda engine: engine.name)
def engine(request: pytest.FixtureRequest) -> Engine:
    made: Engine = request.param
    if made.name == CompiledEngine.name:
        needs_compiler()
    return made


def test_each_lane_is_what_the_loop_gives_alone(engine: Engine) -> None:
    lanes = [lane(0.01, 1), lane(0.01, 2, "lambda"), lane(0.003, 1, "one_cycle")]
    records = list(engine.train(TASK, lanes, TRAINING))
    assert [record.epoch for record in records] == [0, 1, 2, 3, 4]
    for index, one in enumerate(lanes):
        run = start(TASK, one.schedule, one.lr, TRAINING, one.seed)
        assert records[0].test_metric[index] == pytest.approx(run.before.test_metric)
        alone = list(train(run))
        for name in ("lr", "train_metric", "test_metric"):
            ours = [getattr(record, name)[index] for record in records[1:]]
            assert ours == pytest.approx([getattr(record, name) for record in alone])


def test_the_metric_on_training_rows_may_be_left_out(engine: Engine) -> None:
    """Nothing else changes, to the last bit; the last epoch has it."""
    lanes = [lane(0.01, 1), lane(0.01, 2, "plateau")]
    long = TRAINING.model_copy(update={"epochs": 5})
    every, some = (
        list(engine.train(TASK, lanes, long.model_copy(update={"train_metric_every": epochs}))) for epochs in (1, 2)
    )
    for one, other in zip(every, some, strict=True):
        np.testing.assert_array_equal(one.test_metric, other.test_metric)
        np.testing.assert_array_equal(one.lr, other.lr)
        left_out = other.epoch in (1, 3)
        np.testing.assert_array_equal(np.isnan(other.train_metric), left_out)
        assert left_out or np.array_equal(one.train_metric, other.train_metric)


def plain_loop(lr: float, plan: list[int], family: str) -> list[tuple[float, float]]:
    """Rate before and test MSE after each stretch of updates, as one would write it."""
    torch.manual_seed(1)
    model = TASK.model()
    loader = DataLoader(TensorDataset(*pair(TASK.train)), batch_size=14, shuffle=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    shape = registry.schedules.get(family)()
    every = plan[0] if shape.unit == "evaluation" else {"batch": 1, "epoch": len(loader)}[shape.unit]
    scheduler = shape.build(optimizer, -(-sum(plan) // every))
    found: list[tuple[float, float]] = []
    rates: list[float] = []
    done = 0
    for _ in range(TRAINING.epochs):
        for inputs, targets in loader:
            rates.append(optimizer.param_groups[0]["lr"])
            model.train()
            optimizer.zero_grad()
            TASK.loss_function(model(inputs), targets).backward()
            optimizer.step()
            done += 1
            if shape.unit != "evaluation" and done % every == 0:
                scheduler.step()
            if done == sum(plan[: len(found) + 1]):
                model.eval()
                value = float(TASK.metric_function(model(TASK.test[0]), TASK.test[1]).detach())
                found.append((rates[-plan[len(found)]], value))
                if shape.unit == "evaluation":
                    scheduler.step(value)
    return found


@pytest.mark.parametrize(("every", "plan"), [(2, [2] * 6), (5, [5, 5, 2]), (99, [12])])
def test_evaluations_within_and_across_epochs_are_those_of_a_plain_loop(
    engine: Engine, every: int, plan: list[int]
) -> None:
    """An epoch has three updates. Lanes that leave within an epoch change nothing."""
    section = TRAINING.model_copy(update={"evaluate_every": every})
    families = ["constant", "lambda", "one_cycle", "plateau"]
    lanes = [lane(0.02, 2), *(lane(0.02, 1, family) for family in families)]
    stream = engine.train(TASK, lanes, section)
    records = [next(stream), stream.send({1, 2, 3, 4})]
    records += list(stream)
    assert [record.epoch for record in records] == list(range(len(plan) + 1))
    for place, family in enumerate(families, start=1):
        own = [(one.lr[one.row_of[place]], one.test_metric[one.row_of[place]]) for one in records[1:]]
        np.testing.assert_allclose(own, plain_loop(0.02, plan, family), rtol=2e-5)


def test_an_evaluation_at_the_end_of_every_epoch_is_the_default_to_the_last_bit(engine: Engine) -> None:
    lanes = [lane(0.01, 1, "plateau"), lane(0.02, 2, "one_cycle")]
    one, other = (
        list(engine.train(TASK, lanes, TRAINING.model_copy(update={"evaluate_every": every}))) for every in (None, 3)
    )
    for left, right in zip(one, other, strict=True):
        for name in ("lr", "train_metric", "test_metric"):
            np.testing.assert_array_equal(getattr(left, name), getattr(right, name))


def test_only_the_lanes_that_are_kept_go_on(engine: Engine) -> None:
    stream = engine.train(TASK, [lane(0.01, seed) for seed in range(4)], TRAINING)
    next(stream)
    assert stream.send({0, 2, 3}).lanes == (0, 2, 3)
    assert stream.send({3}).lanes == (3,)
    assert next(stream).lanes == (3,)


def test_nothing_kept_ends_the_stream(engine: Engine) -> None:
    stream = engine.train(TASK, [lane(0.01, 1)], TRAINING)
    next(stream)
    with pytest.raises(StopIteration):
        stream.send(set())


def test_a_diverged_lane_leaves_and_the_others_go_on(engine: Engine) -> None:
    records = list(engine.train(TASK, [lane(0.01, 1), lane(1e20, 2)], TRAINING))
    gone = next(record for record in records if record.diverged.any())
    assert np.array_equal(gone.diverged, [False, True])
    assert all(record.lanes == (0,) for record in records if record.epoch > gone.epoch)
    assert records[-1].epoch == TRAINING.epochs


def broken(outputs: Tensor, targets: Tensor) -> Tensor:
    raise ValueError("of a detail")


def test_details_are_looked_at_before_and_after_training_and_change_nothing(engine: Engine) -> None:
    """Of many lanes in several parts, too; what fails is left out, and all else is the same to the last bit."""
    lanes = [lane(0.01, index % 3, "plateau") for index in range(20)]
    engine = type(engine)(memory=1) if isinstance(engine, BatchedEngine) else engine
    plain = list(engine.train(TASK, lanes, TRAINING))
    details = {"broken": broken, "blocks": per_block(TASK, TASK.test)}
    found = list(engine.train(replace(TASK, details=details), lanes, TRAINING))
    assert [list(record.details) for record in found] == [["blocks"], [], [], [], ["blocks"]]
    for one, other in zip(plain, found, strict=True):
        assert not one.details
        for name in ("test_metric", "train_metric", "lr"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    for record in (found[0], found[-1]):
        assert record.details["blocks"].shape == (20, len(TASK.test[0]))
        np.testing.assert_allclose(record.details["blocks"].mean(axis=1), record.test_metric, rtol=1e-6)


@pytest.mark.parametrize(("name", "additive"), [("layer_norm", True), ("layer_norm", False), ("convolution", True)])
def test_all_engines_give_the_same_details(name: str, additive: bool) -> None:
    needs_compiler()
    task = in_float64(TASKS[name])
    plain = per_block(task, task.test)
    assert isinstance(plain, PerBlock)
    task = replace(task, details={"blocks": replace(plain, additive=additive)})
    lanes = [lane(0.003, index % 2) for index in range(3)]
    able = [each for each in ENGINES if each.name != "compiled" or name != "convolution"]
    one, *others = (list(each.train(task, lanes, TRAINING)) for each in able)
    for place in (0, -1):
        for other in others:
            np.testing.assert_allclose(one[place].details["blocks"], other[place].details["blocks"], rtol=1e-6)
