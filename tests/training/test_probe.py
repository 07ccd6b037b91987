"""Which tasks the batched engine is right for, and what it says of the others."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from workloads import TASKS, in_float64, regression

from lrsearch.errors import InputError
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.task import Task
from lrsearch.training.choice import choose_engine
from lrsearch.training.probe import probe

TRAINING = TrainingSection(batch_size=16)
OPTIMIZERS = [
    TrainingSection(batch_size=16, momentum=0.9, nesterov=True),
    TrainingSection(batch_size=16, optimizer="adam", weight_decay=0.01),
    TrainingSection(batch_size=16, optimizer="adamw", weight_decay=0.1),
]


class Packed(nn.Module):
    """Sequences of four lengths, packed by torch."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.GRU(2, 5, batch_first=True)
        self.last = nn.Linear(5, 1)

    def forward(self, rows: Tensor) -> Tensor:
        lengths = 1 + torch.arange(len(rows)) % 4
        steps = rows.unflatten(1, (4, 2))
        packed = nn.utils.rnn.pack_padded_sequence(steps, lengths, batch_first=True, enforce_sorted=False)
        return self.last(self.cell(packed)[1][0])  # type: ignore[no-any-return]


class PackedByHand(Packed):
    """All rows as two steps of one sequence each."""

    def forward(self, rows: Tensor) -> Tensor:
        half = len(rows) // 2
        packed = nn.utils.rnn.PackedSequence(rows[:, :2], torch.tensor([len(rows) - half, half]))
        return self.last(self.cell(packed)[0].data)  # type: ignore[no-any-return]


class Plain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Linear(8, 1)


class Drawing(Plain):
    def __init__(self, draw: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.first = nn.Linear(8, 8)
        self.draw = draw

    def forward(self, rows: Tensor) -> Tensor:
        return self.last(self.draw(self.first(rows)))  # type: ignore[no-any-return]


class Branching(Plain):
    def forward(self, rows: Tensor) -> Tensor:
        out: Tensor = self.last(rows)
        return out if out.sum() > 0 else 2 * out


class Item(Plain):
    def forward(self, rows: Tensor) -> Tensor:
        return self.last(rows) * self.last.weight.sum().item()  # type: ignore[no-any-return]


class Mask(Plain):
    def forward(self, rows: Tensor) -> Tensor:
        out: Tensor = self.last(rows)
        return out + out[out > 0].sum()


class ReassignedBuffer(Plain):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("average", torch.zeros(1))

    def forward(self, rows: Tensor) -> Tensor:
        if self.training:
            self.average = 0.9 * self.average + 0.1 * rows.mean() + self.last.weight.detach().mean()
        return self.last(rows) + self.average  # type: ignore[no-any-return]


class Counting(Plain):
    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def forward(self, rows: Tensor) -> Tensor:
        self.calls += 1
        return self.last(rows) / self.calls  # type: ignore[no-any-return]


class HiddenNumbers(Plain):
    """Random numbers that are neither parameter nor buffer: no other lane has them."""

    def __init__(self) -> None:
        super().__init__()
        self.features = torch.randn(8)

    def forward(self, rows: Tensor) -> Tensor:
        return self.last(rows * self.features)  # type: ignore[no-any-return]


class Normed(Plain):
    """Computes in float32 inside, whatever it is given."""

    def forward(self, rows: Tensor) -> Tensor:
        single = rows.float()
        return self.last((single * single.pow(2).mean(-1, keepdim=True).add(1e-5).rsqrt()).to(rows.dtype))  # type: ignore[no-any-return]


class SingleOnly(Plain):
    def forward(self, rows: Tensor) -> Tensor:
        return self.last(rows.float())  # type: ignore[no-any-return]


REFUSED: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "packed": (Packed, "the model (Packed): packed sequences are trained one by one"),
    "packed by hand": (PackedByHand, "cell (GRU): packed sequences are trained one by one"),
    "cumulative": (
        lambda: nn.Sequential(nn.Linear(8, 4), nn.BatchNorm1d(4, momentum=None), nn.Linear(4, 1)),
        "1 (BatchNorm1d): looks at a tensor's value while it runs (.item(), or `if` on a tensor)",
    ),
    "branching": (Branching, "the model (Branching): looks at a tensor's value"),
    "item": (Item, "the model (Item): looks at a tensor's value"),
    "mask": (Mask, "the model (Mask): makes a tensor whose shape depends on values"),
    "buffer": (ReassignedBuffer, "the model (ReassignedBuffer): buffer average is 0, and "),
    "random order": (
        lambda: Drawing(lambda rows: rows[torch.randperm(len(rows))]),
        "the model (Drawing): draws random numbers in a way that only works one by one (aten::randperm)",
    ),
    "chance from weights": (
        lambda: Drawing(lambda rows: torch.bernoulli(rows.sigmoid())),
        "the model (Drawing): draws random numbers in a way that only works one by one (aten::bernoulli)",
    ),
    "noise without lanes": (
        lambda: Drawing(lambda rows: rows + torch.empty(8, dtype=rows.dtype).normal_()),
        "the model (Drawing): draws random numbers in a way that only works one by one",
    ),
    "Python's own": (
        lambda: Drawing(lambda rows: rows if random.random() < 2 else 2 * rows),
        "draws random numbers in a way that only works one by one (Python's or numpy's)",
    ),
    "numpy's": (
        lambda: Drawing(lambda rows: rows if np.random.rand() < 2 else 2 * rows),
        "draws random numbers in a way that only works one by one (Python's or numpy's)",
    ),
    "random slopes": (
        lambda: nn.Sequential(nn.RReLU(), nn.Linear(8, 1)),
        "0 (RReLU): draws random numbers in a way that only works one by one (aten::rrelu_with_noise)",
    ),
    "counting": (Counting, "the model (Counting) keeps 'calls' between batches"),
    "hidden": (HiddenNumbers, "loss of step 1 is "),
    "broken": (lambda: nn.Linear(7, 1), "mat1 and mat2 shapes cannot be multiplied"),
}
ACCEPTED: dict[str, Callable[[], nn.Module]] = {
    "dropout off": lambda: nn.Sequential(nn.Dropout(0.0), nn.Linear(8, 1)),
    "lazy": lambda: nn.Sequential(nn.LazyLinear(4), nn.LazyBatchNorm1d(), nn.Linear(4, 1)),
    "no running statistics": lambda: nn.Sequential(
        nn.Linear(8, 4), nn.BatchNorm1d(4, track_running_stats=False), nn.Linear(4, 1)
    ),
    "float32 inside": Normed,
    "float32 only": SingleOnly,
}


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_what_would_be_wrong_and_names_it(name: str) -> None:
    model, reason = REFUSED[name]
    outcome = probe(regression(model), TRAINING)
    assert not outcome.ok
    assert outcome.reason.startswith(reason)
    assert "\n" not in outcome.reason


@pytest.mark.parametrize("training", OPTIMIZERS, ids=lambda training: training.optimizer)
@pytest.mark.parametrize("task", [*TASKS, *ACCEPTED])
def test_accepts_what_is_right(task: str, training: TrainingSection) -> None:
    made = TASKS[task] if task in TASKS else regression(ACCEPTED[task])
    assert probe(made, training).reason == ""
    assert task == "float32 only" or probe(in_float64(made), training).ok


def test_a_metric_that_cannot_be_batched_is_named() -> None:
    def branching(outputs: Tensor, targets: Tensor) -> Tensor:
        error = (outputs - targets).abs().mean()
        return error if error < 1e9 else 2 * error

    plain = regression(lambda: nn.Linear(8, 1))
    task = Task(plain.model, plain.train, plain.test, "mse", branching)
    assert probe(task, TRAINING).reason.startswith("metric branching: looks at a tensor's value")


def test_a_loss_that_cannot_be_batched_is_told_from_the_model() -> None:
    def branching(outputs: Tensor, targets: Tensor) -> Tensor:
        error = (outputs - targets).abs().mean()
        return error if error < 1e9 else 2 * error

    plain = regression(lambda: nn.Linear(8, 1))
    task = Task(plain.model, plain.train, plain.test, branching, "mse")
    assert probe(task, TRAINING).reason.startswith("the loss: looks at a tensor's value")


def test_the_choice_says_which_engine_and_why() -> None:
    assert choose_engine("auto", TASKS["layer_norm"], TRAINING, "cpu")[1] == "engine: batched"
    engine, note = choose_engine("auto", regression(Item), TRAINING, "cpu")
    assert engine.name == "sequential"
    assert note.startswith("engine: sequential (the model (Item): looks")
    assert choose_engine("sequential", TASKS["layer_norm"], TRAINING, "cpu")[0].name == "sequential"


@pytest.mark.parametrize(
    ("name", "device", "words"),
    [
        ("batched", "cpu", r"the model \(Item\): looks at"),
        ("batch", "cpu", "did you mean batched"),
        ("auto", "tpu", "auto, cpu or cuda"),
    ],
)
def test_wrong_choices_are_input_errors(name: str, device: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        choose_engine(name, regression(Item), TRAINING, device)


def test_probing_draws_nothing_from_the_global_stream() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    probe(TASKS["convolution"], TRAINING)
    assert torch.equal(torch.rand(3), expected)
