"""The metric per block of rows: its mean is the metric of all rows, whatever the metric."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.func import vmap

from lrsearch.tasks.blocks import MOST_BLOCKS, PerBlock, blocks_of, contributions, is_additive, of_batches, per_block
from lrsearch.tasks.data import Data
from lrsearch.tasks.metrics import METRICS, Metric
from lrsearch.tasks.task import Task

ROWS = 450


def r2(outputs: Tensor, targets: Tensor) -> Tensor:
    return 1 - (outputs - targets).square().sum() / (targets - targets.mean()).square().sum()


def auc(outputs: Tensor, targets: Tensor) -> Tensor:
    """Share of pairs, one of each class, that are in order; vmap can batch it, for it selects nothing."""
    pairs = targets[:, 0, None] * (1 - targets[:, 0])
    return ((outputs[:, 0, None] > outputs[:, 0]) * pairs).sum() / pairs.sum()


def f1(outputs: Tensor, targets: Tensor) -> Tensor:
    found = (outputs > 0).to(outputs.dtype)
    return 2 * (found * targets).sum() / (found.sum() + targets.sum())


def worst(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs - targets).abs().amax()


DO_NOT_ADD_UP: dict[str, Metric] = {"r2": r2, "auc": auc, "f1": f1}


def sample(rows: int, seed: int = 0) -> Data:
    """Outputs, and targets of 0 and 1 that they say something about."""
    generator = torch.Generator().manual_seed(seed)
    outputs = torch.randn(rows, 1, generator=generator)
    noise = torch.randn(rows, 1, generator=generator)
    return outputs, (outputs + noise > 0).float()


@given(st.integers(1, 5000))
def test_blocks_hold_each_row_once_and_are_alike_in_size(rows: int) -> None:
    blocks = blocks_of(rows)
    assert sorted(torch.cat(blocks).tolist()) == list(range(rows))
    sizes = {len(block) for block in blocks}
    assert len(blocks) <= MOST_BLOCKS
    assert max(sizes) == -(-rows // MOST_BLOCKS)
    assert max(sizes) - min(sizes) <= 1
    assert rows > MOST_BLOCKS or [int(block) for block in blocks] == list(range(rows))


def test_more_rows_than_blocks_are_mixed_in_the_same_way_every_time() -> None:
    one, other = blocks_of(ROWS), blocks_of(ROWS)
    assert all(map(torch.equal, one, other))
    assert any(int(block[-1] - block[0]) > len(block) for block in one)


@given(st.integers(2, 230), st.integers(0, 99))
@settings(max_examples=25)
def test_values_of_a_mean_are_those_of_a_slow_loop(rows: int, seed: int) -> None:
    outputs, targets = sample(rows, seed)
    blocks = blocks_of(rows)
    found = PerBlock(METRICS["mse"], blocks, additive=True)(outputs, targets)
    squares = ((outputs - targets) ** 2)[:, 0].double().tolist()
    whole = sum(squares) / rows
    for block, value in zip(blocks, found.tolist(), strict=True):
        mean = sum(squares[row] for row in block.tolist()) / len(block)
        assert value == pytest.approx(whole + len(block) * len(blocks) / rows * (mean - whole), rel=1e-4, abs=1e-5)


@given(st.sampled_from([*DO_NOT_ADD_UP, *METRICS]), st.integers(20, 500), st.integers(0, 99))
@settings(max_examples=25)
def test_the_mean_of_the_blocks_is_the_metric_of_all_rows(name: str, rows: int, seed: int) -> None:
    """Also where somebody took a metric for one that adds up that does not."""
    metric = {**DO_NOT_ADD_UP, **METRICS}[name]
    outputs, targets = sample(rows, seed)
    if name in ("cross_entropy", "error"):
        outputs, targets = torch.cat([outputs, -outputs], dim=1), targets[:, 0].long()
    for additive in (True, False):
        values = PerBlock(metric, [torch.arange(rows)[place::7] for place in range(7)], additive)(outputs, targets)
        if torch.isfinite(values).all():
            assert float(values.mean()) == pytest.approx(float(metric(outputs, targets)), rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("name", ["mse", "mae"])
def test_a_mean_over_equal_blocks_is_the_same_as_by_leaving_each_out(name: str) -> None:
    outputs, targets = (part.double() for part in sample(400))
    in_each, without_each = (
        PerBlock(METRICS[name], blocks_of(400), additive)(outputs, targets) for additive in (True, False)
    )
    torch.testing.assert_close(in_each, without_each)


def test_pseudo_values_by_hand() -> None:
    """F1 of four rows is 2/3 (one of two is found, and nothing else); without a row it is 0, 1, 2/3 and 2/3."""
    outputs, targets = torch.tensor([[1.0], [-1], [-1], [-1]]), torch.tensor([[1.0], [1], [0], [0]])
    found = PerBlock(f1, blocks_of(4), additive=False)(outputs, targets)
    values = torch.tensor([4 * 2 / 3 - 3 * rest for rest in (0, 1, 2 / 3, 2 / 3)]).double()
    torch.testing.assert_close(found, values - values.mean() + 2 / 3, rtol=1e-6, atol=1e-6)


def test_pseudo_values_scatter_as_the_metric_does_over_samples() -> None:
    """What they are for: their standard error is that of R2, measured over many samples."""
    each = [float(r2(*sample(ROWS, seed))) for seed in range(300)]
    estimates = [PerBlock(r2, blocks_of(ROWS), additive=False)(*sample(ROWS, seed)) for seed in range(10)]
    errors = [float(values.std()) / len(values) ** 0.5 for values in estimates]
    assert np.mean(errors) == pytest.approx(np.std(each), rel=0.2)


@pytest.mark.parametrize("metric", [METRICS["mse"], r2, f1])
def test_lanes_together_are_what_each_is_alone(metric: Metric) -> None:
    outputs = torch.stack([sample(ROWS, seed)[0] for seed in range(3)])
    targets = sample(ROWS)[1]
    own = PerBlock(metric, blocks_of(ROWS), additive=metric is METRICS["mse"])
    together = vmap(own, in_dims=(0, None))(outputs, targets)
    torch.testing.assert_close(together, torch.stack([own(lane, targets) for lane in outputs]), rtol=1e-6, atol=1e-4)


def grows(metric: Metric | str) -> Literal["maximize"] | None:
    return "maximize" if metric in DO_NOT_ADD_UP.values() else None


def of_task(metric: Metric | str, rows: int = ROWS, model: Callable[[], nn.Module] | None = None) -> Metric:
    inputs = torch.randn(rows, 3, generator=torch.Generator().manual_seed(1))
    data = inputs, sample(rows)[1]
    return per_block(Task(model or (lambda: nn.Linear(3, 1)), data, data, "mse", metric, direction=grows(metric)), data)


@pytest.mark.parametrize("rows", [37, ROWS, 20_000])
def test_which_metrics_add_up(rows: int) -> None:
    def doubled(outputs: Tensor, targets: Tensor) -> Tensor:
        return 2 * (outputs - targets).square().mean()

    for metric, expected in {"mse": True, doubled: True, r2: False, f1: False, worst: False}.items():
        own = of_task(metric, rows)
        assert isinstance(own, PerBlock)
        assert own.additive == expected, metric


def test_a_threshold_far_from_all_outputs_deceives_nobody() -> None:
    """All outputs of this network are on one side of it, where F1 is the same in every block."""

    class Low(nn.Linear):
        def forward(self, rows: Tensor) -> Tensor:
            return super().forward(rows) / 100 - 1

    own = of_task(f1, model=lambda: Low(3, 1))
    assert isinstance(own, PerBlock)
    assert not own.additive


def test_a_metric_that_fails_in_a_block_does_not_add_up() -> None:
    def picky(outputs: Tensor, targets: Tensor) -> Tensor:
        if len(targets) < 10:
            raise ValueError("too few")
        return (outputs - targets).mean()

    outputs, targets = sample(ROWS)
    assert not is_additive(picky, outputs, targets, blocks_of(ROWS))
    assert is_additive(picky, outputs, targets, [torch.arange(ROWS)[:200], torch.arange(ROWS)[200:]])


def test_trying_a_metric_out_draws_from_no_random_stream() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    of_task(r2)
    assert torch.equal(torch.rand(3), expected)


def test_other_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="30 rows"):
        PerBlock(r2, blocks_of(40), additive=False)(*sample(30))


@given(st.lists(st.tuples(st.floats(-10, 10), st.integers(1, 9)), min_size=1, max_size=450))
@settings(max_examples=30)
def test_batches_count_by_their_rows(batches: list[tuple[float, int]]) -> None:
    means, counts = [mean for mean, _ in batches], [count for _, count in batches]
    values = of_batches(means, counts)
    assert len(values) == min(len(batches), MOST_BLOCKS)
    assert float(values.mean()) == pytest.approx(np.average(means, weights=counts), abs=1e-9)
    if len(set(counts)) == 1 and len(batches) <= MOST_BLOCKS:
        assert values.tolist() == pytest.approx(means, abs=1e-9)
        assert contributions(torch.tensor(means), counts).tolist() == pytest.approx(means, abs=1e-4)
