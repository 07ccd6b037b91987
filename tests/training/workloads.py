"""Small tasks of every kind of network, for the tests of the batched engine."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from lrsearch import registry
from lrsearch.tasks.data import Data, Rows, pair
from lrsearch.tasks.task import Task

_GENERATOR = torch.Generator().manual_seed(3)
FEATURES = torch.randn(70, 8, generator=_GENERATOR)
TARGETS = FEATURES[:, :3].prod(dim=1, keepdim=True)
IMAGES = torch.randn(70, 1, 8, 8, generator=_GENERATOR)
CLASSES = torch.randint(0, 5, (70,), generator=_GENERATOR)


class Transformer(nn.Module):
    """One encoder layer over two tokens."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=dropout, batch_first=True)
        self.last = nn.Linear(4, 1)

    def forward(self, rows: Tensor) -> Tensor:
        out: Tensor = self.last(self.layer(rows.unflatten(1, (2, 4))).mean(dim=1))
        return out


def regression(model: type[nn.Module] | object) -> Task:
    """50 training rows and 20 test rows of 8 features."""
    return Task(model, (FEATURES[:50], TARGETS[:50]), (FEATURES[50:], TARGETS[50:]), "mse", "mse")  # type: ignore[arg-type]


def convolution() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Conv2d(4, 6, 3, stride=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(54, 5),
    )


def layer_norm() -> nn.Module:
    return nn.Sequential(nn.Linear(8, 13), nn.LayerNorm(13), nn.GELU(), nn.Linear(13, 1))


def polynomial(**options: object) -> Task:
    task: Task = registry.tasks.get("polynomial").build({"rows": 101, "holdout_rows": 0, **options})
    return task


TASKS: dict[str, Task] = {
    "batch_norm_pre": polynomial(),
    "batch_norm_post": polynomial(batch_norm="post", hidden=[3, 5], activation="gelu"),
    "layer_norm": regression(layer_norm),
    "convolution": Task(
        convolution, (IMAGES[:50], CLASSES[:50]), (IMAGES[50:], CLASSES[50:]), "cross_entropy", "cross_entropy"
    ),
    "transformer": regression(Transformer),
}


def in_float64(task: Task) -> Task:
    def doubled(data: Rows) -> Data:
        inputs, targets = (part.double() if part.is_floating_point() else part for part in pair(data))
        return inputs, targets

    def model() -> nn.Module:
        return task.model().double()

    return replace(task, model=model, train=doubled(task.train), test=doubled(task.test))
