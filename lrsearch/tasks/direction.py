"""Whether larger values of a metric are better: known by name, said by the person, or asked for."""

from __future__ import annotations

import re
from typing import Any, Literal

from lrsearch.errors import Fault
from lrsearch.tasks.metrics import MAXIMISED, METRICS

Direction = Literal["minimize", "maximize"]
DIRECTIONS: tuple[Direction, ...] = ("minimize", "maximize")
GROWS = re.compile(
    r"(?<![a-z])(acc|accuracy|auc|auroc|roc|f1|fbeta|dice|iou|jaccard|map|ap|precision|recall|r2|score|bleu|rouge|"
    r"kappa|mcc|psnr|ssim|reward|correlation|spearman|pearson)(?![a-z])"
)
"""Words in the name or the first line of the docstring of a metric that usually should grow."""
FALLS = re.compile(r"(?<![a-z])(loss|error|mse|mae|rmse|distance|entropy|perplexity|negative|minus)(?![a-z])|1 ?-")
"""Words that say the opposite."""


def of(metric: Any) -> Direction | None:
    """The direction of a metric that says it itself: by its name, or as torchmetrics' ``higher_is_better`` does.

    Args:
        metric: The name of a metric, or a callable.
    """
    if isinstance(metric, str):
        return "maximize" if metric in MAXIMISED else "minimize" if metric in METRICS else None
    higher = getattr(metric, "higher_is_better", None)
    return None if higher is None else "maximize" if higher else "minimize"


def faults(metric: Any, given: object) -> list[Fault]:
    """What is wrong with the direction that a person gives, or does not give.

    Args:
        metric: See `of`.
        given: What she gives; None if nothing.
    """
    own = of(metric)
    if given is None:
        return [] if own is not None or not callable(metric) else _unsaid(metric)
    if given not in DIRECTIONS:
        return [Fault("direction", 'must be "minimize" or "maximize"', repr(given))]
    if own is not None and given != own:
        name = metric if isinstance(metric, str) else type(metric).__name__
        return [Fault("direction", f"must be {own!r} for {name}: leave it out", repr(given))]
    return []


def _unsaid(metric: Any) -> list[Fault]:
    """A callable without direction is minimised, unless its name or the first line of its docstring says otherwise."""
    name = getattr(metric, "__name__", type(metric).__name__)
    spelled = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name).replace("_", " ").lower()
    first = (getattr(metric, "__doc__", None) or "").strip().partition("\n")[0].lower()
    if FALLS.search(spelled):
        return []
    where = (
        "name" if GROWS.search(spelled) else "docstring" if GROWS.search(first) and not FALLS.search(first) else None
    )
    if where is None:
        return []
    rule = (
        f"must be given: the {where} of the metric {name} suggests that larger values are better. "
        'Write direction="maximize", or direction="minimize" if smaller ones are'
    )
    return [Fault("direction", rule)]
