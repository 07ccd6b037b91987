"""The contract that every engine keeps: lanes in, one record per epoch out."""

from __future__ import annotations

import numpy as np
import pytest

from lrsearch import registry
from lrsearch.study_file.model import TrainingSection
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.engine import Engine, Lane, SequentialEngine
from lrsearch.training.loop import start, train

ENGINES: list[Engine] = [SequentialEngine(), BatchedEngine()]
TASK = registry.tasks.get("polynomial").build({"rows": 60, "holdout_rows": 0, "batch_norm": "none"})
TRAINING = TrainingSection(epochs=4, batch_size=14)


def lane(lr: float, seed: int, family: str = "constant") -> Lane:
    return Lane(lr, registry.schedules.get(family)(), seed)


@pytest.fixture(params=ENGINES, ids=lambda engine: engine.name)
def engine(request: pytest.FixtureRequest) -> Engine:
    made: Engine = request.param
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
