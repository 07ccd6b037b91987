"""What does pruning cost a search by TPE, and what should the sampler be told of a pruned trial? By replay.

    python tests/benchmarks/pruned_searches.py --banks FOLDER [--study "polynomial 480" ...] [--searches 16]
        [--trials 128] [--ways none halving ...] [--one-by-one]

lrsearch's own runner, sampler and pruner search a bank of `pruning_banks.py`, with an engine that replays, on one seed.
A batch is taken to cost what its lanes cost, so that the rule alone decides who goes on. Regret is the mean of the best
value after the last epoch, against that without pruning and with the same sampler seeds, as a share; the error is that
of the paired differences. Prints a markdown table.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np
import optuna
import pruning_banks
import torch
from curve_bank import Bank, ReplayEngine
from optuna.trial import TrialState
from pruning_banks import SEED, STUDIES

from lrsearch.pruning import lane_cost
from lrsearch.pruning.extrapolation import StratifiedExtrapolation
from lrsearch.sampling import tpe
from lrsearch.sampling.space import settings_from
from lrsearch.search.runner import Runner
from lrsearch.signals import Interruption
from lrsearch.storage.past_trials import PastTrial
from lrsearch.storage.rdb import open_storage
from lrsearch.study import ranking
from lrsearch.study import stored as studies

WAYS = {
    "none": ("none", "as it is"),
    "halving": ("halving", "as it is"),
    "ours": ("extrapolation", "as it is"),
    "ours, predicted end": ("extrapolation", "predicted"),
    "ours, nothing": ("extrapolation", "nothing"),
}
"""Name -> pruner, and what the sampler is told of a pruned trial."""


class OneByOne(ReplayEngine):
    """Each trial is trained by itself, and told before the next one is asked for."""

    name = "sequential"
    together = one_pass = False


def search(
    bank: Bank, study: str, way: str, seed: int, trials: int, kind: type[ReplayEngine] = ReplayEngine
) -> tuple[float, float]:
    """The best value of one search, and its epochs as a share of all.

    Args:
        bank: Its curves.
        study: A name of `STUDIES`.
        way: A name of `WAYS`.
        seed: Of the sampler.
        trials: How many.
        kind: How they are trained.
    """
    pruner, told = WAYS[way]
    definition = pruning_banks.definition_of(study, trials, seed, {"name": pruner})
    stored = studies.create(open_storage("sqlite://"), definition, bank.task.metric_name)
    engine = kind(bank)
    with _told(told, engine), mock.patch.object(lane_cost, "reckoned", return_value=lane_cost.ONE_BY_ONE):
        list(Runner(stored, bank.task, engine, Interruption()).events())
    best = ranking.ranked(stored.trials(), {}, maximise=False)[0]
    assert best.value is not None
    return best.value, engine.epochs / (trials * definition.training.epochs)


@contextmanager
def _told(what: str, engine: ReplayEngine) -> Iterator[None]:
    """Let the sampler see pruned trials in another way."""
    learn, rank = tpe.ParzenEstimator.learn, tpe.rank

    def only_complete(self: tpe.ParzenEstimator, told: Sequence[PastTrial]) -> None:
        learn(self, [trial for trial in told if trial.state == TrialState.COMPLETE])

    def by_predicted_end(trial: PastTrial) -> tuple[float, ...]:
        if trial.last is None or trial.state != TrialState.PRUNED:
            return rank(trial)
        curve = engine.bank[engine.number_of(settings_from(trial.params)), SEED].test
        rung = trial.last[0]
        pruner = StratifiedExtrapolation([rung], 0.5)
        end, _ = pruner.judged(rung, {epoch: float(curve[epoch]) for epoch in pruner.looks(rung)})
        return (0, end, 0.0, trial.number)

    if what == "nothing":
        with mock.patch.object(tpe.ParzenEstimator, "learn", only_complete):
            yield
    elif what == "predicted":
        with mock.patch.object(tpe, "rank", by_predicted_end):
            yield
    else:
        yield


def main() -> None:
    """Print a markdown table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--banks", type=Path, required=True, help="where banks are kept")
    options.add_argument("--study", nargs="+", choices=tuple(STUDIES), default=list(STUDIES))
    options.add_argument("--searches", type=int, default=16)
    options.add_argument("--trials", type=int, default=128)
    options.add_argument("--ways", nargs="+", choices=tuple(WAYS), default=list(WAYS))
    options.add_argument("--one-by-one", action="store_true", help="each trial is trained by itself")
    given = options.parse_args()
    kind = OneByOne if given.one_by_one else ReplayEngine
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    torch.set_num_threads(1)
    print("| study | way | best value, mean | regret | epochs |\n|---|---|---:|---:|---:|")
    for study in given.study:
        bank = pruning_banks.bank(study, given.banks)
        whole: np.ndarray = np.empty(0)
        for way in given.ways:
            found = [search(bank, study, way, seed, given.trials, kind) for seed in range(given.searches)]
            values, epochs = (np.array(part) for part in zip(*found, strict=True))
            whole = values if way == given.ways[0] else whole
            error = (values - whole).std(ddof=1) / math.sqrt(len(values)) / whole.mean()
            regret = f"{100 * (values.mean() / whole.mean() - 1):.2f} ± {100 * error:.2f} %"
            print(f"| {study} | {way} | {values.mean():.4g} | {regret} | {epochs.mean():.2f} |", flush=True)


if __name__ == "__main__":
    main()
