"""How often intervals hold the truth on other seeds and other rows. Run it by hand.

    python tests/benchmarks/row_coverage.py --studies 300 --banks FOLDER

Each study draws seeds and holdout rows from a bank of trained networks (`seed_row_bank`). Printed is the share of the
studies whose stated 95 % interval holds the mean over all seeds and 100,000 rows, and its median width: of what to
expect of the picked settings, and of the difference between the best constant rate and the picked schedule. Before:
Student's interval over the seeds, with nothing taken out for having been picked. After: `lrsearch.study`.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from seed_row_bank import TASKS, Bank, bank

from lrsearch.study import crossed
from lrsearch.study.choosing import Choice
from lrsearch.study.crossed import Interval

ROWS = (100, 300, 3000)
SEEDS = (5, 10)
Found = tuple[float, Interval]
"""The truth, and the interval that is stated."""


def stated(own: Bank, cube: NDArray[np.float64]) -> dict[str, Found]:
    """What one study says, before and after.

    Args:
        own: The bank that it was drawn from.
        cube: What it has; [settings, seeds, blocks].
    """
    truth, places = own.truth, range(len(cube))
    constants = [place for place in places if own.constant[place]]
    schedules = [place for place in places if place not in constants]
    choice = Choice(cube, own.complexities, 0.01 * float(cube.mean(axis=(1, 2)).min()))
    picked, schedule, constant = choice.pick(places), choice.pick(schedules), choice.pick(constants)
    luck, both = choice.flattery(places), choice.flattery_of_difference(constants, schedules)
    difference, gain = cube[constant] - cube[schedule], float(truth[constant] - truth[schedule])
    return {
        "expected, before": (truth[picked], crossed.mean_interval(cube[picked].mean(axis=1))),
        "expected, after": (
            truth[picked], crossed.interval(cube[picked], positive=True, bias=luck.mean, widening=luck.widening)
        ),
        "difference, before": (gain, crossed.mean_interval(difference.mean(axis=1))),
        "difference, after": (gain, crossed.interval(difference, bias=both.mean, widening=both.widening)),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=300)
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--banks", type=Path, default=Path(tempfile.gettempdir()) / "lrsearch-banks")
    options = parser.parse_args()
    for name in options.tasks:
        stored = bank(name, options.banks)
        own = Bank(np.asarray(stored.losses), stored.complexities, stored.constant)
        for seeds in SEEDS:
            for rows in ROWS:
                rng = np.random.default_rng(0)
                found = [stated(own, own.study(rng, seeds, rows)) for _ in range(options.studies)]
                parts = []
                for what in found[0]:
                    pairs = [one[what] for one in found]
                    held = np.mean([interval.low <= true <= interval.high for true, interval in pairs])
                    width = np.median([interval.high - interval.low for _, interval in pairs])
                    parts.append(f"{what} {held:.3f} ({width:.2g})")
                print(f"{name}, {seeds} seeds, {rows} rows: {'; '.join(parts)}", flush=True)


if __name__ == "__main__":
    main()
