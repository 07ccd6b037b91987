"""Banks of learning curves from which pruning is replayed: short and long, of several tasks and optimizers.

Serves `pruning_rules.py` and `pruned_searches.py`. A bank is trained when it is first asked for, and kept.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from curve_bank import Bank
from numpy.typing import NDArray

from lrsearch.study_file import load
from lrsearch.study_file.model import Definition

SEED = 24
SIZE = 384
"""Settings of a bank."""
SOME = ["constant", "lambda", "linear", "cosine", "one_cycle"]
SHORT = {"epochs": 60, "batch_size": 50, "seeds": [SEED]}
STUDIES: Mapping[str, Mapping[str, Any]] = {
    "polynomial 60": {"task": "polynomial", "training": SHORT, "schedulers": ["classical"]},
    "polynomial 60 modern": {"task": "polynomial", "training": SHORT, "schedulers": ["modern", "constant"]},
    "diabetes 60": {"task": "diabetes", "training": SHORT, "schedulers": ["classical"]},
    "digits 60": {"task": "digits", "training": SHORT, "schedulers": ["classical"]},
    "polynomial 480": {"task": "polynomial", "training": {**SHORT, "epochs": 480}, "schedulers": ["classical"]},
    "diabetes 480": {
        "task": "diabetes",
        "training": {"epochs": 480, "batch_size": 32, "seeds": [SEED]},
        "schedulers": SOME,
    },
    "digits Adam 160": {
        "task": "digits",
        "training": {"epochs": 160, "batch_size": 64, "optimizer": "adam", "seeds": [SEED]},
        "schedulers": SOME,
    },
}
"""Name -> what is trained, on one seed, with rates from 1e-4 to 0.3."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Curves:
    """What trials of some settings came to after each epoch.

    Attributes:
        types: Scheduler type of each.
        lr: Learning rate of each.
        test: Test metric from epoch 1 on; infinite after it has diverged; [settings, epochs].
    """

    types: NDArray[np.str_]
    lr: Numbers
    test: Numbers

    def of(self, chosen: NDArray[np.intp]) -> Curves:
        """Some of the settings.

        Args:
            chosen: Their places.
        """
        return Curves(self.types[chosen], self.lr[chosen], self.test[chosen])


def definition_of(study: str, trials: int = 1, sampler: int = 0, pruner: Mapping[str, Any] | None = None) -> Definition:
    """The definition of a study of a bank's settings.

    Args:
        study: A name of `STUDIES`.
        trials: How many.
        sampler: Its seed.
        pruner: The section of a study file; the default pruner by default.
    """
    own = STUDIES[study]
    document: dict[str, Any] = {
        "study": {"name": "replayed", "trials": trials},
        "task": {"name": own["task"]},
        "training": dict(own["training"]),
        "search": {"schedulers": own["schedulers"]},
        "sampler": {"name": "tpe", "seed": sampler},
        "pruner": dict(pruner or {}),
    }
    return load.parse(document, "benchmark")


def bank(study: str, folder: Path, size: int = SIZE) -> Bank:
    """The bank of a study, complete on its seed.

    Args:
        study: A name of `STUDIES`.
        folder: Where banks are kept.
        size: How many settings.
    """
    folder.mkdir(parents=True, exist_ok=True)
    own = definition_of(study)
    made = Bank(own.task.name, folder / f"{study.replace(' ', '_')}_{size}.npz", size, own)
    made.need((number, SEED) for number in range(size))
    made.save()
    return made


def curves_of(made: Bank) -> Curves:
    """The curves of a bank on its seed.

    Args:
        made: The bank.
    """
    test = np.array([made[number, SEED].test[1:] for number in range(len(made.settings))])
    types = np.array([own.schedule.name for own in made.settings])
    return Curves(types, np.array([own.lr for own in made.settings]), np.where(np.isnan(test), np.inf, test))


def read(file: Path) -> Curves:
    """Curves that were written down: columns scheduler, lr, epoch, test_metric; empty where a trial diverged.

    Args:
        file: A CSV file, compressed with gzip.
    """
    found: dict[tuple[str, float], dict[int, float]] = {}
    with gzip.open(file, "rt", newline="") as rows:
        for row in csv.DictReader(rows):
            own = found.setdefault((row["scheduler"], float(row["lr"])), {})
            own[int(row["epoch"])] = float(row["test_metric"] or "inf")
    epochs = max(max(own) for own in found.values())
    test = np.array([[own.get(epoch, np.inf) for epoch in range(1, epochs + 1)] for own in found.values()])
    types, rates = zip(*found, strict=True)
    return Curves(np.array(types), np.array(rates), np.where(np.isnan(test), np.inf, test))
