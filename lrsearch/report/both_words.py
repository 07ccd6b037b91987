"""What to take for either way to keep a run, the last epoch or the best, in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lrsearch.report import wording
from lrsearch.report.wording import number, percent
from lrsearch.study.both_answers import BothAnswers


@dataclass(frozen=True)
class BothWords:
    """The sentences about both answers of a study.

    Attributes:
        found: The answers.
        metric: The study's, by its name in the storage.
        asked: Which of them the study was asked for: ``last`` or ``best``.
        show: What texts from the storage go through, an escape for markdown say.
        unit: What lengths of runs are counted in, in the singular.
    """

    found: BothAnswers
    metric: str
    asked: str
    show: Callable[[str], str] = str
    unit: str = "epoch"

    def paragraph(self) -> list[str]:
        """Both answers, with what the best epoch gains and saves; nothing where they are the same."""
        found = self.found
        if found.are_one:
            return []
        last, best, unit = found.last, found.best, self.unit
        told = [
            f"If you keep the last {unit}: {self.show(wording.describe(last.params))}, {last.epochs} {unit}s, test "
            f"{self.show(wording.metric(self.metric))} {number(last.value)}.",
            f"If you keep the best: {self.show(wording.describe(best.params))}, best after {best.epochs} {unit}s, "
            f"{number(best.value)}, which is {number(abs(last.value - best.value))} better and takes "
            f"{percent(best.epochs / last.epochs)} of the {unit}s.",
            self._rest(),
        ]
        if found.disagree:
            told.append(f"The rates are far apart, and this study was asked about the {self.asked} {unit}.")
        return told

    def warning(self) -> list[str]:
        """For the verdict: that the other way to keep a run wants quite other settings; nothing where it does not."""
        found = self.found
        if not found.disagree:
            return []
        other, way = (found.best, "best") if self.asked == "last" else (found.last, "last")
        gain = "" if found.gain is None or way == "last" else f", with {percent(found.gain)} less"
        gain = f"{gain} {self.show(wording.error(self.metric))}" if gain else ""
        where = "after" if way == "best" else "for"
        sure = "" if found.confirmed else "; this is not confirmed"
        return [
            f"All of this is for keeping the {self.asked} {self.unit} of a run. If you keep the {way} one, take "
            f"{self.show(wording.use(other.params))} instead, {where} {other.epochs} {self.unit}s{gain}{sure}."
        ]

    def _rest(self) -> str:
        if self.found.confirmed:
            return (
                f"Both are means over the fresh seeds on the test rows, which flatters the best {self.unit} a little."
            )
        return (
            "Both are unconfirmed: the best of single runs on the test rows, which flatters both, and the best "
            f"{self.unit} more."
        )
