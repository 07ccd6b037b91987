"""How wrong the recommended rate may be, in words and as a table; nothing here knows markdown."""

from __future__ import annotations

from dataclasses import dataclass

from lrsearch.report.wording import brief, error, exact, percent, plural
from lrsearch.study.rate_valley import OtherRate, RateValley, Standing

FACTORS = ((0.5, "Half"), (2.0, "Twice"))
"""Rates that a sentence speaks of: those that are trained for it."""
_STANDINGS = {
    Standing.WITHIN: "within the margin",
    Standing.OUTSIDE: "worse",
    Standing.OPEN: "not decided",
    Standing.LOST: "diverged",
}


@dataclass(frozen=True)
class ValleyWords:
    """The sentences about one valley.

    Attributes:
        valley: What is known.
        metric: The study's, by its name in the storage.
    """

    valley: RateValley
    metric: str

    def sentences(self) -> list[str]:
        """The range, and what half and twice of the rate cost."""
        sides = ((words, self.valley.beside(factor)) for factor, words in FACTORS)
        return [self._range(), *(self._side(words, one) for words, one in sides if one is not None)]

    def table(self) -> list[list[str]]:
        """A row per rate, lowest first, with a line of column names first."""
        valley = self.valley
        rows = [(one.lr, self._cells(one)) for one in valley.rates]
        rows.append((valley.lr, [exact(valley.lr), "1", "", "0", "", "recommended"]))
        header = ["rate", "times", "seeds", "worse by", "95 % interval", "shown to be"]
        return [header, *(cells for _, cells in sorted(rows))]

    def _range(self) -> str:
        valley, margin = self.valley, self._margin()
        if valley.low == valley.high:
            return f"No other rate is shown to be within {margin} of the recommended one."
        return (
            f"Rates from {exact(valley.low)} to {exact(valley.high)} are shown to be within {margin} of the "
            "recommended one."
        )

    def _margin(self) -> str:
        valley = self.valley
        if valley.value > 0 and (share := valley.margin / valley.value) < 1:
            return f"{100 * share:.2g} %"
        return brief(valley.margin)

    def _side(self, words: str, one: OtherRate) -> str:
        subject = f"{words} the rate, {exact(one.lr)},"
        if one.difference is None or one.interval is None:
            return f"{subject} diverged or failed on {one.lost} of {plural(one.seeds, 'seed')}: stay away from it."
        low, high = one.interval
        if one.standing is Standing.WITHIN:
            return f"{subject} makes no difference that matters: {self._possible(low, high)}."
        if low > 0:
            return f"{subject} is {self._cost(one.difference)} worse: {self._possible(low, high)}."
        side = "worse" if one.difference > 0 else "better"
        return (
            f"{subject} came out {self._cost(abs(one.difference))} {side}, but that is not decided: "
            f"{self._possible(low, high)}."
        )

    def _cost(self, difference: float) -> str:
        """How much, as a share where the metric is an error."""
        share = difference / self.valley.value if self.valley.value > 0 else 0.0
        if 0 < share < 1 and error(self.metric) == "error":
            return f"about {percent(share)}" if share >= 0.01 else "less than 1 %"
        return f"about {brief(difference)}"

    def _possible(self, low: float, high: float) -> str:
        return f"anything from {_side_of(low)} to {_side_of(high)} is possible (95 % interval)"

    def _cells(self, one: OtherRate) -> list[str]:
        times = brief(one.lr / self.valley.lr)
        if one.difference is None or one.interval is None:
            said = f"lost on {one.lost}"
            return [exact(one.lr), times, str(one.seeds), "", "", said]
        limits = f"{brief(one.interval[0])} to {brief(one.interval[1])}"
        return [exact(one.lr), times, str(one.seeds), brief(one.difference), limits, _STANDINGS[one.standing]]


def _side_of(difference: float) -> str:
    return f"{brief(abs(difference))} {'worse' if difference > 0 else 'better'}"
