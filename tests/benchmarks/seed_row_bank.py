"""A bank of trained networks for simulations of confirmations: settings x seeds, each scored on many fresh rows.

Tasks that draw their own rows: the tutorial's polynomial (squared errors, heavy tails), and a small classifier with and
without signal in its labels. Each of `SETTINGS` is trained on `SEEDS` seeds, and every network is scored row by row on
`ROWS` rows that no training saw: the truth that a confirmation, which has a few seeds and a few rows, estimates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from lrsearch import registry
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.network import multilayer_perceptron
from lrsearch.tasks.polynomial import _draw
from lrsearch.tasks.task import Task
from lrsearch.training.engine import Lane
from lrsearch.training.network_batch import NetworkBatch

SEEDS = 200
ROWS = 100_000
AT_ONCE = 20_000
"""Rows that are scored in one go."""
MOST_BLOCKS = 200
Numbers = NDArray[np.float32]
Setting = tuple[float, str, dict[str, float]]


@dataclass(frozen=True, eq=False)
class Bank:
    """What the networks of one task come to.

    Attributes:
        losses: The metric of each network on each fresh row, smaller is better; [settings, seeds, rows].
        complexities: How simple each setting is, simplest first; [settings].
        constant: Which settings are constant rates; [settings].
    """

    losses: Numbers
    complexities: list[tuple[bool, int]]
    constant: NDArray[np.bool_]

    @cached_property
    def truth(self) -> NDArray[np.float64]:
        """What each setting comes to on average over all seeds and rows; [settings]."""
        return self.losses.mean(axis=(1, 2), dtype=np.float64)

    def study(
        self, rng: np.random.Generator, seeds: int, rows: int, settings: Sequence[int] | None = None
    ) -> NDArray[np.float64]:
        """What a confirmation would have of it: some seeds, and blocks of some rows.

        Args:
            rng: Draws them.
            seeds: How many seeds.
            rows: How many rows.
            settings: Which settings; all by default.

        Returns:
            [settings, seeds, blocks].
        """
        size = math.ceil(rows / MOST_BLOCKS)
        chosen = rng.choice(self.losses.shape[1], seeds, replace=False)
        drawn = rng.choice(self.losses.shape[2], rows, replace=False)
        own = self.losses if settings is None else self.losses[list(settings)]
        cells = own[:, chosen][:, :, drawn].astype(np.float64)
        groups = np.array_split(np.arange(rows), math.ceil(rows / size))
        return np.stack([cells[:, :, group].mean(axis=2) for group in groups], axis=2)


def _schedules(rates: Sequence[float], best: float) -> list[Setting]:
    """Constant rates, and schedules around the best one; some of them nearly equal."""
    constants: list[Setting] = [(rate, "constant", {}) for rate in rates]
    return [
        *constants,
        (best, "cosine", {}),
        (best, "linear", {}),
        (1.2 * best, "linear", {}),
        (best, "polynomial", {}),
        (best, "lambda", {"decay": 0.97}),
        (0.8 * best, "lambda", {"decay": 0.96}),
        (1.5 * best, "one_cycle", {}),
        (0.6 * best, "cosine", {}),
    ]


def polynomial() -> tuple[Task, TrainingSection, list[Setting], tuple[Tensor, Tensor], Callable[..., Tensor]]:
    own = registry.tasks.get("polynomial").function()
    fresh = _draw(torch.Generator().manual_seed(1), ROWS, [2.0, -1.0, 3.0, 1.0, 2.0], None, 2, 0.01)
    settings = _schedules([0.01, 0.02, 0.04, 0.08], 0.15)
    return own, TrainingSection(epochs=60, batch_size=50), settings, fresh, _squared


def classifier(
    signal: float,
) -> tuple[Task, TrainingSection, list[Setting], tuple[Tensor, Tensor], Callable[..., Tensor]]:
    """Two classes of ten normal features; without signal the labels are coins."""
    generator = torch.Generator().manual_seed(7)

    def draw(rows: int) -> tuple[Tensor, Tensor]:
        features = torch.randn(rows, 10, generator=generator)
        wave = features[:, 0] * features[:, 1] + features[:, 2] + 0.5 * features[:, 3]
        chance = torch.sigmoid(signal * wave)
        return features, (torch.rand(rows, generator=generator) < chance).long()

    train, test, fresh = draw(300), draw(150), draw(ROWS)
    model = partial(multilayer_perceptron, 10, [16], 2, activation="relu", batch_norm="none")
    task = Task(model=model, train=train, test=test, loss="cross_entropy", metric="cross_entropy")
    training = TrainingSection(epochs=20, batch_size=50, optimizer="adam")
    settings = _schedules([0.001, 0.002, 0.004, 0.008], 0.01)
    return task, training, settings, fresh, _cross_entropy


TASKS = {
    "polynomial": polynomial,
    "classifier": partial(classifier, 3.0),
    "coin flips": partial(classifier, 0.0),
}


def bank(name: str, folder: Path) -> Bank:
    """The bank of a task; trained if the folder does not have it yet.

    Args:
        name: One of `TASKS`.
        folder: Where banks are kept, about a gigabyte each.
    """
    file = folder / f"{name.replace(' ', '_')}.npy"
    task, training, settings, fresh, metric = TASKS[name]()
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        np.save(file, _trained(task, training, settings, fresh, metric))
    losses = np.load(file, mmap_mode="r")
    complexities = [(kind != "constant", len(registry.schedules.get(kind)().values())) for _, kind, _ in settings]
    return Bank(losses, complexities, np.array([kind == "constant" for _, kind, _ in settings]))


def _trained(
    task: Task, training: TrainingSection, settings: Sequence[Setting], fresh: tuple[Tensor, Tensor],
    metric: Callable[..., Tensor],
) -> Numbers:  # fmt: skip
    torch.set_num_threads(1)
    losses = np.empty((len(settings), SEEDS, ROWS), dtype=np.float32)
    for place, (rate, kind, options) in enumerate(settings):
        schedule = registry.schedules.get(kind).of(options)
        lanes = [Lane(rate, schedule, seed) for seed in range(SEEDS)]
        batch = NetworkBatch(task, lanes, training, torch.device("cpu"), None)
        for _ in range(training.epochs):
            batch.epoch()
        for first in range(0, ROWS, AT_ONCE):
            part = tuple(data[first : first + AT_ONCE] for data in fresh)
            _, found = batch.evaluate((part[0], part[1]), {}, {"rows": metric})
            losses[place, :, first : first + AT_ONCE] = found["rows"]
    return losses


def _squared(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs - targets).square().flatten()


def _cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    return functional.cross_entropy(outputs, targets, reduction="none")
