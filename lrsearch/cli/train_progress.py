"""Live progress of one run on stderr: a line that moves on a terminal, a few plain lines elsewhere."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from lrsearch.cli import output
from lrsearch.cli.output import moves, show
from lrsearch.training.run import EpochRecord

PLAIN_LINES = 12
"""About so many lines tell of a run where there is no terminal."""

Show = Callable[[EpochRecord], None]


@contextmanager
def progress(first: int, last: int, metric: str, *, unit: str = "epoch", quiet: bool) -> Iterator[Show]:
    """Gives a function that takes each epoch's record and shows it.

    Args:
        first: Epochs finished at the start.
        last: Epochs finished at the end, if all goes well.
        metric: Name of the metric.
        unit: What is counted.
        quiet: Show nothing.
    """
    console = output.console()
    if quiet or first >= last:
        yield lambda _: None
    elif moves(console):
        with _live(console, first, last, metric, unit) as show_epoch:
            yield show_epoch
    else:
        yield _plain(console, first, last, metric, unit)


def line(record: EpochRecord, metric: str) -> str:
    """An epoch in numbers.

    Args:
        record: The epoch.
        metric: Name of the metric.
    """
    train = "" if math.isnan(record.train_metric) else f"train {show(record.train_metric)}, "
    numbers = f"lr {show(record.lr)} · {metric} {train}test {show(record.test_metric)}"
    return f"{numbers} · diverged" if record.diverged else numbers


@contextmanager
def _live(console: Console, first: int, last: int, metric: str, unit: str) -> Iterator[Show]:
    columns = (
        TextColumn(f"{unit} {{task.completed:.0f}}/{{task.total:.0f}}"),
        BarColumn(bar_width=12),
        TextColumn("{task.fields[line]}", markup=False),
    )
    with Progress(*columns, console=console, refresh_per_second=8) as bar:
        row = bar.add_task("", total=last, completed=first, line="")
        yield lambda record: bar.update(row, completed=record.epoch, line=line(record, metric))


def _plain(console: Console, first: int, last: int, metric: str, unit: str) -> Show:
    step = math.ceil((last - first) / PLAIN_LINES)

    def show_epoch(record: EpochRecord) -> None:
        done = record.epoch - first
        if done == 1 or done % step == 0 or record.epoch == last or record.diverged:
            counted = f"{unit} {record.epoch:>{len(str(last))}}/{last}"
            console.print(f"{counted} · {line(record, metric)}", soft_wrap=True, markup=False)

    return show_epoch
