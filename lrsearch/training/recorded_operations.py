"""The operations that a function of tensors comes down to, as a graph of torch.fx.

`make_fx` of torch.fx notes them likewise, and can do much more; for that it imports torch's compiler first, which takes
1.3 s: a fifth of a small study.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload
from torch.fx import Graph, GraphModule, Node
from torch.utils import _pytree as trees
from torch.utils.weak import WeakTensorKeyDictionary

from lrsearch.training.eager_mode import EagerMode

_LOOKED_AT = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}
"""What comes out of such an operation decides what is done next, or on how many numbers: with others it may differ."""


class NotRecordableError(Exception):
    """The operations are not the same for all numbers."""


def recorded(function: Callable[..., Any], arguments: Sequence[Any]) -> Callable[..., Any]:
    """A function that does nothing but the operations of another one.

    Args:
        function: Takes and returns tensors, in tuples and dicts. It is called once.
        arguments: Of that call; later ones have tensors of the same shapes.

    Returns:
        It takes such arguments, and is called without autograd.

    Raises:
        NotRecordableError: The function looks at its numbers.
    """
    recorder = _Recorder(trees.tree_leaves(arguments))
    with recorder:
        result = function(*arguments)
    replay = recorder.finished(trees.tree_leaves(result))
    form = trees.tree_structure(result)

    def call(*given: Any) -> Any:
        return trees.tree_unflatten(replay(*trees.tree_leaves(given)), form)

    return call


class _Recorder(EagerMode):  # type: ignore[no-untyped-call]
    """Notes every operation within the block, those of the backward pass included.

    Args:
        given: What the function is given.
    """

    def __init__(self, given: Sequence[Any]) -> None:
        super().__init__()
        self._graph = Graph()
        self._constants: dict[str, Tensor] = {}
        self._nodes = WeakTensorKeyDictionary()
        for place, tensor in enumerate(given):
            self._note(tensor, self._graph.placeholder(f"given_{place}"))

    def __torch_dispatch__(
        self,
        function: OpOverload,
        types: Sequence[type],
        arguments: tuple[Any, ...] = (),
        named: Mapping[str, Any] | None = None,
    ) -> Any:
        if not _LOOKED_AT.isdisjoint(function.tags):
            raise NotRecordableError(function._schema.name)
        nodes, named_nodes = trees.tree_map(self._node, (arguments, dict(named or {})))
        result = function(*arguments, **(named or {}))
        node = self._graph.call_function(function, nodes, named_nodes)
        if isinstance(result, (tuple, list)):
            for place, part in enumerate(result):
                self._note(part, self._graph.call_function(operator.getitem, (node, place)))
        else:
            self._note(result, node)
        return result

    def finished(self, results: Sequence[Any]) -> GraphModule:
        """What does these operations.

        Args:
            results: What it returns.
        """
        self._graph.output([self._node(result) for result in results])
        self._graph.eliminate_dead_code()
        return GraphModule(self._constants, self._graph)

    def _note(self, value: Any, node: Node) -> None:
        if isinstance(value, Tensor):
            self._nodes[value] = node

    def _node(self, value: Any) -> Any:
        """Where a tensor comes from; what no operation has made is the same in every call."""
        if not isinstance(value, Tensor):
            return value
        if value not in self._nodes:
            name = f"constant_{len(self._constants)}"
            self._constants[name] = value
            self._note(value, self._graph.get_attr(name))
        return self._nodes[value]
