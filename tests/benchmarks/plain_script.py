"""The peer of `end_to_end.py`: the seed workload as a user of Optuna and PyTorch writes it, without lrsearch.

    python tests/benchmarks/plain_script.py --storage sqlite:///plain.db --trials 20

Prints the seconds that the search took, without imports, by the clock and of CPU.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import optuna
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import (
    ConstantLR,
    CyclicLR,
    ExponentialLR,
    LambdaLR,
    LRScheduler,
    MultiStepLR,
    ReduceLROnPlateau,
)
from torch.utils.data import DataLoader, TensorDataset, random_split

EPOCHS, BATCH_SIZE, SEED = 60, 50, 24
FAMILIES = ("constant", "lambda", "power", "exponential", "piecewise", "plateau", "cyclic")
Loss = Callable[[Tensor, Tensor], Tensor]


def make_data() -> tuple[TensorDataset, TensorDataset]:
    """700 rows to train on and 300 to test on."""
    generator = torch.Generator().manual_seed(420)
    features = torch.randn(1000, 5, generator=generator)
    weights = torch.tensor([2.0, -1.0, 3.0, 1.0, 2.0])
    labels = features.pow(2) @ weights.view(-1, 1) + 0.01 * torch.randn(1000, 1, generator=generator)
    train, test = random_split(TensorDataset(features, labels), [0.7, 0.3], generator=generator)
    return TensorDataset(*train[:]), TensorDataset(*test[:])


def make_model() -> nn.Module:
    """5-4-4-1, batch normalisation before each activation."""
    return nn.Sequential(
        *(nn.Linear(5, 4), nn.BatchNorm1d(4), nn.Tanh()),
        *(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Tanh()),
        nn.Linear(4, 1),
    )


def make_scheduler(trial: optuna.Trial, optimizer: torch.optim.Optimizer, lr: float, batches: int) -> LRScheduler:
    """One of the classical families with its parameters."""
    family = trial.suggest_categorical("scheduler", FAMILIES)
    if family == "lambda":
        decay = trial.suggest_float("decay", 0.8, 0.999)
        return LambdaLR(optimizer, lambda epoch: decay**epoch)
    if family == "power":
        scale = EPOCHS * trial.suggest_float("power.scale", 0.01, 1.0, log=True)
        exponent = trial.suggest_float("power.exponent", 0.25, 2.0)
        return LambdaLR(optimizer, lambda epoch: (1 + epoch / scale) ** -exponent)
    if family == "exponential":
        return ExponentialLR(optimizer, 0.1 ** (trial.suggest_float("exponential.decades", 0.1, 4.0) / EPOCHS))
    if family == "piecewise":
        drop = trial.suggest_float("piecewise.drop", 0.05, 0.7, log=True)
        number = trial.suggest_int("piecewise.milestones", 1, 4)
        first = trial.suggest_float("piecewise.first", 0.2, 0.8)
        places = [int(EPOCHS * (first + (1 - first) * index / number)) for index in range(number)]
        return MultiStepLR(optimizer, places, drop)
    if family == "plateau":
        factor = trial.suggest_float("plateau.factor", 0.1, 0.7, log=True)
        patience = trial.suggest_int("plateau.patience", 1, 10)
        threshold = trial.suggest_float("plateau.threshold", 1e-4, 0.03, log=True)
        return ReduceLROnPlateau(optimizer, factor=factor, patience=patience, threshold=threshold)
    if family == "cyclic":
        cycles = trial.suggest_int("cyclic.cycles", 1, 8)
        floor = trial.suggest_float("cyclic.floor", 0.01, 0.5, log=True)
        half = max(1, EPOCHS * batches // (2 * cycles))
        return CyclicLR(optimizer, lr * floor, lr, step_size_up=half, cycle_momentum=False)
    return ConstantLR(optimizer, 1.0, 0)


@torch.no_grad()
def evaluate(model: nn.Module, data: TensorDataset, loss: Loss) -> float:
    """Loss over all rows."""
    model.eval()
    features, labels = data.tensors
    return loss(model(features), labels).item()


def train(
    trial: optuna.Trial,
    train_data: TensorDataset,
    test_data: TensorDataset,
    *,
    make: Callable[[], nn.Module] = make_model,
    loss: Loss = nn.functional.mse_loss,
    seed: int = SEED,
) -> float:
    """Train one network; report its loss on the test rows after every epoch, and end where the pruner says so."""
    torch.manual_seed(seed)
    model = make()
    loader = DataLoader(train_data, batch_size=BATCH_SIZE, shuffle=True)
    lr = trial.suggest_float("lr", 1e-4, 0.3, log=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    scheduler = make_scheduler(trial, optimizer, lr, len(loader))
    train_curve = []
    test_loss = float("nan")
    for epoch in range(1, EPOCHS + 1):
        model.train()
        for features, labels in loader:
            optimizer.zero_grad()
            loss(model(features), labels).backward()
            optimizer.step()
            if isinstance(scheduler, CyclicLR):
                scheduler.step()
        train_curve.append(evaluate(model, train_data, loss))
        test_loss = evaluate(model, test_data, loss)
        trial.report(test_loss, epoch)
        if trial.should_prune():
            raise optuna.TrialPruned
        step_after_epoch(scheduler, test_loss)
    trial.set_user_attr("train_curve", train_curve)
    return test_loss


def step_after_epoch(scheduler: LRScheduler, test_loss: float) -> None:
    """What a loop does with its scheduler after an epoch; a cyclic one is stepped after every batch."""
    if isinstance(scheduler, ReduceLROnPlateau):
        scheduler.step(test_loss)
    elif not isinstance(scheduler, CyclicLR):
        scheduler.step()


def begun(description: str | None) -> argparse.Namespace:
    """The options of a peer's program, which is quiet from here on, and has one thread."""
    options = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--storage", required=True)
    options.add_argument("--study", default="plain")
    options.add_argument("--trials", type=int, default=20)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    torch.set_num_threads(1)  # networks of this size train fastest so, and the peer shall be as good as it can be
    return options.parse_args()


def main() -> None:
    """Run a search."""
    given = begun(__doc__)
    pruner = optuna.pruners.NopPruner()  # the studies of `end_to_end.py` train every epoch of every trial, too
    study = optuna.create_study(storage=given.storage, study_name=given.study, pruner=pruner, load_if_exists=True)
    train_data, test_data = make_data()
    began, cpu = time.perf_counter(), time.process_time()
    study.optimize(lambda trial: train(trial, train_data, test_data), n_trials=given.trials)
    print(time.perf_counter() - began, time.process_time() - cpu)


if __name__ == "__main__":
    main()
