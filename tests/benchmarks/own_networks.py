"""Models that people train, as a person's own file registers them: with nothing beside them that takes time to import.

Serves `own_models.py` and `pruned_products.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import plain_script
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

import lrsearch


def digits() -> tuple[Tensor, Tensor]:
    """Images [rows, 1, 8, 8] and their classes, shuffled."""
    images, classes = load_digits(return_X_y=True)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    return torch.tensor(images, dtype=torch.float32).reshape(-1, 1, 8, 8)[order] / 16, torch.tensor(classes)[order]


def sequences() -> tuple[Tensor, Tensor]:
    """Tokens that follow from the one before, and the same a step later."""
    tokens = torch.randint(0, 32, (600, 17), generator=torch.Generator().manual_seed(1))
    tokens[:, 1:] = (tokens[:, :-1] * 3 + 1) % 32
    return tokens[:, :-1], tokens[:, 1:]


def make_cnn() -> nn.Module:
    """3,834 parameters."""
    return nn.Sequential(
        *(nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(256, 10)),
    )


class Gru(nn.Module):
    """Reads an image row by row."""

    def __init__(self) -> None:
        super().__init__()
        self.cells, self.last = nn.GRU(8, 16, batch_first=True), nn.Linear(16, 10)

    def forward(self, images: Tensor) -> Tensor:
        """Scores of the classes."""
        out: Tensor = self.last(self.cells(images.squeeze(1))[0][:, -1])
        return out


class Gpt(nn.Module):
    """One block, causal, tied weights, dropout 0.1."""

    def __init__(self, tokens: int = 32, width: int = 32, dropout: float = 0.1) -> None:
        super().__init__()
        self.embedding, self.places = nn.Embedding(tokens, width), nn.Parameter(torch.zeros(16, width))
        self.block = nn.TransformerEncoderLayer(width, 4, 64, dropout=dropout, batch_first=True, norm_first=True)
        self.head = nn.Linear(width, tokens, bias=False)
        self.head.weight = self.embedding.weight
        self.register_buffer("mask", torch.triu(torch.full((16, 16), float("-inf")), 1))

    def forward(self, tokens: Tensor) -> Tensor:
        """Scores of the next tokens, [rows, tokens, places]."""
        out: Tensor = self.head(self.block(self.embedding(tokens) + self.places, src_mask=self.mask)).transpose(1, 2)
        return out


def make_dropout() -> nn.Module:
    """The tutorial's network, with dropout 0.2 behind each activation."""
    return nn.Sequential(
        *(nn.Linear(5, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Dropout(0.2)),
        *(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Dropout(0.2)),
        nn.Linear(4, 1),
    )


@dataclass(frozen=True)
class Parts:
    """What a model is trained with.

    Attributes:
        make: Makes the model.
        train: Training rows.
        test: Test rows.
        loss: By its name here.
    """

    make: Callable[[], nn.Module]
    train: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]
    loss: str = "cross_entropy"

    @property
    def loss_function(self) -> plain_script.Loss:
        return nn.functional.mse_loss if self.loss == "mse" else nn.functional.cross_entropy


def parts(name: str) -> Parts:
    """Model and rows by name."""
    if name == "dropout":
        train, test = plain_script.make_data()
        return Parts(make_dropout, train[:], test[:], "mse")
    inputs, targets = sequences() if name == "gpt" else digits()
    rows = 500 if name == "gpt" else 1200
    make = {"cnn": make_cnn, "gru": Gru, "gpt": Gpt}[name]
    return Parts(make, (inputs[:rows], targets[:rows]), (inputs[rows:], targets[rows:]))


def _task(name: str) -> lrsearch.Task:
    own = parts(name)
    return lrsearch.Task(own.make, own.train, own.test, loss=own.loss, metric=own.loss)


@lrsearch.task
def cnn() -> lrsearch.Task:
    """Two convolutions on digits."""
    return _task("cnn")


@lrsearch.task
def gru() -> lrsearch.Task:
    """A recurrent network on digits."""
    return _task("gru")


@lrsearch.task
def gpt() -> lrsearch.Task:
    """A small transformer on sequences that can be predicted."""
    return _task("gpt")


@lrsearch.task
def dropout() -> lrsearch.Task:
    """The tutorial's network with dropout."""
    return _task("dropout")
