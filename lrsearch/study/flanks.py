"""Rates beside the recommended one that a confirmation trains, too: half and twice of it, to say how wrong it may be.

They are no finalists. Which settings are recommended, on how many seeds that rests, and all intervals are the same with
and without them: they are trained when the question is answered, and only `rate_valley` looks at them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from lrsearch.sampling.space import SEED
from lrsearch.study.evidence import Evidence
from lrsearch.study.finalists import SAME_RATE, Finalist
from lrsearch.study_file.axes import short

FACTORS = (0.5, 2.0)
"""The rates beside the recommended one, as its multiples."""
MOST_SEEDS = 10
"""Seeds of each at most: they tell what half of the rate costs, and need not decide which settings are best."""


def flanks(entries: Sequence[Finalist], evidence: Evidence, seeds: Sequence[int]) -> list[Finalist]:
    """What is trained beside the finalists of a confirmation whose question is answered.

    Args:
        entries: The finalists.
        evidence: What they have come to.
        seeds: The fresh seeds; flanks have the first of those that the recommended settings have.

    Returns:
        The recommended settings with other rates; nothing where they have no rate or another optimizer than the
        study's, or nothing was learned. A rate that a finalist of the same kind has already is that finalist's, so that
        its runs count.
    """
    if not evidence.complete or not evidence.uses_seeds or evidence.learned is False:
        return []
    if evidence.recommended.has_other_optimizer:
        return []
    chosen = evidence.recommended.params
    name = evidence.rate_name(chosen)
    lr = chosen.get(name)
    if not isinstance(lr, float) or not math.isfinite(lr) or lr <= 0:
        return []
    known = rates_alike(entries, chosen, name)
    number = min(len(evidence.recommended.known), len(seeds), MOST_SEEDS)
    found = []
    for factor in FACTORS:
        wanted = short(lr * factor)
        rate = next((own for own in known if abs(own / wanted - 1) < SAME_RATE), wanted)
        found.append(Finalist({**chosen, name: rate}, "beside", None, None, number))
    return found


def joined(before: Sequence[Finalist], new: Sequence[Finalist]) -> list[Finalist]:
    """Flanks of now and of earlier, when fewer seeds were there or other settings were recommended.

    Args:
        before: As they are stored.
        new: As they are wanted now.
    """
    return list({one.key: one for one in (*before, *new)}.values())


def runs(beside: Sequence[Finalist], seeds: Sequence[int]) -> list[dict[str, object]]:
    """The parameters of each of their trainings.

    Args:
        beside: The flanks.
        seeds: The fresh seeds.
    """
    return [{**one.params, SEED: seed} for one in beside for seed in seeds[: one.seeds]]


def cost(seeds: int | None) -> int:
    """Trainings that they take at most.

    Args:
        seeds: Of the confirmation, where it is settled beforehand on how many it is.
    """
    return len(FACTORS) * min(seeds or MOST_SEEDS, MOST_SEEDS)


def rates_alike(entries: Sequence[Finalist], chosen: Mapping[str, Any], rate: str) -> list[float]:
    """The rates of those finalists that differ from some settings in nothing else.

    Args:
        entries: The finalists; one of a study of another tool may have no rate.
        chosen: The settings, by Optuna's names.
        rate: The name of the rate; see `Evidence.rate_name`.
    """
    own = without_rate(chosen, rate)
    return [one.params[rate] for one in entries if rate in one.params and without_rate(one.params, rate) == own]


def without_rate(params: Mapping[str, object], rate: str) -> dict[str, object]:
    """All settings but the initial learning rate.

    Args:
        params: By Optuna's names.
        rate: The name of the rate; see `Evidence.rate_name`.
    """
    return {name: value for name, value in params.items() if name != rate}
