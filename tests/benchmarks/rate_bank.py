"""Ramps, short looks and real runs of the cases in `rate_cases.py`, trained once and kept: rules are replayed."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from rate_cases import Case

from lrsearch import registry
from lrsearch.tasks.task import Task
from lrsearch.training.evaluation import evaluate_rows
from lrsearch.training.loop import own_stream, start, train, updates
from lrsearch.training.ramp import Plan, climb
from lrsearch.training.range_test import RangeTest, SeedLosses, analyse
from lrsearch.training.run import Run

REAL_SEEDS = (101, 102)
"""Seeds that neither ramp nor look has seen."""
PLAN = Plan()


class CaseBank:
    """What was trained of one case.

    Args:
        case: Which.
        folder: Where it is kept, in one file per case; it may not be there yet.
    """

    def __init__(self, case: Case, folder: Path) -> None:
        self.case = case
        self._file = folder / f"{case.task}-{case.training.optimizer}.json"
        self._kept: dict[str, Any] = json.loads(self._file.read_text()) if self._file.exists() else {}

    @cached_property
    def task(self) -> Task:
        return self.case.build()

    def ramp(self) -> RangeTest:
        """The range test of lr-find's defaults."""
        made = self._once("ramp", lambda: [vars(seed) for seed in climb(self.task, self.case.training, PLAN)])
        seeds = [SeedLosses(own["seed"], tuple(own["losses"]), own["diverged_at"]) for own in made]
        return analyse(seeds, PLAN.low, PLAN.high, PLAN.updates)

    def untrained(self) -> float:
        """The metric before training, on average over the seeds of real runs."""
        return self._mean("untrained", lambda seed: self._start(1e-3, seed).before.test_metric)

    def real(self, lr: float) -> float:
        """The metric after a real run at a constant rate, on average; what diverges counts as untrained."""
        return self._mean(f"real {lr!r}", lambda seed: self._trained(lr, seed))

    def look(self, lr: float, marks: Sequence[int], seed: int) -> list[tuple[float, float]]:
        """Loss of the last quarter and test metric after so many updates at a constant rate; infinite if diverged."""
        key = f"look {lr!r} {seed} {list(marks)}"
        return [(own[0], own[1]) for own in self._once(key, lambda: list(self._look(lr, marks, seed)))]

    def _look(self, lr: float, marks: Sequence[int], seed: int) -> Any:
        run = self._start(lr, seed)
        losses: list[float] = []
        with own_stream(run):
            while len(losses) < marks[-1]:
                for loss in updates(run):
                    losses.append(float(loss))
                    if len(losses) in marks:
                        last = losses[-len(losses) // 4 :]
                        test = evaluate_rows(
                            run.task.test, {"metric": run.task.metric_function}, run.model, run.precision, run.training
                        )["metric"]
                        yield tuple(value if math.isfinite(value) else 1e300 for value in (sum(last) / len(last), test))
                    if len(losses) == marks[-1]:
                        return
                run.epoch += 1

    def _trained(self, lr: float, seed: int) -> float:
        run = self._start(lr, seed)
        last = list(train(run))[-1]
        return run.before.test_metric if last.diverged else last.test_metric

    def _start(self, lr: float, seed: int) -> Run:
        return start(self.task, registry.schedules.get("constant")(), lr, self.case.training, seed)

    def _mean(self, key: str, of_seed: Callable[[int], float]) -> float:
        values = self._once(key, lambda: [of_seed(seed) for seed in REAL_SEEDS])
        return sum(values) / len(values)

    def _once(self, key: str, make: Callable[[], Any]) -> Any:
        if key not in self._kept:
            self._kept[key] = make()
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.write_text(json.dumps(self._kept))
        return self._kept[key]
