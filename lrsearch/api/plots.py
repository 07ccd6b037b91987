"""Figures from Python. Each is a matplotlib figure that a notebook shows as the value of a cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lrsearch import registry
from lrsearch.errors import input_error, nearest
from lrsearch.report import figures, gallery, single_run
from lrsearch.report.figures import families
from lrsearch.report.frames import StudyFrames

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lrsearch.api.runs import TrainingRun


def plot_run(run: TrainingRun) -> Figure:
    """Metric on training and test rows after every epoch, and the learning rate below.

    Args:
        run: A run with at least one epoch.

    Raises:
        InputError: Nothing was trained yet.

    Example:
        >>> lrsearch.plot_run(lrsearch.train("polynomial", lr=0.01)).savefig("curves.png")
    """
    _check_trained({"run": run})
    return single_run.figure(run.definition, run.state)


def plot_runs(runs: Mapping[str, TrainingRun]) -> Figure:
    """Several runs of one task, a colour each: training rows, test rows, and the rates where they change.

    Args:
        runs: Label -> run.

    Raises:
        InputError: There is no run, one of them has no epoch yet, or they have different metrics or
            ``evaluate_every``.

    Example:
        >>> lrsearch.plot_runs({f"lr {lr}": lrsearch.train("polynomial", lr=lr) for lr in (0.03, 0.001)})
    """
    _check_trained(runs)
    metrics = {run.task.metric_name for run in runs.values()}
    if len(metrics) > 1:
        raise input_error("plot_runs", f"the runs have different metrics: {', '.join(sorted(metrics))}")
    looks = {run.state.training.evaluate_every for run in runs.values()}
    if len(looks) > 1:
        shown = ", ".join(sorted("an epoch" if every is None else f"{every} updates" for every in looks))
        raise input_error("plot_runs", f"the runs are evaluated after different stretches: {shown}")
    diverged = [label for label, run in runs.items() if run.diverged]
    curves = {label: single_run.curves(run.state) for label, run in runs.items()}
    return figures.compared_runs(
        curves, metrics.pop(), diverged, maximise=any(run.task.maximises for run in runs.values()),
        unit=next(iter(runs.values())).state.training.unit,
    )  # fmt: skip


def plot_study(frames: StudyFrames, figure: str | None = None) -> Figure:
    """One of the figures of a study's report.

    Args:
        frames: What `load_frames` gave.
        figure: ``learning_curves``, ``lr_against_value``, ``best_schedules``, ``extra_metrics`` or ``history``; by
            default the most telling one that the study has.

    Raises:
        InputError: The study has no such figure.

    Example:
        >>> lrsearch.plot_study(lrsearch.load_frames("quickstart"), "learning_curves")
    """
    pictures = {picture.file.removesuffix(".png"): picture for picture in gallery.pictures(frames)}
    name = next(iter(pictures), None) if figure is None else figure
    if name is None or name not in pictures:
        rule = f"the study has no such figure; it has {', '.join(pictures) or 'none yet'}"
        received = None if name is None else f'"{name}"'
        raise input_error("plot_study", rule, key="figure", received=received, nearest=nearest(name or "", pictures))
    return pictures[name].draw(frames)


def plot_schedules(types: Sequence[str] = ("all",), *, lr: float = 0.1, epochs: int = 60, batches: int = 14) -> Figure:
    """Learning rate against epoch, a panel per scheduler type.

    Args:
        types: Names, groups or aliases of scheduler types.
        lr: Initial learning rate.
        epochs: Epochs of the run.
        batches: Updates in each of them.

    Raises:
        InputError: A name is unknown.

    Example:
        >>> lrsearch.plot_schedules(["classical"])
    """
    names = registry.schedules.expand([types] if isinstance(types, str) else types)
    return families.families([registry.schedules.get(name) for name in names], lr, epochs, batches)


def _check_trained(runs: Mapping[str, TrainingRun]) -> None:
    untrained = [label for label, run in runs.items() if not run.records]
    if untrained or not runs:
        which = f": {', '.join(untrained)}" if untrained else ""
        raise input_error("plot", f"there is nothing to draw before the first epoch{which}")
