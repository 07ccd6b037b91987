"""`lrsearch train --interactive`: go on? how many epochs? at which learning rate? Until the person has enough."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from lrsearch.cli import output
from lrsearch.cli.output import say, show
from lrsearch.cli.terminal_curve import curve
from lrsearch.cli.train_input import Prepared
from lrsearch.cli.train_progress import progress
from lrsearch.errors import InterruptedRunError
from lrsearch.schedules.base import Parameter
from lrsearch.signals import Interruption
from lrsearch.training import steering
from lrsearch.training.definition import Changes
from lrsearch.training.run import Run

FIRST_ROUND = 10
"""Epochs of the first round, unless the person says something else."""

Answer = TypeVar("Answer")


class Questions:
    """Asks on stderr and reads answers from standard input, a terminal or a pipe.

    Args:
        interruption: Where signals are looked for.
    """

    def __init__(self, interruption: Interruption) -> None:
        self.interruption = interruption
        self.console = output.console(soft_wrap=True)

    def ask(self, question: str, default: str, understand: Callable[[str], Answer]) -> Answer | None:
        """Ask until an answer is understood.

        Args:
            question: What to ask.
            default: What an empty answer means; empty if there is no such thing.
            understand: Raises ValueError with the rule where an answer breaks it.

        Returns:
            The answer; None at the end of input.

        Raises:
            InterruptedRunError: Ctrl-C.
        """
        while True:
            answer = self._read(f"{question} [{default}]: " if default else f"{question}: ")
            if answer is None:
                return None
            try:
                return understand(answer.strip() or default)
            except ValueError as error:
                say(f"  {error}", style="warning")

    def _read(self, prompt: str) -> str | None:
        self.console.print(prompt, end="", markup=False)
        try:
            with self.interruption.open():
                line = sys.stdin.readline()
        except InterruptedRunError:
            self.console.print()
            raise
        # What comes through a pipe is not seen while it is typed, nor is the end of input.
        if not sys.stdin.isatty() or not line:
            self.console.print(line.rstrip("\n"), markup=False)
        return line or None


def steer_by_hand(prepared: Prepared, changes: Changes, interruption: Interruption, quiet: bool) -> None:
    """Train round by round; the state of model and optimizer is kept between rounds.

    Args:
        prepared: The run. Its definition takes the rate of the first round.
        changes: Its rate and epochs are what the first round suggests.
        interruption: Where signals are looked for.
        quiet: Ask, but show nothing between.
    """
    run, questions = prepared.run, Questions(interruption)
    epochs = changes.epochs or FIRST_ROUND
    lr = run.lr if run.epoch or changes.lr is not None else None
    say("Each round trains some epochs at one rate. An empty answer takes what stands in brackets; ctrl-D ends.")
    if run.epoch and not quiet:
        _show_curve(run, prepared.task.metric_name)
    while not run.diverged:
        if run.epoch and not questions.ask("Go on?", "y", _yes):
            break
        asked = questions.ask("Epochs", str(epochs), lambda text: int(_number(text, "epochs", steering.EPOCHS)))
        rate = None if asked is None else questions.ask("Learning rate", _shortest(lr), _rate)
        if asked is None or rate is None:
            break
        epochs, lr = asked, rate
        if not run.epoch:
            prepared.definition = replace(prepared.definition, lr=lr)
        _round(prepared, epochs, lr, interruption, quiet)


def _round(prepared: Prepared, epochs: int, lr: float, interruption: Interruption, quiet: bool) -> None:
    run = prepared.run
    first = run.epoch
    records = steering.steer(run, epochs=epochs, lr=lr)
    prepared.save()
    with progress(first, first + epochs, prepared.task.metric_name, quiet=quiet or epochs == 1) as show_epoch:
        for record in prepared.advance(records, interruption):
            show_epoch(record)
    if not quiet:
        _show(run, first, prepared.task.metric_name)


def _show(run: Run, first: int, metric: str) -> None:
    before = run.records[first - 1] if first else run.before
    last = run.records[-1]
    changes = (
        f"{rows} {metric} {show(getattr(before, name))} -> {show(getattr(last, name))}"
        for rows, name in (("train", "train_metric"), ("test", "test_metric"))
        if not math.isnan(getattr(last, name))
    )
    say(f"\nEpochs {first + 1} to {run.epoch} at {show(run.lr)}: {', '.join(changes)}")
    _show_curve(run, metric)


def _show_curve(run: Run, metric: str) -> None:
    say(f"Test {metric} after every epoch so far:")
    made = steering.segments([record.lr for record in run.records])
    marks = [(part.first - 1, f"lr {show(part.lr)}" if part is made[0] else show(part.lr)) for part in made]
    for line in curve([record.test_metric for record in run.records], marks):
        say(line)
    say("")


def _rate(text: str) -> float:
    return _number(text, "learning rate", steering.LR)


def _number(text: str, name: str, rule: Parameter) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not rule.holds(number):
        raise ValueError(f"{name} {rule.rule(name)}")
    return number


def _yes(text: str) -> bool:
    if text.lower() in ("y", "yes", "n", "no"):
        return text.lower().startswith("y")
    raise ValueError("answer y or n")


def _shortest(lr: float | None) -> str:
    """All digits: an empty answer must keep the very rate."""
    return "" if lr is None else repr(lr)
