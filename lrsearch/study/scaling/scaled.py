"""The whole answer: every scheduler type, which of them to use at the target, and what it has cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lrsearch.study.scaling import prior
from lrsearch.study.scaling.answer import TypeAnswer, answer
from lrsearch.study.scaling.prior import Fixed
from lrsearch.study.scaling.runs import ScaleRun, rungs_by_type


@dataclass(frozen=True)
class Scaled:
    """What runs of several lengths say about a longer one.

    Attributes:
        axis: What grows.
        rungs: Its places, lowest first.
        to: The target.
        types: One answer per scheduler type.
        epochs: Epochs of all runs; None where the axis does not say how many those were.
        full_runs: The same in runs at the target.
    """

    axis: str
    rungs: tuple[float, ...]
    to: float
    types: tuple[TypeAnswer, ...]
    epochs: float | None
    full_runs: float | None

    @property
    def recommended(self) -> TypeAnswer | None:
        """Of the types that were not refused, the one that was best on the longest rung; None if all were."""
        sure = [own for own in self.types if own.prediction is not None]
        return min(sure, key=_lowest, default=None)

    @property
    def better_but_refused(self) -> tuple[TypeAnswer, ...]:
        """Types without a rate for the target that were better on the longest rung than the recommended one."""
        best = self.recommended
        if best is None:
            return ()
        refused = [own for own in self.types if own.prediction is None]
        return tuple(own for own in refused if _lowest(own) < _lowest(best))

    def document(self) -> dict[str, Any]:
        """The answer with the keys of its JSON form."""
        best = self.recommended
        return {
            "axis": self.axis,
            "from": list(self.rungs),
            "to": self.to,
            "by_type": [own.document() for own in self.types],
            "recommended": best
            and best.prediction
            and {
                "scheduler": best.scheduler,
                "lr": best.prediction.lr,
                "interval": list(best.prediction.interval),
                "verdict": best.verdict,
            },
            "cost": {"epochs": self.epochs, "full_runs": self.full_runs},
        }


def _lowest(own: TypeAnswer) -> float:
    """The best mean on the longest rung."""
    return float(own.rungs[-1].means.min())


def scaled(
    runs: Sequence[ScaleRun],
    axis: str,
    to: float,
    fixed: Fixed = "updates",
    cost: tuple[float, float] | None = None,
    *,
    best: bool = False,
) -> Scaled:
    """What runs say about a target.

    Args:
        runs: At two or more places of the axis, all below the target.
        axis: What grows.
        to: The target.
        fixed: What stays the same where data or batch size grow.
        cost: Epochs, and full runs, where they are known otherwise than from the axis.
        best: Whether a run is judged by its best epoch.
    """
    believed = prior.of(axis, fixed, best=best)
    found = rungs_by_type(runs)
    types = tuple(answer(kind, rungs, axis, to, believed) for kind, rungs in found.items())
    if cost is None and axis == "epochs":
        epochs = sum(run.at for run in runs)
        cost = epochs, epochs / to
    return Scaled(axis, tuple(sorted({run.at for run in runs})), to, types, *(cost or (None, None)))
