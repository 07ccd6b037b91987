"""How sure an answer is, in plain words: what was compared, what decides it, and what the intervals cover."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lrsearch.report import wording
from lrsearch.report.wording import brief, plural
from lrsearch.study.comparison import Comparison, Verdict
from lrsearch.study.contender import Contender
from lrsearch.study.evidence import Evidence
from lrsearch.study.groups import Groups, two_groups

MOST_SEEDS = 1000
"""More seeds than `lrsearch study confirm` takes are no advice."""


@dataclass(frozen=True)
class Certainty:
    """The paragraph of one confirmed study.

    Attributes:
        evidence: What its confirmation shows; at least one finalist is complete.
        show: What texts from the storage go through, an escape for markdown say.
        command: Says how a command of this study is set off, from its options.
        unit: What the length of a run is told in.
    """

    evidence: Evidence
    show: Callable[[str], str]
    command: Callable[[str], str]
    unit: str = "epoch"

    def sentences(self) -> list[str]:
        """All of it, in order."""
        return [self._runs(), *self._kept(), self._single(), *self._groups(), *self._comparisons(), self._covers()]

    def _runs(self) -> str:
        evidence = self.evidence
        many, left = plural(len(evidence.contenders), "setting"), sum(one.has_left for one in evidence.contenders)
        were = "was" if len(evidence.contenders) == 1 else "were"
        rows = f"{evidence.row_count} {evidence.rows} rows"
        if not evidence.row_count:  # an objective of a person's own does not say on what it scores
            return f"{many} {were} run again on fresh seeds, the better ones on {len(evidence.seeds)}."
        scored = (
            f"scored on {rows} that the search never saw"
            if evidence.rows == "holdout"
            else f"scored on the {rows} that the search was judged by, for {self.show(evidence.reason)}"
        )
        if not left:
            return f"{many} {were} trained on {len(evidence.seeds)} fresh seeds and {scored}."
        return (
            f"{many} {were} trained on fresh seeds and {scored}; {len(evidence.contenders) - left} of them on all "
            f"{len(evidence.seeds)} seeds, the others until they could not win any more."
        )

    def _kept(self) -> list[str]:
        epochs = sorted(self.evidence.recommended.kept)
        if not epochs:
            return []
        ends = f" ({epochs[0]} to {epochs[-1]})" if epochs[0] < epochs[-1] else ""
        return [
            f"Each run is scored after its best {self.unit} on the test rows, so keep the best checkpoint; with the "
            f"recommended settings that was after {epochs[len(epochs) // 2]} {self.unit}s{ends}."
        ]

    def _single(self) -> str:
        values = self.evidence.recommended.values
        return (
            f"One new training of the recommended settings gives about {brief(self.evidence.expected.mean)}; single "
            f"runs gave {limits(float(values.min()), float(values.max()))}."
        )

    def _groups(self) -> list[str]:
        found = two_groups(self.evidence.sign * self.evidence.recommended.values)
        return [] if found is None else [f"Its runs fall into two groups: {self._told(found)}."]

    def _told(self, found: Groups) -> str:
        total = found.better + found.worse
        good, bad = (
            sorted(self.evidence.sign * value for value in ends) for ends in (found.better_limits, found.worse_limits)
        )
        return f"{found.better} of {total} reach {limits(*good)}, {found.worse} get stuck at {limits(*bad)}"

    def _comparisons(self) -> list[str]:
        return [self._comparison(one) for one in self.evidence.comparisons]

    def _comparison(self, found: Comparison) -> str:
        name, low, high = self.name(found.other), found.difference.low, found.difference.high
        between = f"(95 % interval {limits(low, high)})"
        if low == high == 0:
            return f"They give the same as {name}."
        if found.verdict is Verdict.BETTER:
            return f"They are better than {name} by {brief(found.difference.mean)} {between}."
        if found.verdict is Verdict.WORSE:
            return f"They are worse than {name} by {brief(-found.difference.mean)}, by intervals alone {between}."
        if found.verdict is Verdict.EQUAL:
            return f"Against {name} the difference is too small to matter {between}."
        possible = (
            f"Against {name}, anything from {brief(max(-low, 0.0))} worse to {brief(max(high, 0.0))} better is "
            "possible (95 % interval)."
        )
        return f"{possible} {self.decided_by(found)}"

    def decided_by(self, found: Comparison) -> str:
        """What would decide a comparison that is not decided.

        Args:
            found: The comparison.
        """
        needed = found.needed or 0
        if found.verdict is Verdict.ROWS:
            return f"About {needed:,} {self.evidence.rows} rows would tell; more seeds will not."
        if needed > MOST_SEEDS:
            return f"More than {MOST_SEEDS:,} seeds would be needed to tell."
        return f"About {needed} seeds would tell: {self.command(f' --seeds {needed}')}."

    def _covers(self) -> str:
        if self.evidence.covers == "seeds and rows":
            return "The intervals hold for other seeds and for other rows of the same kind."
        if not self.evidence.row_count:
            return "The intervals hold for other seeds, but for these data only."
        return f"The intervals hold for other seeds, but for these {self.evidence.rows} rows only."

    def name(self, other: Contender) -> str:
        """What a contender is called in a sentence.

        Args:
            other: One that the recommended settings are compared with.
        """
        evidence = self.evidence
        if other is evidence.constant:
            return "the best constant rate"
        if other is evidence.today:
            return "what you use today"
        return f"the best schedule, {self.show(wording.use(other.params))}"


def limits(low: float, high: float) -> str:
    """An interval in three digits.

    Args:
        low: Its lower end.
        high: Its upper end.
    """
    return f"{brief(low)} to {brief(high)}"
