"""The plan of a confirmation: on how many seeds each finalist is to be trained, and what the next round is."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from lrsearch.study import ladder, rounds
from lrsearch.study.contender import Contender
from lrsearch.study.evidence import Evidence
from lrsearch.study.finalists import Finalist, constant_rate


@dataclass(frozen=True)
class Plan:
    """How far a confirmation may go, and how far it is.

    Attributes:
        seeds: Exactly so many seeds, because a person said so; None for as many as it takes.
        runs: Runs that it may take then, the ladder's other rates not counted.
        ladder: Lowest and highest constant rate that it began with; None if there is no ladder.
        screened: Whether the constant rates that stay are chosen.
        rounds: On how many seeds each round is that came after the screening.
        done: Whether its question is answered, or its budget spent.
    """

    seeds: int | None
    runs: int
    ladder: tuple[float, float] | None
    screened: bool = False
    rounds: tuple[int, ...] = ()
    done: bool = False

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Plan:
        """A plan as it was stored."""
        first = document["ladder"]
        return cls(
            **{**document, "ladder": None if first is None else tuple(first), "rounds": tuple(document["rounds"])}
        )

    def document(self) -> dict[str, Any]:
        """The plan as JSON gives it back."""
        return {**asdict(self), "ladder": self.ladder and list(self.ladder), "rounds": list(self.rounds)}


def begun(chosen: Sequence[Finalist], seeds: int | None, searched: float) -> tuple[list[Finalist], Plan]:
    """The first round.

    Args:
        chosen: The finalists.
        seeds: See `Plan`.
        searched: What the search has cost, in runs of all epochs.
    """
    constants = [finalist.lr for finalist in chosen if finalist.is_constant]
    first = (min(constants), max(constants)) if constants else None
    entrants = sum(finalist.role != "constant" for finalist in chosen)
    plan = Plan(seeds, rounds.budget(searched, entrants), first)
    return [replace(finalist, seeds=_first_seeds(finalist, plan)) for finalist in chosen], plan


def joined(before: Sequence[Finalist], chosen: Sequence[Finalist], plan: Plan) -> tuple[list[Finalist], Plan]:
    """Further finalists, because the search has gone on or a person wants more of them.

    Args:
        before: Those that there are.
        chosen: Those and further ones.
        plan: As it is.
    """
    new = [replace(one, seeds=_first_seeds(one, plan)) for one in chosen[len(before) :]]
    return [*before, *new], replace(plan, screened=False, done=False) if new else plan


def exactly(entries: Sequence[Finalist], plan: Plan, seeds: int) -> tuple[list[Finalist], Plan]:
    """The same finalists on so many seeds, because a person said so.

    Args:
        entries: The finalists.
        plan: As it is.
        seeds: For each, but for the ladder's other rates; nothing that was trained is taken back.
    """
    stay = [one.role != "constant" or (one.seeds or seeds) > rounds.SCREENING for one in entries]
    more = [
        replace(one, seeds=max(one.seeds or seeds, seeds)) if stays else one
        for one, stays in zip(entries, stay, strict=True)
    ]
    return more, replace(plan, seeds=seeds, done=False)


def next_round(entries: Sequence[Finalist], plan: Plan, evidence: Evidence) -> tuple[list[Finalist], Plan]:
    """What comes when all that was planned is there. It depends on nothing else, so that any process says the same.

    Args:
        entries: The finalists.
        plan: As it is.
        evidence: What they have come to.
    """
    if not evidence.uses_seeds:
        return list(entries), replace(plan, done=True)  # further ones would say the same
    found = {frozenset(one.params.items()): one for one in evidence.contenders}
    if not plan.screened:
        known = [found.get(one.key) for one in entries]
        values = [math.inf if one is None else _screening(one, evidence.sign) for one in known]
        return _screened(entries, plan, values, evidence.wanted_today)
    if plan.seeds is not None or not evidence.complete or _may_end(plan, evidence):
        return list(entries), replace(plan, done=True)
    return _looked(entries, plan, evidence)


def _may_end(plan: Plan, evidence: Evidence) -> bool:
    return len(plan.rounds) >= rounds.FIRST_LOOK and evidence.is_answered


def _first_seeds(finalist: Finalist, plan: Plan) -> int:
    """Where a person says how many seeds, only the ladder is screened."""
    return rounds.SCREENING if finalist.role == "constant" or plan.seeds is None else plan.seeds


def _screened(
    entries: Sequence[Finalist], plan: Plan, values: Sequence[float], today: Mapping[str, Any] | None
) -> tuple[list[Finalist], Plan]:
    """Extend the ladder as long as its last rate is the best; then choose who stays."""
    constants = [place for place, one in enumerate(entries) if one.is_constant]
    if constants and plan.ladder:
        best = entries[min(constants, key=lambda place: values[place])]
        alike = [place for place in constants if entries[place].options == best.options]
        tried = [entries[place].lr for place in alike]
        more = ladder.extension(tried, [values[place] for place in alike], plan.ladder)
        if more:
            further = [replace(constant_rate(rate, best.params), seeds=rounds.SCREENING) for rate in more]
            return [*entries, *further], plan
    staying = {constants[place] for place in rounds.best([values[place] for place in constants])}
    others = [place for place, one in enumerate(entries) if one.role != "constant"]
    if plan.seeds is not None:
        return _planned(entries, {*staying, *others}, plan.seeds), replace(plan, screened=True)
    keep = [number for number, place in enumerate(others) if entries[place].params == today]
    staying |= {others[number] for number in rounds.survivors([values[place] for place in others], keep)}
    # Who left in the screening has cost what it did; the budget is for everybody who could have stayed.
    left = plan.runs - rounds.SCREENING * len({*staying, *others})
    furthest = max(one.seeds or 0 for one in entries)
    wanted = max(rounds.next_seeds(rounds.SCREENING, len(staying), left, 0), furthest)
    done = plan.rounds if wanted in plan.rounds else (*plan.rounds, wanted)
    return _planned(entries, staying, wanted), replace(plan, screened=True, rounds=done)


def _looked(entries: Sequence[Finalist], plan: Plan, evidence: Evidence) -> tuple[list[Finalist], Plan]:
    """Let the worse half leave, and give the others more seeds, if there are any left to give."""
    complete = [frozenset(one.params.items()) for one in evidence.complete]
    asked = [frozenset(one.params.items()) for one in evidence.asked_about]
    means = [evidence.sign * one.mean for one in evidence.complete]
    stay = {complete[place] for place in rounds.survivors(means, [complete.index(key) for key in asked])}
    staying = {place for place, one in enumerate(entries) if one.key in stay}
    seeds = len(evidence.seeds)
    spent = sum(one.seeds or 0 for one in entries if one.role != "constant" or (one.seeds or 0) > rounds.SCREENING)
    wanted = rounds.next_seeds(seeds, len(staying), plan.runs - spent, len(plan.rounds))
    if wanted == seeds:
        return list(entries), replace(plan, done=True)
    return _planned(entries, staying, wanted), replace(plan, rounds=(*plan.rounds, wanted))


def _planned(entries: Sequence[Finalist], staying: Collection[int], seeds: int) -> list[Finalist]:
    return [
        replace(one, seeds=max(seeds, one.seeds or 0)) if place in staying else one for place, one in enumerate(entries)
    ]


def _screening(contender: Contender, sign: int) -> float:
    """What a contender came to on the first seeds; infinite if it diverged or failed there."""
    mean = float(np.mean(contender.values[: rounds.SCREENING])) * sign
    return mean if math.isfinite(mean) else math.inf
