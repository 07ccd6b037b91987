"""Is it better to keep the best epoch or the last, at equal epochs? Run it by hand.

    python tests/benchmarks/kept_epochs.py [--tasks polynomial:60 diabetes:120 digits:60] [--repetitions 20]
        [--minutes M] [--trials 64] [--top 3] [--seeds 5] [--judge-seeds 20] [--patience 5] [--keep FOLDER]

Each repetition is a search with another sampler seed and training seed, and its confirmation on fixed numbers of
finalists and seeds, once with `[study] value = "last"` and once with "best"; with --patience also with "best" and that
patience. Then brute force: what each recommends is trained on --judge-seeds further seeds. Its error is that of the
epoch that the study keeps, which the test rows choose, on the holdout rows. What was measured is kept in --keep: the
same command goes on where an earlier one ended, such as after --minutes.

Prints a markdown table: the error and its ratio to "last" (with a bootstrap interval over paired repetitions); what the
same recommended settings come to if the other epoch is kept; the epoch that is kept; epochs trained in all; and in how
many repetitions brute force is within 1.96 standard errors of what the verdict had said to expect.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import torch
from numpy.typing import NDArray
from scipy import stats
from unseen_seeds import FIRST_JUDGE_SEED, Numbers, ratio_of_means, study_document
from verdicts import FIRST_TRAINING_SEED, confirmed

from lrsearch.sampling.space import Settings, settings_from
from lrsearch.study import open as opening
from lrsearch.study import status
from lrsearch.study.crossed import Interval, mean_interval
from lrsearch.study.holdout import scored_on_holdout
from lrsearch.study.linked import HOLDOUT
from lrsearch.study_file import load
from lrsearch.study_file.model import Definition
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.engine import Lane


@dataclass(frozen=True)
class Recommended:
    """What a study recommends.

    Attributes:
        params: To be used, by Optuna's names.
        said: What the verdict tells a person to expect.
        epochs: Trained in all, search and confirmation.
    """

    params: dict[str, Any]
    said: Interval
    epochs: int

    @property
    def settings(self) -> Settings:
        """The same as settings."""
        return settings_from(self.params)


@dataclass(frozen=True)
class Judged:
    """What that is worth on seeds that nobody has used.

    Attributes:
        own: What is recommended.
        found: What it comes to.
        other: What the same settings come to if the other epoch is kept.
        kept: The epoch that is kept, median over the seeds.
    """

    own: Recommended
    found: Interval
    other: float
    kept: float

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Judged:
        """One as JSON gives it back."""
        own = Recommended(**{**kept["own"], "said": Interval(**kept["own"]["said"])})
        return cls(**{**kept, "own": own, "found": Interval(**kept["found"])})

    @property
    def deviation(self) -> float:
        """How much worse it is than said, in standard errors of the difference."""
        return (self.found.mean - self.own.said.mean) / math.hypot(self.found.error, self.own.said.error)


def definition_of(name: str, way: str, repetition: int, given: argparse.Namespace) -> Definition:
    """A study that is asked about one way to keep a run; its name is such as ``digits:60``, with its epochs."""
    task, _, epochs = name.partition(":")
    seed = FIRST_TRAINING_SEED + repetition
    document = study_document(task, given.trials, sampler_seed=repetition, training_seed=seed)
    document["study"]["value"] = "last" if way == "last" else "best"
    document["training"]["epochs"] = int(epochs)
    if way == "best, patience":
        document["training"]["patience"] = given.patience
    return load.parse(document, "benchmark")


def recommended(definition: Definition, given: argparse.Namespace) -> Recommended:
    """What a search and its confirmation come to."""
    stored, linked, found = confirmed(definition, given)
    spent = status.epochs_trained(stored.trials()) + status.epochs_trained(linked.trials())
    return Recommended(found.recommended.params, found.expected, spent)


def trained(definition: Definition, settings: Sequence[Settings], seeds: range) -> tuple[Numbers, Numbers]:
    """Test and holdout metric of settings after every epoch, never stopped; [settings, seeds, epochs] each."""
    task = scored_on_holdout(opening.build_task(definition))
    lanes = [Lane(own.lr, own.schedule, seed) for own in settings for seed in seeds]
    section = definition.training.model_copy(update={"patience": None, "min_delta": 0.0})
    test, holdout = (np.full((len(lanes), section.epochs), np.nan) for _ in range(2))
    for records in BatchedEngine().train(task, lanes, section):
        if records.epoch:
            test[list(records.lanes), records.epoch - 1] = records.test_metric
            holdout[list(records.lanes), records.epoch - 1] = records.extra[HOLDOUT]
    shape = len(settings), len(seeds), section.epochs
    return test.reshape(shape), holdout.reshape(shape)


def kept_at(test: Numbers, way: str, patience: int) -> NDArray[np.intp]:
    """The place of the epoch that each seed keeps; [seeds]."""
    if way == "last":
        return np.full(len(test), test.shape[1] - 1, dtype=np.intp)
    if way == "best":
        return np.asarray(np.nanargmin(test, axis=1), dtype=np.intp)
    return np.array([_stopped_best(curve, patience) for curve in test], dtype=np.intp)


def _stopped_best(curve: Numbers, patience: int) -> int:
    best = 0
    for place, value in enumerate(curve):
        if value < curve[best]:
            best = place
        if place - best >= patience:
            break
    return best


def judge(task: str, way: str, own: Recommended, given: argparse.Namespace) -> Judged:
    """What a recommendation comes to."""
    seeds = range(FIRST_JUDGE_SEED, FIRST_JUDGE_SEED + given.judge_seeds)
    (test,), (holdout,) = trained(definition_of(task, way, 0, given), [own.settings], seeds)
    places = np.arange(len(seeds))
    kept = kept_at(test, way, given.patience)
    other = kept_at(test, "best" if way == "last" else "last", given.patience)
    came_to = mean_interval(holdout[places, kept])
    return Judged(own, came_to, float(holdout[places, other].mean()), float(np.median(kept + 1)))


def measured(task: str, way: str, repetition: int, given: argparse.Namespace) -> Judged:
    """One repetition, as it was kept or measured now."""
    named = [task, way, given.trials, given.top, given.seeds, given.judge_seeds, given.patience, repetition]
    file = given.keep / f"kept-{'-'.join(map(str, named))}.json".replace(":", "-").replace(", ", "-")
    if file.exists():
        return Judged.of(json.loads(file.read_text()))
    found = judge(task, way, recommended(definition_of(task, way, repetition, given), given), given)
    given.keep.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")  # whoever is killed leaves no half of a file
    part.write_text(json.dumps(asdict(found)))
    part.replace(file)
    return found


def print_task(task: str, ways: Mapping[str, Sequence[Judged]]) -> None:
    """A row for each way, compared with keeping the last epoch."""
    limit = stats.norm.ppf(0.975)
    last = [own.found.mean for own in ways["last"]]
    for way, judged in ways.items():
        errors = [own.found.mean for own in judged]
        ratio = "1" if way == "last" else str(ratio_of_means(errors, last))
        inside = sum(abs(own.deviation) <= limit for own in judged)
        off = np.mean([own.found.mean / own.own.said.mean - 1 for own in judged])
        epochs = np.mean([own.own.epochs for own in judged])
        kept, lr = np.median([own.kept for own in judged]), np.median([own.own.settings.lr for own in judged])
        other = np.mean([own.other for own in judged])
        print(f"| {task} | {way} | {np.mean(errors):.4g} ± {stats.sem(errors):.2g} | {ratio} | {other:.4g} "
              f"| {lr:.2g} | {kept:.0f} | {epochs:,.0f} | {inside} of {len(judged)} | {100 * off:+.1f} % |",
              flush=True)  # fmt: skip


def main() -> None:
    """Print a markdown table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--tasks", nargs="+", default=["polynomial:60", "diabetes:120", "digits:60"])
    options.add_argument("--repetitions", type=int, default=20)
    options.add_argument("--minutes", type=float, default=math.inf, help="begin no further repetition after so many")
    options.add_argument("--trials", type=int, default=64)
    options.add_argument("--top", type=int, default=3)
    options.add_argument("--seeds", type=int, default=5, help="of the confirmation")
    options.add_argument("--judge-seeds", type=int, default=20)
    options.add_argument("--patience", type=int, default=0, help="0: without")
    options.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "lrsearch-banks")
    given = options.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    torch.set_num_threads(1)
    ways = ["last", "best", *(["best, patience"] if given.patience else [])]
    found: dict[str, dict[str, list[Judged]]] = {name: {way: [] for way in ways} for name in given.tasks}
    began = time.monotonic()
    for repetition in range(given.repetitions):
        if time.monotonic() - began > 60 * given.minutes:
            break
        for name, way in product(given.tasks, ways):
            found[name][way].append(measured(name, way, repetition, given))
    print("| task | kept | error | ratio to last (95 %) | the other epoch kept | rate | epoch kept | epochs trained "
          "| as good as said | worse than said |")  # fmt: skip
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    for name, own in found.items():
        print_task(name, own)


if __name__ == "__main__":
    main()
