"""What `pruning_rules.py` says of a rule is what the rule does, and ours spares late winners."""

from __future__ import annotations

import numpy as np
import pytest
from pruning_banks import Curves
from pruning_rules import ALONE, RULES, replay, replay_one_by_one, replays

EPOCHS = 160


@pytest.fixture(scope="module")
def late() -> Curves:
    """Sixteen rates of two types: the smaller the rate, the slower it falls, and the lower it ends."""
    rates = np.tile(np.logspace(-3, 0, 16), 2)
    types = np.repeat(["constant", "linear"], 16)
    epochs = np.arange(1, EPOCHS + 1)
    fall = np.exp(-np.outer(30 * rates, epochs / EPOCHS))
    return Curves(types, rates, 0.1 + rates[:, None] ** 0.3 * (1 - fall) + 2 * fall)


def test_without_a_rule_nothing_is_lost_or_saved(late: Curves) -> None:
    assert replay(late, None) == (0.0, 1.0)


def test_late_winners_go_on(late: Curves) -> None:
    """Halving loses the best rates, in fewer epochs."""
    ours, halving = (replays(late, RULES[name], 1, 64) for name in (list(RULES)[-1], "halving, its default"))
    assert ours[0] < 0.01 < halving[0]
    assert halving[1] < ours[1] < 0.55


def test_epochs_are_counted_until_a_trial_ends_or_diverges() -> None:
    test = np.array([[5.0 - number] * 8 for number in range(4)] + [[9.0] * 2 + [np.inf] * 6])
    curves = Curves(np.array(["constant"] * 5), np.full(5, 0.1), test)
    regret, epochs = replay(curves, RULES["halving, one rung at half"](8))
    assert regret == 0.0
    assert epochs == (4 * 4 + 4 + 2) / (4 * 8 + 2)


def test_one_by_one_the_first_ones_are_compared_with_all_types(late: Curves) -> None:
    """Of two types with sixteen trials each; nothing is lost by it, in an order that says nothing."""
    drawn = late.of(np.random.default_rng(0).permutation(32))
    assert replay_one_by_one(drawn, None) == (0.0, 1.0)
    names = list(ALONE)[-1], "three of each type go on"
    ours, free = (replay_one_by_one(drawn, ALONE[name](EPOCHS)) for name in names)
    assert ours[0] <= free[0] + 0.01
    assert ours[1] < free[1] < 0.75


def test_one_by_one_an_order_that_gets_better_trains_hardly_more(late: Curves) -> None:
    """As a sampler's does, with chance in it: the rule looks at who has gone on."""
    rank = np.argsort(np.argsort(-late.test[:, -1]))
    chance = [late.of(np.argsort(rank + np.random.default_rng(seed).normal(0, 12, 32))) for seed in range(20)]
    whole, ours = (
        np.mean([replay_one_by_one(drawn, ALONE[name](EPOCHS)) for drawn in chance], axis=0)
        for name in ("the share, however many have gone on", list(ALONE)[-1])
    )
    assert ours[0] < 0.01
    assert ours[1] < whole[1] - 0.1
