"""Random numbers of a run: torch's, numpy's and Python's, from its seed alone, and given back afterwards.

There are two kinds. What the network and the loss draw comes from three streams of the run's own, which go on from
update to update. What reading a batch draws (augmentation, a collate that mixes rows) comes from streams that begin
anew for every batch, at a number made of seed, epoch and batch; so it does not matter which process reads it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from lrsearch.tasks.data import same_random_numbers

LOOK = 2**32 - 1
"""Stands for the epoch where rows are read to be looked at: every look at them sees the same."""
Streams = dict[str, Any]
"""Where the streams beside torch's stand."""


def batch_seed(seed: int, epoch: int, batch: int) -> int:
    """Where the random streams begin for reading one batch.

    Args:
        seed: Of the run.
        epoch: Epochs finished; `LOOK` for rows that are looked at.
        batch: Its number in the epoch, from 0.

    Returns:
        ``numpy.random.SeedSequence([seed, epoch, batch]).generate_state(1)[0]``.
    """
    return int(np.random.SeedSequence([seed, epoch, batch]).generate_state(1)[0])


@contextmanager
def seeded(number: int) -> Iterator[None]:
    """Within the block the global streams of Python, numpy and torch (CPU) begin at a number.

    Args:
        number: Where, at least 0 and less than 2^32.
    """
    with same_random_numbers():
        random.seed(number)
        np.random.seed(number)
        torch.default_generator.manual_seed(number)
        yield


def begin(seed: int) -> None:
    """Set the global streams to where a run's own begin, those of graphics processors among them.

    Args:
        seed: Of the run.
    """
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def beside_torch(device: torch.device) -> Streams:
    """Where the global streams beside torch's stand, and that of a graphics processor.

    Args:
        device: Where the network is.
    """
    own: Streams = {"python": random.getstate(), "numpy": np.random.get_state()}
    if device.type == "cuda":
        own["cuda"] = torch.cuda.get_rng_state(device)
    return own


def set_beside_torch(streams: Streams, device: torch.device) -> None:
    """Let the global streams go on from where they stood.

    Args:
        streams: What `beside_torch` gave.
        device: Where the network is.
    """
    random.setstate(streams["python"])
    np.random.set_state(streams["numpy"])
    if device.type == "cuda":
        torch.cuda.set_rng_state(streams["cuda"], device)


def plain(streams: Streams) -> Streams:
    """Streams in values that a checkpoint can keep.

    Args:
        streams: What `beside_torch` gave.
    """
    kind, words, *rest = streams["numpy"]
    return {**streams, "numpy": (kind, words.tolist(), *rest)}


def from_plain(streams: Streams) -> Streams:
    """Streams again as `beside_torch` gave them.

    Args:
        streams: What `plain` gave.
    """
    kind, words, *rest = streams["numpy"]
    return {**streams, "numpy": (kind, np.array(words, dtype=np.uint32), *rest)}
