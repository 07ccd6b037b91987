"""An update and an evaluation of one lane as a graph of torch's operations: what the batched engine does, for one.

`make_fx` follows the network, its loss, autograd and the optimizer of `lane_optimizers`; a second pass turns changes in
place into new values. Nothing here knows what becomes of the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.func import functionalize
from torch.fx import GraphModule
from torch.fx.experimental.proxy_tensor import make_fx

from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.metrics import Metric
from lrsearch.training import lane_optimizers
from lrsearch.training.compiled import composed
from lrsearch.training.compiled.state import numbers_of
from lrsearch.training.devices import plain_kernels
from lrsearch.training.evaluation import EVALUATION_ROWS
from lrsearch.training.networks import StackedNetworks
from lrsearch.training.random_draws import Draw, GivenDraws


def update_graph(
    networks: StackedNetworks,
    training: TrainingSection,
    names: tuple[Sequence[str], Sequence[str]],
    batch: tuple[Tensor, Tensor],
    draws: Sequence[Draw],
) -> GraphModule:
    """An update.

    Args:
        networks: The first of them is traced.
        training: Optimizer.
        names: What the optimizer remembers, and its numbers that lanes have for themselves.
        batch: Inputs and targets [rows, ...].
        draws: What a forward pass and the loss draw.

    Returns:
        Takes trained parameters, other parameters, buffers, the optimizer's memory, inputs, targets, draws, the rate,
        and numbers of the lane's own; gives the loss before the update, trained parameters, buffers, memory.
    """
    memory, own = names
    trained, still, buffers = networks.first()
    numbers = len(trained)

    def update(trained: Tensor, still: Any, buffers: Any, memory_of: Any, inputs: Tensor, targets: Tensor, drawn: Any,
               rate: Tensor, own_of: Any) -> Any:  # fmt: skip
        leaf = trained.detach().requires_grad_()
        buffers = {name: value.clone() for name, value in buffers.items()}
        with GivenDraws.of(draws, drawn):
            loss, buffers = networks.loss_of_one(leaf, still, buffers, inputs, targets)
        (gradient,) = torch.autograd.grad(loss, leaf)
        optimizer: Any = lane_optimizers.build([training])
        for name in numbers_of(optimizer):
            setattr(optimizer, name, dict(zip(own, own_of, strict=True)).get(name, 0.0))
        for name, value in zip(memory, memory_of, strict=True):
            setattr(optimizer, name, value.clone())
        row = trained.detach().clone()[None]
        with torch.no_grad():
            optimizer.step(row, gradient[None], rate)
        return loss.detach(), row[0], buffers, [getattr(optimizer, name) for name in memory]

    one = torch.ones(1, 1, dtype=torch.float64)
    state = [one.clone() if name == "steps" else torch.zeros(1, numbers, dtype=trained.dtype) for name in memory]
    drawn = [draw.drawn(torch.Generator()) for draw in draws]
    networks.module.train()
    given = (trained, still, buffers, state, *batch, drawn, one, [one / 2 for _ in own])
    return traced(update, *given)


def evaluation_graph(
    networks: StackedNetworks, data: tuple[Tensor, Tensor], metrics: Mapping[str, Metric], draws: Sequence[Draw]
) -> GraphModule:
    """An evaluation.

    Args:
        networks: The first of them is traced.
        data: Inputs and targets [rows, ...].
        metrics: Name -> metric.
        draws: What the forward passes draw.

    Returns:
        Takes trained parameters, other parameters, buffers, inputs, targets, draws; gives a number for each metric.
    """

    def evaluate(trained: Tensor, still: Any, buffers: Any, inputs: Tensor, targets: Tensor, drawn: Any) -> Any:
        with torch.no_grad(), GivenDraws.of(draws, drawn):
            parts = [networks.outputs_of_one(trained, still, buffers, rows)
                     for rows in torch.split(inputs, EVALUATION_ROWS)]  # fmt: skip
            outputs = parts[0] if len(parts) == 1 else torch.cat(parts)
        return [metric(outputs, targets) for metric in metrics.values()]

    networks.module.eval()
    drawn = [draw.drawn(torch.Generator()) for draw in draws]
    return traced(evaluate, *networks.first(), *data, drawn)


def traced(function: Callable[..., Any], *arguments: Any) -> GraphModule:
    """The operations of a function of tensors, without changes in place.

    Args:
        function: What to follow.
        arguments: Tensors, in nests.
    """
    table = composed.table()
    with plain_kernels():
        graph = make_fx(lambda *given: function(*given), decomposition_table=table)(*arguments)
        plain = functionalize(lambda *given: graph(*given), remove="mutations")
        found: GraphModule = make_fx(plain, decomposition_table=table)(*arguments)
    found.graph.eliminate_dead_code()
    return found
