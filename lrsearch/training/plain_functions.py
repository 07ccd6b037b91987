"""Plain operations instead of functions of torch that `vmap` computes slowly or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from lrsearch.training import recurrent
from lrsearch.training.batch_norm import batch_norm

_PLAIN: dict[Callable[..., Any], Callable[..., Any]] = {
    functional.batch_norm: batch_norm,
    torch.lstm: recurrent.lstm,
    torch.gru: recurrent.gru,
    torch.rnn_tanh: recurrent.rnn_tanh,
    torch.rnn_relu: recurrent.rnn_relu,
    torch.lstm_cell: recurrent.lstm_cell,
    torch.gru_cell: recurrent.gru_cell,
}


class PlainFunctions(TorchFunctionMode):
    """Within the block every call of one of these functions is a call of what replaces it."""

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Sequence[type],
        arguments: Sequence[Any] = (),
        named: Mapping[str, Any] | None = None,
    ) -> Any:
        return _PLAIN.get(function, function)(*arguments, **(named or {}))
