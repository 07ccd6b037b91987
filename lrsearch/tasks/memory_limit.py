"""No more than a machine has: what a task asks torch for is counted before it is made.

An operating system ends a process that takes too much, and with it whatever else the process was doing. So the size of
every tensor that a task or a network makes is known before its memory is touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import torch
from torch.overrides import TorchFunctionMode

from lrsearch.errors import input_error

CONTAINER_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""Where Linux says how much memory a container has."""
WEIGHTS_SHARE = 0.25
"""Of all memory, what the weights of one network may take: training keeps about four times as much."""
MADE_SHARE = 0.5
"""Of all memory, what a task may take for its rows."""
LOOK_AGAIN = 64 * 2**20
"""Bytes asked for after which is looked at how much the process has grown."""
_MAKERS: frozenset[Callable[..., Any]] = frozenset(
    getattr(torch, name)
    for name in ("empty", "zeros", "ones", "full", "rand", "randn", "randint", "randperm", "arange", "linspace",
                 "logspace", "eye")
)  # fmt: skip
_MEASURED_AS: dict[Callable[..., Any], Callable[..., Any]] = {torch.randn: torch.empty}
"""Makers whose size another one tells: without storage torch computes `randn` in Python, and imports sympy for that."""
_NOT_FOR_SIZE = ("generator", "out", "device", "pin_memory")
"""Arguments that a tensor without storage has no use for."""


def machine_memory() -> int:
    """Bytes in all, not those that are free: a study is split alike whatever else the machine does."""
    limits = [psutil.virtual_memory().total]
    for file in CONTAINER_LIMITS:
        text = file.read_text().strip() if file.is_file() else ""
        limits += [int(text)] if text.isdigit() else []
    return min(limits)


def in_words(size: float) -> str:
    """Bytes, for a person."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            break
        size /= 1024
    return f"{size:,.0f} {unit}" if size >= 100 else f"{size:.3g} {unit}"


@contextmanager
def watched() -> Iterator[None]:
    """Within the block no tensor is made that would not fit beside what the process has taken in it.

    Raises:
        InputError: One was asked for.
    """
    with _Watch():
        yield


def check_weights(numbers: int, widths: Sequence[int]) -> None:
    """Refuse a network whose weights alone would fill the memory, before any of them is made.

    Args:
        numbers: float32 numbers that it has.
        widths: Its hidden layers, for the message.

    Raises:
        InputError: It has too many.
    """
    size, limit = 4 * numbers, int(machine_memory() * WEIGHTS_SHARE)
    if size > limit:
        shown = ", ".join(map(str, widths[:8])) + (", ..." if len(widths) > 8 else "")
        rule = (
            f"a network with {numbers:,} weights ({in_words(size)}); at most {in_words(limit)} are allowed, a quarter "
            "of this machine's memory, for training keeps about four times as much"
        )
        raise input_error("task", rule, key="hidden", received=f"[{shown}]")


class _Watch(TorchFunctionMode):
    """Looks at every call that makes a tensor, and lets it through if there is room."""

    def __init__(self) -> None:
        super().__init__()
        self._process = psutil.Process()
        self._limit = int(machine_memory() * MADE_SHARE)
        self._before = self._taken()
        self._asked = 0

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in _MAKERS and (size := _bytes(func, args, kwargs)):
            self._ask(size)
        return func(*args, **kwargs)

    def _ask(self, size: int) -> None:
        self._asked += size
        if self._asked < LOOK_AGAIN:
            return
        self._asked = 0
        grown = max(self._taken() - self._before, 0)
        if grown + size > self._limit:
            beside = f" beside {in_words(grown)} that it has" if grown > LOOK_AGAIN else ""
            rule = f"asks for a tensor of {in_words(size)}{beside}; at most {in_words(self._limit)} are allowed"
            raise input_error("task", f"{rule}, half of this machine's memory")

    def _taken(self) -> int:
        return int(self._process.memory_info().rss)


def _bytes(func: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> int:
    """How large a tensor would be; 0 if it cannot be made at all, which the call itself says better."""
    kept = {name: value for name, value in kwargs.items() if name not in _NOT_FOR_SIZE}
    try:
        made = _MEASURED_AS.get(func, func)(*args, **kept, device="meta")
        return int(made.numel() * made.element_size())
    except (RuntimeError, TypeError, ValueError, OverflowError):
        return 0
