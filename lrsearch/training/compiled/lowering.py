"""From a traced graph of one lane to statements.

What is read once is computed where it is read; the rest goes into arrays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from operator import getitem
from typing import Any

from torch import Tensor
from torch.fx import GraphModule, Node
from torch.utils import _pytree as trees

from lrsearch.training.compiled import arithmetic, convolutions, sums, views
from lrsearch.training.compiled.rules import OPERATIONS, Given, Operation, kind_of
from lrsearch.training.compiled.values import NotCompiledError, Value, linear, written
from lrsearch.training.compiled.writer import Writer

MOST_OPERATIONS = 4000
"""A compiler takes minutes for more."""
MOST_CONSTANTS = 1 << 16
"""Numbers of a tensor that the network makes anew at each call."""
_RULES = (arithmetic, convolutions, sums, views)
"""Imported for the rules that they add."""


def lowered(graph: GraphModule, inputs: Sequence[Value], writer: Writer) -> list[Value]:
    """Write all operations of a graph.

    Args:
        graph: Traced; it changes no tensor.
        inputs: What its placeholders are.
        writer: Takes statements.

    Returns:
        What the graph gives, in arrays.

    Raises:
        NotCompiledError: An operation has no rule.
    """
    nodes = list(graph.graph.nodes)
    check_rules(nodes)
    made: dict[Node, Any] = {}
    given = iter(inputs)
    for node in nodes:
        if node.op == "placeholder":
            made[node] = next(given)
        elif node.op == "get_attr":
            made[node] = _constant(getattr(graph, str(node.target)), writer)
        elif node.op == "output":
            results = trees.tree_leaves(trees.tree_map_only(Node, made.get, node.args[0]))
            return [writer.stored(value) for value in results]
        elif node.target is getitem:
            made[node] = made[node.args[0]][node.args[1]]
        else:
            made[node] = _written(node, made, writer)
    raise AssertionError("a graph without an output")


def check_rules(nodes: Sequence[Node]) -> None:
    """Refuse what has no rule, before anything is written.

    Args:
        nodes: Of a graph.

    Raises:
        NotCompiledError: It names the operation, or says that there are too many.
    """
    calls = [node for node in nodes if node.op == "call_function" and node.target is not getitem]
    if len(calls) > MOST_OPERATIONS:
        raise NotCompiledError(f"takes {len(calls)} operations an update or evaluation; {MOST_OPERATIONS} is the most")
    for node in calls:
        if node.target not in OPERATIONS:
            schema = getattr(node.target, "_schema", None)
            raise NotCompiledError(f"calls {schema.name if schema else node.target}, which cannot be compiled")


def _written(node: Node, made: dict[Node, Any], writer: Writer) -> Any:
    operation = OPERATIONS[node.target]  # type: ignore[index]
    arguments, named = trees.tree_map_only(Node, made.get, (node.args, dict(node.kwargs)))
    named = {name: value for name, value in named.items() if name not in ("dtype", "layout", "device", "pin_memory")}
    result = operation.rule(Given(writer, node.meta["val"]), *arguments, **named)
    if operation.is_view or not isinstance(result, Value):
        return result
    return result if _is_read_once(node) else writer.stored(result)


def _is_read_once(node: Node) -> bool:
    """Whether every number of a result is read in one place, and once there."""
    return list(islice(_readings(node, _size(node)), 2)) == [True]


def _readings(node: Node, size: int) -> Iterator[bool]:
    """For each place that reads a result, or a view of it, whether it reads each number once at most."""
    for user in node.users:
        operation: Operation | None = OPERATIONS.get(user.target)  # type: ignore[call-overload]
        if user.op == "output":
            yield False
        elif user.target is getitem or (operation is not None and operation.is_view):
            yield from _readings(user, size)
        else:
            times = sum(leaf is node for leaf in trees.tree_leaves((user.args, dict(user.kwargs))))
            assert operation is not None
            for _ in range(times):
                yield not operation.repeats and _size(node) <= size and _reads(user) <= size


def _reads(user: Node) -> int:
    """How many numbers of each argument an operation goes through."""
    sizes = [_size(own) for own in user.all_input_nodes]
    return max([_size(user), *sizes])


def _size(node: Node) -> int:
    value = node.meta["val"]
    if isinstance(value, (tuple, list)):
        return sum(own.numel() for own in value if isinstance(own, Tensor))
    return int(value.numel()) if isinstance(value, Tensor) else 1


def _constant(tensor: Tensor, writer: Writer) -> Value:
    """A tensor that the network made while it was traced, written into the source."""
    shape, kind = tuple(tensor.shape), kind_of(tensor.dtype)
    if tensor.numel() > MOST_CONSTANTS:
        raise NotCompiledError(f"makes a tensor of {tensor.numel()} numbers at each call")
    numbers = [written(number, kind) for number in tensor.flatten().tolist()]
    if len(set(numbers)) == 1:
        return Value(shape, kind, lambda _: numbers[0])
    inside = ", ".join(number[number.index("(") + 1 : -1] for number in numbers)
    name = writer.constant(kind, inside)
    return Value(shape, kind, lambda index: f"splat<{kind}>({name}[{linear(index, shape)}])")
