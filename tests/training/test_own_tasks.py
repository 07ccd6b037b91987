"""Anybody's model: for each kind of data, a plain loop that is written here gives the sequential engine's numbers."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from own_tasks import CASES, EPOCHS, LR, ROWS, SEED, SIZE, TEST, TESTS, Batch, Case, curve, section
from own_tensor_tasks import CASES as TENSOR_CASES
from torch import nn

from lrsearch.schedules.classical import Constant
from lrsearch.tasks.check import check
from lrsearch.training.choice import choose_engine
from lrsearch.training.engine import Lane, SequentialEngine

ALL = CASES | TENSOR_CASES


def order_of(generator: torch.Generator) -> list[int]:
    """An epoch's rows as `DataLoader(shuffle=True)` draws them; see "How the loop runs"."""
    torch.empty((), dtype=torch.int64).random_(generator=generator)
    seed = int(torch.empty((), dtype=torch.int64).random_(generator=generator).item())
    return torch.randperm(ROWS, generator=torch.Generator().manual_seed(seed)).tolist()


class Drawn:
    """Draws what reading a batch draws: all three streams begin at a number of seed, epoch and batch."""

    def __init__(self, case: Case) -> None:
        self.case = case

    def batch(self, numbers: Sequence[int], epoch: int, batch: int) -> Batch:
        if not self.case.streams:
            return self.case.batch(numbers)
        before = torch.get_rng_state()
        number = int(np.random.SeedSequence([SEED, epoch, batch]).generate_state(1)[0])
        torch.manual_seed(number)
        np.random.seed(number)
        random.seed(number)
        made = self.case.batch(numbers)
        torch.set_rng_state(before)
        return made


def plain_loop(case: Case) -> list[float]:
    """What a user would write; the metric on the test rows after each epoch."""
    drawn = Drawn(case)
    torch.manual_seed(SEED)
    model = case.task.model()
    order = torch.Generator()
    order.set_state(torch.get_rng_state())
    optimizer = torch.optim.SGD(model.parameters(), lr=LR)
    curve = []
    for epoch in range(EPOCHS):
        model.train()
        numbers = order_of(order)
        for batch, begin in enumerate(range(0, ROWS, SIZE)):
            inputs, targets = drawn.batch(numbers[begin : begin + SIZE], epoch, batch)
            optimizer.zero_grad()
            case.loss(case.call(model, inputs), targets).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        curve.append(on_test_rows(model, case, drawn))
    return curve


def on_test_rows(model: nn.Module, case: Case, drawn: Drawn) -> float:
    model.eval()
    before = torch.get_rng_state()
    outputs, targets = [], []
    tests = range(ROWS + TESTS)[TEST]
    with torch.no_grad():
        for batch, begin in enumerate(range(0, TESTS, case.test_size)):
            inputs, wanted = drawn.batch(tests[begin : begin + case.test_size], 2**32 - 1, batch)
            outputs.append(case.call(model, inputs))
            targets.append(wanted)
        of_all = targets[0] if isinstance(targets[0], dict) else torch.cat(targets)
        value = float(case.metric(case.join(outputs), of_all))
    torch.set_rng_state(before)
    return value


@pytest.mark.parametrize("name", ALL)
def test_a_plain_loop_gives_the_same_numbers(name: str) -> None:
    case = ALL[name]
    check(case.task, "mine")
    assert curve(case.task) == pytest.approx(plain_loop(case), rel=2e-5)


def test_any_number_of_loader_workers_gives_the_same_numbers() -> None:
    task = CASES["rows that draw"].task
    alone = curve(task)
    assert curve(task) == alone
    assert curve(task, loader_workers=2) == alone


@pytest.mark.parametrize(
    "name",
    ["dict", "tuple", "named tuple", "dataclass", "forward of its own", "several targets", "several outputs and noise"],
)
def test_a_batch_of_networks_carries_nests(name: str) -> None:
    task = CASES[name].task
    engine, note = choose_engine("batched", task, section(), "cpu")
    assert note == "engine: batched"
    lanes = [Lane(rate, Constant(), SEED) for rate in (0.01, LR)]
    both_ways = [list(each.train(task, lanes, section())) for each in (engine, SequentialEngine())]
    for one, other in zip(*both_ways, strict=True):
        assert one.test_metric == pytest.approx(other.test_metric, rel=1e-4)
        assert one.train_metric == pytest.approx(other.train_metric, rel=1e-4)


@pytest.mark.parametrize("name", TENSOR_CASES)
def test_a_batch_of_networks_carries_tensors(name: str) -> None:
    assert choose_engine("batched", TENSOR_CASES[name].task, section(), "cpu")[1] == "engine: batched"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("torch.sparse_coo", "inputs or targets are sparse tensors"),
        ("packed sequences", "train rows are read from a Dataset: the task has a collate"),
        ("rows that draw", "train rows are read from a Dataset: a row is not the same when it is read again"),
    ],
)
def test_what_a_batch_cannot_carry_is_trained_one_by_one_and_says_why(name: str, reason: str) -> None:
    assert choose_engine("auto", CASES[name].task, section(), "cpu")[1] == f"engine: sequential ({reason})"
