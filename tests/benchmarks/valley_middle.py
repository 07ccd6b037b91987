"""Should the recommendation move to the middle of a wide valley? Replayed on constant rates that were trained once.

    python tests/benchmarks/valley_middle.py --repeats 400 --keep FOLDER

`RATES` rates on `SEEDS` seeds of three tasks are trained and scored on test and holdout rows. A repetition searches
some of the rates on one seed, confirms the best of them on fresh seeds, and takes the best mean. The other rules move
from there to the middle of the rates that are as good, which is confirmed on the same seeds and must be as good, too.
What counts is the mean holdout error on the seeds that nobody has looked at, and how many of them diverge.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from lrsearch import registry
from lrsearch.study import crossed
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.task import Task
from lrsearch.training.batched import NetworkBatch
from lrsearch.training.engine import Lane

SEEDS, RATES, STEP = 16, 14, math.sqrt(2)
SEARCHED, FINALISTS, FRESH, MARGIN = 10, 5, 6, 0.01
FAR = 1e3
"""A metric so many times that of the untrained network counts as diverged."""
TASKS = {
    "polynomial": (TrainingSection(epochs=60, batch_size=50), 0.002),
    "diabetes": (TrainingSection(epochs=60, batch_size=50), 0.002),
    "digits": (TrainingSection(epochs=20, batch_size=50, optimizer="adam"), 0.0003),
}
Numbers = NDArray[np.float64]


def bank(name: str, folder: Path) -> Numbers:
    """Test and holdout metric of each rate and seed; infinite where it diverged; [2, rates, seeds]."""
    file = folder / f"valley-{name}.npy"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        np.save(file, _trained(name))
    return np.asarray(np.load(file))


def _trained(name: str) -> Numbers:
    torch.set_num_threads(1)
    training, low = TASKS[name]
    task, constant = registry.tasks.get(name).function(), registry.schedules.get("constant").of({})
    assert task.holdout is not None
    lanes = [Lane(low * STEP**place, constant, seed) for place in range(RATES) for seed in range(SEEDS)]
    batch = NetworkBatch(task, lanes, training, torch.device("cpu"), None)
    before = _scored(batch, task)
    for _ in range(training.epochs):
        batch.epoch()
    scored = _scored(batch, task)
    found = np.where(~np.isfinite(scored) | (scored > FAR * before), np.inf, scored)
    return np.asarray(found.reshape(2, RATES, SEEDS))


def _scored(batch: NetworkBatch, task: Task) -> Numbers:
    """Metric on test and holdout rows; [2, lanes]."""
    metrics = {"metric": task.metric_function}
    return np.array([batch.evaluate(rows, metrics)[0]["metric"] for rows in (task.test, task.holdout)])


def picks(known: Numbers, rng: np.random.Generator) -> tuple[dict[str, int], list[int]]:
    """Which rate each rule takes, and the seeds that nobody has looked at."""
    seeds = list(rng.permutation(SEEDS))
    search, fresh, rest = seeds[0], seeds[1 : FRESH + 1], seeds[FRESH + 1 :]
    tried = rng.choice(RATES, SEARCHED, replace=False)
    finalists = sorted(tried, key=lambda place: known[0, place, search])[:FINALISTS]
    cells = known[1][:, fresh]
    means = cells.mean(axis=1)
    leader = min(finalists, key=lambda place: means[place])
    if not math.isfinite(means[leader]):
        return {}, rest
    margin = MARGIN * means[leader]
    near = [place for place in finalists if means[place] <= means[leader] + margin]
    flanks = [place for place in (leader - 2, leader + 2) if 0 <= place < RATES]  # half and twice
    shown = [leader]
    for place in {*finalists, *flanks} - {leader}:
        if np.isfinite(cells[place]).all():
            behind = crossed.around(crossed.estimate((cells[place] - cells[leader])[:, None]))
            shown += [place] if behind.high <= margin else []

    def middle(among: list[int]) -> int:
        wanted = round((min(among) + max(among)) / 2)
        return wanted if means[wanted] <= means[leader] + margin else leader

    return {
        "the best mean (ours)": leader,
        "middle of those within 1 %": middle(near),
        "middle of those shown to be within 1 %": middle(shown),
        "middle of half to twice, those within 1 %": middle(
            [leader, *(place for place in flanks if means[place] <= means[leader] + margin)]
        ),
    }, rest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=400)
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "lrsearch-banks")
    given = parser.parse_args()
    for name in TASKS:
        known, rng = bank(name, given.keep), np.random.default_rng(0)
        errors: dict[str, list[float]] = {}
        lost: dict[str, list[float]] = {}
        moved: dict[str, int] = {}
        for _ in range(given.repeats):
            taken, rest = picks(known, rng)
            for rule, place in taken.items():
                values = known[1, place, rest]
                errors.setdefault(rule, []).append(float(values[np.isfinite(values)].mean()))
                lost.setdefault(rule, []).append(float(np.isinf(values).mean()))
                moved[rule] = moved.get(rule, 0) + (place != taken["the best mean (ours)"])
        print(f"\n{name}, {given.repeats} repetitions")
        ours = np.array(errors["the best mean (ours)"])
        for rule, values in errors.items():
            behind = np.array(values) / ours - 1
            sure = 1.96 * behind.std(ddof=1) / math.sqrt(len(behind)) if len(behind) > 1 else math.nan
            print(
                f"{rule:44} {np.mean(values):.5g}  {100 * behind.mean():+.2f} % (± {100 * sure:.2f})  "
                f"diverged {100 * np.mean(lost[rule]):.2f} %  moved {100 * moved[rule] / len(values):.0f} %"
            )


if __name__ == "__main__":
    main()
