"""RNN, GRU and LSTM in plain operations, for `vmap` has no rule for torch's own.

The formulas are those of torch.nn.RNN, GRU and LSTM. What the inputs contribute is one product for all time steps;
what is left in the loop over time is the product with the state and the gates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from lrsearch.training.one_by_one import OneByOneError

State = tuple[Tensor, ...]
"""Of a cell; the first is its output. [rows, features] each."""
Cell = Callable[[Tensor, State, "Weights"], State]
"""What the inputs contribute to the gates at one time step, and the state -> the next state."""


PACKED = "packed sequences are trained one by one"
NUMBERS_AT_ONCE, FEWEST_ROWS = 6144, 32
"""Gates of one network at one time step while it is evaluated: so many rows at once that those of all lanes stay in the
caches. Rows do not see each other. In training the rows of a batch stay together, for dropout draws for all of them."""


@dataclass(frozen=True)
class Weights:
    """Of one layer in one direction, as torch orders them; each is None where there is none."""

    of_input: Tensor
    of_state: Tensor
    bias_of_input: Tensor | None
    bias_of_state: Tensor | None
    projection: Tensor | None

    def gates(self, state: Tensor) -> Tensor:
        """What the state contributes to the gates.

        Args:
            state: [rows, features].
        """
        return _affine(state, self.of_state, self.bias_of_state)


def lstm(inputs: Tensor, initial: Sequence[Tensor], *settings: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Same as `torch.lstm`.

    Args:
        inputs: [rows, time, features] or [time, rows, features].
        initial: Output and cell state before the first step, [layers * directions, rows, features] each.
        settings: The others, in torch's order.
    """
    outputs, (last, cells) = _layers(_lstm_cell, inputs, tuple(initial), settings)
    return outputs, last, cells


def gru(inputs: Tensor, initial: Tensor, *settings: Any) -> tuple[Tensor, Tensor]:
    """Same as `torch.gru`.

    Args:
        inputs: As in `lstm`.
        initial: Output before the first step, [layers * directions, rows, features].
        settings: As in `lstm`.
    """
    outputs, (last,) = _layers(_gru_cell, inputs, (initial,), settings)
    return outputs, last


def rnn_tanh(inputs: Tensor, initial: Tensor, *settings: Any) -> tuple[Tensor, Tensor]:
    """Same as `torch.rnn_tanh`; see `gru`."""
    outputs, (last,) = _layers(_tanh_cell, inputs, (initial,), settings)
    return outputs, last


def rnn_relu(inputs: Tensor, initial: Tensor, *settings: Any) -> tuple[Tensor, Tensor]:
    """Same as `torch.rnn_relu`; see `gru`."""
    outputs, (last,) = _layers(_relu_cell, inputs, (initial,), settings)
    return outputs, last


def lstm_cell(inputs: Tensor, initial: Sequence[Tensor], *weights: Any) -> State:
    """Same as `torch.lstm_cell`.

    Args:
        inputs: [rows, features].
        initial: Output and cell state, [rows, features] each.
        weights: In torch's order.
    """
    return _one_step(_lstm_cell, inputs, tuple(initial), weights)


def gru_cell(inputs: Tensor, initial: Tensor, *weights: Any) -> Tensor:
    """Same as `torch.gru_cell`.

    Args:
        inputs: [rows, features].
        initial: Output before this step, [rows, features].
        weights: In torch's order.
    """
    return _one_step(_gru_cell, inputs, (initial,), weights)[0]


def _one_step(cell: Cell, inputs: Tensor, state: State, tensors: tuple[Any, ...]) -> State:
    of_input, of_state, bias_of_input, bias_of_state = (*tensors, None, None)[:4]
    gates = _affine(inputs, of_input, bias_of_input)
    return cell(gates, state, Weights(of_input, of_state, bias_of_input, bias_of_state, None))


def _layers(cell: Cell, inputs: Tensor, initial: State, settings: tuple[Any, ...]) -> tuple[Tensor, State]:
    """All layers: outputs of the last one, and the state of each after its last time step."""
    if len(settings) != 7 or isinstance(settings[0], Tensor):
        raise OneByOneError(PACKED)
    tensors, biases, number, dropout, training, two_ways, batch_first = settings
    weights = _weights(tensors, number * (2 if two_ways else 1), biases=biases)
    layers = _Layers(cell, weights, dropout if training else 0.0, two_ways)
    values = inputs.transpose(0, 1) if batch_first else inputs
    rows = values.shape[1] if training else max(FEWEST_ROWS, NUMBERS_AT_ONCE // weights[0].of_state.shape[0])
    parts = [layers.run(values[:, begin : begin + rows], tuple(part[:, begin : begin + rows] for part in initial))
             for begin in range(0, values.shape[1], rows)]  # fmt: skip
    outputs = torch.cat([part for part, _ in parts], dim=1)
    last = tuple(torch.cat(states, dim=1) for states in zip(*(state for _, state in parts), strict=True))
    return outputs.transpose(0, 1) if batch_first else outputs, last


@dataclass(frozen=True)
class _Layers:
    """What some rows go through.

    Attributes:
        cell: One step.
        weights: Of each layer in each direction.
        dropout: Share of the outputs between two layers that is dropped.
        two_ways: Whether there is a second direction.
    """

    cell: Cell
    weights: Sequence[Weights]
    dropout: float
    two_ways: bool

    def run(self, values: Tensor, initial: State) -> tuple[Tensor, State]:
        """Outputs of the last layer [time, rows, features], and last states [layers * directions, rows, features].

        Args:
            values: [time, rows, features].
            initial: [layers * directions, rows, features] each.
        """
        directions = 2 if self.two_ways else 1
        ends: list[State] = []
        for first in range(0, len(self.weights), directions):
            if first and self.dropout:
                values = functional.dropout(values, self.dropout)
            found = []
            for place in range(first, first + directions):
                begin = tuple(part[place] for part in initial)
                outputs, end = _steps(self.cell, values, begin, self.weights[place], backwards=place > first)
                found.append(outputs)
                ends.append(end)
            values = torch.cat(found, dim=-1) if self.two_ways else found[0]
        return values, tuple(torch.stack(parts) for parts in zip(*ends, strict=True))


def _steps(cell: Cell, inputs: Tensor, state: State, weights: Weights, *, backwards: bool) -> tuple[Tensor, State]:
    """One layer in one direction: outputs [time, rows, features], and the last state."""
    steps, rows = inputs.shape[:2]
    flat = inputs.reshape(steps * rows, -1)
    gates = _affine(flat, weights.of_input, weights.bias_of_input).view(steps, rows, -1).unbind()
    outputs = []
    for of_step in reversed(gates) if backwards else gates:
        state = cell(of_step, state, weights)
        outputs.append(state[0])
    return torch.stack(outputs[::-1] if backwards else outputs), state


def _lstm_cell(gates: Tensor, state: State, weights: Weights) -> State:
    output, memory = state
    enter, forget, new, leave = (gates + weights.gates(output)).chunk(4, dim=1)
    memory = forget.sigmoid() * memory + enter.sigmoid() * new.tanh()
    output = leave.sigmoid() * memory.tanh()
    return output if weights.projection is None else output @ weights.projection.t(), memory


def _gru_cell(gates: Tensor, state: State, weights: Weights) -> State:
    (output,) = state
    size = output.shape[1]
    of_state = weights.gates(output)
    reset, keep = (gates[:, : 2 * size] + of_state[:, : 2 * size]).sigmoid().chunk(2, dim=1)
    new = (gates[:, 2 * size :] + reset * of_state[:, 2 * size :]).tanh()
    return (new + keep * (output - new),)


def _tanh_cell(gates: Tensor, state: State, weights: Weights) -> State:
    return ((gates + weights.gates(state[0])).tanh(),)


def _relu_cell(gates: Tensor, state: State, weights: Weights) -> State:
    return ((gates + weights.gates(state[0])).relu(),)


def _weights(tensors: Sequence[Tensor], number: int, *, biases: bool) -> list[Weights]:
    each = len(tensors) // number
    found = []
    for place in range(number):
        of_input, of_state, *others = tensors[place * each : (place + 1) * each]
        bias_of_input, bias_of_state = others[:2] if biases else (None, None)
        projection = others[-1] if each in (3, 5) else None
        found.append(Weights(of_input, of_state, bias_of_input, bias_of_state, projection))
    return found


def _affine(values: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    product = values @ weight.t()
    return product if bias is None else product + bias
