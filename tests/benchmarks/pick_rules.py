"""Which finalist to recommend: the rule beside others, on banks of trained networks. Run it by hand.

    python tests/benchmarks/pick_rules.py --studies 400 --banks FOLDER

Each study draws seven settings, some seeds and 300 rows from a bank (`seed_row_bank`). Printed, per rule: by how much
what is picked is worse than the best in truth, and how often it is needlessly complex: a simpler setting is within 1 %
of the best in truth.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from seed_row_bank import TASKS, Bank, bank

from lrsearch.study.choosing import Choice, chance_of_being_best
from lrsearch.study.crossed import estimate

SETTINGS, ROWS, SEEDS = 7, 300, (5, 10)
NEAR = 1.01


def picks(cube: NDArray[np.float64], complexities: Sequence[tuple[bool, int]]) -> dict[str, int]:
    """What each rule takes.

    Args:
        cube: [settings, seeds, blocks].
        complexities: How simple each setting is, simplest first.
    """
    values = cube.mean(axis=2)
    means = values.mean(axis=1)
    leader = int(means.argmin())
    behind = means - means[leader]
    errors = (values - values[leader]).std(axis=1, ddof=1) / np.sqrt(values.shape[1])
    crossed = np.array([0.0 if k == leader else estimate(cube[k] - cube[leader]).error for k in range(len(cube))])
    chances, margin = np.array(chance_of_being_best(values)), 0.01 * means[leader]

    def simplest(near: NDArray[np.bool_]) -> int:
        places = {leader, *map(int, np.flatnonzero(near))}
        return min(places, key=lambda place: (complexities[place], means[place]))

    return {
        "the leader": leader,
        "one error, half as often the best (before)": simplest((behind <= errors) & (chances >= chances[leader] / 2)),
        "within 1 % of the leader (ours)": Choice(cube, complexities, margin).pick(range(len(cube))),
        "within 2 %": simplest(behind <= 2 * margin),
        "within one error of seeds and rows": simplest(behind <= np.maximum(crossed, margin)),
        "not shown to be worse by more than 1 %": simplest(behind - 2 * errors <= margin),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=400)
    parser.add_argument("--banks", type=Path, default=Path(tempfile.gettempdir()) / "lrsearch-banks")
    options = parser.parse_args()
    print("| task | seeds | rule | worse than the best | needlessly complex |\n|---|---:|---|---:|---:|")
    for name in TASKS:
        stored = bank(name, options.banks)
        own = Bank(np.asarray(stored.losses), stored.complexities, stored.constant)
        for seeds in SEEDS:
            rng = np.random.default_rng(1)
            found: dict[str, list[tuple[float, bool]]] = {}
            for _ in range(options.studies):
                drawn = np.sort(rng.choice(len(own.truth), SETTINGS, replace=False))
                complexities, truth = [own.complexities[place] for place in drawn], own.truth[drawn]
                near = min(complexities[place] for place in range(SETTINGS) if truth[place] <= NEAR * truth.min())
                for rule, place in picks(own.study(rng, seeds, ROWS, drawn), complexities).items():
                    worse = truth[place] / truth.min() - 1
                    found.setdefault(rule, []).append((worse, complexities[place] > near))
            for rule, pairs in found.items():
                worse, complex_ = np.mean(pairs, axis=0)
                print(f"| {name} | {seeds} | {rule} | {100 * worse:.2f} % | {100 * complex_:.0f} % |", flush=True)


if __name__ == "__main__":
    main()
