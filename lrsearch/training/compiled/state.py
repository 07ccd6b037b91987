"""The state of many lanes as compiled code has it: block by block, the lanes of a block side by side in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from lrsearch.training import lane_optimizers
from lrsearch.training.compiled.rules import kind_of
from lrsearch.training.networks import StackedNetworks

TYPES = {"F": torch.float32, "D": torch.float64, "I": torch.int64, "B": torch.int32}
"""In which torch keeps the vectors of the prelude."""


def lanes_of_block() -> int:
    """Lanes whose numbers fill a register with AVX-512, or half as many."""
    return 16 if torch.backends.cpu.get_cpu_capability() == "AVX512" else 8


class BlockState:
    """Parameters, buffers, and what the optimizer remembers.

    Args:
        networks: The lanes.
        optimizer: Theirs.
        lanes: Of a block; the number of networks is a multiple of it.

    Attributes:
        lane: Of the first lane, the tensors that the state is made of.
        arrays: Of all lanes; [blocks, numbers, lanes of a block] each.
        changed: Which of them an update changes.
        settings: Numbers that lanes have for themselves, float64; [settings, lanes].
    """

    def __init__(self, networks: StackedNetworks, optimizer: lane_optimizers.LaneOptimizer, lanes: int) -> None:
        self._networks, self._optimizer = networks, optimizer
        self._memory = remembered(optimizer)
        whole = [networks.trained, *networks.still.values(), *networks.buffers.values(), *self._remembered()]
        self.lane = [value[0] for value in whole]
        self.arrays = [_in_blocks(value, lanes) for value in whole]
        still, buffers = len(networks.still), len(networks.buffers)
        self.changed = [0, *range(1 + still, 1 + still + buffers + len(self._memory))]
        self.settings = _of_lanes([getattr(optimizer, name) for name in settings(optimizer)], len(networks))

    def give_back(self) -> None:
        """Bring networks and optimizer to where the state is."""
        networks = self._networks
        values = [_in_lanes(array, like) for array, like in zip(self.arrays, self.lane, strict=True)]
        networks.trained = values[0]
        networks.buffers = dict(zip(networks.buffers, values[1 + len(networks.still) :], strict=False))
        for name, value in zip(self._memory, values[len(values) - len(self._memory) :], strict=True):
            setattr(self._optimizer, name, int(value[0]) if name == "steps" else value.flatten(1))

    def _remembered(self) -> list[Tensor]:
        """What the optimizer remembers of each lane; nothing yet is zeros."""
        trained, found = self._networks.trained, []
        for name in self._memory:
            value: Any = getattr(self._optimizer, name)
            if name == "steps":
                value = torch.full((len(trained), 1, 1), float(value), dtype=torch.float64)
            else:
                value = (torch.zeros_like(trained) if value is None else value)[:, None]
            found.append(value)
        return found


def remembered(optimizer: lane_optimizers.LaneOptimizer) -> tuple[str, ...]:
    """Names of what an optimizer remembers.

    Args:
        optimizer: Of the lanes.
    """
    if isinstance(optimizer, lane_optimizers.LaneSGD):
        return ("velocity",) if "momentum" in settings(optimizer) else ()
    return ("steps", "mean", "square")


def settings(optimizer: lane_optimizers.LaneOptimizer) -> tuple[str, ...]:
    """Names of the numbers that each lane may have for itself, beside its rate; without those that are 0 for all.

    Args:
        optimizer: Of the lanes.
    """
    return tuple(name for name in numbers_of(optimizer) if lane_optimizers.matters(getattr(optimizer, name)))


def numbers_of(optimizer: lane_optimizers.LaneOptimizer) -> tuple[str, ...]:
    """Names of all numbers that each lane may have for itself.

    Args:
        optimizer: Of the lanes.
    """
    own = ("momentum",) if isinstance(optimizer, lane_optimizers.LaneSGD) else ("beta1", "beta2")
    return (*own, "weight_decay")


def _of_lanes(values: Sequence[lane_optimizers.Setting], lanes: int) -> Tensor:
    rows = [
        value.flatten() if isinstance(value, Tensor) else torch.full((lanes,), value, dtype=torch.float64)
        for value in values
    ]
    return torch.stack(rows) if rows else torch.zeros(0, lanes, dtype=torch.float64)


def _in_blocks(value: Tensor, lanes: int) -> Tensor:
    """[blocks, numbers, lanes of a block] from [lanes, ...]."""
    flat = value.reshape(len(value) // lanes, lanes, -1).transpose(1, 2)
    kept = flat.to(TYPES[kind_of(value.dtype)], memory_format=torch.contiguous_format, copy=True)
    return -kept if value.dtype == torch.bool else kept.contiguous()


def _in_lanes(array: Tensor, like: Tensor) -> Tensor:
    """[lanes, ...] from [blocks, numbers, lanes of a block]."""
    flat = array.transpose(1, 2).reshape(-1, *like.shape)
    return flat.to(like.dtype, copy=True).contiguous()
