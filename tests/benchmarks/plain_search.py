"""The peer of `equal_time.py`: TPE, MedianPruner and one seed, as a user of Optuna and PyTorch writes it.

    python tests/benchmarks/plain_search.py [--task polynomial] [--epochs 6000] [--seed 0] [--training-seed 24]

Trains as `plain_script.py` does, with a study in memory, because nothing is faster. It stops after the trial in which
the epochs of all trials reach --epochs. Prints JSON: `params`, the study's best ones, and what the search used, imports
and data not counted: `cpu` and `wall` (seconds), `epochs`, `trials`, `complete` and `value`, the best one.
"""

from __future__ import annotations

import argparse
import json
import time

import optuna
import torch
from plain_script import train
from torch.utils.data import TensorDataset

from lrsearch import registry
from lrsearch.tasks.task import Task


class EpochLimit:
    """Ends a study when its trials have trained so many epochs together."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.trained = 0

    def __call__(self, study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        self.trained += len(trial.intermediate_values)
        if self.trained >= self.most:
            study.stop()


def search(task: Task, seed: int, training_seed: int, limit: EpochLimit) -> optuna.Study:
    """A finished study."""
    train_data, test_data = TensorDataset(*task.train), TensorDataset(*task.test)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed), pruner=optuna.pruners.MedianPruner())
    study.optimize(
        lambda trial: train(trial, train_data, test_data, make=task.model, loss=task.loss_function, seed=training_seed),
        callbacks=[limit],
    )
    return study


def main() -> None:
    """Run a search."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--task", default="polynomial")
    options.add_argument("--epochs", type=int, default=6000)
    options.add_argument("--seed", type=int, default=0, help="of the sampler")
    options.add_argument("--training-seed", type=int, default=24, help="of initial weights and data order")
    given = options.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    torch.set_num_threads(1)  # networks of this size train fastest so, and the peer shall be as good as it can be
    task: Task = registry.tasks.get(given.task).build({})
    limit = EpochLimit(given.epochs)
    cpu, wall = time.process_time(), time.perf_counter()
    study = search(task, given.seed, given.training_seed, limit)
    used = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall, "epochs": limit.trained}
    complete = len(study.get_trials(states=(optuna.trial.TrialState.COMPLETE,)))
    outcome = {"params": study.best_params, "value": study.best_value, "trials": len(study.trials)}
    print(json.dumps({**outcome, "complete": complete, **used}))


if __name__ == "__main__":
    main()
