"""The whole C++ source of an update or an evaluation: blocks of lanes, their batches, statements, and their state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor
from torch.fx import GraphModule

from lrsearch.training.compiled.lowering import lowered
from lrsearch.training.compiled.rules import kind_of
from lrsearch.training.compiled.state import lanes_of_block
from lrsearch.training.compiled.values import IN_MEMORY, Value
from lrsearch.training.compiled.writer import Writer, loops

HEAD = """
extern "C" int run(void** state, const int64_t* seed_of, int64_t lanes, int64_t first, int64_t last, int64_t updates,
                   const void** data, const int64_t* rows, int64_t seeds, const void** draws, const double* rates,
                   const double* settings, double* results) {
"""


@dataclass(frozen=True)
class Layout:
    """What tensors a program works on, of one lane.

    Attributes:
        state: Trained parameters, other parameters, buffers, the optimizer's memory.
        data: Inputs and targets: of a batch in an update, of all rows in an evaluation.
        draws: What is drawn.
        settings: How many numbers lanes have for themselves beside the rate.
        changed: Which of the state an update changes, in the order in which its graph gives it.
    """

    state: Sequence[Tensor]
    data: Sequence[Tensor]
    draws: Sequence[Tensor]
    settings: int = 0
    changed: Sequence[int] = ()


def update_source(graph: GraphModule, layout: Layout) -> str:
    """The source of some updates of all lanes.

    Args:
        graph: Of one lane.
        layout: What it works on.

    Raises:
        NotCompiledError: There is no rule for something.
    """
    writer = Writer(lanes_of_block())
    inputs, before = _state(layout, writer)
    reading = []
    for place, own in enumerate(layout.data):
        value, text = _batch(writer, own, place)
        inputs.append(value)
        reading.append((value, text))
    for place, own in enumerate(layout.draws):
        kind = kind_of(own.dtype)
        value = writer.array(tuple(own.shape), kind)
        source = f"(const {IN_MEMORY[own.dtype]}*)draws[{place}]"
        reading.append((value, f"read_of_seeds({value.buffer}, {source}, of_block, {own.numel()});"))
        inputs.append(value)
    for value, text in reading:
        writer.write(value, text)
    numbers = ["rates + update * lanes", *(f"settings + {place} * lanes" for place in range(layout.settings))]
    for place, source in enumerate(numbers):
        before += f"    const D* r{place} = (const D*)({source} + block * L);\n".replace("    const", "      const")
        inputs.append(writer.given(f"r{place}", (1, 1), "D"))
    loss, *after = lowered(graph, inputs, writer)
    _give(writer, loss, "update")
    for place, value in zip(layout.changed, after, strict=True):  # last, for nobody reads the old ones now
        begin, index, end = loops((value.size,))
        flat = value.reshaped((value.size,))
        writer.write(value, f"{begin}s{place}[{index[0]}] = {flat.at(index)};{end}")
    text, size = writer.whole()
    return _source(size, f"for (int64_t update = 0; update < updates; ++update) {{\n{before}{text}\n}}")


def evaluation_source(graph: GraphModule, layout: Layout) -> str:
    """The source of an evaluation of all lanes.

    Args:
        graph: Of one lane.
        layout: What it works on.

    Raises:
        NotCompiledError: There is no rule for something.
    """
    writer = Writer(lanes_of_block())
    inputs, before = _state(layout, writer)
    for place, own in enumerate(layout.data):
        plain = IN_MEMORY[own.dtype] if kind_of(own.dtype) else ""
        before += f"const {plain}* x{place} = (const {plain}*)data[{place}];\n"
        inputs.append(writer.given(f"x{place}", tuple(own.shape), kind_of(own.dtype), same=True))
    for place, own in enumerate(layout.draws):
        value = writer.array(tuple(own.shape), kind_of(own.dtype))
        source = f"(const {IN_MEMORY[own.dtype]}*)draws[{place}]"
        writer.write(value, f"read_of_seeds({value.buffer}, {source}, of_block, {own.numel()});")
        inputs.append(value)
    for place, value in enumerate(lowered(graph, inputs, writer)):
        _give(writer, value, str(place))
    text, size = writer.whole()
    return _source(size, before + text)


def _state(layout: Layout, writer: Writer) -> tuple[list[Value], str]:
    """The state of a block, and the lines that say where it lies."""
    values, lines = [], ""
    for place, own in enumerate(layout.state):
        kind = kind_of(own.dtype)
        lines += f"{kind}* const s{place} = ({kind}*)state[{place}] + block * {own.numel()};\n"
        values.append(writer.given(f"s{place}", tuple(own.shape), kind))
    return values, lines


def _batch(writer: Writer, rows: Tensor, place: int) -> tuple[Value, str]:
    """Where the rows of a batch lie, and the line that reads them."""
    kind, count = kind_of(rows.dtype), len(rows)
    value = writer.array(tuple(rows.shape), kind)
    source = f"(const {IN_MEMORY[rows.dtype]}*)data[{place}]"
    numbers = f"rows + update * seeds * {count}"
    return value, f"read_rows({value.buffer}, {source}, {numbers}, of_block, {count}, {rows.numel() // count});"


def _give(writer: Writer, value: Value, row: str) -> None:
    """Write a number of each lane where the caller looks for it."""
    number = value.as_kind("D").at(("0",) * len(value.shape))
    writer.write(value, f"*(D*)(results + {row} * lanes + block * L) = {number};")


def _source(size: int, body: str) -> str:
    """Prelude, entry, memory, and a loop over blocks."""
    prelude = (Path(__file__).parent / "prelude.hpp").read_text(encoding="utf-8")
    return f"""#define L {lanes_of_block()}
{prelude}{HEAD}
  char* const arena = (char*)std::aligned_alloc(64, {max(size, 64)});
  if (!arena) return 1;
  for (int64_t block = first; block < last; ++block) {{
    const int64_t* of_block = seed_of + block * L;
    {body}
  }}
  std::free(arena);
  return 0;
}}
"""
