"""Our RNN, GRU and LSTM compute what torch's do, gradients included; a batch of them equals the sequential loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_batched import curves, schedule, train
from torch import Tensor, nn
from workloads import in_float64, regression

from lrsearch.study_file.model import TrainingSection
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.engine import Lane, SequentialEngine
from lrsearch.training.plain_functions import PlainFunctions

KINDS: dict[str, Callable[..., nn.RNNBase]] = {
    "lstm": nn.LSTM,
    "gru": nn.GRU,
    "tanh": nn.RNN,
    "relu": lambda *sizes, **options: nn.RNN(*sizes, nonlinearity="relu", **options),
}
OPTIONS = st.fixed_dictionaries(
    {
        "num_layers": st.integers(1, 3),
        "bidirectional": st.booleans(),
        "batch_first": st.booleans(),
        "bias": st.booleans(),
        "dropout": st.sampled_from([0.0, 0.4]),
    }
)


def results(module: nn.RNNBase, inputs: Tensor, initial: Any) -> list[Tensor]:
    """Outputs, last states, and gradients of weights, inputs and initial states."""
    torch.manual_seed(4)
    outputs, last = module(inputs, initial)
    values = [outputs, *(last if isinstance(last, tuple) else (last,))]
    sources = [inputs, *module.parameters(), *(initial if isinstance(initial, tuple) else (initial,))]
    wanted = [source for source in sources if source is not None]
    loss = torch.stack([value.pow(2).sum() for value in values]).sum()
    return [*values, *torch.autograd.grad(loss, wanted)]


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(list(KINDS)), OPTIONS, st.integers(1, 4), st.integers(1, 3), st.booleans(), st.booleans())
@pytest.mark.filterwarnings("ignore:dropout option adds dropout")
def test_equals_torch(
    kind: str, options: dict[str, Any], steps: int, rows: int, initial_given: bool, projected: bool
) -> None:
    torch.manual_seed(0)
    size = {"proj_size": 3} if kind == "lstm" and projected else {}
    module = KINDS[kind](2, 5, **options, **size).double()
    shape = (rows, steps, 2) if options["batch_first"] else (steps, rows, 2)
    inputs = torch.randn(shape, dtype=torch.float64).requires_grad_()
    initial = None
    if initial_given:
        number = options["num_layers"] * (2 if options["bidirectional"] else 1)
        sizes = (3 if size else 5, 5)[: 2 if kind == "lstm" else 1]
        parts = tuple(torch.randn(number, rows, part, dtype=torch.float64).requires_grad_() for part in sizes)
        initial = parts if kind == "lstm" else parts[0]
    expected = results(module, inputs, initial)
    with PlainFunctions():
        found = results(module, inputs, initial)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kind", [nn.LSTMCell, nn.GRUCell])
@pytest.mark.parametrize("bias", [True, False])
def test_single_cells_equal_torch(kind: type[nn.RNNCellBase], bias: bool) -> None:
    cell = kind(2, 5, bias=bias).double()  # type: ignore[call-arg]
    rows = torch.randn(3, 2, dtype=torch.float64)
    expected = cell(rows, cell(rows))
    with PlainFunctions():
        found = cell(rows, cell(rows))
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


class Recurrent(nn.Module):
    """Two layers in both directions over four time steps, with dropout in between."""

    def __init__(self, kind: Callable[..., nn.RNNBase]) -> None:
        super().__init__()
        self.cells = kind(2, 3, num_layers=2, bidirectional=True, dropout=0.3, batch_first=True)
        self.last = nn.Linear(6, 1)

    def forward(self, rows: Tensor) -> Tensor:
        return self.last(self.cells(rows.unflatten(1, (4, 2)))[0][:, -1])  # type: ignore[no-any-return]


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_equals_the_sequential_engine(kind: str) -> None:
    training = TrainingSection(epochs=3, batch_size=16)
    lanes = [Lane(0.01 * (1 + place % 3), schedule("linear"), place % 2) for place in range(5)]
    task = in_float64(regression(lambda: Recurrent(KINDS[kind])))
    expected = train(SequentialEngine(), task, lanes, training)
    found = train(BatchedEngine(), task, lanes, training)
    for lane in range(len(lanes)):
        np.testing.assert_allclose(curves(found, lane), curves(expected, lane), rtol=1e-9)


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_last_bits_are_the_same_in_any_company(kind: str) -> None:
    training = TrainingSection(epochs=2, batch_size=16, momentum=0.9)
    lanes = [Lane(0.003 * (1 + place), schedule("linear"), place % 3) for place in range(70)]
    task = regression(lambda: Recurrent(KINDS[kind]))
    alone = train(BatchedEngine(), task, lanes[:8], training)
    for company in (
        train(BatchedEngine(), task, lanes, training),
        train(BatchedEngine(memory=1), task, lanes, training),
    ):
        for lane in range(8):
            assert repr(curves(company, lane)) == repr(curves(alone, lane))
