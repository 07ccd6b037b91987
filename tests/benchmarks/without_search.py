"""What searching gains over what people do without a search, on the built-in tasks.

    python tests/benchmarks/without_search.py --seeds 10
    python tests/benchmarks/without_search.py --seeds 10 --optimizer sgd

Each study searches with one optimizer, is confirmed on fresh seeds and scored on holdout rows, and its contestants are
trained on the same seeds. The first table is that of the report; the last column holds the means to a hand-written
script of the same runs, in standard errors of their difference.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator

import numpy as np
import optuna

import lrsearch
from lrsearch.report.gains import label
from lrsearch.study.evidence import Evidence
from lrsearch.study.gained import Gain, gains, searched
from lrsearch.study_file.contestants import NAMES

TASKS = ("diabetes", "polynomial", "digits")
BY_HAND = {
    "default_rate": (0.532, 37.1, 0.141),
    "prodigy": (0.538, 16.8, 0.100),
    "schedule_free_adamw": (0.536, 34.0, 0.121),
}
"""Holdout means of ten seeds and 60 epochs that a script without lrsearch gave, in the order of `TASKS`; the default
rate is Adam's."""


def confirmed(task: str, optimizer: str, trials: int, seeds: int) -> Evidence:
    """A study, searched and confirmed with its contestants.

    Args:
        task: One of `TASKS`.
        optimizer: Of the search.
        trials: Of the search.
        seeds: Fresh ones.
    """
    document = {
        "study": {"name": f"{task}-{optimizer}", "trials": trials},
        "task": {"name": task},
        "training": {"optimizer": optimizer},
        "search": {"schedulers": ["constant", "linear", "one_cycle"]},
        "confirm": {"seeds": seeds, "contestants": list(NAMES)},
    }
    study = lrsearch.run_study(lrsearch.create_study(document, storage="sqlite://"))
    return lrsearch.confirm_study(study)


def lines(task: str, evidence: Evidence, optimizer: str) -> Iterator[str]:
    """Rows of the table, the searched settings first."""
    found = searched(evidence)
    assert found is not None
    yield f"| {task} | searched: {found.params['scheduler']} from {found.params['lr']:.3g} | {found.mean:.4g} | | | |"
    for one in gains(evidence):
        name = label(one.name, None).replace("the optimizer", optimizer)
        if one.difference is None:
            yield f"| {task} | {name} | diverged on {one.contender.diverged} of {len(evidence.seeds)} | | | |"
            continue
        share = "" if one.share is None else f"{100 * one.share:.0f} %"
        interval = f"{one.difference.low:.3g} to {one.difference.high:.3g}"
        yield f"| {task} | {name} | {one.contender.mean:.4g} | {share} | {interval} | {_apart(task, one, optimizer)} |"


def _apart(task: str, one: Gain, optimizer: str) -> str:
    """How far the mean is from that of the script, in standard errors of the difference of two such means."""
    if one.name not in BY_HAND or (one.name == "default_rate" and optimizer != "adam"):
        return ""
    values = one.contender.values
    error = float(np.std(values, ddof=1)) / math.sqrt(len(values)) * math.sqrt(2)
    return f"{(one.contender.mean - BY_HAND[one.name][TASKS.index(task)]) / error:+.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--optimizer", default="adam")
    parser.add_argument("--tasks", nargs="+", default=TASKS)
    options = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    print("| task | settings | holdout mean | the search gained | 95 % interval | from the script, standard errors |")
    print("|---|---|---:|---:|---:|---:|")
    for task in options.tasks:
        evidence = confirmed(task, options.optimizer, options.trials, options.seeds)
        for line in lines(task, evidence, options.optimizer):
            print(line, flush=True)


if __name__ == "__main__":
    main()
