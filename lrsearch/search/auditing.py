"""The audit of a pruner: some of the trials that it ends are trained on, to see what they would have come to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lrsearch.search.pruning import audit_share
from lrsearch.search.trace import TrialTrace, finite
from lrsearch.storage.attributes import AUDIT_CURVE, AUDIT_DIVERGED_AT, AUDIT_SECONDS, AUDIT_VALUE
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


def attributes(pruned: TrialTrace, trained: TrialTrace, epochs: int) -> dict[str, Any]:
    """What is stored of an audit.

    Args:
        pruned: The trial when it was pruned.
        trained: The same trial, now.
        epochs: Of a trial that is trained to the end.
    """
    kept: dict[str, Any] = {
        AUDIT_CURVE: [finite(value) for value in trained.test[pruned.epoch :]],
        AUDIT_SECONDS: round(max(trained.seconds - pruned.seconds, 0.0), 6),
    }
    if trained.diverged_at is not None:
        kept[AUDIT_DIVERGED_AT] = trained.diverged_at
    elif trained.epoch == epochs:
        kept[AUDIT_VALUE] = finite(trained.value)
    return kept
