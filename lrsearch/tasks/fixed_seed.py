"""Data that a person's own code draws without a seed are the same in every process."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

SEED = 0


@contextmanager
def fixed_seed() -> Iterator[None]:
    """Within the block the global random streams of Python, numpy and torch (CPU) begin at one fixed point.

    Otherwise every worker would split or draw its own data, and their trials could not be compared. Afterwards the
    streams go on as if nothing had been drawn.
    """
    import numpy as np
    import torch  # takes a while

    from lrsearch.tasks.data import same_random_numbers

    with same_random_numbers():
        random.seed(SEED)
        np.random.seed(SEED)
        torch.default_generator.manual_seed(SEED)
        yield
