"""Steer a run by hand: some epochs at one rate, a look at the numbers, some more at another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lrsearch.errors import Fault, InputError, input_error
from lrsearch.schedules.base import Parameter
from lrsearch.study_file.model import TrainingSection
from lrsearch.training import optimizers
from lrsearch.training.loop import train
from lrsearch.training.run import EpochRecord, Run

LR = Parameter("learning rate of a round", above=0)
EPOCHS = Parameter("epochs of a round", minimum=1, maximum=1_000_000, integer=True)


@dataclass(frozen=True)
class Segment:
    """Epochs in a row that were trained at one rate.

    Attributes:
        first: Its first epoch, from 1.
        last: Its last epoch.
        lr: The rate.
    """

    first: int
    last: int
    lr: float


def steer(run: Run, *, epochs: int, lr: float | None = None) -> Iterator[EpochRecord]:
    """One round: give the run another rate and train on from where it is, optimizer state and all.

    Args:
        run: A run with a constant schedule; its rate is changed at once, its epochs follow as they are asked for.
        epochs: How many to train.
        lr: The rate of this round; by default the one the run has.

    Returns:
        One record per epoch; fewer than `epochs` if the run diverges.

    Raises:
        InputError: A number breaks its rule, or the run cannot be steered.
    """
    lr = run.lr if lr is None else lr
    faults = [
        Fault(name, rule.rule(name), repr(value))
        for name, rule, value in (("epochs", EPOCHS, epochs), ("lr", LR, lr))
        if not rule.holds(value)
    ]
    if faults:
        raise InputError("steer", faults)
    check_steerable(run)
    run.lr = float(lr)
    return train(run, int(epochs))


def check_steerable(run: Run) -> None:
    """Refuse a run that a hand cannot steer.

    Raises:
        InputError: It has diverged, a schedule of its own moves its rate, or it is not evaluated by the epoch.
    """
    if run.training.evaluate_every is not None:
        rule = "a run that is steered by hand, epoch by epoch, is evaluated after every epoch: leave it out"
        raise input_error("steer", rule, key="training.evaluate_every", received=str(run.training.evaluate_every))
    if run.diverged:
        raise input_error("steer", f"the run diverged in epoch {run.epoch}; start a new one with a smaller rate")
    if run.schedule.name != "constant" or run.schedule.warmup_fraction:
        rule = "a run that is steered by hand has the constant schedule, without warm-up"
        raise input_error("steer", rule, key="scheduler", received=run.schedule.describe())


def segments(rates: Sequence[float]) -> list[Segment]:
    """Rates of single epochs as stretches of one rate each.

    Args:
        rates: The rate of every epoch, from the first.
    """
    found: list[Segment] = []
    for epoch, lr in enumerate(rates, start=1):
        if found and found[-1].lr == lr:
            found[-1] = Segment(found[-1].first, epoch, lr)
        else:
            found.append(Segment(epoch, epoch, lr))
    return found


def code(training: TrainingSection, made: Sequence[Segment], *, grouped: bool = False) -> str:
    """Lines of torch code that repeat a schedule made by hand; from its end on the last rate stays.

    Args:
        training: Which optimizer.
        made: The schedule, at least one segment.
        grouped: Whether the task has parameter groups of its own.
    """
    first = made[0].lr
    starts, rates = [part.first - 1 for part in made], [part.lr for part in made]
    return "\n".join(
        [
            "import bisect",
            "",
            "import torch",
            "",
            optimizers.code(training, first, grouped=grouped),
            f"starts = {starts}  # the epoch, counted from 0, at which each rate begins",
            f"rates = {rates}",
            "scheduler = torch.optim.lr_scheduler.LambdaLR(",
            "    optimizer, lambda epoch: rates[bisect.bisect(starts, epoch) - 1] / rates[0]",
            ")",
            "# call scheduler.step() after every epoch",
        ]
    )
