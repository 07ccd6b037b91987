"""Tasks to start from, one for each kind of data: whole files, with numbers made up where yours belong.

``{name}`` and ``{file}`` are filled in by `template`; braces of Python are doubled.
"""

from __future__ import annotations

_HEAD = '''\
"""A task for lrsearch: data, model, loss and metric. Try it with `lrsearch tasks check {file}:{name}`."""

import lrsearch
import torch
from torch import nn
'''
REGRESSION = (
    _HEAD
    + '''\


@lrsearch.task
def {name}(*, rows: int = 500, hidden: int = 16) -> lrsearch.Task:
    """The product of two numbers plus a third, learned by a small network."""
    inputs = torch.randn(rows, 3, generator=torch.Generator().manual_seed(0))  # your features [rows, features]
    targets = inputs[:, :1] * inputs[:, 1:2] + inputs[:, 2:]  # your numbers to predict [rows, 1]
    data = torch.utils.data.TensorDataset(inputs, targets)
    train, test, holdout = torch.utils.data.random_split(data, [0.6, 0.2, 0.2], torch.Generator().manual_seed(0))
    return lrsearch.Task(
        model=lambda: nn.Sequential(nn.Linear(3, hidden), nn.Tanh(), nn.Linear(hidden, 1)),
        train=train,  # a Dataset, or a pair of tensors: inputs and targets
        test=test,  # what the search judges by
        holdout=holdout,  # what the search never sees; may be left out
        loss="mse",  # mse, mae, cross_entropy, error, or a callable(outputs, targets)
        metric="mse",  # the same, accuracy, r2, f1, auroc, ...; of your own: direction="minimize" or "maximize"
    )
'''
)
CLASSIFICATION = (
    _HEAD
    + '''\


@lrsearch.task
def {name}(*, rows: int = 600, hidden: int = 16) -> lrsearch.Task:
    """Which of three rings a point lies in."""
    inputs = 1.5 * torch.randn(rows, 2, generator=torch.Generator().manual_seed(0))  # your features [rows, features]
    classes = inputs.norm(dim=1).long().clamp(max=2)  # your class numbers [rows], from 0
    data = torch.utils.data.TensorDataset(inputs, classes)
    train, test, holdout = torch.utils.data.random_split(data, [0.6, 0.2, 0.2], torch.Generator().manual_seed(0))
    return lrsearch.Task(
        model=lambda: nn.Sequential(nn.Linear(2, hidden), nn.ReLU(), nn.Linear(hidden, 3)),  # one logit per class
        train=train,
        test=test,  # what the search judges by
        holdout=holdout,  # what the search never sees; may be left out
        loss="cross_entropy",  # class weights: nn.CrossEntropyLoss(weight=...); label smoothing: label_smoothing=0.1
        metric="accuracy",  # error, f1, auroc, ...; cross_entropy is less coarse where there are few rows
    )
'''
)
SEQUENCE = (
    _HEAD
    + '''\
from torch.nn.utils.rnn import pack_sequence


class Sequences(torch.utils.data.Dataset):
    """Sequences of different lengths [steps, features] and a target for each."""

    def __init__(self, rows: int, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.sequences = [torch.randn(4 + row % 7, 2, generator=generator) for row in range(rows)]

    def __len__(self) -> int:
        return len(self.sequences)

    def __getitem__(self, row: int) -> tuple[torch.Tensor, torch.Tensor]:
        sequence = self.sequences[row]
        return sequence, sequence[:, :1].sum(dim=0)  # here: the sum of the first feature


def collate(rows):
    """A batch of sequences, packed; padded tensors would do as well."""
    sequences, targets = zip(*rows)
    return pack_sequence(sequences, enforce_sorted=False), torch.stack(targets)


class Network(nn.Module):
    """A GRU that reads a sequence to its end."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.read = nn.GRU(2, hidden)
        self.answer = nn.Linear(hidden, 1)

    def forward(self, sequences):
        _, last = self.read(sequences)
        return self.answer(last[-1])


@lrsearch.task
def {name}(*, rows: int = 300, hidden: int = 16) -> lrsearch.Task:
    """The sum of numbers that come one after the other."""
    return lrsearch.Task(
        model=lambda: Network(hidden),
        train=Sequences(rows, seed=0),
        test=Sequences(rows // 3, seed=1),  # what the search judges by
        holdout=Sequences(rows // 3, seed=2),  # what the search never sees; may be left out
        collate=collate,
        loss="mse",
        metric="mse",
    )
'''
)
TRANSFORMER = (
    _HEAD
    + '''\

LENGTH, SYMBOLS = 12, 32


class Network(nn.Module):
    """A transformer that says the next symbol at each place of a text."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.symbols = nn.Embedding(SYMBOLS, width)
        self.places = nn.Parameter(torch.zeros(LENGTH, width))
        self.layer = nn.TransformerEncoderLayer(
            width, nhead=2, dim_feedforward=2 * width, dropout=dropout, batch_first=True, norm_first=True
        )
        self.next = nn.Linear(width, SYMBOLS)
        self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(LENGTH))

    def forward(self, texts):
        hidden = self.layer(self.symbols(texts) + self.places, src_mask=self.mask)
        return self.next(hidden).transpose(1, 2)  # [rows, classes, places], as cross-entropy takes it


def parameters(model):
    """No weight decay for biases, norms and places: set weight_decay under [training] for the others."""
    members = list(model.parameters())
    return [
        {{"params": [member for member in members if member.ndim >= 2 and member is not model.places]}},
        {{"params": [member for member in members if member.ndim < 2 or member is model.places], "weight_decay": 0.0}},
    ]


@lrsearch.task
def {name}(*, rows: int = 300, width: int = 16, dropout: float = 0.1) -> lrsearch.Task:
    """The next symbol of texts in which each follows from the one four places before."""
    texts = torch.randint(0, SYMBOLS, (rows, LENGTH + 1), generator=torch.Generator().manual_seed(0))
    for place in range(4, LENGTH + 1):
        texts[:, place] = (texts[:, place - 4] + 1) % SYMBOLS
    data = torch.utils.data.TensorDataset(texts[:, :-1], texts[:, 1:])
    train, test, holdout = torch.utils.data.random_split(data, [0.6, 0.2, 0.2], torch.Generator().manual_seed(0))
    return lrsearch.Task(
        model=lambda: Network(width, dropout),
        train=train,
        test=test,  # what the search judges by
        holdout=holdout,  # what the search never sees; may be left out
        loss="cross_entropy",
        metric="cross_entropy",
        parameters=parameters,
    )
'''
)
IMAGES = (
    _HEAD
    + '''\


def network() -> nn.Module:
    """A small convolutional network for images [rows, 1, 12, 12] of four classes."""
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(16, 4),
    )


class Images(torch.utils.data.Dataset):
    """Images and their classes; those that are trained on are shifted by chance, a new way each time."""

    def __init__(self, rows: int, seed: int, augment: bool = False) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.classes = torch.randint(0, 4, (rows,), generator=generator)
        self.images = 0.5 * torch.randn(rows, 1, 12, 12, generator=generator)
        for image, kind in zip(self.images, self.classes):
            image[:, kind // 2 * 6 : kind // 2 * 6 + 6 : kind % 2 + 1] += 1.0  # here: stripes, wide or narrow
        self.augment = augment

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, row: int) -> tuple[torch.Tensor, torch.Tensor]:
        shift = int(torch.randint(0, 12, ())) if self.augment else 0
        return self.images[row].roll(shift, dims=2), self.classes[row]


@lrsearch.task
def {name}(*, rows: int = 300) -> lrsearch.Task:
    """Which pattern an image has."""
    return lrsearch.Task(
        model=network,
        train=Images(rows, seed=0, augment=True),
        test=Images(rows // 3, seed=1),  # what the search judges by
        holdout=Images(rows // 3, seed=2),  # what the search never sees; may be left out
        loss="cross_entropy",
        metric="accuracy",
    )
'''
)
KINDS = {
    "regression": REGRESSION,
    "classification": CLASSIFICATION,
    "sequence": SEQUENCE,
    "transformer": TRANSFORMER,
    "images": IMAGES,
}
"""Kind -> the text of a task file."""
DEFAULT = "regression"
OPTIMIZERS = {"transformer": "adamw", "images": "adam", "sequence": "adam"}
"""Kind -> the optimizer of its study file, where it is not the default."""
