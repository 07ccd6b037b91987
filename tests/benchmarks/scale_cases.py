"""Do short runs tell the best rate of a long one? Run it by hand.

    python tests/benchmarks/scale_cases.py FOLDER [--resamples 50] [--seeds 7] [--kept]

FOLDER keeps what `scale_bank.py` has trained; what is not there is trained first, or left out with `--kept`. For every
case (task x optimizer x type) some of the sixteen seeds of the short runs are drawn again and again, and the rungs at
10, 20 and 40 epochs are made as `lrsearch scale` makes them (`scale_draws.py`). Three ways are asked for a rate at the
target: keep the longest rung's best rate, by a parabola through its means; follow the line through these lowest points
by least squares, not shrunk; and ours, with a prior from the slopes of the other tasks only. Regret is how much worse
the target is at that rate than at its best one, by the mean of sixteen other seeds, between rates in straight lines of
their logarithms.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from scale_bank import CASES, RUNGS, TARGETS, Bank, Case, file_of, values
from scale_draws import drawn, judged, optimum, whole

from lrsearch.study.scaling import prior
from lrsearch.study.scaling.answer import answer
from lrsearch.study.scaling.basins import torn, two_basins
from lrsearch.study.scaling.parabola import Numbers
from lrsearch.study.scaling.prior import Prior
from lrsearch.study.scaling.valley import Rung, valleys

WAYS = ("expected_keep", "keep", "unshrunk", "expected_ours", "ours")


@dataclass
class Row:
    """What came of one case at one target.

    Attributes:
        keep: Regret of the longest rung's rate, where ours did not refuse.
        unshrunk: The same of the line.
        ours: The same of ours.
        expected_keep: What `scale` itself expects the longest rung's rate to cost.
        expected_ours: The same of ours.
        refused: Regret that each draw would have had which was refused: of the longest rung's rate.
        verdicts: How many of each.
        held: Whether the interval holds the best rate.
        widths: Of the intervals, as factors.
        reasons: Of the refusals, without their numbers.
    """

    keep: list[float] = field(default_factory=list)
    unshrunk: list[float] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)
    expected_keep: list[float] = field(default_factory=list)
    expected_ours: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    verdicts: Counter[str] = field(default_factory=Counter)
    held: list[bool] = field(default_factory=list)
    widths: list[float] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)


def slope(case: Case, bank: Bank) -> float:
    """Of the best rates of all horizons, with all seeds."""
    places = [optimum(whole(case, 1.0, own)) for own in (*bank.short, *bank.long)]
    return float(np.polyfit(np.log([*RUNGS, *TARGETS]), places, 1)[0])


def has_line(case: Case, bank: Bank) -> bool:
    """Whether every rung has one valley, so that the slope between them means something."""
    rungs = [whole(case, at, own) for at, own in zip(RUNGS, bank.short, strict=True)]
    return all(two_basins(own.rung) is None and torn(own) is None for own in valleys(rungs))


def believed_of(case: Case, slopes: Mapping[Case, float], lines: Mapping[Case, bool]) -> Prior:
    """The prior that the other tasks make; those that were kept back make none."""
    others = [own for other, own in slopes.items()
              if other.task != case.task and not other.kept_back and lines[other]]  # fmt: skip
    return prior.learned(others, prior.EPOCHS.scatter, prior.EPOCHS.drift)


def asked(case: Case, rungs: Sequence[Rung], to: int, target: Numbers, believed: Prior, row: Row) -> None:
    """One draw of the seeds."""
    found = answer(case.scheduler, rungs, "epochs", to, believed)
    row.verdicts[found.verdict] += 1
    lowest_points = [optimum(rung) for rung in rungs]
    keep = judged(case, target, float(np.exp(lowest_points[-1])))
    if found.prediction is None:
        row.refused.append(keep)
        row.reasons[_kind(found.reason)] += 1
        return
    line = np.polyfit(np.log(np.array(RUNGS) / to), lowest_points, 1)
    row.keep.append(keep)
    row.unshrunk.append(judged(case, target, float(np.exp(line[1]))))
    row.ours.append(judged(case, target, found.prediction.lr))
    assert found.costs is not None
    row.expected_keep.append(found.costs.keeping)
    row.expected_ours.append(found.costs.guess)
    low, high = found.prediction.interval
    row.held.append(low <= np.exp(optimum(whole(case, to, target))) <= high)
    row.widths.append(high / low)


def _kind(reason: str) -> str:
    words = ("two valleys", "do not lie on a line", "would cost", "may be anything", "that was tried")
    return next((own for own in words if own in reason), reason)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--resamples", type=int, default=50)
    parser.add_argument("--seeds", type=int, default=7)
    parser.add_argument("--kept", action="store_true")
    given = parser.parse_args()
    banks = {
        case: values(case, given.folder) for case in CASES if not given.kept or file_of(case, given.folder).exists()
    }
    slopes = {case: slope(case, bank) for case, bank in banks.items()}
    lines = {case: has_line(case, bank) for case, bank in banks.items()}
    print("slopes over all horizons:", {case.name: round(own, 2) for case, own in slopes.items()})
    print("more than one valley:", [case.name for case, line in lines.items() if not line])
    rows = {(case, to): Row() for case in banks for to in TARGETS}
    for case, bank in banks.items():
        believed, rng = believed_of(case, slopes, lines), np.random.default_rng(0)
        for _ in range(given.resamples):
            rungs = drawn(case, bank, given.seeds, rng)
            for to, target in zip(TARGETS, bank.long, strict=True):
                asked(case, rungs, to, target, believed, rows[case, to])
    show(rows)


def show(rows: Mapping[tuple[Case, int], Row]) -> None:
    print(
        "| case | target | keep, expected | keep | unshrunk | ours, expected | ours | follow / keep / refuse "
        "| interval holds | width |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for (case, to), row in rows.items():
        print(_line(case.name, f"{to // RUNGS[-1]}x", [row]))
    groups: dict[str, Callable[[Case], bool]] = {"chosen by": lambda case: not case.kept_back}
    groups |= {task: partial(_is_of, task) for task in dict.fromkeys(case.task for case, _ in rows)}
    groups |= {"kept back": lambda case: case.kept_back, "all": lambda _: True}
    for name, belongs in groups.items():
        for to in TARGETS:
            own = [row for (case, at), row in rows.items() if at == to and belongs(case)]
            print(_line(name, f"{to // RUNGS[-1]}x", own))
        print(_line(name, "both", [row for (case, _), row in rows.items() if belongs(case)]))
    print("why refused, and what the longest rung's rate would have cost there:")
    for (case, to), row in rows.items():
        if row.refused:
            print(f"  {case.name}, {to // RUNGS[-1]}x: {dict(row.reasons)}; {_percent(row.refused)}")


def _is_of(task: str, case: Case) -> bool:
    return case.task == task


def _line(name: str, to: str, rows: Sequence[Row]) -> str:
    verdicts = sum((row.verdicts for row in rows), Counter[str]())
    counts = " / ".join(str(verdicts[kind]) for kind in ("follow", "keep", "refuse"))
    ways = [_percent([own for row in rows for own in getattr(row, way)]) for way in WAYS]
    held = _percent([float(own) for row in rows for own in row.held])
    widths: Numbers = np.array([own for row in rows for own in row.widths])
    width = f"{np.median(widths):.1f}" if len(widths) else "-"
    return f"| {name} | {to} | {' | '.join(ways)} | {counts} | {held} | {width} |"


def _percent(found: Sequence[float]) -> str:
    return f"{100 * float(np.mean(found)):.1f} %" if found else "-"


if __name__ == "__main__":
    main()
