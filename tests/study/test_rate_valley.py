"""How wrong a rate may be: rates beside the recommended one are compared with it, and change nothing else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrsearch.study.contender import Contender
from lrsearch.study.evidence import Evidence
from lrsearch.study.rate_valley import RateValley, Standing, rate_valley
from lrsearch.study.snippet import Steps

LR = 0.1


def contender(
    lr: float, values: Sequence[float], role: str = "beside", lost: int = 0, name: str = "cosine"
) -> Contender:
    known = np.array(values, dtype=float)
    return Contender(
        {"lr": lr, "scheduler": name}, role, None, None, known, known, lost, 0, Steps(), known[:, None], len(known)
    )  # fmt: skip


def evidence(beside: Sequence[Contender], *more: Contender, seeds: int = 6, maximise: bool = False) -> Evidence:
    """The recommended rate comes to 10, give or take a little that all rates of a seed share."""
    chosen = contender(LR, shared(seeds), "search")
    return Evidence("holdout", 100, "", list(range(seeds)), [chosen, *more], maximise, margin=0.5, beside=beside)


def shared(seeds: int = 6, more: float = 0.0, noise: float = 0.0) -> list[float]:
    return [10 + more + 0.3 * (-1) ** seed + noise * np.cos(3.0 * seed) for seed in range(seeds)]


def test_the_range_ends_before_the_first_rate_that_is_not_shown_to_be_within() -> None:
    rates = {
        LR / 4: shared(more=0.1, noise=0.05),
        LR / 2: shared(more=0.2, noise=4.0),
        LR * 2: shared(more=0.2, noise=0.05),
        LR * 4: shared(more=0.3, noise=0.05),
        LR * 8: shared(more=3.0, noise=0.05),
    }
    found = rate_valley(evidence([contender(lr, values) for lr, values in rates.items()]))
    assert found is not None
    assert [one.standing for one in found.rates] == [
        Standing.WITHIN, Standing.OPEN, Standing.WITHIN, Standing.WITHIN, Standing.OUTSIDE
    ]  # fmt: skip
    assert (found.low, found.high) == (LR, LR * 4), "a rate that is not decided is not jumped over"
    twice = found.beside(2.0)
    assert twice is not None
    assert twice.difference == pytest.approx(0.2, abs=0.05)
    assert found.beside(3.0) is None
    assert RateValley.of(json.loads(json.dumps(asdict(found)))) == found


@pytest.mark.parametrize("maximise", [False, True])
def test_worse_is_positive_in_either_direction(maximise: bool) -> None:
    sign = -1 if maximise else 1
    found = rate_valley(evidence([contender(LR * 2, shared(more=sign * 2.0, noise=0.01))], maximise=maximise))
    assert found is not None
    assert found.rates[0].standing is Standing.OUTSIDE
    assert found.rates[0].difference == pytest.approx(2.0, abs=0.02)


def test_a_rate_that_diverged_is_lost_and_ends_the_range() -> None:
    lost = contender(LR * 2, [np.nan, *shared(5)], lost=1)
    found = rate_valley(evidence([lost, contender(LR * 4, shared())]))
    assert found is not None
    assert [(one.standing, one.lost) for one in found.rates] == [(Standing.LOST, 1), (Standing.WITHIN, 0)]
    assert found.high == LR


def test_only_rates_of_the_same_settings_count_and_each_once() -> None:
    """A finalist may have a rate of the ladder, too; other types say nothing about this one."""
    few = contender(LR * 2, [*shared(2, more=0.1), *[np.nan] * 4], "constant")
    others = contender(LR / 2, shared(), "search", name="linear")
    found = rate_valley(evidence([contender(LR * 2, shared(more=0.1, noise=0.01))], few, others))
    assert found is not None
    assert [(one.lr, one.seeds) for one in found.rates] == [(LR * 2, 6)]
    assert rate_valley(evidence([], few)) is None, "without runs of its own a study shows what it always did"


@given(st.lists(st.floats(-1, 1), min_size=6, max_size=6), st.integers(2, 6))
def test_fewer_seeds_never_make_a_rate_count_that_its_interval_does_not_show(noise: list[float], seeds: int) -> None:
    values = [*(value + own for value, own in zip(shared(), noise, strict=True))][:seeds]
    found = rate_valley(evidence([contender(LR * 2, [*values, *[np.nan] * (6 - seeds)])]))
    assert found is not None
    one = found.rates[0]
    assert one.seeds == seeds
    assert one.interval is not None
    assert (found.high > LR) == (one.interval[1] <= found.margin)


def test_flanks_change_nothing_about_the_answer() -> None:
    plain, with_flanks = evidence([]), evidence([contender(LR * 2, shared(more=-5.0))])
    assert with_flanks.recommended.params == plain.recommended.params
    assert with_flanks.expected == plain.expected
    assert with_flanks.missing == plain.missing == 0
