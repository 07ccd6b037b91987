"""Test metrics of a ladder of rates at several horizons, on several seeds, trained once and kept.

Serves `scale_cases.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lrsearch import registry
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.task import Task
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.engine import Lane

RUNGS, TARGETS = (10, 20, 40), (160, 320)
SEEDS = tuple(range(900, 908))
HORIZONS = (*RUNGS, *TARGETS)
STEP = 3000 ** (1 / 14)
RATES = tuple(float(f"{3e-4 * STEP**step:.3g}") for step in range(15))
LOWER = tuple(float(f"{3e-4 * STEP**step:.3g}") for step in range(-4, 0))
"""For a case whose best rate at the targets would be below `RATES`."""


@dataclass(frozen=True)
class Case:
    """One task with one optimizer and one type of schedule."""

    task: str
    optimizer: str
    scheduler: str

    @property
    def name(self) -> str:
        return f"{self.task}, {self.optimizer}, {self.scheduler}"

    @property
    def rates(self) -> tuple[float, ...]:
        """Rates of the case's ladder."""
        return (*LOWER, *RATES) if self == Case("diabetes", "adam", "constant") else RATES


TRAINED = (
    ("polynomial", "sgd"), ("diabetes", "sgd"), ("digits", "adam"), ("polynomial", "adam"), ("diabetes", "adam"),
)  # fmt: skip
CASES = [Case(task, optimizer, kind) for task, optimizer in TRAINED for kind in ("constant", "linear")]


def file_of(case: Case, folder: Path) -> Path:
    """Where a case is kept."""
    return folder / f"{case.task}-{case.optimizer}-{case.scheduler}.npy"


def values(case: Case, folder: Path) -> NDArray[np.float64]:
    """What each rate came to after the last epoch: [horizon, rate, seed]; infinite where it diverged.

    Args:
        case: Which.
        folder: Where it is kept, in one file per case; it may not be there yet.
    """
    file = file_of(case, folder)
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        np.save(file, _trained(case))
    found: NDArray[np.float64] = np.load(file)
    return found


def _trained(case: Case) -> NDArray[np.float64]:
    task: Task = registry.tasks.get(case.task).build({})
    if case.scheduler == "constant":  # its first epochs are those of a shorter run
        curves = _curves(task, case, HORIZONS[-1])
        return np.stack([curves[..., horizon] for horizon in HORIZONS])
    return np.stack([_curves(task, case, horizon)[..., horizon] for horizon in HORIZONS])


def _curves(task: Task, case: Case, epochs: int) -> NDArray[np.float64]:
    schedule = registry.schedules.get(case.scheduler)()
    training = TrainingSection(epochs=epochs, optimizer=case.optimizer, train_metric_every=epochs)
    lanes = [Lane(rate, schedule, seed) for rate in case.rates for seed in SEEDS]
    curves = np.full((len(lanes), epochs + 1), np.inf)
    for records in BatchedEngine().train(task, lanes, training):
        curves[list(records.lanes), records.epoch] = np.where(records.diverged, np.inf, records.test_metric)
    return curves.reshape(len(case.rates), len(SEEDS), epochs + 1)


if __name__ == "__main__":
    import sys
    import time

    import torch

    torch.set_num_threads(1)
    for case in CASES:
        began = time.monotonic()
        values(case, Path(sys.argv[1]))
        print(case.name, round(time.monotonic() - began, 1), flush=True)
