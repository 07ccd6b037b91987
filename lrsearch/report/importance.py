"""Which parameters separate the best settings from the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from optuna.distributions import FloatDistribution

from lrsearch.report import ped_anova
from lrsearch.sampling.space import Space, rate_name, rate_of
from lrsearch.study_file.searched_options import LR

LEAST_TRIALS = 20
"""Fewer trials say nothing: the best tenth of them is one or two."""


def importance(params: Sequence[Mapping[str, Any]], values: Sequence[float], space: Space) -> dict[str, float]:
    """The share that each parameter has in being among the best tenth, for the parameters that all trials have.

    The rate is one of these, where each optimizer has a range of its own; parameters that only trials of one optimizer
    or scheduler type have are left out.

    By PED-ANOVA, see `ped_anova`. fANOVA took four minutes for 10,000 trials.

    Args:
        params: Optuna parameters of trials that were trained to the end.
        values: What each came to, finite; smaller is better.
        space: What was searched.

    Returns:
        Parameter -> share, largest first; empty if there are fewer than `LEAST_TRIALS`, or nothing varies.
    """
    if len(values) < LEAST_TRIALS:
        return {}
    kinds = space.all_distributions()
    if space.options.optimizers:  # every trial has a rate, whatever its parameter is called
        rates = [float(rate_of(own)) for own in params]
        kinds[LR] = FloatDistribution(min(rates), max(rates), log=True)
        names = [rate_name(own) for own in params]
        params = [
            {LR: rate, **{key: value for key, value in own.items() if key != name}}
            for rate, name, own in zip(rates, names, params, strict=True)
        ]
    common = [name for name in params[0] if all(name in own for own in params)]
    varied = [name for name in common if len({own[name] for own in params}) > 1]
    if not varied or len(set(values)) < 2:
        return {}
    best = ped_anova.are_best(np.array(values, dtype=np.float64))
    shares = {name: ped_anova.divergence([own[name] for own in params], kinds[name], best) for name in varied}
    total = sum(shares.values())
    largest_first = sorted(shares.items(), key=lambda share: share[1], reverse=True)
    return {name: share / total for name, share in largest_first} if total > 0 else {}
