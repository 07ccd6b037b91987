"""What settings are worth on seeds that no search has seen, and how two ways of searching compare.

Serves `equal_time.py` and `equal_epochs.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from lrsearch.sampling.space import Settings
from lrsearch.study.holdout import scored_on_holdout
from lrsearch.study.linked import HOLDOUT
from lrsearch.study_file import load
from lrsearch.study_file.model import Definition
from lrsearch.tasks.task import Task
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.engine import Lane

FIRST_JUDGE_SEED = 500_000
"""Far from the seeds of searches (24, 25, ...) and of confirmations (1000, 1001, ...)."""
LANES = 1024
"""So many are trained together."""

Numbers = NDArray[np.float64]


def study_document(task: str, trials: int, *, sampler_seed: int = 0, training_seed: int = 24) -> dict[str, Any]:
    """The seed workload, or another task under the same conditions, as the content of a study file."""
    return {
        "study": {"name": "search", "trials": trials},
        "task": {"name": task},
        "training": {"epochs": 60, "batch_size": 50, "seeds": [training_seed]},
        "search": {"schedulers": ["classical"]},
        "sampler": {"name": "tpe", "seed": sampler_seed},
    }


def definition_of(task: str) -> Definition:
    """The definition of any such study: task, training and search space are the same for all."""
    return load.parse(study_document(task, 1), "benchmark")


@dataclass(frozen=True)
class Curve:
    """One lane, trained.

    Attributes:
        test: Test metric before training and after every epoch; NaN after it has diverged; [epochs + 1].
        holdout: The same metric on holdout rows after the last epoch; NaN if it diverged.
    """

    test: Numbers
    holdout: float

    @property
    def diverged(self) -> bool:
        return bool(np.isnan(self.holdout))

    @property
    def final(self) -> float:
        """Test metric after the last epoch. A network that diverged is worth no more than an untrained one."""
        return float(self.test[0] if self.diverged else self.test[-1])


def train(task: Task, lanes: Sequence[tuple[Settings, int]], definition: Definition) -> Iterator[Curve]:
    """Train settings on seeds, without pruning; in the order given."""
    scored = scored_on_holdout(task)
    for first in range(0, len(lanes), LANES):
        part = [Lane(own.lr, own.schedule, seed) for own, seed in lanes[first : first + LANES]]
        yield from trained(scored, part, definition)


def trained(scored: Task, lanes: Sequence[Lane], definition: Definition) -> list[Curve]:
    """Lanes, trained together to their end.

    Args:
        scored: What is trained, see `scored_on_holdout`.
        lanes: Settings and seed of each.
        definition: The study.
    """
    epochs = definition.training.epochs
    test, holdout = np.full((len(lanes), epochs + 1), np.nan), np.full(len(lanes), np.nan)
    for records in BatchedEngine().train(scored, lanes, definition.training):
        positions = list(records.lanes)
        test[positions, records.epoch] = records.test_metric
        if records.epoch == epochs:
            holdout[positions] = np.where(records.diverged, np.nan, records.extra[HOLDOUT])
    return [Curve(own, float(value)) for own, value in zip(test, holdout, strict=True)]


@dataclass(frozen=True)
class Ratio:
    """How the mean of one way compares with that of another, over repetitions.

    Attributes:
        value: Ratio of the means.
        low: Lower end of its 95 % interval.
        high: Upper end.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


def ratio_of_means(ours: Sequence[float], theirs: Sequence[float]) -> Ratio:
    """The ratio with its bootstrap interval (BCa); repetitions are drawn in pairs.

    Args:
        ours: A value for each repetition.
        theirs: The values of the same repetitions.
    """

    def ratio(own: Numbers, other: Numbers, axis: int = -1) -> Numbers:
        return np.asarray(own.mean(axis=axis) / other.mean(axis=axis))

    found = stats.bootstrap(
        (np.array(ours), np.array(theirs)), ratio, paired=True, vectorized=True, method="BCa",
        n_resamples=20_000, rng=np.random.default_rng(0),
    )  # fmt: skip
    low, high = found.confidence_interval
    return Ratio(float(np.mean(ours) / np.mean(theirs)), float(low), float(high))


def print_ways(values: Mapping[str, Sequence[float]], stock: str, used: Mapping[str, str]) -> None:
    """Print a table with a row for each way of searching, compared with the stock one.

    Args:
        values: Way -> mean metric on unseen seeds, for each repetition.
        stock: Which of them the others are compared with.
        used: Way -> what it used, in words.
    """
    print("| search | used | metric on unseen seeds: mean ± standard error | standard deviation | ratio (95 %) |")
    print("|---|---|---:|---:|---:|")
    for way, own in values.items():
        ratio = "1" if way == stock else str(ratio_of_means(own, values[stock]))
        mean, error, spread = np.mean(own), stats.sem(own), np.std(own, ddof=1)
        print(f"| {way} | {used[way]} | {mean:.4g} ± {error:.2g} | {spread:.2g} | {ratio} |", flush=True)
