"""How often one group of values is taken for two, and how often two are found. Run it by hand.

    python tests/benchmarks/groups_found.py --samples 20000

Prints the critical values that `lrsearch/study/groups.py` has, the share of samples of one group that exceed these, and
the share of samples of two groups that do, by their distance.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lrsearch.study.groups import CRITICAL, separation

Numbers = NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, int]], Numbers]

ONE_GROUP: dict[str, Draw] = {
    "normal": lambda rng, shape: rng.normal(10, 1, shape),
    "normal around 0": lambda rng, shape: rng.normal(0, 1, shape),
    "lognormal, 0.3": lambda rng, shape: rng.lognormal(0, 0.3, shape),
    "lognormal, 1": lambda rng, shape: rng.lognormal(0, 1, shape),
    "exponential": lambda rng, shape: rng.exponential(1, shape),
    "uniform from 0": lambda rng, shape: rng.random(shape),
    "uniform from 10": lambda rng, shape: 10 + rng.random(shape),
    "t, 5": lambda rng, shape: 20 + rng.standard_t(5, shape),
    "t, 5, around 0": lambda rng, shape: rng.standard_t(5, shape),
}
FALSE = 0.01
DISTANCES = (5, 7, 10, 15)
"""Standard deviations within a group from the mean of one to that of the other."""


def separations(values: Numbers) -> Numbers:
    """The largest separation in each sample [samples, values]."""
    return np.asarray(separation(np.sort(values, axis=1)).max(axis=1))


def two(rng: np.random.Generator, shape: tuple[int, int], second: int, distance: float) -> Numbers:
    """Normal values, of which the second group's are larger by the distance."""
    values = rng.normal(30, 1, shape)
    values[:, :second] += distance
    return values


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=20_000)
    samples = parser.parse_args().samples
    rng = np.random.default_rng(0)
    print("| values | 99 % of one group | critical | false |", *(f"{d} apart |" for d in DISTANCES))
    print("|---:|---:|---:|---:|" + "---:|" * len(DISTANCES))
    for count, critical in CRITICAL.items():
        shape = (samples, count)
        one = {name: separations(draw(rng, shape)) for name, draw in ONE_GROUP.items()}
        needed = max(float(np.quantile(found, 1 - FALSE)) for found in one.values())
        false = max(float((found > critical).mean()) for found in one.values())
        power = [float((separations(two(rng, shape, count // 2, d)) > critical).mean()) for d in DISTANCES]
        print(f"| {count} | {needed:.2f} | {critical:.2f} | {false:.4f} |", *(f"{share:.2f} |" for share in power))


if __name__ == "__main__":
    main()
