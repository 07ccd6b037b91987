"""What is told of an unconfirmed search's best settings, beside what they come to on fresh seeds.

    python tests/benchmarks/expected_again.py --searches 6

Prints, per task and number of trials, the mean logarithm of "told / came to" and its root mean square: for the best
value itself, and for what `study.luck.expected_again` makes of it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import lrsearch
from lrsearch.study import ranking, recommendation
from lrsearch.study.luck import expected_again

TASKS: dict[str, dict[str, Any]] = {
    "polynomial": {"epochs": 60},
    "diabetes": {"epochs": 60},
    "digits": {"epochs": 20, "optimizer": "adam"},
}
TRIALS = (16, 60, 200)
SEEDS = 20
TOLD: dict[str, Callable[[Sequence[float]], float]] = {"the best value": min, "expected_again": expected_again}


def searched(task: str, trials: int, seed: int) -> tuple[list[float], float]:
    """The values of a search's finished trials, best first, and the mean of its best settings on fresh seeds."""
    study = lrsearch.run_study(
        lrsearch.create_study(
            {
                "study": {"name": f"{task}-{trials}-{seed}", "trials": trials},
                "task": {"name": task},
                "training": TASKS[task],
                "sampler": {"name": "tpe", "seed": seed},
                "confirm": {"top": 1, "seeds": SEEDS, "contestants": []},
            },
            storage="sqlite://",
        )
    )
    evidence = recommendation.evidence_of(study)
    assert evidence is not None
    assert evidence.promised is not None
    values = [trial.values[0] for trial in ranking.ranked(study.trials(), {}, maximise=False)]
    return values, float(np.mean(evidence.promised.tests))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--searches", type=int, default=4, help="Searches per task and number of trials.")
    searches = parser.parse_args().searches
    for task in TASKS:
        for trials in TRIALS:
            found = [searched(task, trials, seed) for seed in range(searches)]
            for name, told in TOLD.items():
                errors = np.log([told(values) / truth for values, truth in found])
                root = float(np.sqrt(np.mean(errors**2)))
                print(
                    f"{task:12} {trials:3} trials  {name:16} bias {np.mean(errors):+.2f}  root mean square {root:.2f}"
                )


if __name__ == "__main__":
    main()
