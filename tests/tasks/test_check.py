"""Tasks whose parts do not fit each other get one clear answer before anything is trained."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset, IterableDataset

from lrsearch.errors import InputError, LrsearchWarning
from lrsearch.tasks.check import check
from lrsearch.tasks.sample import sample
from lrsearch.tasks.task import Task

X = torch.randn(50, 3, generator=torch.Generator().manual_seed(0))
Y = X.sum(dim=1, keepdim=True)
CLASSES = torch.arange(50) % 4
NAN = X.clone()
NAN[7, 1] = torch.nan
ONE_NETWORK = nn.Linear(3, 1)


class Ragged(Dataset[Any]):
    def __len__(self) -> int:
        return 9

    def __getitem__(self, index: int) -> Any:
        return torch.ones(index + 1), 1.0


def task(**parts: Any) -> Task:
    plain = {"model": lambda: nn.Linear(3, 1), "train": (X[:35], Y[:35]), "test": (X[35:], Y[35:])}
    return Task(**{**plain, "loss": "mse", "metric": "mse", **parts})


def classes(outputs: int, targets: Tensor) -> Task:
    data = {"train": (X[:35], targets[:35]), "test": (X[35:], targets[35:])}
    return task(model=lambda: nn.Linear(3, outputs), loss="cross_entropy", metric="error", **data)


def vector(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs - targets) ** 2


def two_losses(outputs: Tensor, targets: Tensor) -> Any:
    return (outputs - targets).square().mean(), outputs.mean()


def matrix_product(outputs: Tensor, targets: Tensor) -> Tensor:
    return outputs @ targets


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda: task(train=(NAN, Y)), "train inputs = nan: 1 of 150 numbers are not finite, the first at [7, 1]"),
        (lambda: task(holdout=(X, Y * torch.inf)), "holdout targets = "),
        (
            lambda: task(train=(X, Y[:, 0])),
            "model output [4, 1], targets [4]: both must have the same shape; t",
        ),
        (lambda: task(model=lambda: nn.Linear(3, 2)), "model output [4, 2], targets [4, 1]: both must have the same"),
        (lambda: task(model=lambda: nn.Linear(4, 1)), "fails on train inputs [4, 3] float32: RuntimeError: mat1 and"),
        (lambda: task(test=(X[:, :2], Y)), "model: fails on test inputs [4, 2] float32"),
        (lambda: task(train=(X.double(), Y)), "fails on train inputs [4, 3] float64"),
        (lambda: classes(4, CLASSES[:, None]), 'loss = "cross_entropy": model output [4, 4], targets [4, 1]: takes'),
        (lambda: classes(3, CLASSES), "targets from 0 to 3: takes whole class numbers from 0 to 2"),
        (lambda: classes(4, CLASSES - 1), "targets from -1 to 2"),
        (lambda: classes(4, CLASSES / 2), "targets from 0.0 to 1.5: takes whole class numbers"),
        (lambda: task(model=lambda: ONE_NETWORK), "gives the same network every time"),
        (lambda: task(model=lambda: 3), "model = int: must return a torch.nn.Module"),
        (lambda: task(model=lambda: nn.Linear(3)), "fails: TypeError"),  # type: ignore[call-arg]
        (lambda: task(model=lambda: nn.LSTM(3, 2)), "model output = tuple of 2 (Tensor, tuple): must be one tensor"),
        (lambda: task(loss=vector), "loss = tensor [4, 1]: must return one number"),
        (lambda: task(metric=lambda *_: 3.0), "metric = float: must return one number, as a tensor"),
        (lambda: task(metric=matrix_product), "fails on train rows, model output [4, 1], targets [4, 1]: RuntimeError"),
        (lambda: task(extra={"odd": vector}), "odd = tensor [4, 1]"),
        (lambda: task(loss=lambda outputs, targets: (outputs.detach() - targets).mean()), "loss: has no gradient"),
        (lambda: task(model=nn.Identity, loss="mse", train=(X, X), test=(X + 1, X)), "has no parameter to train"),
        (lambda: task(train=Ragged()), "rows of one batch have different shapes; give the task a collate"),
        (lambda: task(train=Ragged(), collate=lambda rows: rows[7][0]), "no batch can be made of its rows: IndexError"),
        (
            lambda: task(train=Ragged(), collate=lambda rows: (X, rows)),
            "the targets of a batch must be a tensor",
        ),
        (lambda: task(train=({"rows": X}, Y)), "got an unexpected keyword argument 'rows'"),
        (
            lambda: task(train=({"rows": X}, Y)),
            "it is called as model(**inputs): Task(forward=",
        ),
        (lambda: task(train=({"input": NAN}, Y)), 'train inputs["input"] = nan: 1 of 150 numbers'),
        (lambda: task(loss=two_losses), "several losses, with an optimizer each, want a training loop of your own"),
    ],
)
def test_what_does_not_fit_is_named(made: Any, words: str) -> None:
    with pytest.raises(InputError) as caught:
        check(made(), "mine")
    message = str(caught.value)
    assert message.startswith("task mine: ")
    assert words in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"model": nn.Linear(3, 1)}, "must be a function that makes a new network"),
        ({"model": 3}, "model = int"),
        ({"loss": 3}, "loss = int: must be a callable"),
        ({"metric": "msee"}, "did you mean mse"),
        ({"extra": {"epoch": "mae"}}, "must not be called"),
        ({"extra": {"rank": "accurcy"}}, "did you mean accuracy"),
        ({"extra": ["mae"]}, "must be a dictionary"),
    ],
)
def test_what_is_wrong_in_itself_is_named_when_the_task_is_made(parts: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        task(**parts)


def test_all_wrong_parts_are_named_together() -> None:
    with pytest.raises(InputError) as caught:
        task(model=3, loss="x", metric="y", extra={"lr": "z"})
    assert len(caught.value.faults) == 5


def test_rows_that_train_and_test_share_are_a_warning() -> None:
    with pytest.warns(LrsearchWarning, match="task mine: 5 of the 20 test rows are train rows, too"):
        check(task(test=(X[30:], Y[30:])), "mine")


def test_equal_inputs_with_other_targets_are_no_shared_rows() -> None:
    check(task(test=(X[:35], Y[:35] + 1)), "mine")


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float64])
def test_other_types_are_compared_too(kind: torch.dtype) -> None:
    same = (X.to(kind), Y.to(kind))
    with pytest.warns(LrsearchWarning, match="50 of the 50 test rows"):
        check(task(model=lambda: nn.Linear(3, 1).to(kind), train=same, test=same), "mine")


def test_named_extra_metrics_are_shown() -> None:
    made = task(extra={"absolute": "mae"})
    assert float(made.extra["absolute"](Y, Y + 1)) == pytest.approx(1)
    check(made, "mine")


def test_sequences_have_a_class_per_position() -> None:
    """Torch's order: classes are the second axis."""
    rows = torch.randn(8, 3, 5)
    numbers = torch.randint(0, 4, (8, 5))
    made = task(
        model=lambda: nn.Conv1d(3, 4, 1), train=(rows, numbers), test=(rows + 1, numbers),
        loss="cross_entropy", metric="error",
    )  # fmt: skip
    check(made, "mine")


def test_checking_draws_nothing_from_the_global_stream() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    check(task(model=lambda: nn.Sequential(nn.Dropout(0.5), nn.Linear(3, 1))), "mine")
    assert torch.equal(torch.rand(3), expected)


OWN = np.random.default_rng(0)


class Noisy(Dataset[Any]):
    """Rows with noise from a generator."""

    def __init__(self, draw: Callable[[], float]) -> None:
        self.draw = draw

    def __len__(self) -> int:
        return 20

    def __getitem__(self, index: int) -> Any:
        return X[index] + self.draw(), Y[index]


class NoisyStream(IterableDataset[Any]):
    def __iter__(self) -> Any:
        return ((X[row] + float(OWN.random()), Y[row]) for row in range(40))


@pytest.mark.parametrize("train", [Noisy(lambda: float(OWN.random())), NoisyStream()], ids=["rows", "stream"])
def test_rows_that_draw_from_a_generator_of_their_own_are_a_warning(train: Any) -> None:
    steps = 2 if isinstance(train, NoisyStream) else None
    with pytest.warns(LrsearchWarning, match=r"train rows are not the same .*default_rng\(np.random.rand"):
        check(task(train=train, steps_per_epoch=steps), "mine")


@pytest.mark.parametrize(
    "draw",
    [
        random.random,
        np.random.rand,
        lambda: float(torch.rand(())),
        lambda: np.random.default_rng(np.random.randint(2**31)).random(),
    ],
    ids=["random", "numpy", "torch", "a generator made of them"],
)
def test_rows_that_draw_from_the_global_streams_are_none(draw: Callable[[], float]) -> None:
    check(task(train=Noisy(draw)), "mine")


def test_a_sample_says_what_goes_in_and_comes_out() -> None:
    found = sample(task(metric=vector_length, direction="maximize"))
    assert (found.inputs, found.rows) == ("[4, 3] float32", 4)
    assert (found.metric, found.direction) == ("vector_length", "maximize")
    assert re.fullmatch(r"\[4, 1\] float32: (-?[\d.e-]+, ){3}-?[\d.e-]+", found.outputs)
    inputs = {"input": X}
    assert sample(task(train=(inputs, Y), test=(inputs, Y))).inputs == '["input"] [4, 3] float32'


def vector_length(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs - targets).norm()
