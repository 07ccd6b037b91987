"""The answer in plain words: one sentence, a table of three rows, and how sure they are. No pandas, no markdown."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass

from lrsearch.report import wording
from lrsearch.report.wording import brief, percent, plural
from lrsearch.sampling.space import parameter_name
from lrsearch.study import ranking, recommendation
from lrsearch.study.evidence import Contender, Evidence, Interval
from lrsearch.study.recommendation import Recommendation
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file.model import Definition

LEAST_SHARE = 0.01
"""A gain below it is not written as a number: it would be rounded to nothing."""
MORE_SEEDS = 4
"""So many times the seeds halve an interval."""


@dataclass(frozen=True)
class Row:
    """A row of the table at the top.

    Attributes:
        label: Which settings.
        expected: What one new training gives.
        interval: Its 95 % interval; None where there are no fresh seeds.
        beats: On how many of the seeds it beat the best constant rate; None for that itself, or without seeds.
        seeds: How many seeds there are.
    """

    label: str
    expected: float
    interval: tuple[float, float] | None
    beats: int | None
    seeds: int

    def cells(self) -> list[str]:
        """Label, value with interval, and seeds won, in words."""
        sure = "" if self.interval is None else f" ({_limits(*self.interval)})"
        won = wording.MISSING if self.beats is None else f"{self.beats} of {self.seeds} seeds"
        return [self.label, f"{brief(self.expected)}{sure}", won]


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
    """

    name: str
    recommendation: Recommendation | None
    evidence: Evidence | None
    definition: Definition | None
    runs: int
    show: Callable[[str], str] = str
    code: Callable[[str], str] = str

    @classmethod
    def of(cls, stored: StoredStudy) -> Answer:
        """The answer of a stored study.

        Args:
            stored: The study.
        """
        trials, evidence = stored.trials(), recommendation.evidence_of(stored)
        found = recommendation.compute(stored, evidence, trials)
        runs = len(ranking.ranked(trials, stored.excluded(), maximise=stored.maximises))
        return cls(stored.name, found, evidence, stored.definition, runs)

    def headline(self) -> str:
        """One sentence or two: what to use, and whether a schedule gains anything."""
        if self.recommendation is None:
            return "No trial has been trained to the end yet, so there is nothing to recommend."
        use = self.show(wording.use(self.recommendation.params))
        if self._confirmed is None:
            return self._unconfirmed(use)
        return self._constant(use) if self._confirmed.recommended.is_constant else self._schedule(use)

    def table(self) -> list[list[str]]:
        """The three rows as texts, with a line of column names first; for all to see, nothing is escaped."""
        if self.recommendation is None:
            return []
        header = ["settings", f"{wording.error(self.recommendation.metric)} to expect", "beat constant"]
        rows = [row.cells() for row in self.rows()]
        width = 3 if any(row[2] != wording.MISSING for row in rows) else 2
        return [cells[:width] for cells in (header, *rows)]

    def rows(self) -> list[Row]:
        """Recommended, best constant rate, and what the person uses today; those that are known."""
        found = self.recommendation
        if found is None:
            return []
        evidence = self._confirmed
        if evidence is None:
            rows = [Row("recommended, unconfirmed", found.expected, None, None, 0)]
            constant = found.constant
            if constant is not None and constant.params != found.params:
                label = f"best constant rate, {wording.rate(constant.params)}"
                rows.append(Row(label, constant.value, None, None, 0))
            return rows
        chosen, constant_ = evidence.recommended, evidence.constant
        today = self._today(evidence)
        parts = ["best constant"] * (chosen is constant_) + ["as today"] * (chosen is today)
        first = f"recommended ({', '.join(parts)})" if parts else "recommended"
        rows = [self._row(first, chosen, evidence)]
        if constant_ is not None and chosen is not constant_:
            label = f"best constant rate, {wording.rate(constant_.params)}"
            rows.append(self._row(f"{label}, as today" if constant_ is today else label, constant_, evidence))
        if chosen is constant_ and (schedule := _best_schedule(evidence)) is not None:
            rows.append(self._row(f"best schedule: {wording.use(schedule.params, short=True)}", schedule, evidence))
        if today is not None and today not in (chosen, constant_):
            rows.append(self._row(f"today: {wording.use(today.params, short=True)}", today, evidence))
        return rows

    def how_sure(self) -> str:
        """A short paragraph: what the numbers rest on."""
        found, evidence = self.recommendation, self._confirmed
        if found is None:
            return ""
        if evidence is None:
            return " ".join([*self._flattery(found), self._next()])
        many = plural(len(evidence.contenders), "setting")
        rows = f"{evidence.row_count} {evidence.rows} rows"
        scored = (
            f"scored on {rows} that the search never saw"
            if evidence.rows == "holdout"
            else f"scored on the {rows} that the search was judged by, for {self.show(evidence.reason)}"
        )
        values = evidence.recommended.values
        were = "was" if len(evidence.contenders) == 1 else "were"
        said = [
            f"{many} {were} trained on {len(evidence.seeds)} fresh seeds and {scored}.",
            f"One new training of the recommended settings gives about {brief(found.expected)}; "
            f"single runs gave {_limits(float(values.min()), float(values.max()))}.",
        ]
        return " ".join([*said, *self._difference(evidence)])

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
        return first + (" Each finalist diverged or failed on a fresh seed: do not rely on it." if lost else "")

    def _constant(self, use: str) -> str:
        evidence = self._confirmed
        assert evidence is not None
        if all(contender.is_constant for contender in evidence.contenders):
            return f"Use {use}. No schedule was compared with it."
        best = _best_schedule(evidence)
        if best is None or evidence.difference(best, evidence.recommended).low > 0:
            return f"Use {use}. A schedule gains nothing here."
        return f"Use {use}. No schedule is shown to be better."

    def _schedule(self, use: str) -> str:
        evidence = self._confirmed
        assert evidence is not None
        assert self.recommendation is not None
        constant = evidence.constant
        if constant is None:
            return f"Use {use}. No constant rate was trained to the end, so there is nothing to compare it with."
        difference = evidence.difference(constant, evidence.recommended)
        sure = "" if difference.low > 0 else f", but {len(evidence.seeds)} seeds are too few to be sure"
        return f"Use {use}: {self._gain(difference, constant)} than the best constant rate{sure}."

    def _gain(self, difference: Interval, constant: Contender) -> str:
        """How much better the recommended settings are, by what is expected of them as the table has it."""
        found = self.recommendation
        assert found is not None
        word = self.show(wording.error(found.metric))
        side, sign = ("higher", -1) if found.direction == "maximize" else ("lower", 1)
        gain = sign * (constant.mean - found.expected)
        gain = gain if gain > 0 else difference.mean
        if constant.mean > 0 and gain < constant.mean:
            share = gain / constant.mean
            return f"{f'about {percent(share)}' if share >= LEAST_SHARE else 'less than 1 %'} {side} {word}"
        return f"{word} {side} by about {brief(gain)}"

    def _row(self, label: str, contender: Contender, evidence: Evidence) -> Row:
        found = evidence.expectation(contender)
        constant = evidence.constant
        beats = None if constant in (None, contender) else evidence.seeds_better(contender, constant)
        return Row(label, found.mean, (found.low, found.high), beats, len(evidence.seeds))

    def _today(self, evidence: Evidence) -> Contender | None:
        """The first of the ``[[try]]`` settings, which are what the person uses today."""
        if self.definition is None or not self.definition.tries:
            return None
        entry = self.definition.tries[0]
        own = {parameter_name(entry.scheduler, key): value for key, value in entry.parameters.items()}
        wanted = {"lr": entry.lr, "scheduler": entry.scheduler, **own}
        return next((one for one in evidence.complete if wanted.items() <= one.params.items()), None)

    def _command(self, options: str) -> str:
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
        if self.definition is None:
            return "Train the best settings again on a few other seeds before you rely on them."
        command = self._command("")
        if self.evidence is not None and not self.evidence.is_finished:
            return f"The confirmation is not finished, {plural(self.evidence.missing, 'run')} missing: {command}"
        return f"To train the best settings on fresh seeds, and be sure: {command}"

    def _difference(self, evidence: Evidence) -> list[str]:
        """How far the recommended settings are from the best constant rate, or from the best schedule."""
        chosen, constant = evidence.recommended, evidence.constant
        other, name = (constant, "the best constant rate") if chosen is not constant else (_best_schedule(evidence), "")
        if other is None:
            return []
        name = name or f"the best schedule, {self.show(wording.use(other.params))}"
        found = evidence.difference(other, chosen)
        if found.low > 0:
            return [
                f"They are better than {name} by {brief(found.mean)} (95 % interval {_limits(found.low, found.high)})."
            ]
        if found.low == found.high == 0:
            return [f"They give the same as {name}."]
        worse, better = brief(-found.low), brief(max(found.high, 0.0))
        command = self._command(f" --seeds {MORE_SEEDS * len(evidence.seeds)}")
        return [
            f"Against {name}, anything from {worse} worse to {better} better is possible (95 % interval). "
            f"More seeds would narrow that: {command}"
        ]


def _best_schedule(evidence: Evidence) -> Contender | None:
    return next((one for one in evidence.complete if not one.is_constant), None)


def _limits(low: float, high: float) -> str:
    return f"{brief(low)} to {brief(high)}"
