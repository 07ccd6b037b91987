"""Tasks of every kind of data that people train on, and what a plain loop needs of them."""

from __future__ import annotations

import random
import warnings
from collections import namedtuple
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import Dataset
from transformers import BatchEncoding, BertConfig, BertForSequenceClassification

from lrsearch.schedules.classical import Constant
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.task import Task
from lrsearch.training.engine import Lane, SequentialEngine

ROWS, TESTS, SIZE, EPOCHS, LR, SEED = 40, 23, 8, 3, 0.05, 5
GENERATOR = torch.Generator().manual_seed(1)
X = torch.randn(ROWS + TESTS, 6, generator=GENERATOR)
Y = X[:, :2].sum(dim=1, keepdim=True)
LABELS = (X[:, 0] > 0).long()
JOBS = torch.randint(0, 5, (ROWS + TESTS,), generator=GENERATOR)
TRAIN, TEST = slice(0, ROWS), slice(ROWS, None)
Batch = tuple[Any, Any]
Point = namedtuple("Point", ["left", "right"])


@dataclass(frozen=True)
class Patient:
    measurements: Tensor
    job: Tensor


class Rows(Dataset[Any]):
    """Rows of a Dataset, from a function of their number."""

    def __init__(self, part: slice, row: Callable[[int], Any]) -> None:
        self.numbers = range(ROWS + TESTS)[part]
        self.row = row

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: int) -> Any:
        return self.row(self.numbers[index])


class Table(nn.Module):
    """A table with numbers and a category, which is embedded."""

    def __init__(self) -> None:
        super().__init__()
        self.jobs = nn.Embedding(5, 3)
        self.last = nn.Linear(9, 1)

    def forward(self, measurements: Tensor, job: Tensor) -> Tensor:
        out: Tensor = self.last(torch.cat([measurements, self.jobs(job)], dim=1))
        return out


class OfPatient(Table):
    def forward(self, patient: Patient) -> Tensor:  # type: ignore[override]
        return super().forward(patient.measurements, patient.job)


class Autoencoder(nn.Module):
    """Draws noise in its forward pass, and gives three outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Linear(6, 4)
        self.decoder = nn.Linear(2, 6)

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, log = self.encoder(rows).chunk(2, 1)
        return self.decoder(mean + torch.randn_like(mean) * (log / 2).exp()), mean, log


def elbo(outputs: Any, targets: Tensor) -> Tensor:
    rebuilt, mean, log = outputs
    divergence = -0.5 * (1 + log - mean**2 - log.exp()).sum(1).mean()
    return ((rebuilt - targets) ** 2).sum(1).mean() + divergence


class Heads(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(6, 1), nn.Linear(6, 2)

    def forward(self, rows: Tensor) -> dict[str, Tensor]:
        return {"sum": self.one(rows), "sign": self.two(rows)}


def two_losses(outputs: Any, targets: Any) -> Tensor:
    return functional.mse_loss(outputs["sum"], targets["sum"]) + functional.cross_entropy(
        outputs["sign"], targets["sign"]
    )


class Reader(nn.Module):
    """Reads packed sequences of numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.GRU(1, 5, batch_first=True)
        self.last = nn.Linear(5, 1)

    def forward(self, rows: Any) -> Tensor:
        out: Tensor = self.last(self.cell(rows)[1][-1])
        return out


def sequence(number: int) -> tuple[Tensor, Tensor]:
    return X[number, : 2 + number % 4, None], Y[number]


def packed(rows: Sequence[Any]) -> Batch:
    inputs = nn.utils.rnn.pack_sequence([row for row, _ in rows], enforce_sorted=False)
    return inputs, torch.stack([target for _, target in rows])


def bert() -> nn.Module:
    config = BertConfig(
        vocab_size=12, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8,
        max_position_embeddings=8, num_labels=2, hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    return BertForSequenceClassification(config)


def words(rows: Sequence[Any]) -> Batch:
    """Token numbers, padded to the longest of the batch."""
    length = max(len(own) for own, _ in rows)
    tokens = torch.stack([functional.pad(own, (0, length - len(own))) for own, _ in rows])
    labels = torch.stack([label for _, label in rows])
    return BatchEncoding({"input_ids": tokens, "attention_mask": (tokens > 0).long(), "labels": labels}), labels


def own_loss(outputs: Any, _: Tensor) -> Tensor:
    """The model computes it itself, from the labels among its inputs."""
    loss: Tensor = outputs.loss
    return loss


def by_position(model: Any, inputs: Any) -> Tensor:
    outputs: Tensor = model(inputs["measurements"], inputs["job"])
    return outputs


def f1_error(outputs: Tensor, targets: Tensor) -> Tensor:
    """1 - F1 of the positive class."""
    guessed, there = outputs.argmax(1) == 1, targets == 1
    return 1 - 2 * (guessed & there).sum() / (guessed.sum() + there.sum())


def as_they_are(rows: Sequence[Any]) -> Batch:
    return torch.stack([row for row, _ in rows]), torch.stack([target for _, target in rows])


@dataclass(frozen=True)
class Case:
    """A task, and what the plain loop needs of it: batches from row numbers, and how the model is called.

    `test` has the batches of the test rows; `metric` is called once, with all of them.
    """

    task: Task
    batch: Callable[[Sequence[int]], Batch]
    call: Callable[[Any, Any], Any]
    join: Callable[[Sequence[Any]], Any] = torch.cat
    test_size: int = ROWS + TESTS
    loss: Callable[[Any, Any], Tensor] = functional.mse_loss
    metric: Callable[[Any, Any], Tensor] = functional.mse_loss
    streams: bool = False


def of(part: slice, make: Callable[[Any], Any], targets: Any = Y) -> Batch:
    return make(part), targets[part]


def both(make: Callable[[Any], Any], targets: Any = Y) -> dict[str, Batch]:
    return {"train": of(TRAIN, make, targets), "test": of(TEST, make, targets)}


def rows_of(row: Callable[[int], Any]) -> dict[str, Any]:
    return {"train": Rows(TRAIN, row), "test": Rows(TEST, row)}


def columns(part: Any) -> dict[str, Tensor]:
    return {"measurements": X[part], "job": JOBS[part]}


def heads(part: Any) -> dict[str, Tensor]:
    return {"sum": Y[part], "sign": LABELS[part]}


def linear() -> nn.Module:
    return nn.Linear(6, 1)


def classifier() -> nn.Module:
    return nn.Linear(6, 2)


class Sparse(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(6, 1) * 0.1)

    def forward(self, rows: Tensor) -> Tensor:
        return torch.sparse.mm(rows, self.weight)


MSE = {"loss": "mse", "metric": "mse"}
SPARSE = X * (X > 0.5)


def drawing(number: int) -> Batch:
    """Augmentation with all three: they follow the seed, and so does what is made of them."""
    own = np.random.default_rng(np.random.randint(2**31))
    noise = random.random() + float(np.random.rand()) + float(torch.rand(())) + own.random()
    return X[number] * (1 + 0.1 * noise), Y[number]


def cases() -> dict[str, Case]:
    found = {
        "dict": Case(
            Task(Table, **both(columns), **MSE),
            lambda numbers: (columns(numbers), Y[numbers]),
            lambda model, inputs: model(**inputs),
        ),
        "dict rows of a Dataset": Case(
            Task(Table, **rows_of(lambda n: (columns(n), Y[n])), **MSE),
            lambda numbers: (columns(numbers), Y[numbers]),
            lambda model, inputs: model(**inputs),
        ),
        "tuple": Case(
            Task(Table, **both(lambda part: (X[part], JOBS[part])), **MSE),
            lambda numbers: ((X[numbers], JOBS[numbers]), Y[numbers]),
            lambda model, inputs: model(*inputs),
        ),
        "named tuple": Case(
            Task(Table, **rows_of(lambda n: (Point(X[n], JOBS[n]), Y[n])), **MSE),
            lambda numbers: (Point(X[numbers], JOBS[numbers]), Y[numbers]),
            lambda model, inputs: model(inputs.left, inputs.right),
        ),
        "dataclass": Case(
            Task(OfPatient, **both(lambda part: Patient(X[part], JOBS[part])), **MSE),
            lambda numbers: (Patient(X[numbers], JOBS[numbers]), Y[numbers]),
            lambda model, inputs: model(inputs),
        ),
        "forward of its own": Case(
            Task(Table, **both(columns), **MSE, forward=by_position),
            lambda numbers: (columns(numbers), Y[numbers]),
            by_position,
        ),
        "several outputs and noise": Case(
            Task(Autoencoder, **both(lambda part: X[part], X), loss=elbo, metric=elbo),
            lambda numbers: (X[numbers], X[numbers]),
            lambda model, inputs: model(inputs),
            lambda parts: [torch.cat(part) for part in zip(*parts, strict=True)],
            loss=elbo,
            metric=elbo,
        ),
        "several targets": Case(
            Task(Heads, (X[TRAIN], heads(TRAIN)), (X[TEST], heads(TEST)), two_losses, two_losses),
            lambda numbers: (X[numbers], heads(numbers)),
            lambda model, inputs: model(inputs),
            lambda parts: {key: torch.cat([part[key] for part in parts]) for key in parts[0]},
            loss=two_losses,
            metric=two_losses,
        ),
        "packed sequences": Case(
            Task(Reader, **rows_of(sequence), **MSE, collate=packed),
            lambda numbers: packed([sequence(n) for n in numbers]),
            lambda model, inputs: model(inputs),
            test_size=SIZE,
        ),
        "transformers": Case(
            Task(
                bert,
                **rows_of(lambda n: (1 + torch.arange(2 + n % 5) * (1 + int(LABELS[n])), LABELS[n])),
                loss=own_loss,
                metric=lambda outputs, targets: functional.cross_entropy(outputs.logits, targets),
                collate=words,
            ),
            lambda numbers: words([(1 + torch.arange(2 + n % 5) * (1 + int(LABELS[n])), LABELS[n]) for n in numbers]),
            lambda model, inputs: model(**inputs),
            lambda parts: (
                BatchEncoding({"logits": torch.cat([part["logits"] for part in parts])})
                if "logits" in parts[0]
                else torch.cat(list(parts))
            ),
            test_size=SIZE,
            loss=own_loss,
            metric=lambda outputs, targets: functional.cross_entropy(outputs["logits"], targets),
        ),
        "F1 with a collate": Case(
            Task(
                classifier,
                **rows_of(lambda n: (X[n], LABELS[n])),
                loss="cross_entropy",
                metric=f1_error,
                collate=as_they_are,
            ),
            lambda numbers: (X[numbers], LABELS[numbers]),
            lambda model, inputs: model(inputs),
            test_size=SIZE,
            loss=functional.cross_entropy,
            metric=f1_error,
        ),
        "rows that draw": Case(
            Task(linear, **rows_of(drawing), **MSE),
            lambda numbers: as_they_are([drawing(n) for n in numbers]),
            lambda model, inputs: model(inputs),
            test_size=SIZE,
            streams=True,
        ),
    }
    for layout in (torch.sparse_coo, torch.sparse_csr):
        with warnings.catch_warnings(action="ignore"):  # torch calls the second one a beta
            train, test = (SPARSE[part].to_sparse(layout=layout) for part in (TRAIN, TEST))
        found[f"{layout}"] = Case(
            Task(Sparse, (train, Y[TRAIN]), (test, Y[TEST]), **MSE),
            lambda numbers: (SPARSE[numbers], Y[numbers]),
            lambda model, inputs: inputs @ model.weight,
        )
    return found


CASES = cases()


def section(**keys: Any) -> TrainingSection:
    return TrainingSection(**{"epochs": EPOCHS, "batch_size": SIZE, **keys})


def curve(task: Task, **keys: Any) -> list[float]:
    stream = SequentialEngine().train(task, [Lane(LR, Constant(), SEED)], section(**keys))
    return [float(record.test_metric[0]) for record in list(stream)[1:]]
