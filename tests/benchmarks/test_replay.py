"""The searches that `tests/benchmarks/equal_epochs.py` replays are the ones that it speaks of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import optuna
import pytest
from curve_bank import Bank, ReplayEngine
from equal_epochs import SAMPLERS, Confirmation, lrsearch, median_prunes, plain, plain_searches
from optuna.trial import TrialState

from lrsearch.training.batched import BatchedEngine
from lrsearch.training.engine import Lane

SEED = 24


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    made = Bank("polynomial", tmp_path_factory.mktemp("bank") / "bank.npz", 24)
    made.need((number, SEED) for number in range(24))
    return made


@pytest.mark.filterwarnings("ignore:All-NaN slice encountered")  # from inside MedianPruner
def test_trials_end_where_optunas_median_pruner_ends_them() -> None:
    """The rule over whole curves is Optuna's, asked after every epoch; values that are no numbers among them."""
    rng = np.random.default_rng(0)
    study = optuna.create_study(pruner=optuna.pruners.MedianPruner())
    complete = []
    for _ in range(60):
        curve = rng.normal(size=12) - 0.2 * np.arange(12)
        curve[rng.random(12) < 0.1] = np.nan
        trial, pruned_at = study.ask(), None
        for epoch, value in enumerate(curve, start=1):
            trial.report(value, epoch)
            if trial.should_prune():
                pruned_at = epoch
                break
        assert median_prunes(curve, complete) == pruned_at
        if pruned_at or np.isnan(curve[-1]):
            study.tell(trial, state=TrialState.PRUNED if pruned_at else TrialState.FAIL)
        else:
            study.tell(trial, curve[-1])
            complete.append(curve)
    assert 5 < len(complete) < 55


def test_what_is_replayed_was_trained(bank: Bank) -> None:
    """Settings of the bank get their own curve back, as the batched engine trains it, and are not given twice."""
    lanes = [Lane(own.lr, own.schedule, SEED) for own in bank.settings]
    engine = ReplayEngine(bank)
    replayed = list(engine.train(bank.task, lanes, bank.definition.training))
    trained = list(BatchedEngine().train(bank.task, lanes, bank.definition.training))
    assert [engine.number_of(own) for own in bank.settings] == list(range(24))
    for own, other in zip(replayed, trained, strict=True):
        assert own.lanes == other.lanes
        np.testing.assert_allclose(own.test_metric, other.test_metric, rtol=1e-3)
    assert engine.epochs == sum(len(records.lanes) for records in trained[1:])


def test_a_bank_is_kept(bank: Bank, tmp_path: Path) -> None:
    """What was written is read again, and a file of another bank is not taken for this one."""
    bank.save()
    again = Bank("polynomial", bank.file, 24)
    np.testing.assert_allclose(again[3, SEED].test, bank[3, SEED].test, rtol=1e-6)
    with pytest.raises(SystemExit, match="other settings"):
        Bank("polynomial", bank.file, 25)
    assert not list(tmp_path.iterdir())


def test_a_replayed_search_takes_a_setting_of_the_bank(bank: Bank) -> None:
    """Epochs of the search and of its confirmation are counted."""
    (found,) = lrsearch(bank, [(0, SEED)], 16, Confirmation(2, 2))
    assert 0 <= found.number < 24
    most = 16 + 2 * 24  # the ladder of constant rates is trained on two seeds
    assert 16 * 5 + 2 * 2 * 60 <= found.epochs < most * 60


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_replayed_plain_script_takes_its_best_complete_trial(bank: Bank, sampler: str) -> None:
    """Until five trials are complete none is pruned: then it is the best of them."""
    found, other = plain_searches(bank, sampler, [(0, SEED), (1, SEED)], 5 * 60)
    again = SAMPLERS[sampler](bank, 0)
    best = {}
    for _ in range(5):
        number = again.ask()
        curve = bank[number, SEED].test[1:]
        again.tell(curve, pruned=False)
        best[number] = curve[-1]
    assert found.epochs == 300
    assert found.number == min(best, key=best.__getitem__)
    assert other == plain(bank, sampler, 1, SEED, 5 * 60)
