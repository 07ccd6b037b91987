"""How many lanes are trained together, and how many of them at once: as many as memory holds.

Where that was too many, half of them. How lanes are split never changes a result: every lane is computed for itself,
whoever stands beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn

from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks import nest
from lrsearch.tasks.data import count, first_batch
from lrsearch.tasks.evaluation_gradients import evaluated_call
from lrsearch.tasks.memory_limit import machine_memory
from lrsearch.tasks.task import Task
from lrsearch.training.batches import epoch_rows
from lrsearch.training.evaluation import EVALUATION_ROWS
from lrsearch.training.seats import BLOCK, filled

CPU_UPDATE_BYTES = 32 * 2**20
"""Intermediate results of one update: about what the caches hold. With 512 MiB a small CNN took 1.3 times as long for
each lane, and a GRU too; small MLPs take the same time with both."""

CPU_EVALUATION_BYTES = 32 * 2**20
"""Intermediate results of one evaluation: about what the caches hold."""

STATE_SHARE = 0.25
"""Of all memory, what lanes may keep: parameters, gradients, the optimizer's memory, buffers."""

PARKED_SHARE = 0.1
"""Of all memory, what lanes may take that wait to be trained on."""

_Part = TypeVar("_Part")


@dataclass(frozen=True)
class Footprint:
    """Estimated bytes of one lane.

    Attributes:
        state: What it keeps: parameters, gradients, the optimizer's memory, buffers.
        update: Intermediate results of one update; gone after it.
        row: Intermediate results of evaluating one row.
    """

    state: int
    update: int
    row: int


def footprint(task: Task, training: TrainingSection) -> Footprint:
    """Estimate what a lane needs, from one forward pass of one network.

    What autograd saves for the backward pass is counted twice: a backward pass makes gradients of the same sizes.

    Args:
        task: What is trained.
        training: Batch size and optimizer.
    """
    inputs, targets = first_batch(task.train, training.batch_size)
    saved: dict[int, int] = {}

    def count(tensor: Tensor) -> Tensor:
        saved.update({part.data_ptr(): part.numel() * part.element_size() for part in dense_parts(tensor)})
        return tensor

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = task.model()
        model.eval()
        with torch.no_grad():
            evaluated_call(task)(model, inputs)  # lazy modules learn their sizes
        model.train()
        with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
            task.loss_function(task.call(model, inputs), targets)
    batch = sum(map(_bytes, nest.tensors([inputs, targets])))
    activations = 2 * sum(saved.values()) + batch
    rows = min(training.batch_size, epoch_rows(task, training))
    return Footprint(state_bytes(model, training.optimizer), activations, max(activations // rows, 1))


def most_lanes(task: Task, training: TrainingSection, device: torch.device) -> int:
    """How many lanes may be trained together: what they keep fills no more than a share of the memory.

    Args:
        task: What is trained.
        training: Batch size and optimizer.
        device: Where.

    Returns:
        A multiple of `BLOCK`.
    """
    return width(footprint(task, training).state, int(_memory_of(device) * STATE_SHARE)).lanes


def parking_bytes() -> int:
    """Bytes of memory for lanes that wait to be trained on."""
    return int(_memory_of(torch.device("cpu")) * PARKED_SHARE)


def is_out_of_memory(error: Exception) -> bool:
    """Whether an error says that memory was short.

    Args:
        error: What was raised.
    """
    # The CPU allocator has no exception class of its own.
    text = str(error)
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or "DefaultCPUAllocator" in text


def lane_bytes(task: Task, training: TrainingSection) -> int:
    """Estimated bytes of one lane while it trains.

    Args:
        task: What is trained.
        training: Batch size and optimizer.
    """
    needed = footprint(task, training)
    return needed.state + needed.update


@dataclass
class Width:
    """How many lanes are computed at once; a multiple of `BLOCK`.

    Args:
        lanes: The number to begin with.
    """

    lanes: int

    def parts(self, total: int, compute: Callable[[slice], _Part]) -> list[_Part]:
        """Compute lanes part by part; on running out of memory, go on with half as many at once.

        Args:
            total: Number of lanes, a multiple of `BLOCK`.
            compute: Computes some lanes; it must leave everything as it was if it raises.

        Returns:
            What `compute` gave, in the order of the lanes.

        Raises:
            RuntimeError: Not even `BLOCK` lanes fit, or `compute` failed for another reason.
        """
        done: list[_Part] = []
        begin = 0
        while begin < total:
            end = min(begin + self.lanes, total)
            try:
                done.append(compute(slice(begin, end)))
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error) or end - begin <= BLOCK:
                    raise
                self.lanes = filled((end - begin) // 2)
            else:
                begin = end
        return done


def width(bytes_per_lane: int, available: int) -> Width:
    """As many lanes at once as fit.

    Args:
        bytes_per_lane: Of intermediate results.
        available: Bytes for them.
    """
    return Width(max(available // max(bytes_per_lane, 1) // BLOCK, 1) * BLOCK)


def widths(task: Task, training: TrainingSection, device: torch.device, available: int | None) -> tuple[Width, Width]:
    """Lanes at once in an update, and in an evaluation.

    Args:
        task: What is trained; its tensors are on the device.
        training: Batch size and optimizer.
        device: Where.
        available: Bytes for intermediate results; by default what suits the device.
    """
    needed = footprint(task, training)
    rows = min(max(epoch_rows(task, training), count(task.test)), EVALUATION_ROWS)
    if available is not None:
        updating = evaluating = available
    elif device.type == "cuda":
        updating = evaluating = torch.cuda.mem_get_info(device)[0] // 2
    else:
        updating, evaluating = CPU_UPDATE_BYTES, CPU_EVALUATION_BYTES
    return width(needed.update, updating), width(needed.row * rows, evaluating)


def _memory_of(device: torch.device) -> int:
    """Bytes in all, not those that are free: a study is split alike whatever else the machine does."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[1])
    return machine_memory()


def state_bytes(model: nn.Module, optimizer: str) -> int:
    """Bytes that a network in training keeps: weights, gradients, the optimizer's memory, buffers.

    Args:
        model: The network.
        optimizer: Its name.
    """
    copies = 3 if optimizer == "sgd" else 5
    parameters = sum(_bytes(parameter) for parameter in model.parameters())
    return copies * parameters + 2 * sum(_bytes(buffer) for buffer in model.buffers())


def _bytes(tensor: Tensor) -> int:
    return sum(part.numel() * part.element_size() for part in dense_parts(tensor))


def dense_parts(tensor: Tensor) -> list[Tensor]:
    """What lies in memory of a tensor: itself, or the indices and values of a sparse one."""
    if tensor.layout == torch.strided:
        return [tensor]
    if tensor.layout == torch.sparse_coo:
        return [tensor._indices(), tensor._values()]
    by_row = tensor.layout in (torch.sparse_csr, torch.sparse_bsr)
    indices = [tensor.crow_indices(), tensor.col_indices()] if by_row else [tensor.ccol_indices(), tensor.row_indices()]
    return [*indices, tensor.values()]
