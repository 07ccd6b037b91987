"""Does compiling pay for a study? Weighed once, before it is trained for the first time.

Compiling takes from two seconds to half a minute. So a study whose training is reckoned to take less than `PAYS` is not
compiled. It is reckoned and not clocked: a busy minute decides nothing. A study that searches options stays as it is,
too, for each optimizer and batch size would have code of its own.
"""

from __future__ import annotations

from dataclasses import replace

from lrsearch.pruning import lane_cost
from lrsearch.study.forecast import can_be_played, forecast
from lrsearch.study_file.model import Definition, TrainingSection
from lrsearch.tasks.task import Task
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.batches import updates_per_epoch
from lrsearch.training.choice import Choice, compiled
from lrsearch.training.compiled.engine import CompiledEngine
from lrsearch.training.devices import resolve
from lrsearch.training.engine import SequentialEngine
from lrsearch.training.known_outcome import KnownOutcome
from lrsearch.training.seats import BLOCK
from lrsearch.training.timing import FEW_BATCHES, epoch_seconds
from lrsearch.training.update_cost import update_seconds
from lrsearch.training.when_evaluated import evaluations_of

PAYS = 30.0
"""Seconds of the whole study as it is forecast, reckoned for batches of networks: of the tutorial's network these are a
million updates, of a CNN for small pictures thirty thousand."""
LARGEST = 0.01
"""Seconds of an update, reckoned: of a larger network torch's own matrix products take most of the time, and they are
the best there are."""
FASTER = 1.5
"""So many times as fast it must be: near 1 a busy minute would tip the scales."""
NO_FASTER = 1.0
"""From here down, as from `FASTER` up, the outcome is kept, and the next study of the task need not weigh again."""


def weighed(
    chosen: Choice, definition: Definition, task: Task, device: str, known_as: str, processes: int = 1
) -> Choice:
    """The compiled engine where it pays, and otherwise what was chosen.

    Args:
        chosen: What would train the study without a compiler; a batch is right for it.
        definition: The study.
        task: What it trains.
        device: ``auto``, ``cpu`` or ``cuda``.
        known_as: The task's name and options; see `choice.choose`.
        processes: How many would train side by side, where that is the choice.
    """
    if resolve(device).type != "cpu" or definition.search.options or not can_be_played(definition):
        return chosen
    update = update_seconds(task, definition.training)
    if update > LARGEST or update * updates(definition, task, chosen) < PAYS:
        return chosen
    outcome = compiled(task, definition.training, "cpu", known_as)
    if not outcome.ok:
        return replace(chosen, note=f"; not compiled: {outcome.reason}")
    known = KnownOutcome(f"paying {processes} {chosen.engine} {known_as}", task, definition.training, "cpu")
    if (faster := known.gain()) is None:
        faster = _times_as_fast(chosen, task, definition.training, processes)
        if not NO_FASTER < faster < FASTER:
            known.keep(faster)
    return Choice(CompiledEngine.name) if faster >= FASTER else chosen


def updates(definition: Definition, task: Task, chosen: Choice) -> int:
    """Updates of single networks in a whole study, as it is forecast.

    Args:
        definition: The study.
        task: What it trains.
        chosen: What would train it: a generation at once, or one trial after the other.
    """
    together = chosen.engine == BatchedEngine.name
    cost = lane_cost.reckoned(one_pass=together, device="cpu")
    evaluations = evaluations_of(task, definition.training)
    played = forecast(definition, cost.seconds, together=together, cost=cost, evaluations=evaluations)
    return played.epochs * updates_per_epoch(task, definition.training)


def _times_as_fast(chosen: Choice, task: Task, training: TrainingSection, processes: int) -> float:
    """How many times as many trials compiled code trains in the same time as what was chosen, all its processes."""
    if chosen.engine == BatchedEngine.name:
        other, lanes = epoch_seconds(BatchedEngine(), task, training, BLOCK, FEW_BATCHES), BLOCK
    else:
        other, lanes = epoch_seconds(SequentialEngine("cpu"), task, training, 1, FEW_BATCHES) / processes, 1
    own = epoch_seconds(CompiledEngine(), task, training, BLOCK, FEW_BATCHES)
    return (other / lanes) / (own / BLOCK)
