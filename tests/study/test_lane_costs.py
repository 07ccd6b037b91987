"""What lanes cost is settled by the first process that trains a study."""

from __future__ import annotations

from collections.abc import Callable

from lrsearch import registry
from lrsearch.pruning.lane_cost import LaneCost
from lrsearch.search.runner import Runner
from lrsearch.signals import Interruption
from lrsearch.storage.rdb import open_storage
from lrsearch.study import lane_costs
from lrsearch.study import stored as studies
from lrsearch.study_file.model import Definition
from lrsearch.training import seats
from lrsearch.training.batched import RECORDING, BatchedEngine
from lrsearch.training.compiled.engine import CompiledEngine
from lrsearch.training.engine import SequentialEngine


def test_what_lanes_cost_is_reckoned_for_the_engine_and_stored(define: Callable[..., Definition]) -> None:
    """From the updates between two evaluations; who comes later goes on with what is stored."""
    for engine, fixed, recording in ((BatchedEngine(), 1.0, RECORDING / 4), (CompiledEngine(), 0.5, 0.0)):
        definition = define(training={"epochs": 3, "batch_size": 9, "evaluate_every": 4})
        stored = studies.create(open_storage("sqlite://"), definition, "mse")
        task = registry.tasks.get(definition.task.name).build(definition.task.options)
        for own in (engine, SequentialEngine()):
            Runner(stored, task, own, Interruption())
            assert lane_costs.of(stored) == LaneCost(seats.BLOCK, fixed, recording)
