"""Do short runs tell the best rate of a long one? Run it by hand.

    python tests/benchmarks/scale_cases.py FOLDER [--resamples 50] [--seeds 5] [--kept]

FOLDER keeps what `scale_bank.py` has trained; what is not there is trained first, or left out with `--kept`. For every
case (task x optimizer x type) five of the eight seeds are drawn again and again. Three ways are asked for a rate at the
target from the rungs at 10, 20 and 40 epochs: keep the longest rung's best rate, by a parabola through its means;
follow the line through these lowest points by least squares, not shrunk; and ours, with a prior from the slopes of the
other tasks only. Regret is how much worse the target is at that rate than at its best
one, by the mean of all eight seeds, between rates in straight lines of their logarithms.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scale_bank import CASES, HORIZONS, RUNGS, SEEDS, TARGETS, Case, file_of, values

from lrsearch.study.scaling import prior
from lrsearch.study.scaling.answer import answer
from lrsearch.study.scaling.basins import torn, two_basins
from lrsearch.study.scaling.parabola import Numbers
from lrsearch.study.scaling.prior import Prior
from lrsearch.study.scaling.valley import Rung, height, lowest, mean, valleys


@dataclass
class Row:
    """What came of one case at one target."""

    keep: list[float] = field(default_factory=list)
    unshrunk: list[float] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)
    verdicts: Counter[str] = field(default_factory=Counter)
    held: list[bool] = field(default_factory=list)
    widths: list[float] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)


def truth(case: Case, folder: Path) -> dict[int, Rung]:
    """Every horizon with all seeds."""
    own = values(case, folder)
    return {at: Rung(float(at), np.array(case.rates), own[place]) for place, at in enumerate(HORIZONS)}


def regret(rung: Rung, lr: float) -> float:
    """How much worse the mean is at a rate than at the best one; a rate that diverges counts as the worst finite."""
    heights = height(mean(rung.values))
    finite = np.where(np.isfinite(heights), heights, np.nanmax(heights[np.isfinite(heights)]))
    at = float(np.interp(np.log(lr), np.log(rung.rates), finite))
    return float(np.exp(at - heights.min()) - 1)


def optimum(rung: Rung) -> float:
    return float(lowest(rung.rates, height(rung.means)[None])[0])


def slope(rungs: dict[int, Rung]) -> float:
    """Of all horizons."""
    return float(np.polyfit(np.log(HORIZONS), [optimum(rungs[at]) for at in HORIZONS], 1)[0])


def has_line(rungs: dict[int, Rung]) -> bool:
    """Whether every rung has one valley, so that the slope between them means something."""
    return all(two_basins(own.rung) is None and torn(own) is None for own in valleys([rungs[at] for at in RUNGS]))


def asked(known: dict[int, Rung], seeds: Sequence[int], case: Case, to: int, believed: Prior, row: Row) -> None:
    """One resample of the seeds."""
    rungs = [Rung(float(at), known[at].rates, known[at].values[:, seeds]) for at in RUNGS]
    target = known[to]
    found = answer(case.scheduler, rungs, "epochs", to, believed)
    row.verdicts[found.verdict] += 1
    if found.prediction is None:
        row.reasons[found.reason.split(":")[0][:60]] += 1
        return
    lowest_points = [optimum(rung) for rung in rungs]
    line = np.polyfit(np.log(np.array(RUNGS) / to), lowest_points, 1)
    row.keep.append(regret(target, float(np.exp(lowest_points[-1]))))
    row.unshrunk.append(regret(target, float(np.exp(line[1]))))
    row.ours.append(regret(target, found.prediction.lr))
    low, high = found.prediction.interval
    row.held.append(low <= np.exp(optimum(target)) <= high)
    row.widths.append(high / low)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--resamples", type=int, default=50)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--kept", action="store_true")
    given = parser.parse_args()
    known = {
        case: truth(case, given.folder) for case in CASES if not given.kept or file_of(case, given.folder).exists()
    }
    slopes = {case: slope(rungs) for case, rungs in known.items()}
    print("slopes over all horizons:", {case.name: round(own, 2) for case, own in slopes.items()})
    rows: dict[tuple[Case, int], Row] = {}
    for case in known:
        others = [own for other, own in slopes.items() if other.task != case.task and has_line(known[other])]
        believed = prior.learned(others, prior.EPOCHS.scatter, prior.EPOCHS.drift)
        for to in TARGETS:
            row = rows[case, to] = Row()
            rng = np.random.default_rng(0)
            for _ in range(given.resamples):
                asked(known[case], list(rng.choice(len(SEEDS), given.seeds, replace=False)), case, to, believed, row)
    show(rows)


def show(rows: dict[tuple[Case, int], Row]) -> None:
    print("| case | target | keep | unshrunk | ours | follow / keep / refuse | interval holds | width |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for (case, to), row in rows.items():
        print(_line(case.name, f"{to // RUNGS[-1]}x", [row]))
        if row.reasons:
            print("<!--", row.reasons.most_common(2), "-->")
    for to in TARGETS:
        print(_line("all", f"{to // RUNGS[-1]}x", [row for (_, own), row in rows.items() if own == to]))
    print(_line("all", "both", list(rows.values())))


def _line(name: str, to: str, rows: Sequence[Row]) -> str:
    verdicts = sum((row.verdicts for row in rows), Counter[str]())
    counts = " / ".join(str(verdicts[kind]) for kind in ("follow", "keep", "refuse"))
    ways = [_percent([own for row in rows for own in getattr(row, way)]) for way in ("keep", "unshrunk", "ours")]
    held = _percent([float(own) for row in rows for own in row.held])
    widths: Numbers = np.array([own for row in rows for own in row.widths])
    width = f"{np.median(widths):.1f}" if len(widths) else "-"
    return f"| {name} | {to} | {' | '.join(ways)} | {counts} | {held} | {width} |"


def _percent(found: Sequence[float]) -> str:
    return f"{100 * float(np.mean(found)):.1f} %" if found else "-"


if __name__ == "__main__":
    main()
