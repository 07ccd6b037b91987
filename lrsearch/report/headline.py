"""The answer in plain words: one sentence, a table of three rows, and how sure they are. No pandas, no markdown."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass

from lrsearch.report import gains, wording
from lrsearch.report.both_words import BothWords
from lrsearch.report.certainty import Certainty, limits
from lrsearch.report.valley_words import ValleyWords
from lrsearch.report.wording import brief, percent, plural
from lrsearch.sampling.space import rate_of
from lrsearch.study import ranking, recommendation
from lrsearch.study.both_answers import BothAnswers, answers_of
from lrsearch.study.comparison import Verdict
from lrsearch.study.contender import Contender
from lrsearch.study.crossed import Interval
from lrsearch.study.evidence import Evidence
from lrsearch.study.recommended_settings import Recommendation
from lrsearch.study.small_rates import SmallRates, small_rates
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file.axes import Range
from lrsearch.study_file.model import Definition

NO_PRUNER = 'name = "none"'
LEAST_SHARE = 0.01
"""A gain below it is not written as a number: it would be rounded to nothing."""
EDGE = 1.1
"""A rate that is nearer to an end of its range than by this factor is at its edge."""


@dataclass(frozen=True)
class Row:
    """A row of the table at the top.

    Attributes:
        label: Which settings.
        value: What one new training gives; without a confirmation, what the settings came to in the search.
        interval: Its 95 % interval; None where there are no fresh seeds.
        beats: On how many of the seeds it beat the best constant rate; None for that itself, or without seeds.
        seeds: How many seeds there are.
    """

    label: str
    value: float
    interval: tuple[float, float] | None
    beats: int | None
    seeds: int

    def cells(self) -> list[str]:
        """Label, value with interval, and seeds won, in words."""
        sure = "" if self.interval is None else f" ({limits(*self.interval)})"
        won = wording.MISSING if self.beats is None else f"{self.beats} of {self.seeds} seeds"
        return [self.label, f"{brief(self.value)}{sure}", won]


@dataclass(frozen=True)
class Answer:
    """What a study found, ready to be told.

    Attributes:
        name: The study's name.
        recommendation: What it recommends; None if there is nothing.
        evidence: What its confirmation shows so far; None if there is none.
        definition: What the study is; None in one that lrsearch did not create.
        runs: Trials of the search that were trained to the end and did not diverge.
        show: What texts from the storage go through in sentences, an escape for markdown say.
        code: How a command is set off in a sentence; it takes the text as it is.
        small_rates: Small rates that may have been pruned too early.
        both: What to take for either way to keep a run; None where no curves are stored.
    """

    name: str
    recommendation: Recommendation | None
    evidence: Evidence | None
    definition: Definition | None
    runs: int
    show: Callable[[str], str] = str
    code: Callable[[str], str] = str
    small_rates: SmallRates | None = None
    both: BothAnswers | None = None

    @classmethod
    def of(cls, stored: StoredStudy) -> Answer:
        """The answer of a stored study.

        Args:
            stored: The study.
        """
        trials, evidence = stored.trials(), recommendation.evidence_of(stored)
        found = recommendation.compute(stored, evidence, trials)
        runs = len(ranking.ranked(trials, stored.excluded(), maximise=stored.maximises))
        small = small_rates(trials, stored.excluded(), maximise=stored.maximises)
        shown = evidence if found is not None and found.is_confirmed else None
        both = answers_of(shown, trials, stored.excluded(), maximise=stored.maximises)
        return cls(stored.name, found, evidence, stored.definition, runs, small_rates=small, both=both)

    def headline(self) -> str:
        """One sentence or two: what to use, and whether a schedule gains anything."""
        if self.recommendation is None:
            return "No trial has been trained to the end yet, so there is nothing to recommend."
        return " ".join([self._found(wording.use(self.recommendation.params)), *self._lost_small()])

    def _found(self, settings: str) -> str:
        use, evidence = self.show(settings), self._confirmed
        if evidence is None:
            return self._unconfirmed(use)
        if evidence.learned is False:
            return f"Nothing seems to be learned here: {self._no_better(evidence)}"
        said = self._constant(use) if evidence.recommended.is_constant else self._schedule(use)
        return " ".join([said, *self._edge(evidence)])

    def table(self) -> list[list[str]]:
        """The three rows as texts, with a line of column names first; for all to see, nothing is escaped."""
        if self.recommendation is None:
            return []
        metric = self.recommendation.metric
        # Of single runs only the best one's luck is known, so that nothing but what they came to compares with it.
        searched = f"{wording.test_metric(metric)} in the search"
        value = searched if self._confirmed is None else f"{wording.error(metric)} to expect"
        header = ["settings", value, "beat constant"]
        rows = [row.cells() for row in self.rows()]
        width = 3 if any(row[2] != wording.MISSING for row in rows) else 2
        return [cells[:width] for cells in (header, *rows)]

    def rows(self) -> list[Row]:
        """Recommended, best constant rate, what the person uses today, and no learning; those that are known."""
        found = self.recommendation
        if found is None:
            return []
        return self._searched(found) if self._confirmed is None else self._compared(self._confirmed)

    def how_sure(self) -> str:
        """A short paragraph: what the numbers rest on."""
        found, evidence = self.recommendation, self._confirmed
        if found is None:
            return ""
        if evidence is None:
            return " ".join([*self._flattery(found), self._next(), *self._other_way()])
        gained = gains.sentences(evidence, self.definition)
        return " ".join([*self._certainty(evidence).sentences(), *gained, *self._other_way()])

    def _other_way(self) -> list[str]:
        """That who keeps another epoch of a run wants quite other settings."""
        if self.both is None or self.definition is None or self.recommendation is None:
            return []  # in a study of another tool nobody knows which epoch its values are
        asked, unit = self.definition.study.value, self.definition.training.unit
        return BothWords(self.both, self.recommendation.metric, asked, self.show, unit).warning()

    def how_wrong(self) -> str:
        """What other rates would cost; empty where none were trained beside the recommended one."""
        found = self.recommendation
        if found is None or found.valley is None:
            return ""
        return " ".join(ValleyWords(found.valley, found.metric).sentences())

    @property
    def _confirmed(self) -> Evidence | None:
        """The evidence, where the recommendation comes from it."""
        return self.evidence if self.recommendation is not None and self.recommendation.is_confirmed else None

    def _unconfirmed(self, use: str) -> str:
        lost = self.evidence is not None and self.evidence.is_finished
        if self.runs == 1:
            first = f"Not confirmed: the only trial that was trained to the end used {use}."
        else:
            first = f"Not confirmed: the best of {self.runs} trials used {use}."
        if self.evidence is not None and not self.evidence.uses_seeds:
            return f"{first} All fresh seeds of each finalist gave exactly the same, so the seed is not used."
        return first + (" Each finalist diverged or failed on a fresh seed: do not rely on it." if lost else "")

    def _no_better(self, evidence: Evidence) -> str:
        """Which of those that have learned nothing the recommended settings are not shown to beat."""
        nothing = evidence.nothing
        assert nothing is not None
        return f"no setting is shown to be better than {self.show(nothing.name)}."

    def _constant(self, use: str) -> str:
        evidence = self._confirmed
        assert evidence is not None
        if all(contender.is_constant for contender in evidence.contenders):
            return f"Use {use}. No schedule was compared with it."
        if evidence.schedule is None:
            return f"Use {use}. Every schedule diverged or failed on a fresh seed."
        found = evidence.compared(evidence.schedule)
        if found.verdict in (Verdict.BETTER, Verdict.EQUAL):
            return f"Use {use}. A schedule gains nothing here."
        if found.verdict is Verdict.WORSE:
            return f"Use {use}. The best schedule is better by so little that the simpler one is enough."
        return f"Use {use}. Whether a schedule gains anything is not decided."

    def _schedule(self, use: str) -> str:
        evidence = self._confirmed
        assert evidence is not None
        constant = evidence.constant
        if constant is None:
            return f"Use {use}. No constant rate was trained to the end, so there is nothing to compare it with."
        found = evidence.compared(constant)
        sure = "" if found.verdict is Verdict.BETTER else ", but that is not certain"
        return f"Use {use}: {self._gain(found.difference, constant)} than the best constant rate{sure}."

    def _lost_small(self) -> list[str]:
        """That smaller rates did better, and some were pruned."""
        small = self.small_rates
        if small is None:
            return []
        return [
            f"Smaller rates may be better still: of the trials that went on, the smaller rates did better, and "
            f"{small.pruned} with rates below {wording.exact(small.below)} were pruned. To train them all, set "
            f"{self.code(NO_PRUNER)} in the file's [pruner] section."
        ]

    def _edge(self, evidence: Evidence) -> list[str]:
        """That the best rate may lie outside of what was searched."""
        params = evidence.recommended.params
        searched, lr = self.definition.search if self.definition else None, rate_of(params)
        if evidence.recommended.has_other_optimizer:  # its rate is on another scale
            return []
        axis = None if searched is None else searched.rate_axis(params.get("optimizer"))
        if not isinstance(axis, Range) or lr is None or axis.low <= 0 or axis.low == axis.high:
            return []
        if lr < axis.low * EDGE:
            return [f"This rate is at the lower end of the range, {wording.exact(axis.low)}: search lower ones."]
        if lr > axis.high / EDGE:
            return [f"This rate is at the upper end of the range, {wording.exact(axis.high)}: search higher ones."]
        return []

    def _gain(self, difference: Interval, constant: Contender) -> str:
        """How much better the recommended settings are, by what is expected of them as the table has it."""
        found = self.recommendation
        assert found is not None
        word = self.show(wording.error(found.metric))
        side, sign = ("higher", -1) if found.direction == "maximize" else ("lower", 1)
        assert self.evidence is not None
        gain = sign * (self.evidence.expectation(constant).mean - found.expected)
        gain = gain if gain > 0 else difference.mean
        if constant.mean > 0 and gain < constant.mean:
            share = gain / constant.mean
            return f"{f'about {percent(share)}' if share >= LEAST_SHARE else 'less than 1 %'} {side} {word}"
        return f"{word} {side} by about {brief(gain)}"

    def _searched(self, found: Recommendation) -> list[Row]:
        rows = [Row("recommended, unconfirmed", found.value, None, None, 0)]
        constant = found.constant
        if constant is not None and constant.params != found.params:
            rows.append(Row(f"best constant rate, {wording.rate(constant.params)}", constant.value, None, None, 0))
        return rows

    def _compared(self, evidence: Evidence) -> list[Row]:
        chosen, constant, today = evidence.recommended, evidence.constant, evidence.today
        parts = ["best constant"] * (chosen is constant) + ["as today"] * (chosen is today)
        rows = [self._row(f"recommended ({', '.join(parts)})" if parts else "recommended", chosen, evidence)]
        if constant is not None and chosen is not constant:
            label = f"best constant rate, {wording.rate(constant.params)}"
            rows.append(self._row(f"{label}, as today" if constant is today else label, constant, evidence))
        if chosen is constant and (schedule := evidence.schedule) is not None:
            rows.append(self._row(f"best schedule: {wording.use(schedule.params, short=True)}", schedule, evidence))
        if today is not None and all(today is not one for one in (chosen, constant, evidence.rival)):
            rows.append(self._row(f"today: {wording.use(today.params, short=True)}", today, evidence))
        if (nothing := evidence.nothing) is not None:
            rows.append(Row(f"no learning: {nothing.name}", nothing.mean, None, None, len(evidence.seeds)))
        return rows

    def _row(self, label: str, contender: Contender, evidence: Evidence) -> Row:
        found = evidence.expectation(contender)
        constant = evidence.constant
        beats = None if constant in (None, contender) else evidence.seeds_better(contender, constant)
        return Row(label, found.mean, (found.low, found.high), beats, len(evidence.seeds))

    def _certainty(self, evidence: Evidence) -> Certainty:
        unit = "epoch" if self.definition is None else self.definition.training.unit
        return Certainty(evidence, self.show, self._command, unit)

    def _command(self, options: str) -> str:
        if self.definition is None:
            seeds = options.replace(" --seeds ", ", seeds=")
            return self.code(f"lrsearch.confirm(objective, study{seeds})")
        return self.code(f"lrsearch study confirm {shlex.quote(self.name)}{options}")

    def _flattery(self, found: Recommendation) -> list[str]:
        came_to = f"{self.show(wording.test_metric(found.metric))} {brief(found.value)}"
        if found.seeds > 1:
            came_to += f", the mean over {found.seeds} seeds"
        if self.runs == 1:
            return [f"It came to {came_to}. One trial proves little."]
        return [
            f"It came to {came_to}, but it was picked for that among {self.runs} trials: expect about "
            f"{brief(found.expected)} when you train again."
        ]

    def _next(self) -> str:
        command = self._command("")
        if self.evidence is not None and not self.evidence.uses_seeds:
            return (
                "Make everything that draws numbers begin with the seed, delete what was confirmed, and confirm again: "
                + self.code(f"lrsearch study delete {shlex.quote(f'{self.name}/confirm')}")
            )
        if self.evidence is not None and not self.evidence.is_finished:
            return f"The confirmation is not finished, {plural(self.evidence.missing, 'run')} missing: {command}"
        return f"To train the best settings on fresh seeds, and be sure: {command}"
