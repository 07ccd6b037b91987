"""What `lrsearch scale` was last asked about a study, as the storage keeps it, and what its short runs say now."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrsearch.errors import InputError
from lrsearch.storage.attributes import SCALE
from lrsearch.study import short_runs
from lrsearch.study import stored as studies
from lrsearch.study.scaling.plan import Plan
from lrsearch.study.scaling.scaled import Scaled, scaled
from lrsearch.study.stored import StoredStudy


@dataclass(frozen=True)
class AtTarget:
    """A rate that was trained at the target.

    Attributes:
        lr: The rate.
        value: Mean over the seeds; NaN or infinite where it diverged.
        seeds: How many.
    """

    lr: float
    value: float
    seeds: int

    def document(self) -> dict[str, Any]:
        """The entry of ``check``; null where the rate diverged."""
        return {"lr": self.lr, "value": self.value if math.isfinite(self.value) else None, "seeds": self.seeds}


@dataclass(frozen=True)
class ScaleRecord:
    """The last question, and its answer.

    Attributes:
        found: The answer.
        tests: Rates that were trained at the target, lowest first.
    """

    found: Scaled
    tests: tuple[AtTarget, ...]


def remember(stored: StoredStudy, plan: Plan, rungs: Mapping[float, str]) -> None:
    """Store what is asked, and where the runs are.

    Args:
        stored: The study.
        plan: What is asked.
        rungs: A place of the axis, or the target, -> name of the linked study there.
    """
    named = [{"at": at, "study": name, "epochs": plan.epochs(at)} for at, name in rungs.items()]
    stored.remember(SCALE, {**plan.question(), "runs": named})


def read(stored: StoredStudy) -> ScaleRecord | None:
    """The answer to the last question, from the runs that there are; it trains nothing.

    Args:
        stored: The study.

    Returns:
        None if nothing was asked, or no run of it is complete.
    """
    asked = stored.reader.attributes().get(SCALE)
    try:
        return None if not isinstance(asked, dict) else _read(stored, asked)
    except (KeyError, TypeError, ValueError):  # an attribute that somebody else wrote
        return None


def _read(stored: StoredStudy, asked: Mapping[str, Any]) -> ScaleRecord | None:
    axis, to, places = str(asked["axis"]), float(asked["to"]), [float(at) for at in asked["from"]]
    runs, tests, epochs, full_runs = [], [], 0.0, 0.0
    per_run = {float(one["at"]): int(one["epochs"]) for one in asked["runs"]}
    for one in asked["runs"]:
        at = float(one["at"])
        if (rung := _rung(stored, str(one["study"]))) is None:
            continue
        found = short_runs.of(rung, at)
        if at in places:
            runs += found
            epochs += per_run[at] * len(found)
            full_runs += per_run[at] / per_run[to] * (at / to if axis == "data" else 1.0) * len(found)
        else:
            tests += at_target(rung, at)
    if not runs:
        return None
    best = stored.definition is not None and stored.definition.study.value == "best"
    return ScaleRecord(scaled(runs, axis, to, asked["fixed"], (epochs, full_runs), best=best), tuple(tests))


def _rung(stored: StoredStudy, name: str) -> StoredStudy | None:
    try:
        rung = studies.load(stored.storage, name, stored.patience)
    except InputError:
        return None  # deleted since
    return rung if rung.origin == stored.name else None


def at_target(rung: StoredStudy, at: float, rates: Sequence[float] | None = None) -> list[AtTarget]:
    """What rates came to at the target.

    Args:
        rung: The linked study there.
        at: The target.
        rates: The only ones to look at; all by default.
    """
    sign = -1.0 if rung.maximises else 1.0
    by_rate: dict[float, list[float]] = {}
    for run in short_runs.of(rung, at):
        by_rate.setdefault(run.lr, []).append(sign * run.value)
    return [
        AtTarget(lr, float(np.mean(values)), len(values))
        for lr, values in sorted(by_rate.items())
        if rates is None or lr in rates
    ]
