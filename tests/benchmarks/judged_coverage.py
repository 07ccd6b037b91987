"""How often the intervals of `lrsearch judge` hold the truth, on banks of values that are resampled.

    python tests/benchmarks/judged_coverage.py [--banks 2000]

A bank has six settings with the values of 500 seeds each; its truth is the mean over all of them. From each bank runs
are drawn as a person has them, on seeds that all settings share or on seeds of their own, and judged. Counted is how
often the interval of a setting's mean, that of what the recommended one will come to, and that of its difference to the
one that it is compared with, hold the truth. In brackets is the median width of the last one.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lrsearch.study.judged import Run, judge

SETTINGS = 6
BANK = 500
KINDS: dict[str, Callable[[np.random.Generator], NDArray[np.float64]]] = {
    "normal": lambda rng: rng.normal(size=(SETTINGS, BANK)),
    "lognormal, sigma 0.25": lambda rng: (np.exp(0.25 * rng.normal(size=(SETTINGS, BANK))) - 1.03) * 4,
    "lognormal, sigma 0.5": lambda rng: (np.exp(0.5 * rng.normal(size=(SETTINGS, BANK))) - 1.13) * 2,
}
"""What a seed does to a setting's value."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--banks", type=int, default=2000)
    banks = parser.parse_args().banks
    print("| values | seeds | runs | means | recommended | difference |")
    print("|---|---|---:|---:|---:|---:|")
    for kind, draw in KINDS.items():
        for shared in (True, False):
            for number in (5, 10):
                rates, width = _coverage(draw, banks, number, shared=shared)
                told = " | ".join(f"{100 * rate:.1f} %" for rate in rates)
                print(f"| {kind} | {'shared' if shared else 'own'} | {number} | {told} ({width:.2f}) |", flush=True)


def _coverage(
    draw: Callable[[np.random.Generator], NDArray[np.float64]], banks: int, number: int, *, shared: bool
) -> tuple[list[float], float]:
    rng = np.random.default_rng(0)
    found = np.array([_held(draw, rng, number, shared=shared) for _ in range(banks)])
    return [float(rate) for rate in found[:, :3].mean(axis=0)], float(np.median(found[:, 3]))


def _held(
    draw: Callable[[np.random.Generator], NDArray[np.float64]], rng: np.random.Generator, number: int, *, shared: bool
) -> tuple[float, bool, bool, float]:
    """Of one bank: the share of means, what to expect of the recommended one, the difference, and its width."""
    luck = rng.normal(size=BANK)  # of a seed, the same for all settings
    bank = 20 + rng.normal(size=(SETTINGS, 1)) * 0.7 + luck + draw(rng)
    truth = bank.mean(axis=1)
    places = [rng.choice(BANK, number, replace=False)] * SETTINGS
    if not shared:
        places = [rng.choice(BANK, number, replace=False) for _ in range(SETTINGS)]
    runs = [
        Run({"lr": 0.1 * 2**one, "schedule": "constant" if one < 2 else "cosine"}, int(seed), float(bank[one, seed]))
        for one in range(SETTINGS)
        for seed in places[one]
    ]
    found = judge(runs, "bank", "loss")
    of = {0.1 * 2**one: float(truth[one]) for one in range(SETTINGS)}
    intervals = [(found.evidence.interval(one), of[one.params["lr"]]) for one in found.evidence.complete]
    assert found.recommended is not None
    assert found.recommended.interval is not None
    low, high = found.recommended.interval
    own = of[found.recommended.params["lr"]]
    compared = found.comparisons[0]
    behind = of[compared.other.params["lr"]] - own
    return (
        float(np.mean([one.low <= value <= one.high for one, value in intervals])),
        low <= own <= high,
        compared.difference.low <= behind <= compared.difference.high,
        compared.difference.high - compared.difference.low,
    )


if __name__ == "__main__":
    main()
