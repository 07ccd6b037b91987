"""What short runs say of a longer one, in words and as tables; nothing here knows markdown."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

import numpy as np

from lrsearch.report.wording import brief, exact, number, plural
from lrsearch.study.scale_record import ScaleRecord
from lrsearch.study.scaling.answer import COSTLY, SHARE, TypeAnswer
from lrsearch.study.scaling.scaled import Scaled

VERDICTS = {"follow": "follow the line", "keep": "keep the rate", "refuse": "no answer"}


def headline(found: Scaled) -> str:
    """The answer in a sentence.

    Args:
        found: What short runs say.
    """
    best = found.recommended
    if best is None or best.prediction is None:
        return f"No rate for {found.axis} {found.to:g}: it would be a guess."
    low, high = best.prediction.interval
    better = ", ".join(own.scheduler for own in found.better_but_refused)
    warning = f" Better on the longest rung, but with a rate that would be a guess: {better}." if better else ""
    return (
        f"At {found.axis} {found.to:g} use {best.scheduler} with lr {best.prediction.lr:.2g} (95 % interval of the "
        f"best rate: {low:.2g} to {high:.2g}).{warning}"
    )


@dataclass(frozen=True)
class ScaleWords:
    """The sentences about one question.

    Attributes:
        record: The last question, and its answer.
        name: Of the study.
    """

    record: ScaleRecord
    name: str

    def sentences(self) -> list[str]:
        """The answer, and what it has cost."""
        found = self.record.found
        cost = ""
        if found.epochs is not None and found.full_runs is not None:
            cost = f", {found.epochs:.0f} epochs in all, as much as {brief(found.full_runs)} runs at {found.to:g}"
        places = ", ".join(f"{at:g}" for at in found.rungs)
        return [headline(found), f"It rests on short runs at {found.axis} {places}{cost}."]

    def reason(self, own: TypeAnswer) -> str:
        """The verdict on a type, and why.

        Args:
            own: The type's answer.
        """
        return f"{own.scheduler}: {VERDICTS[own.verdict]}. {own.reason[:1].upper()}{own.reason[1:]}."

    def rests_on(self, own: TypeAnswer) -> str:
        """What was looked at for the verdict, with its numbers; empty where there was nothing to look at.

        Args:
            own: The type's answer.
        """
        if own.law is None:
            return ""
        low, high = own.law.slope_interval
        width = np.divide(*own.law.interval(own.to)[::-1])
        said = (
            f"The slope is {own.law.slope:.2f} ({low:.2f} to {high:.2f}); by the rungs alone it is "
            f"{own.law.unshrunk:.2f}, other tasks had {own.law.prior.slope:.2f}. "
        )
        if len(own.rungs) > 2:
            said += f"The middle rungs are {abs(own.law.bend):.1f} standard errors off the line. "
        assert own.costs is not None
        guess, keeping = own.costs
        return (
            f"{said}The interval at the target is a factor of {width:.2g} wide. A rate as far off as that leaves open "
            f"costs {100 * guess:.2g} % on average, and keeping the rate of {own.axis} {own.law.reference:g} about "
            f"{brief(100 * keeping)} %. Accepted are {100 * COSTLY:g} %, or {100 * SHARE:g} % of what keeping costs."
        )

    def rungs(self, own: TypeAnswer) -> list[list[str]]:
        """A row per rung, then the target, with a line of column names first.

        Args:
            own: The type's answer.
        """
        header = [own.axis, "best rate", "95 % interval", "rates", "seeds"]
        rows = [
            [f"{optimum['at']:g}", _rate(optimum["lr"]), " to ".join(map(_rate, optimum["interval"])),
             str(len(rung.rates)), str(rung.seeds)]
            for optimum, rung in zip(own.document()["optima"], own.rungs, strict=False)
        ]  # fmt: skip
        if own.prediction is not None:
            limits = " to ".join(map(_rate, own.prediction.interval))
            rows.append([f"{own.to:g}", _rate(own.prediction.lr), limits, "predicted", ""])
        return [header, *rows]

    def test(self) -> str:
        """What the test at the target showed, or that there was none; empty where there is nothing to test."""
        found, tests = self.record.found, self.record.tests
        if found.recommended is None:
            return ""
        if not tests:
            return "The prediction was not tested. This trains three rates around it, on two seeds, at the target:"
        many = plural(len(tests), "rate")
        return f"The prediction was tested: {many} were trained at {found.axis} {found.to:g}."

    def tested(self) -> list[list[str]]:
        """A row per rate that was trained at the target, with a line of column names first."""
        rows = [[exact(one.lr), number(one.value), str(one.seeds)] for one in self.record.tests]
        return [["rate", "mean value", "seeds"], *rows]

    @property
    def command(self) -> str:
        """The command that tests the prediction."""
        return f"lrsearch scale {shlex.quote(self.name)} --check"


def _rate(rate: float) -> str:
    return f"{rate:.3g}"
