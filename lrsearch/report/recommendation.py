"""What a confirmation says, in sentences that follow from its evidence."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lrsearch.report import standings, wording
from lrsearch.report.evidence import Contender, Evidence, Interval
from lrsearch.report.frames import StudyFrames
from lrsearch.report.wording import limits, number, percent, plural

MORE_SEEDS = 4
"""So many times the seeds halve an interval."""
NAMED = 3
"""Most finalists that a sentence names."""


@dataclass(frozen=True)
class Recommendation:
    """The sentences of one study.

    Attributes:
        frames: The study.
        evidence: What its confirmation shows.
        show: What texts from the storage go through, an escape for markdown say.
        strong: How the names of finalists are set off.
        code: How a command is set off; it takes the text as it is.
    """

    frames: StudyFrames
    evidence: Evidence
    show: Callable[[str], str] = str
    strong: Callable[[str], str] = str
    code: Callable[[str], str] = str

    def paragraphs(self) -> list[list[str]]:
        """Sentences by paragraph: what to take, what a schedule is worth, what to keep in mind."""
        if not self.evidence.complete:
            return [[self._nothing()], self._caveats()]
        return [[self._choice(), self._expectation()], [*self._constant(), *self._optimism()], self._caveats()]

    def _name(self, contender: Contender) -> str:
        return self.strong(self.show(wording.describe(contender.params)))

    @property
    def _seeds(self) -> str:
        return f"{len(self.evidence.seeds)} fresh seeds"

    @property
    def _metric(self) -> str:
        return self.show(wording.confirmed_metric(self.frames.metric, self.evidence.rows))

    def _nothing(self) -> str:
        if any(not contender.diverged and not contender.failed for contender in self.evidence.contenders):
            return "No finalist has been trained on every fresh seed yet, so none can be recommended."
        return "None can be recommended: each finalist diverged or failed on one of the fresh seeds at least."

    def _choice(self) -> str:
        evidence, chosen, leader = self.evidence, self.evidence.recommended, self.evidence.leader
        if len(evidence.complete) == 1:
            return f"Take {self._name(chosen)}, the only finalist that was trained to the end on all {self._seeds}."
        if chosen is not leader:
            difference = _limits(evidence.difference(chosen, leader))
            return (
                f"{self._name(leader)} and {self._name(chosen)} cannot be told apart on {self._seeds}: the difference "
                f"is {difference}. Take {self._name(chosen)}, the simpler."
            )
        if not evidence.tied:
            return f"Take {self._name(chosen)}. On {self._seeds} it is better than every other finalist."
        others = "; ".join(self._name(contender) for contender in evidence.tied[:NAMED])
        more = f"; and {len(evidence.tied) - NAMED} more" if len(evidence.tied) > NAMED else ""
        simpler = any(contender.complexity < chosen.complexity for contender in evidence.tied)
        why = " None of the simpler ones comes close enough to be taken instead." if simpler else ""
        return (
            f"Take {self._name(chosen)}, the best on average over {self._seeds}, although these cannot be told apart "
            f"from it: {others}{more}.{why}"
        )

    def _expectation(self) -> str:
        chosen, expected = self.evidence.recommended, self.evidence.expected
        rows = (
            f"on {self.evidence.row_count} holdout rows, which no step of the search saw"
            if self.evidence.rows == "holdout"
            else f"on the test rows that the search was judged by, for {self.show(self.evidence.reason)}"
        )
        told = f"Expect {self._metric} {number(expected.mean)} when you train again"
        sure = f"95 % interval {limits(expected.low, expected.high)}"
        single = f"single seeds gave {limits(float(chosen.values.min()), float(chosen.values.max()))}"
        if number(expected.mean) == number(chosen.mean):
            return f"{told}: the mean {rows} ({sure}; {single})."
        flattery = expected.mean - chosen.mean
        return (
            f"{told} ({sure}). {rows[0].upper()}{rows[1:]}, its mean is {number(chosen.mean)} ({single}); having been "
            f"picked for that flatters it by about {flattery:.2g}."
        )

    def _constant(self) -> list[str]:
        evidence, constant, leader = self.evidence, self.evidence.constant, self.evidence.leader
        if constant is None:
            return ["No constant rate was trained to the end on every seed, so schedules have nothing to beat."]
        if leader.is_constant:
            return ["No schedule beats a constant rate here."] if len(evidence.complete) > 1 else []
        difference = evidence.difference(constant, leader)
        gain = f"{self._name(leader)} is better than the best constant rate, lr {number(constant.params['lr'])}, by"
        if difference.excludes_zero:
            return [f"A schedule helps here: {gain} {_limits(difference)}."]
        return [f"No schedule is shown to beat a constant rate here: {gain} {_limits(difference)}: zero is possible."]

    def _optimism(self) -> list[str]:
        best = self.evidence.promised
        if best is None or best.searched is None:
            return []
        metric = self.show(wording.test_metric(self.frames.metric))
        again = float(np.mean(best.tests))
        promise = f"The search had promised {metric} {number(best.searched)} for {self._name(best)}, its best"
        if again <= best.searched:
            return [f"{promise}; on fresh seeds it is {number(again)} on average, so the search did not flatter it."]
        share = f", {percent(again / best.searched - 1)} more" if best.searched > 0 else ""
        return [f"{promise}; on fresh seeds it is {number(again)} on average{share}."]

    def _caveats(self) -> list[str]:
        evidence, said = self.evidence, []
        for contender in evidence.contenders:
            of = f"of {plural(len(evidence.seeds), 'seed')}"
            if contender.diverged:
                said.append(f"{self._name(contender)} diverged on {contender.diverged} {of}: do not take it.")
            if contender.failed:
                said.append(f"The training of {self._name(contender)} failed on {contender.failed} {of}.")
        open_ = sum(int(np.isnan(c.values).sum()) - c.diverged - c.failed for c in evidence.contenders)
        again = f"lrsearch study confirm {shlex.quote(self.frames.name)}"
        if open_:
            said.append(f"The confirmation is not finished, {plural(open_, 'run')} missing: {self.code(again)}")
        elif self._has_gone_on():
            said.append(f"The search has found better settings since; confirm them, too: {self.code(again)}")
        elif evidence.complete and evidence.tied:
            seeds = MORE_SEEDS * len(evidence.seeds)
            said.append(f"More seeds tell more apart: {self.code(f'{again} --seeds {seeds}')}")
        return said

    def _has_gone_on(self) -> bool:
        ranked = standings.ranked(self.frames)
        known = [contender.params for contender in self.evidence.contenders]
        return len(ranked) > 0 and ranked.iloc[0]["params"] not in known


def _limits(interval: Interval) -> str:
    """Such as ``1.2 on average (95 % interval -0.3 to 2.7)``."""
    return f"{number(interval.mean)} on average (95 % interval {limits(interval.low, interval.high)})"
