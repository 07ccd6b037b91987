"""A task whose inputs, targets or outputs are nests, as one of plain tensors: that is what a batch of networks takes.

The tensors of a nest lie side by side in one float64 tensor [rows, numbers], which holds whole numbers up to 2^53 and
smaller floats exactly. Inside of the network's forward pass, and of loss and metric, they are what they were.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from lrsearch.tasks import nest
from lrsearch.tasks.attempt import attempt
from lrsearch.tasks.calling import Call
from lrsearch.tasks.data import Data, Rows, pair
from lrsearch.tasks.metrics import Metric
from lrsearch.tasks.task import Task
from lrsearch.tasks.untrained import untrained_outputs

LARGEST = 2**53
FEW = 2
"""Rows that show the shape of outputs."""


def packed(task: Task) -> Task:
    """The same task with one tensor each of inputs, targets and outputs; itself if they are that already.

    Args:
        task: One whose rows are in memory.

    Raises:
        ValueError: They cannot become one tensor, and why.
    """
    inputs, targets = pair(task.train)
    if nest.is_sparse(inputs) or nest.is_sparse(targets):
        raise ValueError("inputs or targets are sparse tensors")
    outputs = attempt(lambda: untrained_outputs(task, nest.taken(inputs, slice(FEW))), "an untrained network")
    if outputs is None:
        return task  # whatever is wrong with it, training will say it
    if task.forward is None and all(isinstance(value, Tensor) for value in (inputs, targets, outputs)):
        return task
    given, wanted, made = _Layout.of(inputs), _Layout.of(targets), _Layout.of(outputs)
    made.check_outputs()

    def model() -> nn.Module:
        return _Packed(task.model(), task.call, given, made)

    def of_packed(metric: Metric) -> Metric:
        return _OfPacked(metric, made, wanted)

    def rows(whole: Rows) -> Data:
        own_inputs, own_targets = pair(whole)
        return given.pack(own_inputs), wanted.pack(own_targets)

    return replace(
        task,
        model=model,
        train=rows(task.train),
        test=rows(task.test),
        holdout=None,
        loss=of_packed(task.loss_function),
        metric=of_packed(task.metric_function),
        extra={name: of_packed(metric) for name, metric in task.extra.items()},
        details={name: of_packed(metric) for name, metric in task.details.items()},
        forward=None,
    )


@dataclass(frozen=True, eq=False)
class _Layout:
    """Where the tensors of a nest lie in one.

    Attributes:
        template: A nest of the same kind, without rows.
        kind: Its first type with a fraction; such tensors follow the network when that computes in another type.
    """

    template: Any
    kind: torch.dtype | None

    @classmethod
    def of(cls, value: Any) -> _Layout:
        template = nest.mapped(lambda tensor: tensor.detach()[:0] if tensor.ndim else tensor.detach(), value)
        return cls(template, _kind(template))

    @property
    def is_plain(self) -> bool:
        return isinstance(self.template, Tensor)

    def check_outputs(self) -> None:
        """Outputs become one tensor as they are: gradients flow through them."""
        tensors = nest.tensors(self.template)
        if self.is_plain:
            return
        if not tensors or any(not tensor.ndim or tensor.dtype != self.kind for tensor in tensors):
            raise ValueError("the outputs are not all tensors [rows, ...] of one type with a fraction")

    def pack(self, value: Any) -> Tensor:
        if self.is_plain:
            plain: Tensor = value
            return plain
        tensors = nest.tensors(value)
        if any(not t.is_floating_point() and t.numel() and int(t.abs().max()) > LARGEST for t in tensors):
            raise ValueError("whole numbers are larger than 2^53")
        if any(tensor.is_complex() for tensor in tensors):
            raise ValueError("numbers are complex")
        return torch.cat([tensor.reshape(len(tensor), -1).double() for tensor in tensors], dim=1)

    def joined(self, outputs: Any) -> Tensor:
        """Outputs in one tensor, in their own type."""
        if self.is_plain:
            plain: Tensor = outputs
            return plain
        return torch.cat([tensor.flatten(1) if tensor.ndim > 1 else tensor[:, None]
                          for tensor in nest.tensors(outputs)], dim=1)  # fmt: skip

    def unpack(self, values: Tensor, kind: torch.dtype | None) -> Any:
        """What was packed.

        Args:
            values: [rows, numbers].
            kind: What those become that were of the layout's own kind.
        """
        if self.is_plain:
            return values
        sizes = [tensor.shape[1:].numel() for tensor in nest.tensors(self.template)]
        pieces = iter(torch.split(values, sizes, dim=1))

        def piece(like: Tensor) -> Tensor:
            wanted = kind if kind is not None and like.dtype == self.kind else like.dtype
            return next(pieces).reshape(-1, *like.shape[1:]).to(wanted)

        return nest.mapped(piece, self.template)


class _Packed(nn.Module):
    """A network that takes and gives one tensor."""

    def __init__(self, model: nn.Module, call: Call, given: _Layout, made: _Layout) -> None:
        super().__init__()
        self.model = model
        self._call: Callable[..., Any] = call
        self._given = given
        self._made = made
        self._kind = _kind(list(model.parameters()))

    def forward(self, values: Tensor) -> Tensor:
        now = _kind(list(self.model.parameters()))
        follows = self._given.kind is not None and self._given.kind == self._kind
        return self._made.joined(self._call(self.model, self._given.unpack(values, now if follows else None)))


@dataclass(frozen=True, eq=False)
class _OfPacked:
    """A metric of outputs and targets that were packed. `vmap` can batch it."""

    metric: Metric
    outputs: _Layout
    targets: _Layout

    @property
    def __name__(self) -> str:
        return getattr(self.metric, "__name__", type(self.metric).__name__)

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        follows = self.targets.kind is not None and self.targets.kind == self.outputs.kind
        wanted = self.targets.unpack(targets, outputs.dtype if follows else None)
        return self.metric(self.outputs.unpack(outputs, outputs.dtype), wanted)


def _kind(value: Any) -> torch.dtype | None:
    return next((tensor.dtype for tensor in nest.tensors(value) if tensor.is_floating_point()), None)


def without_wrapper(words: str) -> str:
    """Words about a module of a packed network, with the name that it has in a person's own.

    Args:
        words: Such as ``model.cell (LSTM): ...``.
    """
    return re.sub(r"^model \((\w+)\)", r"\1", words).removeprefix("model.")
