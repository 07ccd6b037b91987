"""Lanes of several optimizers, batch sizes and models, group after group: the same numbers, and no lane ahead."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from workloads import TASKS, in_float64

from lrsearch import registry
from lrsearch.study_file.model import TrainingSection
from lrsearch.training import grouped
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.compiled.engine import CompiledEngine
from lrsearch.training.engine import Engine, Lane, LaneRecords, SequentialEngine
from lrsearch.training.grouped import Group

SGD = TrainingSection(epochs=4, batch_size=16)
ADAM = TrainingSection(epochs=4, batch_size=30, optimizer="adam", eps=1e-4)
LINEAR = registry.schedules.get("linear")()
LANES = [Lane(0.003, LINEAR, seed, training=section) for section in (SGD, ADAM, SGD, ADAM) for seed in (0, 1)]
OTHER = (2, 3)
"""These train another model."""


def groups(engine: Engine) -> list[Group]:
    """By model, and for an engine that takes steps in one pass by batch size, too."""
    tasks = [in_float64(TASKS["layer_norm"]), in_float64(TASKS["batch_norm_pre"])]
    found: dict[tuple[int, str], list[int]] = {}
    for index, lane in enumerate(LANES):
        key = (int(index in OTHER), grouped.together(lane.section(SGD), engine))
        found.setdefault(key, []).append(index)
    return [Group(tasks[task], LANES[own[0]].section(SGD), tuple(own)) for (task, _), own in found.items()]


def trained(engine: Engine) -> list[LaneRecords]:
    """Lane 4 is let go after the first pause."""
    stream = grouped.train(engine, groups(engine), LANES, [2])
    records = [next(stream)]
    try:
        while True:
            there = [record.epoch for record in records if 4 in record.lanes]
            records.append(stream.send([lane for lane in range(len(LANES)) if lane != 4 or max(there, default=0) < 2]))
    except StopIteration:
        return records


def curve(records: Sequence[LaneRecords], lane: int) -> list[float]:
    return [float(record.test_metric[record.row_of[lane]]) for record in records if lane in record.lanes]


def test_equals_lanes_one_by_one() -> None:
    """And no lane goes beyond a pause before all have come to it."""
    engine = BatchedEngine()
    assert len(groups(engine)) == 3
    found = trained(engine)
    tasks = {lane: group.task for group in groups(SequentialEngine()) for lane in group.lanes}
    for index, lane in enumerate(LANES):
        alone = list(SequentialEngine().train(tasks[index], [lane], lane.section(SGD)))
        expected = curve(alone, 0)[: 3 if index == 4 else None]
        np.testing.assert_allclose(curve(found, index), expected, rtol=1e-9)
    first_beyond = next(place for place, record in enumerate(found) if record.epoch > 2)
    assert all(len(curve(found[:first_beyond], lane)) == 3 for lane in range(len(LANES)))


def test_lanes_of_several_optimizers_are_one_batch_if_all_else_is_equal() -> None:
    """And where one optimizer's lanes have all left, the others go on."""
    engine, sections = BatchedEngine(), [SGD, replace_in(ADAM, batch_size=16), replace_in(SGD, momentum=0.9)]
    assert len({grouped.together(own, engine) for own in sections}) == 1
    assert len({grouped.together(own, CompiledEngine()) for own in sections}) == 2
    lanes = [Lane(0.003, LINEAR, seed, training=own) for own in sections for seed in (0, 1)]
    task = in_float64(TASKS["layer_norm"])
    stream = engine.train(task, lanes, SGD)
    records = [next(stream)]
    for _ in range(SGD.epochs):
        records.append(stream.send([0, 1, 2, 3, 4, 5] if records[-1].epoch < 2 else [2, 3]))
    for index, lane in enumerate(lanes):
        alone = list(SequentialEngine().train(task, [lane], lane.section(SGD)))
        expected = curve(alone, 0)[: None if index in (2, 3) else 3]
        np.testing.assert_allclose(curve(records, index), expected, rtol=1e-9)


def replace_in(section: TrainingSection, **changes: object) -> TrainingSection:
    return section.model_copy(update=changes)
