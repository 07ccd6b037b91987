"""Small tasks of every kind of network, for `lr_find_rates.py`: half of them are LSTMs and transformers."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

from lrsearch import registry
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.data import Data
from lrsearch.tasks.task import Task


class RowsLSTM(nn.Module):
    """An image read row by row."""

    def __init__(self) -> None:
        super().__init__()
        self.cells = nn.LSTM(8, 16, batch_first=True)
        self.last = nn.Linear(16, 10)

    def forward(self, images: Tensor) -> Tensor:
        out: Tensor = self.last(self.cells(images)[0][:, -1])
        return out


class ForecastLSTM(nn.Module):
    """The next value of a series that nobody has standardised: its level is learned before its shape."""

    def __init__(self) -> None:
        super().__init__()
        self.cells = nn.LSTM(1, 16, batch_first=True)
        self.last = nn.Linear(16, 1)

    def forward(self, series: Tensor) -> Tensor:
        out: Tensor = self.last(self.cells(series)[0][:, -1])
        return out


class RowsTransformer(nn.Module):
    """One encoder layer over the rows of an image."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(8, 16)
        self.places = nn.Parameter(torch.zeros(8, 16))
        self.layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.1, batch_first=True, norm_first=True)
        self.last = nn.Linear(16, 10)

    def forward(self, images: Tensor) -> Tensor:
        out: Tensor = self.last(self.layer(self.first(images) + self.places).mean(dim=1))
        return out


class Language(nn.Module):
    """A causal transformer with tied embeddings, which predicts each next token."""

    def __init__(self, tokens: int = 32, width: int = 32) -> None:
        super().__init__()
        self.embedding = nn.Embedding(tokens, width)
        self.places = nn.Parameter(torch.zeros(16, width))
        self.layer = nn.TransformerEncoderLayer(width, 4, 64, dropout=0.1, batch_first=True, norm_first=True)
        self.last = nn.Linear(width, tokens, bias=False)
        self.last.weight = self.embedding.weight
        self.register_buffer("mask", torch.triu(torch.full((16, 16), -math.inf), 1))

    def forward(self, tokens: Tensor) -> Tensor:
        hidden = self.layer(self.embedding(tokens) + self.places, src_mask=self.mask)
        out: Tensor = self.last(hidden).transpose(1, 2)
        return out


def convolution() -> nn.Module:
    return nn.Sequential(
        nn.Unflatten(1, (1, 8)),
        nn.Conv2d(1, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(256, 10),
    )


def images(model: Callable[[], nn.Module], rows: int) -> Task:
    """Handwritten digits of 8 x 8 pixels."""
    pixels, digits = load_digits(return_X_y=True)
    order = torch.randperm(len(pixels), generator=torch.Generator().manual_seed(0))
    inputs = torch.tensor(pixels, dtype=torch.float32).reshape(-1, 8, 8)[order] / 16
    targets = torch.tensor(digits)[order]
    return Task(
        model, (inputs[:rows], targets[:rows]), (inputs[1200:], targets[1200:]), "cross_entropy", "cross_entropy"
    )


def language(surprises: float = 0.0) -> Task:
    """Each token follows from the one before, but for a share of surprises; without them the loss goes to 0."""
    generator = torch.Generator().manual_seed(1)
    text = torch.randint(0, 32, (600, 17), generator=generator)
    surprising = torch.rand(600, 17, generator=generator) < surprises
    for place in range(1, 17):
        text[:, place] = torch.where(surprising[:, place], text[:, place], (text[:, place - 1] * 3 + 1) % 32)
    train, test = text[:500], text[500:]
    return Task(Language, (train[:, :-1], train[:, 1:]), (test[:, :-1], test[:, 1:]), "cross_entropy", "cross_entropy")


def forecast() -> Task:
    """Noisy waves of different lengths around a level of 5."""
    generator = torch.Generator().manual_seed(2)
    phase, period = (torch.rand(900, 1, generator=generator) for _ in range(2))
    steps = torch.arange(17) * 2 * math.pi / (6 + 6 * period) + 2 * math.pi * phase
    series = 5 + steps.sin() + 0.05 * torch.randn(900, 17, generator=generator)
    inputs, targets = series[:, :16, None], series[:, 16:]
    train: Data = (inputs[:600], targets[:600])
    return Task(ForecastLSTM, train, (inputs[600:], targets[600:]), "mse", "mse")


def registered(name: str) -> Task:
    task: Task = registry.tasks.get(name).build({})
    return task


@dataclass(frozen=True)
class Case:
    """One task with one optimizer.

    Attributes:
        task: Name of the task.
        training: Its section of a study file.
        sequence: Whether the network is an LSTM or a transformer.
    """

    task: str
    training: TrainingSection
    sequence: bool

    @property
    def name(self) -> str:
        return f"{self.task}, {self.training.optimizer}"

    def build(self) -> Task:
        return TASKS[self.task][0]()


TASKS: dict[str, tuple[Callable[[], Task], int, bool]] = {
    "polynomial": (lambda: registered("polynomial"), 60, False),
    "diabetes": (lambda: registered("diabetes"), 60, False),
    "digits": (lambda: registered("digits"), 30, False),
    "cnn": (lambda: images(convolution, 1000), 30, False),
    "lstm": (lambda: images(RowsLSTM, 800), 60, True),
    "forecast": (forecast, 60, True),
    "transformer": (lambda: images(RowsTransformer, 800), 40, True),
    "language": (language, 60, True),
    "noisy language": (partial(language, 0.15), 30, True),
}
"""Name -> how it is built, epochs of a real run, whether it is an LSTM or a transformer."""
CASES = [
    Case(task, TrainingSection(epochs=epochs, optimizer=optimizer, train_metric_every=epochs), sequence)
    for task, (_, epochs, sequence) in TASKS.items()
    for optimizer in ("sgd", "adam")
]
