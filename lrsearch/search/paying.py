"""Does compiling pay for a study that a batch trains? Weighed once, before it is trained for the first time.

Compiling takes from two seconds to half a minute. So a study with fewer than `PAYS` updates stays with the batched
engine. They are counted and not clocked: a busy minute decides nothing. A study that searches options stays, too, for
each optimizer and batch size would have code of its own.
"""

from __future__ import annotations

from lrsearch.pruning import lane_cost
from lrsearch.study.forecast import can_be_played, forecast
from lrsearch.study_file.model import Definition
from lrsearch.tasks.task import Task
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.batches import updates_per_epoch
from lrsearch.training.choice import Choice, compiled
from lrsearch.training.compiled.engine import CompiledEngine
from lrsearch.training.devices import resolve
from lrsearch.training.known_outcome import KnownOutcome
from lrsearch.training.seats import BLOCK
from lrsearch.training.timing import epoch_seconds
from lrsearch.training.when_evaluated import evaluations_of

PAYS = 1_000_000
"""Updates of single networks, in the whole study as it is forecast: the tutorial's network takes half a minute for so
many in batches, and larger ones longer (`tests/benchmarks/README.md`)."""
FASTER = 1.5
"""So many times as fast it must be: near 1 a busy minute would tip the scales."""


def weighed(definition: Definition, task: Task, device: str, known_as: str) -> Choice:
    """The batched engine, or the compiled one where that pays.

    Args:
        definition: The study; the batched engine is right for it.
        task: What it trains.
        device: ``auto``, ``cpu`` or ``cuda``.
        known_as: The task's name and options; see `choice.choose`.
    """
    batched = Choice(BatchedEngine.name)
    if resolve(device).type != "cpu" or definition.search.options or not can_be_played(definition):
        return batched
    if updates(definition, task) < PAYS:
        return batched
    outcome = compiled(task, definition.training, "cpu", known_as)
    if not outcome.ok:
        return Choice(BatchedEngine.name, note=f"; not compiled: {outcome.reason}")
    known = KnownOutcome(f"paying {known_as}", task, definition.training, "cpu")
    if (faster := known.gain()) is None:
        faster = _times_as_fast(definition, task)
        if faster >= FASTER:
            known.keep(faster)
    return Choice(CompiledEngine.name) if faster >= FASTER else batched


def updates(definition: Definition, task: Task) -> int:
    """Updates of single networks in a whole study, as it is forecast.

    Args:
        definition: The study.
        task: What it trains.
    """
    cost = lane_cost.reckoned(one_pass=True, device="cpu")
    evaluations = evaluations_of(task, definition.training)
    played = forecast(definition, cost.seconds, together=True, cost=cost, evaluations=evaluations)
    return played.epochs * updates_per_epoch(task, definition.training)


def _times_as_fast(definition: Definition, task: Task) -> float:
    training = definition.training
    batched, own = (epoch_seconds(engine, task, training, 4 * BLOCK) for engine in (BatchedEngine(), CompiledEngine()))
    return batched / own
