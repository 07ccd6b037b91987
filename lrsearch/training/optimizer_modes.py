"""Optimizers that train with other weights than those that count: they have to be told when training begins and ends.

A schedule-free optimizer takes gradients at one place and evaluates at another, the average of where it has been. It
has two methods for that, ``train()`` and ``eval()``, which move the network's weights. The contract: the weights are
those that count, except within `training`. So whoever looks at a network, saves it or hands it out need not know.

Source: Defazio et al., "The road less scheduled" (2024).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch.optim import Optimizer


@contextmanager
def training(optimizer: Optimizer) -> Iterator[None]:
    """Within the block the network's weights are those that updates start from.

    Args:
        optimizer: Any; one without modes is left alone.
    """
    begin, end = (getattr(optimizer, name, None) for name in ("train", "eval"))
    if not callable(begin) or not callable(end):
        yield
        return
    begin()
    try:
        yield
    finally:
        end()
