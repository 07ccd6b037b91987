"""How the best rate moves when data or batch grow while the number of updates stays. Run it by hand.

    python tests/benchmarks/scale_axes.py FOLDER [--draws 50] [--seeds 7] [--others]

FOLDER keeps what was trained. Shares of .1, .2 and .4 of the training rows stand for all of them, and batches of 16, 32
and 64 for one of 256, as `lrsearch scale` trains them with `--fixed updates`. For each case the slope of the best rate
is told, by all seeds of all places; then seven of sixteen seeds are drawn again and again as in `scale_cases.py`, and
what the command predicts is judged by sixteen other seeds at the target. With `--others` the mean of the prior comes
from the other task's slopes instead of from the code.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scale_bank import JUDGES, SEEDS, Bank, Case
from scale_draws import drawn, judged, optimum, whole

from lrsearch import registry
from lrsearch.operations.scale_plan import Asked, placed, planned
from lrsearch.study import open as opening
from lrsearch.study.scaling import prior
from lrsearch.study.scaling.answer import answer
from lrsearch.study.scaling.prior import Prior
from lrsearch.study_file.load import parse
from lrsearch.study_file.model import Definition
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.engine import Lane

PLACES = {"data": (0.1, 0.2, 0.4, 1.0), "batch_size": (16.0, 32.0, 64.0, 256.0)}
EPOCHS = {"digits": 40, "diabetes": 80}
"""With all rows and batches of 50: 880 and 480 updates."""
CASES = [
    Case(task, optimizer, kind, low, high)
    for task, optimizer, low, high in (
        ("digits", "adam", 2.5e-4, 0.25), ("digits", "sgd", 5e-3, 5.0), ("diabetes", "sgd", 3e-4, 0.7),
    )
    for kind in ("constant", "linear")
]  # fmt: skip


def values(case: Case, axis: str, folder: Path) -> Bank:
    """What the rates of a case came to: the rungs on some seeds, the target on others."""
    file = folder / f"{axis}-{case.task}-{case.optimizer}-{case.scheduler}.npz"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        definition = parse(
            {
                "study": {"name": "axes"},
                "task": {"name": case.task},
                "training": {"epochs": EPOCHS[case.task], "optimizer": case.optimizer},
                "search": {"schedulers": [case.scheduler]},
            },
            "axes",
        )
        *rungs, to = PLACES[axis]
        plan = planned(definition, None, Asked(f"{axis}={to:g}", tuple(rungs), "updates", None))
        short = [_ends(placed(definition, plan, at), case, SEEDS) for at in rungs]
        np.savez(file, short=short, long=[_ends(placed(definition, plan, to), case, JUDGES)])
    found = np.load(file)
    return Bank(found["short"], found["long"])


def _ends(definition: Definition, case: Case, seeds: Sequence[int]) -> NDArray[np.float64]:
    """Test metrics after the last update; [rate, seed], infinite where it diverged."""
    schedule = registry.schedules.get(case.scheduler)()
    training = definition.training.model_copy(
        update={"train_metric_every": 10**6, "evaluate_every": 10**6}  # the last update is evaluated anyhow
    )
    lanes = [Lane(rate, schedule, seed) for rate in case.rates for seed in seeds]
    ends = np.full(len(lanes), np.inf)
    for records in BatchedEngine().train(opening.build_task(definition), lanes, training):
        ends[list(records.lanes)] = np.where(records.diverged, np.inf, records.test_metric)
    return ends.reshape(len(case.rates), len(seeds))


@dataclass
class Told:
    """What draws of one case came to.

    Attributes:
        verdicts: How many of each.
        regrets: Of the longest rung's rate, and of ours, where ours was not refused.
        held: Whether the interval holds the best rate.
        widths: Of the intervals, as factors.
    """

    verdicts: Counter[str]
    regrets: list[tuple[float, float]]
    held: list[bool]
    widths: list[float]


def told(case: Case, axis: str, bank: Bank, believed: Prior, draws: int, seeds: int) -> Told:
    """What the command says of draws of the seeds."""
    *rungs, to = PLACES[axis]
    rng, row = np.random.default_rng(0), Told(Counter(), [], [], [])
    (target,) = bank.long
    for _ in range(draws):
        short = drawn(case, bank, seeds, rng, rungs, believed.slope)
        found = answer(case.scheduler, short, axis, to, believed)
        row.verdicts[found.verdict] += 1
        if found.prediction is None:
            continue
        low, high = found.prediction.interval
        keep = judged(case, target, float(np.exp(optimum(short[-1]))))
        row.regrets.append((keep, judged(case, target, found.prediction.lr)))
        row.held.append(low <= np.exp(optimum(whole(case, to, target))) <= high)
        row.widths.append(high / low)
    return row


def slopes(case: Case, axis: str, bank: Bank) -> tuple[float, float]:
    """Of the best rates of the rungs, and of all places."""
    places = [optimum(whole(case, 1.0, own)) for own in (*bank.short, *bank.long)]
    x = np.log(PLACES[axis])
    return float(np.polyfit(x[:-1], places[:-1], 1)[0]), float(np.polyfit(x, places, 1)[0])


def believed_of(case: Case, axis: str, banks: Mapping[Case, Bank]) -> Prior:
    """The code's prior with the mean slope of the other task."""
    others = [slopes(other, axis, bank)[1] for other, bank in banks.items() if other.task != case.task]
    return replace(prior.of(axis), slope=float(np.mean(others)))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--draws", type=int, default=50)
    parser.add_argument("--seeds", type=int, default=7)
    parser.add_argument("--others", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    print("| axis | case | rungs' slope | of all | keep | ours | follow / keep / refuse | interval holds | width |")
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|")
    for axis in PLACES:
        banks = {case: values(case, axis, given.folder) for case in CASES}
        for case, bank in banks.items():
            believed = believed_of(case, axis, banks) if given.others else prior.of(axis)
            row = told(case, axis, bank, believed, given.draws, given.seeds)
            print(f"| {axis} | {case.name} | {_line(slopes(case, axis, bank), row)} |", flush=True)


def _line(slopes: tuple[float, float], row: Told) -> str:
    counts = " / ".join(str(row.verdicts[kind]) for kind in ("follow", "keep", "refuse"))
    told = f"- | - | {counts} | - | -"
    if row.regrets:
        keep, ours = (f"{100 * own:.1f} %" for own in np.mean(row.regrets, axis=0))
        told = f"{keep} | {ours} | {counts} | {100 * np.mean(row.held):.0f} % | {np.median(row.widths):.1f}"
    return f"{slopes[0]:.2f} | {slopes[1]:.2f} | {told}"


if __name__ == "__main__":
    main()
