"""Where random numbers come from, and what is read as it comes: the seed decides both, whoever reads."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from own_tasks import CASES, EPOCHS, LR, MSE, ROWS, SEED, SIZE, TEST, TRAIN, Batch, X, Y, curve, linear, section
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset

from lrsearch.schedules.classical import Constant
from lrsearch.study_file.model import PluginSection
from lrsearch.tasks.task import Task
from lrsearch.training import checkpoint
from lrsearch.training.definition import RunDefinition
from lrsearch.training.loop import start, train


class Stream(IterableDataset[Any]):
    """Rows in an order of their own, which draws; `length` of them, or without end."""

    def __init__(self, length: int | None) -> None:
        self.length = length

    def __iter__(self) -> Iterator[Any]:
        number = 0
        while self.length is None or number < self.length:
            row = random.randrange(ROWS)
            yield X[row] + float(np.random.rand()), Y[row]
            number += 1


def streamed(length: int | None, steps: int) -> Task:
    return Task(linear, Stream(length), (X[TEST], Y[TEST]), **MSE, steps_per_epoch=steps)


def passes(length: int | None) -> Iterator[Batch]:
    """A DataLoader's batches, again and again."""
    while True:
        yield from DataLoader(Stream(length), batch_size=SIZE)


def plain_stream(length: int | None, steps: int, accumulate: int = 1) -> list[float]:
    torch.manual_seed(SEED)
    model = linear()
    optimizer = torch.optim.SGD(model.parameters(), lr=LR)
    stream, curve = passes(length), []
    for epoch in range(EPOCHS):
        batches = []
        for batch in range(steps):
            number = int(np.random.SeedSequence([SEED, epoch, batch]).generate_state(1)[0])
            np.random.seed(number)
            random.seed(number)
            batches.append(next(stream))
        for begin in range(0, steps, accumulate):
            group = batches[begin : begin + accumulate]
            optimizer.zero_grad()
            for inputs, targets in group:
                (functional.mse_loss(model(inputs), targets) / len(group)).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        with torch.no_grad():
            curve.append(float(functional.mse_loss(model(X[TEST]), Y[TEST])))
    return curve


@pytest.mark.parametrize("length", [None, 2 * SIZE + 3])
@pytest.mark.parametrize("keys", [{}, {"loader_workers": 2}])
def test_a_stream_goes_on_where_the_epoch_before_ended(length: int | None, keys: dict[str, int]) -> None:
    """A plain loop over a DataLoader that begins anew when it ends; 5 batches are called an epoch."""
    assert curve(streamed(length, 5), **keys) == pytest.approx(plain_stream(length, 5), rel=1e-5)


def test_steps_of_a_stream_count_before_accumulation() -> None:
    task = streamed(None, 4)
    assert start(task, Constant(), LR, section(accumulate=2), SEED).updates_per_epoch == 2
    assert curve(task, accumulate=2) == pytest.approx(plain_stream(None, 4, accumulate=2), rel=1e-5)


@pytest.mark.parametrize("task", [streamed(None, 5), CASES["rows that draw"].task], ids=["stream", "rows that draw"])
@pytest.mark.parametrize("keys", [{}, {"evaluate_every": 1, "accumulate": 2}], ids=["epoch", "within an epoch"])
def test_a_run_goes_on_after_a_checkpoint(task: Task, keys: dict[str, int], tmp_path: Path) -> None:
    whole = curve(task, **keys)
    begun = start(task, Constant(), LR, section(**keys), SEED)
    first = [record.test_metric for record in train(begun, 1)]
    definition = RunDefinition(PluginSection(name="polynomial"), section(**keys), LR, Constant())
    checkpoint.save(tmp_path / "run.ckpt", definition, begun)
    resumed = start(task, Constant(), LR, section(**keys), SEED)
    checkpoint.restore(checkpoint.read(tmp_path / "run.ckpt"), resumed)
    assert first + [record.test_metric for record in train(resumed)] == whole


class Drawing(nn.Module):
    """Draws from all three streams while it is made and while it trains."""

    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Linear(6, 1)
        self.scale = 1 + float(np.random.rand()) + random.random()

    def forward(self, rows: Tensor) -> Tensor:
        noise = float(np.random.rand()) + random.random() + torch.rand(()) if self.training else 0.0
        out: Tensor = self.last(rows * self.scale) + noise
        return out


def test_what_a_network_draws_belongs_to_the_seed_and_leaves_other_streams_alone(tmp_path: Path) -> None:
    task = Task(Drawing, (X[TRAIN], Y[TRAIN]), (X[TEST], Y[TEST]), **MSE)
    torch.manual_seed(1)
    random.seed(1)
    np.random.seed(1)
    expected = float(torch.rand(())), random.random(), float(np.random.rand())
    torch.manual_seed(1)
    random.seed(1)
    np.random.seed(1)
    whole = curve(task)
    assert (float(torch.rand(())), random.random(), float(np.random.rand())) == expected
    assert curve(task) == whole
    test_a_run_goes_on_after_a_checkpoint(task, {}, tmp_path)
