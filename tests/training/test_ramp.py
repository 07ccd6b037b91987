"""The range test on real tasks: its training is the shared loop's, and its range holds the rates that work."""

from __future__ import annotations

import math
import statistics

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from lrsearch import registry
from lrsearch.errors import InputError
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.task import Task
from lrsearch.training.loop import start, train
from lrsearch.training.ramp import Plan, Ramp, climb
from lrsearch.training.range_test import analyse

NINE = [1e-6 * 10 ** (7 * place / 8) for place in range(9)]
"""Over seven decades."""


def build(name: str, **options: object) -> Task:
    made: Task = registry.tasks.get(name).build(options)
    return made


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_losses_are_those_of_a_plain_script(optimizer: str) -> None:
    """Over the border between two epochs; rates have equal ratios, and the last loss follows the last update."""
    task, training = build("polynomial", rows=100), TrainingSection(batch_size=16, optimizer=optimizer)  # type: ignore[arg-type]
    plan = Plan(low=1e-6, high=1e-2, updates=50, seeds=2)
    for climbed in climb(task, training, plan):
        torch.manual_seed(climbed.seed)
        model = task.model()
        loader = DataLoader(TensorDataset(*task.train), batch_size=16, shuffle=True)
        kind = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[optimizer]
        made = kind(model.parameters(), lr=1e-6)
        expected: list[float] = []
        rates = [*(1e-6 * 10 ** (4 * place / 49) for place in range(50)), 1e-2]
        while len(expected) < 51:
            for inputs, targets in loader:
                made.param_groups[0]["lr"] = rates[min(len(expected), 50)]
                made.zero_grad()
                loss = torch.nn.functional.mse_loss(model(inputs), targets)
                loss.backward()
                made.step()
                expected.append(loss.item())
        assert list(climbed.losses) == pytest.approx(expected[:51], rel=1e-6)
        assert climbed.diverged_at is None


def test_seeds_count_on_from_the_first_and_the_global_stream_is_left_alone() -> None:
    task, training = build("polynomial", rows=60), TrainingSection(seeds=[2**32 - 1])
    torch.manual_seed(1)
    expected = torch.rand(2)
    torch.manual_seed(1)
    seeds = [climbed.seed for climbed in climb(task, training, Plan(updates=50, seeds=3))]
    assert seeds == [2**32 - 1, 0, 1]
    assert torch.equal(torch.rand(2), expected)


def test_the_ramp_follows_the_grid_and_stays_at_its_end() -> None:
    ramp = Ramp(ratio=1e7, updates=400)
    assert [1e-6 * ramp.factor(t, 406) for t in range(400)] == pytest.approx(
        [1e-6 * 10 ** (7 * t / 399) for t in range(400)]
    )
    assert ramp.factor(405, 406) == 1e7
    assert "ramp" not in registry.schedules


def test_a_plan_says_everything_that_is_wrong_at_once() -> None:
    with pytest.raises(InputError) as caught:
        Plan(low=-1, high=math.nan, updates=3, seeds=0)
    assert [fault.key for fault in caught.value.faults] == ["low", "high", "batches", "seeds"]
    with pytest.raises(InputError, match="ten times"):
        Plan(low=1, high=2)


def brute_force(task: Task, training: TrainingSection, rates: list[float]) -> list[float]:
    """Test metric after 10 epochs at a constant rate: the median of seeds that the range test did not see."""
    constant = registry.schedules.get("constant")()
    found = []
    for lr in rates:
        ends = [list(train(start(task, constant, lr, training, seed)))[-1] for seed in (101, 102, 103)]
        found.append(statistics.median(math.inf if end.diverged else end.test_metric for end in ends))
    return found


@pytest.mark.parametrize(
    ("name", "optimizer"),
    [
        ("polynomial", "sgd"),
        ("diabetes", "adam"),
        *(
            pytest.param(*both, marks=pytest.mark.soak)
            for both in (("polynomial", "adam"), ("diabetes", "sgd"), ("digits", "sgd"), ("digits", "adam"))
        ),
    ],
)
def test_the_range_holds_the_rates_that_work(name: str, optimizer: str) -> None:
    """Against brute force: the best of nine rates over the whole ramp is inside, what learns nothing is outside."""
    task, training = build(name), TrainingSection(epochs=10, optimizer=optimizer)  # type: ignore[arg-type]
    plan = Plan()
    finding = analyse(list(climb(task, training, plan)), plan.low, plan.high, plan.updates).finding
    assert finding.range is not None
    assert finding.lr is not None
    low, high = finding.range
    *values, suggested = brute_force(task, training, [*NINE, finding.lr])
    best, untrained = min(values), values[0]
    gained = {lr: (untrained - value) / (untrained - best) for lr, value in zip(NINE, values, strict=True)}
    assert low <= max(gained, key=gained.__getitem__) <= high
    assert all(low <= lr <= high for lr, gain in gained.items() if gain > 0.85)
    assert not any(low <= lr <= high for lr, gain in gained.items() if gain < 0.2)
    assert (untrained - suggested) / (untrained - best) > 0.75
    assert high / low < 10**3.6
