"""Halving within each scheduler type: the best values go on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lrsearch.pruning.stratified import StratifiedPruner


class StratifiedHalving(StratifiedPruner):
    """At each rung the trials with the best values of their scheduler type go on; see `StratifiedPruner`.

    Args:
        rungs: Epochs after which trials are compared.
        keep: Share that goes on, at least one trial.
    """

    fills = across = False

    def __init__(self, rungs: Sequence[int], keep: float) -> None:
        super().__init__(dict.fromkeys(rungs, keep))
        self.keep = keep

    def looks(self, rung: int) -> tuple[int, ...]:
        """See `StratifiedPruner.looks`."""
        return (rung,)

    def judged(self, rung: int, values: Mapping[int, float]) -> tuple[float, float]:
        """The value at the rung; see `StratifiedPruner.judged`."""
        return values[rung], values[rung]
