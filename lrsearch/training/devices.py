"""Where training happens: the device, a task on it, and arithmetic that repeats itself there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from lrsearch.errors import input_error
from lrsearch.tasks.task import Task


def resolve(device: str) -> torch.device:
    """The device that a name means.

    Args:
        device: ``auto`` (CUDA where there is any), ``cpu``, ``cuda`` or ``cuda:1``.

    Raises:
        InputError: There is no such device.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
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
    return found


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
    if all(part.device == device for part in (*task.train, *task.test)) and device.type == "cpu":
        return task

    def model() -> nn.Module:
        return task.model().to(device)

    return replace(
        task,
        model=model,
        train=(task.train[0].to(device), task.train[1].to(device)),
        test=(task.test[0].to(device), task.test[1].to(device)),
    )
