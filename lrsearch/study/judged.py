"""What runs from anywhere show: the evidence of a confirmation, made from runs that nobody planned. No words."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrsearch.study import recommendation, rounds
from lrsearch.study.comparison import Comparison, Verdict
from lrsearch.study.contender import Contender
from lrsearch.study.evidence import Evidence
from lrsearch.study.luck import expected_again
from lrsearch.study.recommended_settings import ConstantRate, Recommendation
from lrsearch.study.snippet import Steps

PROMISING = 5
"""So many settings are worth further seeds, where none was trained on more than one."""
Key = frozenset[tuple[str, Any]]


@dataclass(frozen=True)
class Run:
    """One training from somewhere.

    Attributes:
        params: Its settings, without a seed.
        seed: What else it was made from; only whether two are the same matters.
        value: What it came to; NaN if it came to nothing.
        look: The round that it was made for; see `rounds`. 0 where the number of seeds was settled beforehand.
        curve: Its value after each evaluation, as far as they are known.
    """

    params: Mapping[str, Any]
    seed: Hashable
    value: float
    look: int = 0
    curve: tuple[float, ...] = ()

    @property
    def key(self) -> Key:
        """Equal for equal settings."""
        return frozenset(self.params.items())


@dataclass(frozen=True)
class Wanted:
    """Runs that would decide what is open.

    Attributes:
        params: Settings to train again.
        seeds: On how many further seeds.
    """

    params: dict[str, Any]
    seeds: int


@dataclass(frozen=True)
class Judged:
    """What some runs show.

    Attributes:
        name: Of their file.
        metric: What their values are.
        evidence: Of all settings; those with a single run are among them, but never complete.
        uses_seeds: False if all seeds of each setting gave the same, so that there is nothing to be learned from them.
        planned: Whether a study planned them, so that its own comparisons count and no others.
    """

    name: str
    metric: str
    evidence: Evidence
    uses_seeds: bool = True
    planned: bool = False

    @property
    def recommended(self) -> Recommendation | None:
        """Which settings to take; None where no value can be relied on."""
        if not self.uses_seeds:
            return None
        if self.evidence.complete:
            return recommendation.from_evidence(self.evidence, self.name, self.metric, "runs", None)
        return self._best_single()

    @property
    def singles(self) -> list[Contender]:
        """Settings that were trained once only, best first."""
        single = [one for one in self.evidence.contenders if len(one.known) == 1 and math.isfinite(one.known[0])]
        return sorted(single, key=lambda one: self.evidence.sign * one.mean)

    @property
    def comparisons(self) -> list[Comparison]:
        """The recommended settings beside their rival and the baseline; where all are of one kind, beside the next."""
        evidence = self.evidence
        if not self.uses_seeds or not evidence.complete:
            return []
        others = [one for one in evidence.complete if one is not evidence.recommended]
        if self.planned or evidence.rival is not None or not others:
            return evidence.comparisons
        known = [found.other for found in evidence.comparisons]
        return [*evidence.comparisons, *(evidence.compared(one) for one in others[:1] if one not in known)]

    @property
    def wanted(self) -> list[Wanted]:
        """Which more runs would decide what is open."""
        more: dict[Key, Wanted] = {}
        for one, seeds in self._missing():
            before = more.get(frozenset(one.params.items()))
            if seeds > (before.seeds if before else 0):
                more[frozenset(one.params.items())] = Wanted(one.params, seeds)
        return list(more.values())

    def _missing(self) -> list[tuple[Contender, int]]:
        """Settings and further seeds; some more than once."""
        evidence, singles = self.evidence, self.singles
        if not self.uses_seeds:
            return []
        if not evidence.complete:
            return [(one, rounds.SEEDS_AT_LEAST - 1) for one in singles[:PROMISING]]
        chosen = evidence.recommended
        found = [
            (one, compared.needed - len(one.known))
            for compared in self.comparisons
            if compared.verdict is Verdict.OPEN and compared.needed is not None
            for one in (chosen, compared.other)
        ]
        alike = max(len(chosen.known), rounds.SEEDS_AT_LEAST) - 1
        promising = [one for one in singles if evidence.sign * (one.mean - chosen.mean) < 0]
        asked = [one for one in singles if one.params == evidence.wanted_today]
        return [*found, *((one, alike) for one in (*promising[:PROMISING], *asked))]

    def _best_single(self) -> Recommendation | None:
        """The best of runs that were never repeated, as a search would say it."""
        singles, sign = self.singles, self.evidence.sign
        if not singles:
            return None
        best = singles[0]
        constant = next((one for one in singles if one.is_constant), None)
        return Recommendation(
            study=self.name,
            metric=self.metric,
            direction="maximize" if self.evidence.maximise else "minimize",
            basis="runs",
            rows=None,
            params=best.params,
            value=best.mean,
            expected=sign * expected_again([sign * one.mean for one in singles]),
            interval=None,
            seeds=1,
            number=None,
            code=None,
            constant=None
            if constant is None
            else ConstantRate(constant.params, constant.mean, sign * (constant.mean - best.mean), None, False),
            untrained=None,
            learned=None,
            covers=None,
            steps=Steps(),
        )


def judge(
    runs: Sequence[Run], name: str, metric: str, *, maximise: bool = False, today: dict[str, Any] | None = None
) -> Judged:
    """What runs from anywhere show.

    Args:
        runs: At least one; no two have the same settings and the same seed.
        name: Of their file.
        metric: What their values are.
        maximise: Whether larger values are better.
        today: Settings of the baseline; None if there is none.
    """
    return Judged(name, metric, _evidence(runs, maximise, today), uses_seeds(runs))


def uses_seeds(runs: Sequence[Run]) -> bool:
    """Whether a seed changes anything: for one of the settings at least two seeds gave different values or curves.

    Args:
        runs: Those that came to nothing say nothing; where no setting was repeated, it is taken to be so.
    """
    seen: dict[Key, list[tuple[float, tuple[float, ...]]]] = {}
    for run in runs:
        if math.isfinite(run.value):
            seen.setdefault(run.key, []).append((run.value, run.curve))
    repeated = [found for found in seen.values() if len(found) > 1]
    return not repeated or any(len(set(found)) > 1 for found in repeated)


def _evidence(runs: Sequence[Run], maximise: bool, today: dict[str, Any] | None) -> Evidence:
    seeds = list(dict.fromkeys(run.seed for run in runs))
    by_key: dict[Key, list[Run]] = {}
    for run in runs:
        by_key.setdefault(run.key, []).append(run)
    looks = max(run.look for run in runs)
    contenders = [_contender(of_one, seeds, planned=looks > 0, today=today) for of_one in by_key.values()]
    sign = -1 if maximise else 1
    contenders.sort(key=lambda one: sign * one.mean if one.is_complete else math.inf)
    return Evidence(
        rows="test",
        row_count=0,
        reason="",
        seeds=list(range(len(seeds))),
        contenders=contenders,
        maximise=maximise,
        rounds=looks,
        wanted_today=today,
    )


def _contender(
    runs: Sequence[Run], seeds: Sequence[Hashable], *, planned: bool, today: dict[str, Any] | None
) -> Contender:
    """A setting. Where rounds were planned, it must have all seeds to count; else its own seeds do."""
    place = {seed: number for number, seed in enumerate(seeds)}
    values, own = np.full(len(seeds), math.nan), np.zeros(len(seeds), dtype=np.bool_)
    for run in runs:
        values[place[run.seed]], own[place[run.seed]] = run.value, True
    params = dict(runs[0].params)
    return Contender(
        params=params,
        role="try" if params == today else "runs",
        number=None,
        searched=None,
        values=values,
        tests=values,
        diverged=0,
        failed=sum(not math.isfinite(run.value) for run in runs),
        steps=Steps(),
        cells=values[:, None],
        planned=len(runs),
        own=None if planned else own,
    )
