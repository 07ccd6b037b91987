"""Live progress of a search on stderr: a line that moves on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import nullcontext

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as ProgressBar
from rich.table import Column

from lrsearch.cli import output
from lrsearch.cli.output import moves, show
from lrsearch.operations.display import NoDisplay
from lrsearch.sampling.space import Settings
from lrsearch.search.events import EpochDone, Event, TrialBegan, TrialEnded, TrialsAdded
from lrsearch.study import status
from lrsearch.study.status import TrialCounts
from lrsearch.study.stored import StoredStudy

LIVE_SECONDS = 1.0
"""Pause between two looks at a storage that other processes write."""
PLAIN_SECONDS = 5.0
"""Pause between two lines where there is no terminal."""


class SearchProgress:
    """Counts what the runner says.

    Args:
        counts: Where the study stands at the start.
        best: The best value so far, if there is one.
        metric: Name of the metric.
        maximise: Whether larger values are better.
        unit: What the steps of a curve are.
    """

    def __init__(
        self, counts: TrialCounts, best: float | None, metric: str, *, maximise: bool = False, unit: str = "epoch"
    ) -> None:
        self.unit = unit
        self.budget = counts.budget or 0
        self.finished = self.finished_before = counts.finished
        self.pruned, self.diverged, self.failed = counts.pruned, counts.diverged, counts.failed
        self.best = best
        self.metric, self.maximise = metric, maximise
        self.epochs = 0
        self.began = time.monotonic()
        self._settings: dict[int, Settings] = {}

    def take(self, event: Event) -> None:
        """Count one event."""
        if isinstance(event, TrialBegan):
            self._settings[event.number] = event.settings
        elif isinstance(event, EpochDone):
            self.epochs += event.trials
        elif isinstance(event, TrialsAdded):
            self.budget = event.budget
        else:
            self._end(event)

    def _end(self, event: TrialEnded) -> None:
        self._settings.pop(event.number, None)
        self.finished += 1
        self.diverged += event.diverged
        self.pruned += event.state.name == "PRUNED"
        self.failed += event.state.name == "FAIL"
        if event.state.name == "COMPLETE" and not event.diverged and event.value is not None:
            better = max if self.maximise else min
            self.best = event.value if self.best is None else better(self.best, event.value)

    def line(self) -> str:
        """Everything but the trial count, on one line."""
        seconds = max(time.monotonic() - self.began, 1e-9)
        parts = [_best(self.metric, self.best)]
        done = self.finished - self.finished_before
        # The first of a generation to end have diverged, which says nothing about how long the others take.
        if done > len(self._settings) and self.finished < self.budget:
            parts.append(f"{_duration((self.budget - self.finished) * seconds / done)} left")
        parts += [f"{self.pruned} pruned", f"{self.diverged} diverged"]
        if self.failed:
            parts.append(f"{self.failed} failed")
        parts.append(f"{self.epochs / seconds:.0f} {self.unit}s/s")
        return " · ".join(parts)


class Progress:
    """Shows how a study goes on stderr.

    Args:
        quiet: Show nothing.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet

    def follow(self, stored: StoredStudy, events: Iterable[Event]) -> None:
        """Show what happens in this process.

        Args:
            stored: The study that is trained.
            events: What the runner yields.
        """
        if self._quiet:
            NoDisplay().follow(stored, events)
            return
        console = output.console()
        winner = status.best(stored)
        best = winner.value if winner else None
        unit = "epoch" if stored.definition is None else stored.definition.training.unit
        so_far = SearchProgress(status.count(stored), best, stored.metric, maximise=stored.maximises, unit=unit)
        show_events = _follow_live if moves(console) else _follow_plainly
        show_events(events, so_far, console)

    def watch(self, stored: StoredStudy, ticks: Iterable[None]) -> None:
        """Show what other processes do, from what the storage says.

        Args:
            stored: The study that is trained.
            ticks: Ends when training does.
        """
        console = output.console()
        pause = LIVE_SECONDS if moves(console) else PLAIN_SECONDS
        began = last = time.monotonic()
        first = status.count(stored).finished
        with (
            console.status("looking at the storage") if moves(console) and not self._quiet else nullcontext() as moving
        ):
            for _ in ticks:
                if self._quiet or time.monotonic() - last < pause:
                    continue
                last = time.monotonic()
                line = _stored_line(stored, first, last - began)
                if moving is None:
                    console.print(line, soft_wrap=True)
                else:
                    moving.update(line)


def _best(metric: str, value: float | None) -> str:
    """The best value of a single run; before there is one, what is waited for."""
    return f"best {metric} {show(value)}" if value is not None else f"best {metric}: no complete trial yet"


def _stored_line(stored: StoredStudy, first: int, seconds: float) -> str:
    counts = status.count(stored)
    budget = max(counts.budget or 0, counts.claimed)  # a confirmation gets more as it goes on
    parts = [f"trials {counts.finished}/{budget}", _best(stored.metric, status.best_value(stored))]
    parts += [f"{counts.running} running", f"{counts.pruned} pruned", f"{counts.diverged} diverged"]
    parts += [f"{counts.failed} failed"] if counts.failed else []
    done, left = counts.finished - first, budget - counts.finished
    parts += [f"{_duration(left * seconds / done)} left"] if done and left > 0 else []
    return " · ".join(parts)


def live_bar(budget: int, console: Console) -> ProgressBar:
    """A bar that stays where it is while the numbers beside it grow; the rest of the line ends with the terminal.

    Args:
        budget: Trials in all.
        console: Where it is shown.
    """
    digits = len(str(budget))
    columns = (
        TextColumn(
            f"trials {{task.completed:>{digits}.0f}}/{{task.total:.0f}}",
            table_column=Column(width=len("trials /") + 2 * digits, no_wrap=True),
        ),
        BarColumn(bar_width=20, table_column=Column(width=20, no_wrap=True)),
        TextColumn("{task.fields[line]}", table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1)),
    )
    return ProgressBar(*columns, console=console, refresh_per_second=5, expand=True)


def _follow_live(events: Iterable[Event], progress: SearchProgress, console: Console) -> None:
    with live_bar(progress.budget, console) as bar:
        row = bar.add_task("", total=progress.budget, completed=progress.finished, line="")
        for event in events:
            progress.take(event)
            bar.update(row, total=progress.budget, completed=progress.finished, line=progress.line())


def _follow_plainly(events: Iterable[Event], progress: SearchProgress, console: Console) -> None:
    last = time.monotonic()
    printed = progress.finished
    for event in events:
        progress.take(event)
        if isinstance(event, TrialEnded) and time.monotonic() - last >= PLAIN_SECONDS:
            last, printed = time.monotonic(), progress.finished
            console.print(f"trials {progress.finished}/{progress.budget} · {progress.line()}", soft_wrap=True)
    if printed != progress.finished:
        console.print(f"trials {progress.finished}/{progress.budget} · {progress.line()}", soft_wrap=True)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
