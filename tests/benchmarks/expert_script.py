"""The second peer of `end_to_end.py`: what an expert writes who has seen where the plain script loses its time.

    python tests/benchmarks/expert_script.py --storage sqlite:///expert.db --trials 20

Networks, data, families and epochs are those of `plain_script.py`. Batches are rows of a tensor, taken by a random
order, without a DataLoader; trials are asked and told in memory, and one `add_trials` stores them all. Prints the
seconds that the search took, without imports, by the clock and of CPU.
"""

from __future__ import annotations

import time

import optuna
import torch
from plain_script import (
    BATCH_SIZE,
    EPOCHS,
    SEED,
    begun,
    evaluate,
    make_data,
    make_model,
    make_scheduler,
    step_after_epoch,
)
from torch import nn
from torch.optim.lr_scheduler import CyclicLR
from torch.utils.data import TensorDataset


def train(trial: optuna.Trial, train_data: TensorDataset, test_data: TensorDataset) -> float:
    """Train one network, and report its loss on the test rows after every epoch."""
    torch.manual_seed(SEED)
    model, loss = make_model(), nn.functional.mse_loss
    features, labels = train_data.tensors
    lr = trial.suggest_float("lr", 1e-4, 0.3, log=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    scheduler = make_scheduler(trial, optimizer, lr, -(-len(features) // BATCH_SIZE))
    train_curve = []
    test_loss = float("nan")
    for epoch in range(1, EPOCHS + 1):
        model.train()
        for rows in torch.randperm(len(features)).split(BATCH_SIZE):
            optimizer.zero_grad()
            loss(model(features[rows]), labels[rows]).backward()
            optimizer.step()
            if isinstance(scheduler, CyclicLR):
                scheduler.step()
        train_curve.append(evaluate(model, train_data, loss))
        test_loss = evaluate(model, test_data, loss)
        trial.report(test_loss, epoch)
        step_after_epoch(scheduler, test_loss)
    trial.set_user_attr("train_curve", train_curve)
    return test_loss


def main() -> None:
    """Run a search."""
    given = begun(__doc__)
    train_data, test_data = make_data()
    began, cpu = time.perf_counter(), time.process_time()
    study = optuna.create_study(pruner=optuna.pruners.NopPruner())
    study.optimize(lambda trial: train(trial, train_data, test_data), n_trials=given.trials)
    stored = optuna.create_study(storage=given.storage, study_name=given.study, load_if_exists=True)
    stored.add_trials(study.trials)
    print(time.perf_counter() - began, time.process_time() - cpu)


if __name__ == "__main__":
    main()
