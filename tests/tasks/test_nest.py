"""Nests of tensors: whatever is made of one keeps its kind, and every tensor sees what a tensor alone would."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, namedtuple
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some
from torch import Tensor
from torch.nn.utils.rnn import pack_sequence
from transformers import BatchEncoding
from transformers.modeling_outputs import SequenceClassifierOutput

from lrsearch.tasks import nest

Point = namedtuple("Point", ["left", "right"])
ROWS = 5


@dataclass(frozen=True)
class Frozen:
    left: Any
    right: Any
    made: str = field(default="no argument of it", init=False)


def tensor(width: int) -> Tensor:
    return torch.arange(ROWS * width, dtype=torch.float32).reshape(ROWS, width)


LEAVES = some.integers(1, 4).map(tensor)
NESTS = some.recursive(
    LEAVES,
    lambda parts: some.one_of(
        some.lists(parts, min_size=1, max_size=3),
        some.lists(parts, min_size=1, max_size=3).map(tuple),
        some.dictionaries(some.sampled_from("abc"), parts, min_size=1),
        some.tuples(parts, parts).map(lambda pair: Point(*pair)),
        some.tuples(parts, parts).map(lambda pair: Frozen(*pair)),
        some.dictionaries(some.sampled_from("abc"), parts, min_size=1).map(OrderedDict),
    ),
    max_leaves=6,
)


@given(NESTS)
def test_batches_that_are_joined_are_the_whole(value: Any) -> None:
    parts = [nest.taken(value, slice(0, 2)), nest.taken(value, slice(2, None))]
    assert [nest.rows(part) for part in parts] == [2, 3]
    assert nest.equal(nest.joined(parts, [2, 3]), value)
    rows = [nest.taken(value, number) for number in range(ROWS)]
    assert nest.equal(nest.stacked(rows), value)


@given(NESTS)
def test_whatever_is_mapped_keeps_its_kind(value: Any) -> None:
    doubled = nest.mapped(lambda tensor: 2 * tensor, value)
    assert type(doubled) is type(value)
    assert [path for path, _ in nest.leaves(doubled)] == [path for path, _ in nest.leaves(value)]
    assert all(torch.equal(a, 2 * b) for a, b in zip(nest.tensors(doubled), nest.tensors(value), strict=True))
    assert nest.equal(value, nest.mapped(lambda tensor: tensor.clone(), value))
    assert not nest.equal(value, nest.mapped(lambda tensor: tensor + 1, value))


@pytest.mark.parametrize(
    "value",
    [
        BatchEncoding({"a": tensor(2), "b": tensor(1)}),
        SequenceClassifierOutput(logits=tensor(2), hidden_states=(tensor(1), tensor(3))),
        defaultdict(list, {"a": tensor(2)}),
    ],
    ids=["BatchEncoding", "ModelOutput", "defaultdict"],
)
def test_other_peoples_mappings_are_nests(value: Any) -> None:
    part = nest.taken(value, slice(1, 3))
    assert type(part) is type(value)
    assert nest.rows(part) == 2
    assert nest.equal(
        nest.joined([nest.taken(value, slice(0, 1)), part, nest.taken(value, slice(3, 5))], [1, 2, 2]), value
    )


def test_a_number_that_stands_alone_becomes_the_weighted_mean() -> None:
    joined = nest.joined([{"loss": torch.tensor(1.0)}, {"loss": torch.tensor(4.0)}], [2, 1])
    assert joined["loss"] == torch.tensor(2.0)


def test_what_is_no_tensor_is_left_alone() -> None:
    packed = pack_sequence([torch.ones(3), torch.ones(1)])
    value = {"packed": packed, "text": "a", "none": None, "rows": tensor(1)}
    assert nest.tensors(value) == [value["rows"]]
    assert nest.mapped(lambda tensor: tensor + 1, value)["packed"] is packed
    assert nest.rows(packed) == 2
    assert nest.children(SimpleNamespace(a=1)) is None


def test_nests_of_other_kinds_do_not_go_together() -> None:
    with pytest.raises(ValueError, match="another"):
        nest.joined([{"a": tensor(1)}, {"b": tensor(1)}], [5, 5])
    with pytest.raises(ValueError, match="a tensor in one place"):
        nest.stacked([tensor(1), [tensor(1)]])


@pytest.mark.parametrize("layout", [torch.sparse_coo, torch.sparse_csr])
@pytest.mark.filterwarnings("ignore:Sparse CSR")
def test_rows_of_sparse_tensors(layout: torch.layout) -> None:
    whole = torch.eye(5) + torch.diag(torch.ones(3), 2)
    taken = nest.taken(whole.to_sparse(layout=layout), torch.tensor([3, 0]))
    assert taken.layout == layout
    assert torch.equal(taken.to_dense(), whole[[3, 0]])
    assert nest.is_sparse([taken])


def test_a_nest_in_words() -> None:
    assert nest.shapes({"a": tensor(2), "b": [torch.ones(5)]}) == '{"a": [5, 2], "b": ([5])}'
    assert [path for path, _ in nest.leaves({"a": [tensor(1), Frozen(tensor(1), None)]})] == [
        '["a"][0]',
        '["a"][1].left',
    ]
