"""What a family looks like: a few schedules that stand for it, and their rates over a run."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lrsearch.schedules.base import Schedule
from lrsearch.study_file.axes import Choices, Range

ALIKE = 0.02
"""Values of a parameter that differ by less than this share of the largest look alike."""
STALLS_AFTER = 1 / 3
"""Share of the run after which the simulated metric stops falling."""


@dataclass(frozen=True)
class Example:
    """One schedule of a family.

    Attributes:
        schedule: It, with the other parameters at their defaults.
        parameter: The parameter that tells it from the family's other examples; None if there is no other.
        value: That parameter's value.
    """

    schedule: Schedule
    parameter: str | None
    value: float | None


def examples(family: type[Schedule]) -> list[Example]:
    """The lowest, the default and the highest value of the family's first searched parameter.

    Args:
        family: A scheduler type.

    Returns:
        By rising value, without those that look alike; the defaults alone where nothing is searched.
    """
    default = family.of({})
    for name, declared in family.parameters().items():
        if isinstance(declared.search, (Range, Choices)):
            bounds = declared.search.bounds()
            values = _distinct([default.values()[name], min(bounds), max(bounds)])
            return [Example(family.of({name: value}), name, value) for value in sorted(values)]
    return [Example(default, None, None)]


def rates(schedule: Schedule, lr: float, epochs: int, batches: int) -> tuple[list[float], list[float]]:
    """The learning rate over a run.

    Args:
        schedule: Which.
        lr: Initial learning rate (the peak for families that rise to one).
        epochs: Epochs of the run.
        batches: Updates in each of them.

    Returns:
        Where each rate begins to hold, in epochs from 0, and the rates. A family that watches the test metric is
        shown `simulated_metric`.
    """
    horizon, per_step = schedule.steps(epochs, batches), schedule.updates_per_step(batches)
    # Only a warm-up moves the rate within a step.
    fine = per_step if schedule.warmup_fraction else 1
    per_epoch = batches * fine // per_step
    state = schedule.initial_state(horizon, per_step)
    found = []
    for n in range(horizon * fine):
        t, update = divmod(n, fine)
        found.append(schedule.rate(lr, t, horizon, state, update=update, updates=per_step))
        if (n + 1) % per_epoch == 0:
            state = schedule.update(state, simulated_metric((n + 1) // per_epoch, epochs))
    return [n / per_epoch for n in range(horizon * fine)], found


def watches(family: type[Schedule]) -> bool:
    """Whether a family's rate depends on the test metric.

    Args:
        family: A scheduler type.
    """
    return family.update is not Schedule.update


def simulated_metric(epoch: int, epochs: int) -> float:
    """A test metric that halves every few epochs and then stalls: ``2^(-10 * min(epoch, stall) / stall)``.

    Args:
        epoch: Epochs finished, from 1.
        epochs: Of the run.
    """
    stall = stalls_at(epochs)
    return float(2 ** (-10 * min(epoch, stall) / stall))


def stalls_at(epochs: int) -> int:
    """The epoch from which the simulated metric no longer falls.

    Args:
        epochs: Of the run.
    """
    return max(1, math.floor(epochs * STALLS_AFTER))


def _distinct(values: list[float]) -> list[float]:
    """Without those that look like an earlier one."""
    kept: list[float] = []
    for value in values:
        if all(abs(value - other) > ALIKE * max(map(abs, values)) for other in kept):
            kept.append(value)
    return kept
