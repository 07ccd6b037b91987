"""What short runs of known outcome lead to."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lrsearch.training.finding import Finding
from lrsearch.training.second_look import tried
from lrsearch.training.weighing import SMALLEST, Brief, errors_of, weigh

RAMP = Finding(1e-4, 10.0, 0.003, "low", "the loss begins to rise at 10", "steepest", "none")
RATES = tried(1e-4, 10.0)


def runs(*values: float | None, untrained: float = 10.0) -> list[Brief]:
    """Two seeds for each rate, with these means; None diverged on one of them."""
    pairs = [(value, value) if value is None else (0.9 * value, 1.1 * value) for value in values]
    return [
        Brief(lr, seed, value if seed or value is None else pair[0], untrained)
        for lr, pair in zip(RATES, pairs, strict=True)
        for seed, value in enumerate(pair)
    ]


def test_the_rates_lie_inside_the_range_at_equal_ratios() -> None:
    ratios = [later / earlier for earlier, later in pairwise(RATES)]
    assert ratios == pytest.approx([10.0] * 4, rel=0.05)
    assert RATES[0] == pytest.approx(1e-4 * math.sqrt(10), rel=0.05)
    assert RATES[-1] == pytest.approx(10 / math.sqrt(10), rel=0.05)


def test_the_best_rate_is_taken() -> None:
    weighed = weigh(RAMP, runs(8.0, 1.0, 1.05, 1.1, 1.3), maximise=False)
    assert weighed.finding.lr == RATES[1]
    assert (weighed.finding.low, weighed.finding.high, weighed.finding.why_high) == (1e-4, 10.0, RAMP.why_high)
    assert weighed.confidence == "high"
    assert "two rules agree" in weighed.worth
    assert "differ by up to 8.0x here" in weighed.worth


def test_rates_that_are_no_use_end_the_range() -> None:
    weighed = weigh(RAMP, runs(2.0, 1.5, 1.0, 3.0, 2.0), maximise=False)
    assert (weighed.finding.lr, weighed.finding.high) == (RATES[2], RATES[3])
    assert "more than 1.5x worse" in weighed.finding.why_high
    assert weighed.confidence == "medium"  # the ramp falls fastest at a rate ten times lower


def test_a_bad_rate_with_a_good_one_above_it_does_not_end_the_range() -> None:
    assert weigh(RAMP, runs(2.0, 1.5, 1.0, 3.0, 1.2), maximise=False).finding.high == 10.0


def test_one_seed_that_diverges_is_enough() -> None:
    weighed = weigh(RAMP, runs(2.0, 1.5, 1.0, None, None), maximise=False)
    assert weighed.finding.high == RATES[3]
    assert "diverge" in weighed.finding.why_high
    assert "2 of 5 diverge" in weighed.worth
    half = [Brief(run.lr, run.seed, None if (run.lr, run.seed) == (RATES[2], 1) else run.value, 10.0)
            for run in runs(2.0, 1.5, 1.0, 1.5, 1.5)]  # fmt: skip
    assert weigh(RAMP, half, maximise=False).finding.lr == RATES[1]


@pytest.mark.parametrize("values", [(10.0,) * 5, (11.0, 20.0, None, None, None), (None,) * 5])
def test_where_no_run_learned_anything_the_ramps_rate_stays_and_is_called_a_starting_point(
    values: tuple[float | None, ...],
) -> None:
    weighed = weigh(RAMP, runs(*values), maximise=False)
    assert weighed.finding == RAMP
    assert weighed.confidence == "low"
    assert weighed.worth.startswith("a starting point")


def test_without_a_second_look_or_a_rate_it_is_said() -> None:
    assert weigh(RAMP, [], maximise=False).confidence == "low"
    nothing = Finding(None, None, None, "", "", "", "")
    assert weigh(nothing, [], maximise=False).confidence is None


def test_nearly_nothing_is_not_told_from_nothing() -> None:
    """A loss that goes to 0 at every rate differs by powers of ten that mean nothing."""
    weighed = weigh(RAMP, runs(2.0, 1e-5, 1e-12, 1e-9, 1e-5), maximise=False)
    assert weighed.finding.high == RAMP.high
    assert "up to 2000x" in weighed.worth


def test_scores_are_judged_by_what_they_lack() -> None:
    """An accuracy of .70 is no use beside .99, though it is only 1.4 times smaller."""
    scores = [Brief(lr, 0, score, 0.1) for lr, score in zip(RATES, (0.5, 0.9, 0.99, 0.988, 0.7), strict=True)]
    weighed = weigh(RAMP, scores, maximise=True)
    assert (weighed.finding.lr, weighed.finding.high) == (RATES[2], RATES[4])


@example(values=[1.0, 1.0, 1.0, 1.0, 0.46], untrained=0.46, maximise=False)
@example(values=[0.0, 0.0, 0.0, 0.0, -5e-324], untrained=0.0, maximise=False)
@example(values=[0.0, 0.0, 0.0, 0.0, 1e-307], untrained=0.0, maximise=True)
@given(
    st.lists(st.floats(-1e3, 1e3), min_size=5, max_size=5),
    st.floats(-1e3, 1e3),
    st.booleans(),
)
def test_errors_order_rates_as_the_metric_does(values: list[float], untrained: float, maximise: bool) -> None:
    """Whatever the metric's sign and direction; the suggested rate is inside what remains of the range."""
    made = [Brief(lr, 0, value, untrained) for lr, value in zip(RATES, values, strict=True)]
    rates, errors = errors_of(made, maximise=maximise)
    assert tuple(rates) == RATES
    sign = -1 if maximise else 1
    if min(sign * value for value in values) >= sign * untrained - max(1e-9 * abs(untrained), SMALLEST):
        assert all(map(math.isinf, errors))
        return
    assert (errors >= 0).all()
    for one, value in zip(errors, values, strict=True):
        for other, rival in zip(errors, values, strict=True):
            assert sign * value > sign * rival or one <= other
    finding = weigh(RAMP, made, maximise=maximise).finding
    assert finding.low is not None
    assert finding.lr is not None
    assert finding.high is not None
    assert finding.low < finding.lr < finding.high
