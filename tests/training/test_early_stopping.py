"""A run stops when its test metric has not become better for some evaluations, whichever engine trains it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrsearch import registry
from lrsearch.study_file.model import TrainingSection
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.early_stopping import EarlyStopping
from lrsearch.training.engine import Engine, Lane, LaneRecords, SequentialEngine
from lrsearch.training.loop import start, train
from lrsearch.training.parallel import ParallelEngine

EPOCHS = 12
TASK = registry.tasks.get("polynomial").build({"rows": 60, "holdout_rows": 0})
CONSTANT = registry.schedules.get("constant").of({})
LANES = [Lane(rate, CONSTANT, seed) for rate in (0.001, 0.02, 0.2) for seed in (1, 2)]


def section(**training: Any) -> TrainingSection:
    return TrainingSection(epochs=EPOCHS, batch_size=14, **training)


def stops_after(curve: list[float], patience: int, min_delta: float) -> int:
    """Written as one would say it: so many epochs after the last one that was better by enough than all before."""
    improved, best = 0, float("inf")
    for epoch, value in enumerate(curve, start=1):
        if value < best - min_delta:
            improved, best = epoch, value
        if epoch - improved == patience:
            return epoch
    return len(curve)


@given(st.lists(st.floats(0, 10), min_size=1), st.integers(1, 5), st.sampled_from([0.0, 0.5]), st.booleans())
def test_the_rule(curve: list[float], patience: int, min_delta: float, maximise: bool) -> None:
    rule, sign = EarlyStopping(patience, min_delta, maximise), -1 if maximise else 1
    stopped = [rule.take(sign * value) for value in curve]
    expected = stops_after(curve, patience, min_delta)
    assert (stopped.index(True) + 1 if any(stopped) else len(curve)) == expected


def test_without_patience_nothing_stops() -> None:
    rule = EarlyStopping(None)
    assert not any(rule.take(1.0) for _ in range(100))


def curves(engine: Engine, task: Any, training: TrainingSection) -> tuple[dict[int, list[float]], list[LaneRecords]]:
    found: dict[int, list[float]] = {lane: [] for lane in range(len(LANES))}
    records = [one for one in engine.train(task, LANES, training) if one.epoch]
    for one in records:
        for lane, value in zip(one.lanes, one.test_metric, strict=True):
            found[lane].append(float(value))
    return found, records


@pytest.mark.parametrize(
    "engine", [SequentialEngine(), BatchedEngine(), ParallelEngine()], ids=lambda engine: engine.name
)
@pytest.mark.parametrize("maximise", [False, True])
def test_engines_stop_lanes_where_the_curve_of_a_whole_run_says(engine: Engine, maximise: bool) -> None:
    """Each lane's numbers are the first ones of the same lane without patience."""
    direction, sign = ("maximize", -1) if maximise else ("minimize", 1)
    metric = TASK.metric_function
    task = replace(TASK, metric=lambda outputs, targets: sign * metric(outputs, targets), direction=direction, extra={})
    whole, _ = curves(engine, task, section())
    stopped, records = curves(engine, task, section(patience=2, min_delta=0.1))
    lengths = {lane: stops_after([sign * value for value in curve], 2, 0.1) for lane, curve in whole.items()}
    assert len(set(lengths.values())) > 1, "lanes leave one by one"
    assert stopped == {lane: whole[lane][:length] for lane, length in lengths.items()}
    left = {lane: one.epoch for one in records for lane in one.stopped}
    assert {lane: epoch for lane, epoch in left.items() if epoch < EPOCHS} == {
        lane: length for lane, length in lengths.items() if length < EPOCHS
    }


def test_a_single_run_stops_as_a_lane_does() -> None:
    training = section(patience=2, min_delta=0.1)
    found, _ = curves(SequentialEngine(), TASK, training)
    for lane, own in enumerate(LANES):
        run = start(TASK, own.schedule, own.lr, training, own.seed)
        assert [record.test_metric for record in train(run)] == found[lane]
        assert list(train(run)) == [], "it has ended"
