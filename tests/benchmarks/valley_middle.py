"""Should the recommendation move to the middle of a valley? Whole confirmations, replayed on runs that were made once.

    python tests/benchmarks/valley_middle.py --studies 400 --keep FOLDER

Schedules of `TYPES` at `RATES` rates are trained on `SEEDS` seeds of three tasks and scored on test and holdout rows. A
study searches some of them on one seed. Then it goes through the product's own rounds, flanks and middle on fresh
seeds. The rules differ in what is a finalist, too, beside those of the rounds: nothing, the middle, the two flanks, or
all three. One more rule takes the middle wherever it is within the margin, and not only where its mean is better.

What counts is the holdout error of what is recommended on the seeds that the study has not looked at, how many of them
diverge, and how often the intervals hold the truth, which is the mean over all seeds of the bank.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from lrsearch import registry
from lrsearch.study.contender import Contender
from lrsearch.study.evidence import Evidence
from lrsearch.study.finalists import Finalist
from lrsearch.study.flanks import flanks
from lrsearch.study.middle import middle
from lrsearch.study.plan import Plan, begun, next_round
from lrsearch.study.snippet import Steps
from lrsearch.study_file.axes import short
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.task import Task
from lrsearch.training.engine import Lane
from lrsearch.training.network_batch import NetworkBatch

SEEDS, RATES, TYPES, STEP = 60, 14, ("constant", "cosine"), math.sqrt(2)
SEARCHED, TOP, ONE_ROUND = 18, 5, 5
AT_ONCE = 350
"""Networks that are trained together."""
FAR = 1e3
"""A metric so many times that of the untrained network counts as diverged."""
TASKS = {
    "polynomial": (TrainingSection(epochs=60, batch_size=50), 0.005),
    "diabetes": (TrainingSection(epochs=60, batch_size=50), 0.001),
    "digits": (TrainingSection(epochs=20, batch_size=50, optimizer="adam"), 0.0003),
}
NOW = "as now"
RULES = (NOW, "the middle is a finalist", "the middle, if within 1 %", "the flanks are finalists", "all three are")
Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Bank:
    """Runs of one task.

    Attributes:
        known: Test and holdout metric; infinite where a run diverged; [2, types * rates, seeds].
        low: The lowest rate.
    """

    known: Numbers
    low: float

    def params(self, place: int) -> dict[str, object]:
        """The settings at a place."""
        return {"lr": short(self.low * STEP ** (place % RATES)), "scheduler": TYPES[place // RATES]}

    def place(self, params: dict[str, object]) -> int | None:
        """Where the nearest settings are; None beyond the bank's rates."""
        at = round(math.log(float(str(params["lr"])) / self.low, STEP))
        return TYPES.index(str(params["scheduler"])) * RATES + at if 0 <= at < RATES else None


def bank(name: str, folder: Path) -> Bank:
    """The runs of a task, as they were kept or made now."""
    file = folder / f"valleys-{name}.npy"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        np.save(file, _trained(name))
    return Bank(np.asarray(np.load(file)), TASKS[name][1])


def _trained(name: str) -> Numbers:
    training, low = TASKS[name]
    task, schedules = registry.tasks.get(name).function(), [registry.schedules.get(own).of({}) for own in TYPES]
    lanes = [
        Lane(low * STEP**place, schedule, seed)
        for schedule in schedules
        for place in range(RATES)
        for seed in range(SEEDS)
    ]
    parts = [_batch(task, lanes[first : first + AT_ONCE], training) for first in range(0, len(lanes), AT_ONCE)]
    return np.concatenate(parts, axis=1).reshape(2, len(TYPES) * RATES, SEEDS)


def _batch(task: Task, lanes: Sequence[Lane], training: TrainingSection) -> Numbers:
    batch = NetworkBatch(task, lanes, training, torch.device("cpu"), None)
    before = _scored(batch, task)
    for _ in range(training.epochs):
        batch.epoch()
    scored = _scored(batch, task)
    return np.where(~np.isfinite(scored) | (scored > FAR * before), np.inf, scored)


def _scored(batch: NetworkBatch, task: Task) -> Numbers:
    """Metric on test and holdout rows; [2, lanes]."""
    assert task.holdout is not None
    metrics = {"metric": task.metric_function}
    return np.array([batch.evaluate(rows, metrics)[0]["metric"] for rows in (task.test, task.holdout)])


@dataclass(frozen=True, eq=False)
class Replay:
    """One study's runs.

    Attributes:
        own: The bank.
        fresh: The seeds that it may use, in order.
        exact: On exactly so many of them; None for as many as it takes.
    """

    own: Bank
    fresh: Sequence[int]
    exact: int | None

    def evidence(self, entries: Sequence[Finalist], plan: Plan, beside: Sequence[Finalist] = ()) -> Evidence:
        """What the study knows when all planned runs are there."""
        most = max(entry.seeds or 0 for entry in entries)
        found = [self._contender(entry, most) for entry in entries]
        return Evidence(
            "holdout", 0, "", list(range(most)),
            sorted(found, key=lambda one: one.mean if one.is_complete else np.inf),
            rounds=len(plan.rounds) if plan.seeds is None else 0, done=plan.done,
            beside=[self._contender(entry, most) for entry in beside],
        )  # fmt: skip

    def _contender(self, entry: Finalist, most: int) -> Contender:
        place, planned = self.own.place(entry.params), entry.seeds or 0
        values = np.full(most, np.nan)
        if place is not None:
            values[:planned] = self.own.known[1, place, self.fresh[:planned]]
        lost = 0 if place is None else int(np.isinf(values).sum())
        values = np.where(np.isinf(values), np.nan, values)
        return Contender(
            entry.params, entry.role, None, None, values, values, lost, 0, Steps(), values[:, None], planned
        )

    def confirmed(self, entries: Sequence[Finalist]) -> tuple[list[Finalist], Plan]:
        """Through all rounds."""
        chosen, plan = begun(entries, self.exact, float(SEARCHED))
        plan = replace(plan, ladder=None)  # the bank has no further rates
        while not plan.done:
            chosen, plan = next_round(chosen, plan, self.evidence(chosen, plan))
        return chosen, plan

    def rules(self, entries: Sequence[Finalist]) -> dict[str, Evidence]:
        """What each rule comes to; empty where all finalists diverged."""
        chosen, plan = self.confirmed(entries)
        now = self.evidence(chosen, plan)
        if not now.complete:
            return {}
        beside = [one for one in flanks(chosen, now, now.seeds) if self.own.place(one.params) is not None]
        between = middle(chosen, self.evidence(chosen, plan, beside))
        added = [] if between is None or self.own.place(between.params) is None else [between]
        known = {entry.key for entry in chosen if (entry.seeds or 0) >= len(now.seeds)}
        sides = [replace(one, seeds=len(now.seeds)) for one in beside if one.key not in known]
        alone = [entry for entry in chosen if entry.key not in {one.key for one in sides}]
        with_middle = self.evidence([*chosen, *added], plan)
        near = next((one for one in with_middle.complete if one.role == "middle"), None)
        taken = with_middle
        if near is not None and near.mean <= now.recommended.mean + now.margin_used:
            # Without the one it replaces, it is what the rule recommends.
            rest = [entry for entry in chosen if entry.params != now.recommended.params]
            taken = self.evidence([*rest, *added], plan)
        with_flanks = self.evidence([*alone, *sides], plan)
        with_all = self.evidence([*alone, *sides, *added], plan)
        return dict(zip(RULES, (now, with_middle, taken, with_flanks, with_all), strict=True))


def finalists(own: Bank, rng: np.random.Generator, seed: int) -> list[Finalist]:
    """The best of a search on one seed, its best constant rate, and the ladder around that."""
    places = sorted(rng.choice(len(TYPES) * RATES, SEARCHED, replace=False), key=lambda at: own.known[0, at, seed])
    chosen = [Finalist(own.params(place), "search", None, None) for place in places[:TOP]]
    constant = next(place for place in places if place < RATES)
    ladder = [constant + 2 * step for step in range(-2, 3) if 0 <= constant + 2 * step < RATES]
    known = {one.key for one in chosen}
    return [*chosen, *(one for one in (Finalist(own.params(place), "constant", None, None) for place in ladder)
                       if one.key not in known)]  # fmt: skip


def outcome(own: Bank, found: Evidence, rest: Sequence[int]) -> dict[str, float]:
    """What a recommendation comes to on seeds that nobody has looked at."""
    chosen = own.place(found.recommended.params)
    assert chosen is not None
    values, expected = own.known[1, chosen, rest], found.expected
    truth = _mean(own.known[1, chosen])
    figures = {
        "error": _mean(values),
        "trained": float(any(one.role == "middle" for one in found.contenders)),
        "diverged": float(np.isinf(values).mean()),
        "expectation holds": float(expected.low <= truth <= expected.high),
    }
    if found.comparisons:
        other = own.place(found.comparisons[0].other.params)
        assert other is not None
        limits = found.comparisons[0].difference
        figures["difference holds"] = float(limits.low <= _mean(own.known[1, other]) - truth <= limits.high)
    return figures


def _mean(values: Numbers) -> float:
    return float(values[np.isfinite(values)].mean())


def simulate(own: Bank, studies: int, exact: int | None) -> dict[str, list[dict[str, float]]]:
    """For each rule what every study comes to."""
    rng, found = np.random.default_rng(0), {rule: [] for rule in RULES}
    for _ in range(studies):
        seeds = [int(seed) for seed in rng.permutation(SEEDS)]
        replayed = Replay(own, seeds[1:], exact)
        made = replayed.rules(finalists(own, rng, seeds[0]))
        if not made:
            continue
        used = len(made[NOW].seeds)
        for rule, evidence in made.items():
            moved = evidence.recommended.params != made[NOW].recommended.params
            found[rule].append({**outcome(own, evidence, seeds[used + 1 :]), "moved": float(moved)})
    return found


def main() -> None:
    """Print a markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=400, help="Per task.")
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--exact", action="store_true", help=f"{ONE_ROUND} seeds for everybody instead of rounds.")
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "lrsearch-banks")
    given = parser.parse_args()
    torch.set_num_threads(1)
    print("| task | rule | error | against now | diverged | a middle | moved | expectation holds | difference holds |")
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|")
    for name in given.tasks:
        found = simulate(bank(name, given.keep), given.studies, ONE_ROUND if given.exact else None)
        before = np.array([one["error"] for one in found[NOW]])
        for rule, own in found.items():
            errors = np.array([one["error"] for one in own])
            against = errors / before - 1
            sure = 1.96 * against.std(ddof=1) / math.sqrt(len(against))
            held = np.mean([one["expectation holds"] for one in own])
            apart = np.mean([one["difference holds"] for one in own if "difference holds" in one])
            print(f"| {name} | {rule} | {errors.mean():.5g} | {100 * against.mean():+.2f} ± {100 * sure:.2f} % "
                  f"| {100 * np.mean([one['diverged'] for one in own]):.2f} % "
                  f"| {100 * np.mean([one['trained'] for one in own]):.0f} % "
                  f"| {100 * np.mean([one['moved'] for one in own]):.0f} % | {held:.3f} | {apart:.3f} |",
                  flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
