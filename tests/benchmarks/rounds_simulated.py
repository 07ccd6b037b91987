"""Confirmations in rounds, simulated: whether intervals hold whatever ended them, and what the rounds save.

    python tests/benchmarks/rounds_simulated.py --studies 2000 --banks FOLDER

Each study draws its own seeds and holdout rows from a bank of trained networks (`seed_row_bank`), and goes through the
product's own rounds (`lrsearch.study.plan`). Prints, per task: how often the intervals of what to expect of the picked
settings, and of their difference from their rival, hold the truth; how often settings within 1 % of the best are
picked, beside a confirmation that gives everybody as many seeds as those who stay have; and the share of those
trainings that the rounds took.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from seed_row_bank import TASKS, Bank, bank

from lrsearch.study import rounds
from lrsearch.study.contender import Contender
from lrsearch.study.evidence import Evidence
from lrsearch.study.finalists import Finalist
from lrsearch.study.plan import Plan, begun, next_round
from lrsearch.study.snippet import Steps

SEEDS_AT_MOST = 40
NEAR = 1.01


def finalists(own: Bank) -> list[Finalist]:
    """The bank's settings as finalists, with parameters that are as many as theirs."""
    found = []
    for place, (constant, (_, parameters)) in enumerate(zip(own.constant, own.complexities, strict=True)):
        params: dict[str, Any] = {"lr": float(place + 1), "scheduler": "constant" if constant else f"type{place}"}
        params |= {f"parameter{number}": 0.0 for number in range(parameters)}
        found.append(Finalist(params, "constant" if constant else "search", None, None))
    return found


def gathered(entries: list[Finalist], plan: Plan, cube: NDArray[np.float64], rows: int) -> Evidence:
    """What a study knows when all planned runs are there."""
    most = max(entry.seeds or 0 for entry in entries)
    contenders = []
    for entry, cells in zip(entries, cube, strict=True):
        known = cells[:most].copy()
        known[entry.seeds or 0 :] = np.nan
        values = known.mean(axis=1)
        contenders.append(
            Contender(entry.params, entry.role, None, None, values, values, 0, 0, Steps(), known, entry.seeds or 0)
        )
    contenders.sort(key=lambda one: one.mean if one.is_complete else np.inf)
    return Evidence(
        "holdout", rows, "", list(range(most)), contenders,
        rounds=len(plan.rounds) if plan.seeds is None else 0, done=plan.done,
    )  # fmt: skip


def confirmed(own: Bank, cube: NDArray[np.float64], rows: int, seeds: int | None) -> tuple[Evidence, int, int]:
    """A whole confirmation: its evidence, its runs, and its rounds."""
    entries, plan = begun(finalists(own), seeds, 0.0)
    plan = replace(plan, ladder=None)  # the bank has no further rates
    evidence = gathered(entries, plan, cube, rows)
    while not plan.done:
        entries, plan = next_round(entries, plan, evidence)
        evidence = gathered(entries, plan, cube, rows)
    return evidence, sum(entry.seeds or 0 for entry in entries), len(plan.rounds)


def simulate(own: Bank, studies: int, rows: int) -> dict[str, float]:
    """The figures of one task.

    Args:
        own: Its bank.
        studies: How many.
        rows: Holdout rows of each.
    """
    rng = np.random.default_rng(0)
    truth = dict(zip([entry.params["lr"] for entry in finalists(own)], own.truth, strict=True))
    best = min(truth.values())
    sums: dict[str, list[float]] = {}
    for _ in range(studies):
        cube = own.study(rng, SEEDS_AT_MOST, rows)
        evidence, runs, done = confirmed(own, cube, rows, None)
        equal, equal_runs, _ = confirmed(own, cube, rows, len(evidence.seeds))
        chosen = truth[evidence.recommended.params["lr"]]
        found = {
            "expectation holds": evidence.expected.low <= chosen <= evidence.expected.high,
            "picked within 1 %": chosen <= NEAR * best,
            "equal: picked within 1 %": truth[equal.recommended.params["lr"]] <= NEAR * best,
            "mean excess": chosen / best - 1,
            "equal: mean excess": truth[equal.recommended.params["lr"]] / best - 1,
            "runs of equal": runs / equal_runs,
            "rounds": done,
            "seeds": len(evidence.seeds),
        }
        for comparison in evidence.comparisons:
            true = truth[comparison.other.params["lr"]] - chosen
            low, high = comparison.difference.low, comparison.difference.high
            found["difference holds"] = low <= true <= high
            found["gain claimed and false"] = (
                low > 0 >= true and not evidence.recommended.is_constant and comparison.other.is_constant
            )
            found[f"outcome {comparison.verdict.value}"] = 1.0
        for name, value in found.items():
            sums.setdefault(name, []).append(float(value))
    total = {
        name: sum(values) / (studies if name.startswith("outcome") else len(values)) for name, values in sums.items()
    }
    return dict(sorted(total.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=2000, help="Per task.")
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--rows", type=int, default=300, help="Holdout rows of each study.")
    parser.add_argument("--banks", type=Path, default=Path(tempfile.gettempdir()) / "lrsearch-banks")
    options = parser.parse_args()
    print(f"{options.studies} studies a task, {options.rows} holdout rows, at most {rounds.ROUNDS} rounds")
    for name in options.tasks:
        stored = bank(name, options.banks)
        own = Bank(np.asarray(stored.losses), stored.complexities, stored.constant)
        print(name)
        for figure, value in simulate(own, options.studies, options.rows).items():
            print(f"  {figure:28} {value:.3f}")


if __name__ == "__main__":
    main()
