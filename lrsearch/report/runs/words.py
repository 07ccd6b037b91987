"""What runs from anywhere show, in plain words: what to use, how sure that is, and what would decide the rest."""

from __future__ import annotations

from dataclasses import dataclass

from lrsearch.report import wording
from lrsearch.report.certainty import MOST_SEEDS
from lrsearch.report.wording import brief, plural
from lrsearch.study.comparison import Comparison, Verdict
from lrsearch.study.contender import Contender
from lrsearch.study.judged import Judged, Wanted
from lrsearch.study.luck import LEAST
from lrsearch.study.recommended_settings import Recommendation


@dataclass(frozen=True)
class Words:
    """The sentences about some runs.

    Attributes:
        judged: What they show.
    """

    judged: Judged

    def headline(self) -> str:
        """Which settings to take, or why none."""
        found = self.judged.recommended
        if not self.judged.uses_seeds:
            return (
                "No verdict: all seeds of each setting gave exactly the same, so the seed is not used. Pass it to "
                "whatever draws weights and data order, and run again."
            )
        if found is None:
            return "No verdict: no setting has a finite value on every one of its seeds."
        use = wording.describe(found.params)
        if found.interval is None:
            return f"Not sure: the best single run used {use}. No setting was run on two seeds."
        if found.learned is False:
            nothing = self.judged.evidence.nothing
            assert nothing is not None
            return f"Nothing seems to be learned here: no setting is shown to be better than {nothing.name}."
        return f"Use {use}{self._certain()}."

    def how_sure(self) -> str:
        """What the headline rests on, comparison by comparison."""
        found = self.judged.recommended
        if found is None:
            return ""
        if found.interval is None:
            return self._single(found)
        low, high = found.interval
        said = [
            f"One new run is expected to give {found.metric} {brief(found.expected)} on average (95 % interval "
            f"{_limits(low, high)}), from {plural(found.seeds, 'seed')}."
        ]
        return " ".join([*said, *map(self._comparison, self.judged.comparisons), *self._singles(), self._seeds()])

    def more_runs(self) -> str:
        """Which more runs would decide what is open; empty if none would."""
        wanted = self.judged.wanted
        if not wanted:
            return ""
        if max(one.seeds for one in wanted) > MOST_SEEDS:
            return f"More than {MOST_SEEDS:,} further seeds would be needed to tell: take either."
        return "To decide it, run " + "; ".join(map(_more, wanted)) + "."

    def _certain(self) -> str:
        """Whether everything that it is compared with is shown to be worse."""
        verdicts = {found.verdict for found in self.judged.comparisons}
        if not verdicts:
            return ". There is nothing to compare it with"
        if verdicts <= {Verdict.BETTER}:
            return ", which is shown to be better"
        return ", but that is not certain" if verdicts & {Verdict.OPEN, Verdict.ROWS} else ""

    def _comparison(self, found: Comparison) -> str:
        name, low, high = self._name(found.other), found.difference.low, found.difference.high
        paired = int((found.other.mask & self.judged.evidence.recommended.mask).sum()) > 1
        how = "95 % interval, on the same seeds" if paired else "95 % interval, on different seeds"
        if found.verdict is Verdict.BETTER:
            return f"It is better than {name} by {brief(found.difference.mean)} ({how}: {_limits(low, high)})."
        if found.verdict is Verdict.WORSE:
            return f"It is worse than {name} by {brief(-found.difference.mean)} ({how}: {_limits(low, high)})."
        if found.verdict is Verdict.EQUAL:
            return f"Against {name} the difference is too small to matter ({how}: {_limits(low, high)})."
        possible = f"{brief(max(-low, 0.0))} worse to {brief(max(high, 0.0))} better"
        rows = " More rows would tell, more seeds will not." if found.verdict is Verdict.ROWS else ""
        return f"Against {name}, anything from {possible} is possible ({how}).{rows}"

    def _name(self, other: Contender) -> str:
        evidence, use = self.judged.evidence, wording.describe(other.params)
        if other is evidence.today:
            return f"the baseline, {use}"
        if other is evidence.constant:
            return f"the best constant rate, {use}"
        return f"the best schedule, {use}" if other is evidence.rival else f"the next one, {use}"

    def _singles(self) -> list[str]:
        count = len(self.judged.singles)
        if not count:
            return []
        verb = "was" if count == 1 else "were"
        return [f"{plural(count, 'setting')} {verb} run only once; one run proves nothing, so none is recommended."]

    def _seeds(self) -> str:
        if self.judged.evidence.rounds:
            return "The intervals allow for the looks that the runs were made in."
        return "The intervals hold if the number of seeds was settled beforehand, not by what came out."

    def _single(self, found: Recommendation) -> str:
        count = len(self.judged.singles)
        if count < LEAST:
            return f"It came to {brief(found.value)}. {plural(count, 'run')} on one seed each prove little."
        return (
            f"It came to {brief(found.value)}, but it was picked for that among {count} runs: expect about "
            f"{brief(found.expected)} when you train again."
        )


def _more(wanted: Wanted) -> str:
    return f"{plural(wanted.seeds, 'more seed')} of {wording.describe(wanted.params)}"


def _limits(low: float, high: float) -> str:
    return f"{brief(low)} to {brief(high)}"
