"""Where training happens: the device, a task on it, and arithmetic that repeats itself there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from lrsearch.errors import input_error
from lrsearch.tasks import nest
from lrsearch.tasks.data import Rows, Streamed
from lrsearch.tasks.task import Task


def resolve(device: str) -> torch.device:
    """The device that a name means.

    Args:
        device: ``auto`` (CUDA where there is any), ``cpu``, ``cuda`` or ``cuda:1``.

    Raises:
        InputError: There is no such device.
    """
    if device == "auto":
        return _repeatable(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    try:
        found = torch.device(device)
    except RuntimeError:
        raise input_error("command line", "must be auto, cpu or cuda", key="--device", received=f'"{device}"') from None
    if found.type not in ("cpu", "cuda"):
        raise input_error("command line", "must be auto, cpu or cuda", key="--device", received=f'"{device}"')
    if found.type == "cuda" and (found.index or 0) >= torch.cuda.device_count():
        raise input_error(
            "command line", "torch finds no such CUDA device here", key="--device", received=f'"{device}"'
        )
    return _repeatable(found)


def _repeatable(device: torch.device) -> torch.device:
    """The device, with sums on CUDA in the same order every time (source: "Reproducibility" in torch's notes)."""
    if device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when CUDA is used for the first time
        torch.use_deterministic_algorithms(True, warn_only=True)
    return device


def describe(device: torch.device) -> str:
    """A device by what decides about last bits: its kind, and for a graphics processor its model.

    Args:
        device: Which.
    """
    return f"cuda ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else device.type


@contextmanager
def plain_kernels() -> Iterator[None]:
    """Let torch choose only kernels that `vmap` can batch and that give the same bits every time.

    Fused attention and the fused encoder layer would be called lane by lane; on CUDA, convolutions would round to
    TF32 and sum in any order.
    """
    fast_path = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with (
            sdpa_kernel(SDPBackend.MATH),
            torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False),
        ):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast_path)


def moved(task: Task, device: torch.device) -> Task:
    """The task with its rows on a device, and networks that are made on the CPU and then moved there.

    Initial weights are drawn on the CPU, so that they are a matter of the seed and not of the device.

    Args:
        task: What is trained.
        device: Where.
    """
    if device.type == "cpu" and all(_is_on(rows, device) for rows in (task.train, task.test)):
        return task

    def model() -> nn.Module:
        return task.model().to(device)

    return replace(task, model=model, train=_rows_on(task.train, device), test=_rows_on(task.test, device))


def _is_on(rows: Rows, device: torch.device) -> bool:
    return isinstance(rows, Streamed) or all(tensor.device == device for tensor in nest.tensors(rows))


def _rows_on(rows: Rows, device: torch.device) -> Rows:
    # Rows of a Dataset follow batch by batch, as the loop reads them.
    if isinstance(rows, Streamed):
        return rows
    inputs, targets = (nest.mapped(lambda tensor: tensor.to(device), part) for part in rows)
    return inputs, targets
