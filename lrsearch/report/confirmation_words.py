"""What a confirmation shows in detail, in sentences that follow from its evidence."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lrsearch.report import standings, wording
from lrsearch.report.both_words import BothWords
from lrsearch.report.frames import StudyFrames
from lrsearch.report.wording import limits, number, percent, plural
from lrsearch.study.both_answers import both_answers
from lrsearch.study.contender import Contender
from lrsearch.study.evidence import Evidence

NAMED = 3
"""Most finalists that a sentence names."""


@dataclass(frozen=True)
class ConfirmationWords:
    """The sentences of one study.

    Attributes:
        frames: The study.
        evidence: What its confirmation shows.
        show: What texts from the storage go through, an escape for markdown say.
        code: How a command is set off; it takes the text as it is.
    """

    frames: StudyFrames
    evidence: Evidence
    show: Callable[[str], str] = str
    code: Callable[[str], str] = str

    def paragraphs(self) -> list[str]:
        """What can be told apart, what the search had promised, and what to keep in mind."""
        if not self.evidence.complete:
            parts = [[self._nothing()], self._caveats()]
        else:
            parts = [[*self._comparison(), *self._expectation()], self._optimism(), self._both(), self._caveats()]
        return [" ".join(sentences) for sentences in parts if sentences]

    def _both(self) -> list[str]:
        """What to take for either way to keep a run, where they differ."""
        found = both_answers(self.evidence.complete, maximise=self.evidence.maximise)
        asked = "best" if any(one.kept for one in self.evidence.complete) else "last"
        words = None if found is None else BothWords(found, self.frames.metric, asked, self.show, self.frames.kept_unit)
        return [] if words is None else words.paragraph()

    def _name(self, contender: Contender) -> str:
        return self.show(wording.describe(contender.params))

    def _nothing(self) -> str:
        if not self.evidence.is_finished:
            return "No finalist has been trained on every fresh seed yet, so none can be recommended."
        return "None can be recommended: each finalist diverged or failed on one of the fresh seeds at least."

    def _comparison(self) -> list[str]:
        """How the recommended finalist stands to the others."""
        evidence, chosen, leader = self.evidence, self.evidence.recommended, self.evidence.leader
        if len(evidence.complete) == 1:
            return ["Only one finalist was trained to the end on all of them."]
        if chosen is not leader:
            difference = evidence.difference(chosen, leader)
            return [
                f"{self._name(leader)} has the better mean, by {number(difference.mean)} (95 % interval "
                f"{limits(difference.low, difference.high)}). {self._why(chosen)}"
            ]
        if not evidence.tied:
            return ["Every other finalist is shown to be worse than the recommended one."]
        others = "; ".join(self._name(contender) for contender in evidence.tied[:NAMED])
        more = f"; and {len(evidence.tied) - NAMED} more" if len(evidence.tied) > NAMED else ""
        return [f"These cannot be told apart from the recommended one, which has the best mean: {others}{more}."]

    def _why(self, chosen: Contender) -> str:
        """Why another one than the leader is recommended, in the words of the rule."""
        if chosen.is_constant and not self.evidence.is_within_margin(chosen):
            return (
                f"But having been picked flatters it, and it is expected to gain nothing over {self._name(chosen)}, a "
                "constant rate, so that is recommended."
            )
        return (
            f"{self._name(chosen)} is the simplest of those whose mean is within {number(self.evidence.margin_used)} "
            "of the best mean, so it is recommended."
        )

    def _expectation(self) -> list[str]:
        chosen, expected = self.evidence.recommended, self.evidence.expected
        if number(expected.mean) == number(chosen.mean):
            return []
        return [
            f"The mean of the recommended one is {number(chosen.mean)}; having been picked for it flatters it by about "
            f"{abs(expected.mean - chosen.mean):.2g}, so {number(expected.mean)} is to be expected."
        ]

    def _optimism(self) -> list[str]:
        best = self.evidence.promised
        if best is None or best.searched is None:
            return []
        metric = self.show(wording.test_metric(self.frames.metric))
        again = float(np.mean(best.tests))
        promise = f"The search had promised {metric} {number(best.searched)} for {self._name(best)}, its best"
        if self.evidence.sign * again <= self.evidence.sign * best.searched:
            return [f"{promise}; on fresh seeds it is {number(again)} on average, so the search did not flatter it."]
        more = percent(abs(again / best.searched - 1)) if best.searched > 0 else ""
        if more == percent(0):
            return [f"{promise}; on fresh seeds it is the same on average, {number(again)}."]
        share = f", {more} {'less' if self.evidence.maximise else 'more'}" if more else ""
        return [f"{promise}; on fresh seeds it is {number(again)} on average{share}."]

    def _caveats(self) -> list[str]:
        evidence, said = self.evidence, []
        for contender in evidence.contenders:
            of = f"of {plural(len(evidence.seeds), 'seed')}"
            if contender.diverged:
                said.append(f"{self._name(contender)} diverged on {contender.diverged} {of}: do not use it.")
            if contender.failed:
                said.append(f"The training of {self._name(contender)} failed on {contender.failed} {of}.")
        again = f"lrsearch study confirm {shlex.quote(self.frames.name)}"
        if not evidence.is_finished:
            said.append(
                f"The confirmation is not finished, {plural(evidence.missing, 'run')} missing: {self.code(again)}"
            )
        elif self._has_gone_on():
            said.append(f"The search has found better settings since; confirm them, too: {self.code(again)}")
        return said

    def _has_gone_on(self) -> bool:
        ranked = standings.ranked(self.frames)
        known = [contender.params for contender in self.evidence.contenders]
        return len(ranked) > 0 and ranked.iloc[0]["params"] not in known
