"""A few short runs at constant rates inside a found range: which of them is a rate to start with?

A ramp shows how training begins. Where a loss falls, waits and falls again (a mean is learned before a shape), its
steepest place belongs to the first fall. Runs at a constant rate show what comes after it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from lrsearch.errors import Fault, InputError
from lrsearch.schedules.classical import Constant
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.task import Task
from lrsearch.training.batches import updates_per_epoch
from lrsearch.training.divergence import diverged
from lrsearch.training.evaluation import evaluate_rows
from lrsearch.training.finding import rounded
from lrsearch.training.loop import own_stream, start, updates
from lrsearch.training.run import Run
from lrsearch.training.weighing import Brief

PLACES = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Of the rates that are tried, as shares of the range's logarithm."""
FEWEST_UPDATES = 50
"""With fewer, a second look sees no more than the ramp did."""
SEEDS = 2
"""One seed may be lucky with a rate that is no good."""


def check(count: int) -> None:
    """Refuse too few updates.

    Args:
        count: Updates of each run; 0 for no second look.

    Raises:
        InputError: It is neither 0 nor at least `FEWEST_UPDATES`.
    """
    if count and count < FEWEST_UPDATES:
        raise InputError("range test", [Fault("look", f"must be 0, or at least {FEWEST_UPDATES}", repr(count))])


def tried(low: float, high: float) -> tuple[float, ...]:
    """Rates inside a range, ``low * (high / low) ** place``, with two significant digits.

    Args:
        low: Its lower end.
        high: Its upper end.
    """
    return tuple(rounded(low * (high / low) ** place) for place in PLACES)


def look(
    task: Task, training: TrainingSection, ends: tuple[float, float], count: int, seeds: Sequence[int]
) -> Iterator[Brief]:
    """Train briefly at each of some rates inside a range.

    Args:
        task: What is trained.
        training: Batch size and optimizer; its epochs and seeds do not matter.
        ends: Of the range.
        count: Updates of each run.
        seeds: Each rate is trained once for each.

    Yields:
        What each run came to, seed after seed of one rate after the other.
    """
    for lr in tried(*ends):
        for seed in seeds:
            yield _one_run(task, training, lr, count, seed)


def epochs(task: Task, training: TrainingSection, count: int, runs: int) -> float:
    """Passes over the training rows that so many runs of so many updates are worth.

    Args:
        task: What is trained.
        training: Batch size.
        count: Updates of each run.
        runs: How many.
    """
    return count * runs / updates_per_epoch(task, training)


def _one_run(task: Task, training: TrainingSection, lr: float, count: int, seed: int) -> Brief:
    length = math.ceil(count / updates_per_epoch(task, training))
    run = start(task, Constant(), lr, training.model_copy(update={"epochs": length, "evaluate_every": None}), seed)
    value = run.before.test_metric
    whole = _advance(run, count)
    if whole:
        metrics = {"metric": task.metric_function}
        with own_stream(run):
            value = evaluate_rows(task.test, metrics, run.look)["metric"]
    lost = not whole or diverged(value, run.before.test_metric, maximise=task.maximises)
    return Brief(lr, seed, None if lost else value, run.before.test_metric)


def _advance(run: Run, count: int) -> bool:
    """So many updates from the first; whether the run came through them."""
    done = 0
    with own_stream(run):
        while done < count:
            for loss in updates(run):
                if diverged(float(loss), run.before.train_loss):
                    return False
                done += 1
                if done == count:
                    break
            run.epoch += 1
    return True
