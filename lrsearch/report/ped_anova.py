"""How much a parameter separates the best tenth of the trials from all of them: PED-ANOVA.

Source: Watanabe, Bansal and Hutter, "PED-ANOVA: Efficiently Quantifying Hyperparameter Importance in Arbitrary
Subspaces" (2023), with the conventions of Optuna's evaluator. That one says the same (a test compares them), but
importing it brings scikit-learn and scipy.stats, more than a second, and it wants a study with a copy of every trial.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]

BEST = 0.1
"""Share of the trials that count as the best."""
CELLS = 50
"""Parts of a range, at most."""
TINY = 1e-12
"""Density where nobody was: ratios stay finite."""
PRIOR = 1.0
"""Weight of the kernel that covers the whole range; each trial has 1."""
NARROWEST = 0.5 / 1.64
"""Of a kernel, in cells: nine tenths of it lie within its cell."""


def divergence(values: Sequence[Any], kind: BaseDistribution, best: NDArray[np.bool_]) -> float:
    """Pearson divergence of the best trials' density from that of all: ``sum p_all * (p_best / p_all - 1)^2``.

    Args:
        values: Of one parameter, of each trial.
        kind: What they were drawn from.
        best: Which trials are the best; [trials].

    Raises:
        ValueError: The distribution does not have one of the values.
    """
    places, cells = _places(values, kind)
    ordered = not isinstance(kind, CategoricalDistribution)
    of_best, of_all = (
        _density(np.bincount(own, minlength=cells), ordered=ordered) + TINY for own in (places[best], places)
    )
    return float(of_all @ (of_best / of_all - 1) ** 2)


def are_best(losses: Numbers) -> NDArray[np.bool_]:
    """Which trials are the best, those that equal the last of them included.

    Args:
        losses: Of each trial; smaller is better; [trials].
    """
    last = math.ceil(BEST * len(losses)) - 1
    are: NDArray[np.bool_] = losses <= np.partition(losses, last)[last]
    return are


def _places(values: Sequence[Any], kind: BaseDistribution) -> tuple[Places, int]:
    """The cell in which each value lies, and the number of cells."""
    if isinstance(kind, CategoricalDistribution):
        return np.array([int(kind.to_internal_repr(value)) for value in values]), len(kind.choices)
    assert isinstance(kind, (FloatDistribution, IntDistribution))
    numbers, low, high = np.array(values, dtype=np.float64), float(kind.low), float(kind.high)
    if not ((numbers >= low) & (numbers <= high)).all():
        raise ValueError(f"a value lies outside of {kind}")
    cells = CELLS
    if isinstance(kind, IntDistribution) and kind.log:
        cells = min(math.ceil(math.log2(high - low + 1)) + 1, cells)
    elif kind.step is not None:
        cells = min(round((high - low) / kind.step) + 1, cells)
    if kind.log:
        numbers, low, high = np.log(numbers), math.log(low), math.log(high)
    places = np.ceil((numbers - low) / ((high - low) / (cells - 1)) - 0.5).astype(np.int64)
    return places.clip(0, cells - 1), cells


def _density(counts: Places, *, ordered: bool) -> Numbers:
    """A kernel for each cell in which there is a trial, and a wide one; [cells]."""
    seen = np.flatnonzero(counts)
    weights = np.append(counts[seen], PRIOR) / (counts.sum() + PRIOR)
    kernels = _normal_kernels(seen, counts) if ordered else _choice_kernels(seen, len(counts))
    density: Numbers = weights @ kernels
    return density


def _choice_kernels(seen: Places, choices: int) -> Numbers:
    """All of a choice's weight on itself, but for a little that all share; [kernels, choices]."""
    kernels = np.full((len(seen) + 1, choices), PRIOR / (len(seen) + 1))
    kernels[np.arange(len(seen)), seen] += 1
    shared: Numbers = kernels / kernels.sum(axis=1, keepdims=True)
    return shared


def _normal_kernels(seen: Places, counts: Places) -> Numbers:
    """Normal ones, as wide as Scott's rule says, cut off at the ends of the range; [kernels, cells]."""
    cells = len(counts)
    centres = np.append(seen, (cells - 1) / 2)
    widths = np.append(np.full(len(seen), max(_scotts_width(seen, counts[seen]), NARROWEST)), float(cells))
    edges = np.arange(cells + 1) - 0.5
    below = _normal((edges - centres[:, None]) / (widths[:, None] * math.sqrt(2)))
    kernels: Numbers = np.diff(below, axis=1) / (below[:, -1:] - below[:, :1])
    return kernels


def _normal(numbers: Numbers) -> Numbers:
    """``(1 + erf(x)) / 2``; a few thousand of them are there sooner than scipy is imported."""
    return np.array([0.5 + 0.5 * math.erf(number) for number in numbers.flat]).reshape(numbers.shape)


def _scotts_width(seen: Places, weights: Places) -> float:
    """Scott's rule (1992) for a sample that has every place so many times: from its spread and its quartiles."""
    total, until = int(weights.sum()), np.cumsum(weights)
    mean = seen @ weights / total
    spread = math.sqrt((seen - mean) ** 2 @ weights / max(1, total - 1))
    first = int(np.searchsorted(until, total // 4, side="left"))
    third = min(int(np.searchsorted(until, total * 3 // 4, side="right")), len(seen) - 1)
    return float(1.059 * min((seen[third] - seen[first]) / 1.34, spread) * total**-0.2)
