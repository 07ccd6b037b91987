"""Rates beside the recommended one: which they are, and that their runs are nobody else's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution
from optuna.trial import FrozenTrial, create_trial

from lrsearch.study import finalist_table, flanks
from lrsearch.study.confirmed_runs import Confirmation, gather
from lrsearch.study.finalists import Finalist

SEEDS = [1000, 1001, 1002, 1003]
BEST: dict[str, Any] = {"lr": 0.1, "scheduler": "constant"}
TWICE: dict[str, Any] = {"lr": 0.2000001, "scheduler": "constant"}


def runs(params: dict[str, Any], values: Sequence[float]) -> list[FrozenTrial]:
    found = []
    for seed, value in zip(SEEDS, values, strict=False):
        named = {**params, "seed": seed}
        kinds = {name: CategoricalDistribution([own]) for name, own in named.items()}
        found.append(create_trial(value=value, params=named, distributions=kinds, intermediate_values={1: value}))
    return found


def confirmation(beside: Sequence[Finalist] = (), best: dict[str, Any] = BEST) -> Confirmation:
    """The best rate on all seeds, and a rate of the ladder that left after two, which a flank has on all."""
    entries = [Finalist(best, "search", 0, 5.0, 4), Finalist(TWICE, "constant", None, None, 2)]
    trials = [*runs(best, [5.0, 5.1, 5.2, 5.3]), *runs(TWICE, [6.0, 6.1, 6.0, 6.2][: 4 if beside else 2])]
    return Confirmation("holdout", 50, "", SEEDS, entries, None, trials, beside=beside)


def test_half_and_twice_on_the_seeds_of_the_recommended_rate() -> None:
    found = confirmation()
    without = Finalist({"scheduler": "constant"}, "search", 7, None, 2)  # another tool's trial may have no rate
    chosen = flanks.flanks([*found.finalists, without], gather(found), SEEDS)
    assert [(one.params["lr"], one.seeds, one.role) for one in chosen] == [
        (0.05, 4, "beside"),
        (0.2000001, 4, "beside"),
    ]
    wanted = flanks.runs(chosen, SEEDS)
    assert len(wanted) == 2 * 4 == flanks.cost(4)
    assert flanks.cost(None) == flanks.cost(500) == 2 * flanks.MOST_SEEDS
    assert flanks.joined(chosen, [Finalist(TWICE, "beside", None, None, 9)])[1].seeds == 9


def test_runs_of_a_flank_do_not_count_for_the_finalist_with_the_same_settings() -> None:
    plain = confirmation()
    more = confirmation([Finalist(TWICE, "beside", None, None, 4)])
    before, after = gather(plain), gather(more)
    assert str(after.contenders) == str(before.contenders)
    assert after.contenders[1].has_left
    assert after.beside[0].values.tolist() == [6.0, 6.1, 6.0, 6.2]
    assert finalist_table.rows(more, "mse") == finalist_table.rows(plain, "mse")


@pytest.mark.parametrize("lr", [0.0, math.inf, 1, "0.1"])
def test_settings_without_a_rate_that_can_be_halved_have_none(lr: Any) -> None:
    found = confirmation(best={"lr": lr, "scheduler": "constant"})
    assert flanks.flanks(found.finalists, gather(found), SEEDS) == []


def test_where_nothing_can_be_learned_nothing_is_trained() -> None:
    found = confirmation()
    nothing = gather(Confirmation(**{**vars(found), "prediction": {"name": "the mean", "value": 1.0}}))
    assert nothing.learned is False
    assert flanks.flanks(found.finalists, nothing, SEEDS) == []
    same = Confirmation(**{**vars(found), "trials": [*runs(BEST, [5.0] * 4), *runs(TWICE, [6.0] * 2)]})
    assert np.ptp(gather(same).contenders[0].values) == 0
    assert flanks.flanks(found.finalists, gather(same), SEEDS) == [], "seeds that change nothing tell nothing"


def test_a_contestant_with_another_optimizer_has_none_and_a_searched_optimizer_its_own() -> None:
    prodigy = {"optimizer": "prodigy", "lr": 1.0, "scheduler": "cosine"}
    won = confirmation(best=prodigy)
    entries = [Finalist(prodigy, "prodigy", None, None, 4), won.finalists[1]]
    won = Confirmation(**{**vars(won), "finalists": entries, "trials": won.trials})
    assert gather(won).recommended.has_other_optimizer
    assert flanks.flanks(won.finalists, gather(won), SEEDS) == []
    searched = confirmation(best={"optimizer": "adamw", "adamw.lr": 0.1, "scheduler": "constant"})
    found = flanks.flanks(searched.finalists, gather(searched), SEEDS)
    assert [one.params["adamw.lr"] for one in found] == [0.05, 0.2]
