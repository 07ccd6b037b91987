"""Test metrics of ladders of rates after short and long trainings, on many seeds, trained once and kept.

    python tests/benchmarks/scale_bank.py FOLDER [TASK OPTIMIZER]

Serves `scale_cases.py`. The short runs and the long ones have no seed in common: what is predicted from the ones is
judged by the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_wine, make_classification

from lrsearch import registry
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.network import multilayer_perceptron
from lrsearch.tasks.task import Task
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.engine import Lane

RUNGS, TARGETS = (10, 20, 40), (160, 320)
SEEDS, JUDGES = tuple(range(900, 916)), tuple(range(1000, 1016))
STEP = 2**0.5
"""From one rate to the next: what a ladder of `lrsearch scale` has where it was refined."""


@dataclass(frozen=True)
class Case:
    """One task with one optimizer and one type of schedule.

    Attributes:
        task: Name of the task.
        optimizer: The optimizer.
        scheduler: The type.
        low: The lowest rate; all that was best at any horizon are well inside.
        high: The highest rate.
        kept_back: Whether nothing of `lrsearch scale` was ever chosen by it.
    """

    task: str
    optimizer: str
    scheduler: str
    low: float
    high: float
    kept_back: bool = False

    @property
    def name(self) -> str:
        return f"{self.task}, {self.optimizer}, {self.scheduler}"

    @property
    def rates(self) -> tuple[float, ...]:
        """Rates of the case's ladder."""
        steps = round(np.log(self.high / self.low) / np.log(STEP))
        return tuple(float(f"{self.low * STEP**step:.4g}") for step in range(steps + 1))


TRAINED = (
    ("polynomial", "sgd", 5e-4, 0.5, False),
    ("polynomial", "adam", 2e-3, 1.0, False),
    ("diabetes", "sgd", 3e-4, 0.7, False),
    ("diabetes", "adam", 3e-5, 0.06, False),
    ("digits", "adam", 2.5e-4, 0.25, False),
    ("cancer", "sgd", 1e-3, 4.0, False),
    ("cancer", "adam", 3e-5, 0.25, False),
    ("wine", "sgd", 2e-3, 8.0, True),
    ("wine", "adam", 6e-5, 1.0, True),
    ("flipped", "sgd", 1e-3, 4.0, True),
    ("flipped", "adam", 3e-5, 0.25, True),
)
CASES = [Case(task, optimizer, kind, low, high, back)
         for task, optimizer, low, high, back in TRAINED for kind in ("constant", "linear")]  # fmt: skip


@dataclass(frozen=True)
class Bank:
    """What each rate of a case came to after the last epoch; infinite where it diverged.

    Attributes:
        short: [rung, rate, seed].
        long: [target, rate, judge].
    """

    short: NDArray[np.float64]
    long: NDArray[np.float64]


def file_of(case: Case, folder: Path) -> Path:
    """Where a case is kept."""
    return folder / f"{case.task}-{case.optimizer}-{case.scheduler}.npz"


def values(case: Case, folder: Path) -> Bank:
    """What the rates of a case came to.

    Args:
        case: Which.
        folder: Where it is kept, in one file per case; it may not be there yet.
    """
    file = file_of(case, folder)
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        task = OWN[case.task]() if case.task in OWN else registry.tasks.get(case.task).build({})
        np.savez(file, short=_trained(task, case, RUNGS, SEEDS), long=_trained(task, case, TARGETS, JUDGES))
    found = np.load(file)
    return Bank(found["short"], found["long"])


def cancer() -> Task:
    """Benign or malignant, 569 patients, 30 measurements (classification: cross-entropy)."""
    return _classifier(*load_breast_cancer(return_X_y=True))


def wine() -> Task:
    """Which of three growers made a wine, 178 wines, 13 measurements."""
    return _classifier(*load_wine(return_X_y=True))


def flipped() -> Task:
    """Two classes that overlap, 1,000 rows, 20 features of which 8 say something; one label in ten is drawn anew."""
    return _classifier(*make_classification(1000, 20, n_informative=8, flip_y=0.1, random_state=0))


def _classifier(rows: NDArray[np.float64], classes: NDArray[np.int64]) -> Task:
    """One hidden layer, a fifth of the rows each for holdout and test."""
    inputs, targets = torch.tensor(rows, dtype=torch.float32), torch.tensor(classes, dtype=torch.long)
    order = torch.randperm(len(inputs), generator=torch.Generator().manual_seed(0))
    fifth = round(len(inputs) / 5)
    holdout, test, train = order[:fifth], order[fifth : 2 * fifth], order[2 * fifth :]
    inputs = (inputs - inputs[train].mean(dim=0)) / inputs[train].std(dim=0)
    outputs = int(targets.max()) + 1
    return Task(
        model=partial(multilayer_perceptron, inputs.shape[1], [32], outputs, activation="relu", batch_norm="none"),
        train=(inputs[train], targets[train]),
        test=(inputs[test], targets[test]),
        holdout=(inputs[holdout], targets[holdout]),
        loss="cross_entropy",
        metric="cross_entropy",
    )


OWN = {"cancer": cancer, "wine": wine, "flipped": flipped}


def _trained(task: Task, case: Case, horizons: Sequence[int], seeds: Sequence[int]) -> NDArray[np.float64]:
    if case.scheduler == "constant":  # its first epochs are those of a shorter run
        curves = _curves(task, case, horizons[-1], seeds)
        return np.stack([curves[..., horizon] for horizon in horizons])
    return np.stack([_curves(task, case, horizon, seeds)[..., horizon] for horizon in horizons])


def _curves(task: Task, case: Case, epochs: int, seeds: Sequence[int]) -> NDArray[np.float64]:
    schedule = registry.schedules.get(case.scheduler)()
    training = TrainingSection(epochs=epochs, optimizer=case.optimizer, train_metric_every=epochs)
    lanes = [Lane(rate, schedule, seed) for rate in case.rates for seed in seeds]
    curves = np.full((len(lanes), epochs + 1), np.inf)
    for records in BatchedEngine().train(task, lanes, training):
        curves[list(records.lanes), records.epoch] = np.where(records.diverged, np.inf, records.test_metric)
    return curves.reshape(len(case.rates), len(seeds), epochs + 1)


if __name__ == "__main__":
    import sys
    import time

    torch.set_num_threads(1)
    wanted = tuple(sys.argv[2:4])
    for case in CASES:
        if wanted in ((), (case.task, case.optimizer)):
            began = time.process_time()
            values(case, Path(sys.argv[1]))
            print(case.name, len(case.rates), "rates,", round(time.process_time() - began, 1), "CPU s", flush=True)
