"""A single run as rows and as a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrsearch.report import wording

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lrsearch.training.definition import RunDefinition
    from lrsearch.training.run import Run


def rows(run: Run, metric: str) -> list[dict[str, float]]:
    """A row per epoch, or per evaluation with the updates that were done.

    Args:
        run: The run, at any epoch.
        metric: Name of its metric.
    """
    return [
        {
            run.training.unit: record.epoch,
            **({} if run.training.unit == "epoch" else {"updates": run.evaluations.updates_until(record.epoch)}),
            "lr": record.lr,
            f"train_{metric}": record.train_metric,
            f"test_{metric}": record.test_metric,
            **record.extra,
            "seconds": record.seconds,
        }
        for record in run.records
    ]


def figure(definition: RunDefinition, run: Run) -> Figure:
    """Metric on training and test rows after every epoch, and the rates below.

    Args:
        definition: What the run is.
        run: The run, after at least one epoch.
    """
    from lrsearch.report import figures  # matplotlib takes a while
    from lrsearch.training.outcome import outcome  # and so does torch

    by_hand = outcome(definition, run).segments is not None
    how = "steered by hand" if by_hand else f"{definition.schedule.describe()}, lr {wording.number(run.lr)}"
    extras = {name: [record.extra[name] for record in run.records] for name in run.before.extra}
    before = (run.before.train_metric, run.before.test_metric) if run.diverged else None
    title = f"{definition.task.name}: {how}, seed {definition.seed}"
    return figures.training_run(
        curves(run), run.task.metric_name, title, extras=extras, before=before, maximise=run.task.maximises,
        unit=run.training.unit,
    )  # fmt: skip


def curves(run: Run) -> dict[str, list[float]]:
    """``lr``, ``train`` and ``test``, a number per epoch each.

    Args:
        run: The run, at any epoch.
    """
    return {
        "lr": [record.lr for record in run.records],
        "train": [record.train_metric for record in run.records],
        "test": [record.test_metric for record in run.records],
    }
