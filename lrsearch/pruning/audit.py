"""The audit of a pruner: some of the trials that it ends are trained on, to see what they would have come to."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lrsearch.pruning.pruners import audit_share
from lrsearch.study_file.model import Definition

STREAM = 0xA0D17
"""Sets these random numbers apart from those that choose the settings of the same trial."""


def choice(definition: Definition) -> Callable[[int], bool]:
    """Says by its number which of a study's trials are audited, should the pruner end them.

    Args:
        definition: The study's definition.
    """
    seed, share = int(definition.sampler.options.get("seed", 0)), audit_share(definition)
    return lambda number: is_chosen(seed, number, share)


def is_chosen(seed: int, number: int, share: float) -> bool:
    """Whether a trial is audited, should the pruner end it: drawn from seed and number, so any process says the same.

    Args:
        seed: The study's seed.
        number: The trial's number.
        share: Of all trials; those that a smaller share chooses are among them.
    """
    if share == 0.0:
        return False
    source = np.random.SeedSequence(seed, spawn_key=(STREAM, number))
    return bool(np.random.default_rng(source).random() < share)
