"""Is a verdict true? Finalists are trained again on seeds that nobody has used. Run it by hand.

    python tests/benchmarks/verdicts.py [--tasks polynomial diabetes digits] [--repetitions 5] [--trials 200]
        [--top 5] [--seeds 10] [--judge-seeds 40]

Each repetition is a search with another sampler seed and training seed, and its confirmation: the library's own, with
a database in memory. Then brute force: every finalist on --judge-seeds further seeds, scored on the holdout rows as in
the confirmation. Prints a markdown table: what the verdict tells a person to expect, with its 95 % interval; what
training again gives; by how many standard errors the two differ; and how much better the best finalist is than the
recommended one by brute force, with the 95 % interval of the difference over paired seeds (not corrected for having
picked the best of several). The last lines count over repetitions.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from functools import partial

import numpy as np
import optuna
import torch
from scipy import stats
from unseen_seeds import FIRST_JUDGE_SEED, Numbers, study_document, train

from lrsearch.api.studies import load_frames
from lrsearch.report import wording
from lrsearch.sampling.space import settings_from
from lrsearch.search.runner import Runner
from lrsearch.signals import Interruption
from lrsearch.storage.rdb import open_storage
from lrsearch.study import confirmation
from lrsearch.study import open as opening
from lrsearch.study import stored as studies
from lrsearch.study.crossed import Interval, mean_interval
from lrsearch.study.evidence import Evidence
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file import load
from lrsearch.study_file.model import Definition
from lrsearch.training.batched import BatchedEngine

FIRST_TRAINING_SEED = 24


@dataclass(frozen=True)
class Checked:
    """A recommendation beside what training again gives.

    Attributes:
        name: The recommended settings, in words.
        said: What the verdict tells a person to expect.
        found: What brute force gives.
        missed: By how much the best finalist is better than the recommended one; 0 if that is the best.
    """

    name: str
    said: Interval
    found: Interval
    missed: Interval

    @property
    def deviation(self) -> float:
        """How much worse it is than said, in standard errors of the difference."""
        return (self.found.mean - self.said.mean) / math.hypot(self.found.error, self.said.error)

    @property
    def another_is_better(self) -> bool:
        """Whether brute force tells a finalist apart from the recommended one, for the better."""
        return self.missed.low > 0


def evidence_of(task: str, repetition: int, given: argparse.Namespace) -> Evidence:
    """What a search and its confirmation come to."""
    seed = FIRST_TRAINING_SEED + repetition
    document = study_document(task, given.trials, sampler_seed=repetition, training_seed=seed)
    return confirmed(load.parse(document, "benchmark"), given)[-1]


def confirmed(definition: Definition, given: argparse.Namespace) -> tuple[StoredStudy, StoredStudy, Evidence]:
    """A search, its confirmation, and what that shows."""
    built = opening.build_task(definition)
    stored = studies.create(open_storage("sqlite://"), definition, built.metric_name)
    list(Runner(stored, built, BatchedEngine(), Interruption()).events())
    linked = confirmation.prepare(stored, given.top, given.seeds)
    go_on = partial(confirmation.next_of, linked)
    list(Runner(linked, opening.task_of(linked), BatchedEngine(), Interruption(), go_on=go_on).events())
    found = load_frames(stored).evidence
    assert found is not None
    assert found.rows == "holdout"
    return stored, linked, found


def brute_force(task: str, found: Evidence, seeds: range) -> Numbers:
    """Holdout metric of every complete finalist after the last epoch; [finalists, seeds]."""
    definition = load.parse(study_document(task, 1), "benchmark")
    lanes = [(settings_from(own.params), seed) for own in found.complete for seed in seeds]
    curves = train(opening.build_task(definition), lanes, definition)
    return np.array([curve.holdout for curve in curves]).reshape(len(found.complete), len(seeds))


def check(task: str, repetition: int, given: argparse.Namespace) -> Checked:
    """One repetition."""
    found = evidence_of(task, repetition, given)
    values = brute_force(task, found, range(FIRST_JUDGE_SEED, FIRST_JUDGE_SEED + given.judge_seeds))
    chosen = found.complete.index(found.recommended)
    best = int(np.nanmean(values, axis=1).argmin())
    return Checked(
        wording.describe(found.recommended.params),
        found.expected,
        mean_interval(values[chosen]),
        mean_interval(values[chosen] - values[best]) if best != chosen else Interval(0.0, 0.0, 0.0, 0.0),
    )


def shown(interval: Interval) -> str:
    """Such as ``12.03 (9.738 to 14.32)``."""
    return f"{interval.mean:.4g} ({interval.low:.4g} to {interval.high:.4g})"


def main() -> None:
    """Print a markdown table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--tasks", nargs="+", default=["polynomial", "diabetes", "digits"])
    options.add_argument("--repetitions", type=int, default=5)
    options.add_argument("--trials", type=int, default=200)
    options.add_argument("--top", type=int, default=5)
    options.add_argument("--seeds", type=int, default=10, help="of the confirmation")
    options.add_argument("--judge-seeds", type=int, default=40)
    given = options.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    torch.set_num_threads(1)
    print("| task | recommended | expect | trained again | standard errors worse | the best finalist is better by |")
    print("|---|---|---|---|---:|---|")
    every: dict[str, list[Checked]] = {}
    for task in given.tasks:
        for repetition in range(given.repetitions):
            own = check(task, repetition, given)
            every.setdefault(task, []).append(own)
            missed = "it is the best" if own.missed.error == 0 else shown(own.missed)
            print(f"| {task} | {own.name} | {shown(own.said)} | {shown(own.found)} | {own.deviation:.1f} | {missed} |",
                  flush=True)  # fmt: skip
    print()
    limit = stats.norm.ppf(0.975)
    for task, checks in every.items():
        inside = sum(abs(own.deviation) <= limit for own in checks)
        better = sum(own.another_is_better for own in checks)
        worse = np.mean([own.found.mean / own.said.mean - 1 for own in checks])
        good = f"{inside} of {len(checks)} as good as said (within {limit:.2f} standard errors)"
        print(f"{task}: {good}, {100 * worse:+.1f} % on average; another finalist is shown to be better in {better}.")


if __name__ == "__main__":
    main()
