"""Is a search of 50 trials better when an earlier study leads it, and how much worse when that one is wrong?

    python tests/benchmarks/warm_starts.py [--tasks polynomial diabetes digits] [--repetitions 20] [--results FILE.jsonl]

Every repetition has an earlier study of the same task on another seed, one of the task with other hidden layers, and the
first with all its rates 30 times too small or too large. Each leads a search of the task (`sampling/prior.py`; what it
recommends is the first trial, and a finalist). The cold search has nothing to lead it.

The searches are those of the product, but for pruning: its sampler asks, its engine trains, and what the search finds is
trained on fresh seeds: its five best, the best constant rate, and the settings that were tried first. The best of these
on holdout rows is judged on 20 further seeds. Searches with the same number of trials told go on together, so that
thousands of networks are trained at once. `--generation` says how many trials are asked before any of them is told.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from optuna.trial import TrialState
from unseen_seeds import FIRST_JUDGE_SEED, Curve, ratio_of_means, train

from lrsearch.sampling import ask, samplers
from lrsearch.sampling.prior import WithPrior
from lrsearch.sampling.space import Space, settings_from
from lrsearch.sampling.tpe import good_ones
from lrsearch.storage.past_trials import PastTrial
from lrsearch.storage.store import settings_key
from lrsearch.study import open as opening
from lrsearch.study.confirmation import FIRST_SEED
from lrsearch.study_file import load
from lrsearch.study_file.model import Definition

TRIALS, TOP, FRESH, JUDGES = 50, 5, 5, 20
FIRST_TRAINING_SEED, EARLIER = 24, 100_000
OFF = 30.0
SCHEDULERS = ["constant", "lambda", "cosine", "one_cycle"]
TASKS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "polynomial": ({"optimizer": "sgd"}, {"hidden": [8, 8]}),
    "diabetes": ({"optimizer": "sgd"}, {"hidden": [16, 16]}),
    "digits": ({"optimizer": "adam", "epochs": 20}, {"hidden": [64]}),
}
"""Task -> how it is trained, and the options of the like one."""

Params = Mapping[str, Any]


@dataclass
class Search:
    """One search, from its first trial to what it recommends.

    Attributes:
        definition: Its study.
        seed: On which it trains.
        good: Settings that lead it.
        best: What is tried first.
    """

    definition: Definition
    seed: int
    good: Sequence[Params] = ()
    best: Params | None = None
    told: list[PastTrial] = field(default_factory=list)
    found: Params = field(default_factory=dict)

    def ask(self, generation: int) -> dict[int, Params]:
        """Settings of the next trials."""
        space = Space.of(self.definition)
        proposer = samplers.build(self.definition)
        if self.good:
            proposer = WithPrior(proposer, space, self.good, int(self.definition.sampler.options["seed"]))
        proposer.learn(self.told)
        first = len(self.told)
        fixed: dict[int, Params] = {number: {} for number in range(first, min(first + generation, TRIALS))}
        if self.best is not None and first == 0:
            fixed[0] = self.best
        return {number: own.params for number, own in ask.choose(proposer, space, fixed, []).items()}

    def tell(self, number: int, params: Params, curve: Curve) -> None:
        """What a trial came to."""
        violation = float(curve.diverged)
        self.told.append(PastTrial(number, TrialState.COMPLETE, params, curve.final, violation=violation))

    def finalists(self) -> list[Params]:
        """What is trained on fresh seeds."""
        ranked = sorted((own for own in self.told if not own.violation), key=lambda own: own.value or 0.0)
        chosen = [own.params for own in ranked[:TOP]]
        chosen += [own.params for own in ranked if own.params["scheduler"] == "constant"][:1]
        chosen += [] if self.best is None else [self.best]
        return list({settings_key(own): own for own in chosen}.values())


def definition_of(task: str, options: Params, seed: int, low: float = 1e-4, high: float = 0.3) -> Definition:
    document = {
        "study": {"name": "search", "trials": TRIALS},
        "task": {"name": task, **options},
        "training": {"epochs": 60, "batch_size": 50, **TASKS[task][0]},
        "search": {"schedulers": SCHEDULERS, "lr": {"low": low, "high": high, "log": True}},
        "sampler": {"name": "tpe", "seed": seed},
    }
    return load.parse(document, "benchmark")


def trained(wanted: Sequence[tuple[Definition, Params, int]]) -> list[Curve]:
    """The curve of each settings on a seed; those of one task are trained together."""
    groups: dict[str, list[int]] = {}
    for place, (definition, _, _) in enumerate(wanted):
        groups.setdefault(json.dumps(definition.task.model_dump(), sort_keys=True), []).append(place)
    found: dict[int, Curve] = {}
    for places in groups.values():
        definition = wanted[places[0]][0]
        lanes = [(settings_from(wanted[place][1]), wanted[place][2]) for place in places]
        found.update(zip(places, train(_task(definition), lanes, definition), strict=True))
    return [found[place] for place in range(len(wanted))]


def _task(definition: Definition) -> Any:
    return _built(definition.task.name, json.dumps(definition.task.options), definition)


_made: dict[tuple[str, str], Any] = {}


def _built(name: str, options: str, definition: Definition) -> Any:
    if (name, options) not in _made:
        _made[name, options] = opening.build_task(definition)
    return _made[name, options]


def worth(curve: Curve) -> float:
    """The metric on holdout rows; a network that diverged is worth no more than an untrained one."""
    return curve.final if curve.diverged else curve.holdout


def run(searches: Sequence[Search], generation: int) -> None:
    """Search and confirm, all at once."""
    while len(searches[0].told) < TRIALS:
        asked = [(own, number, params) for own in searches for number, params in own.ask(generation).items()]
        curves = trained([(own.definition, params, own.seed) for own, _, params in asked])
        for (own, number, params), curve in zip(asked, curves, strict=True):
            own.tell(number, params, curve)
    entries = [(own, params) for own in searches for params in own.finalists()]
    fresh = range(FIRST_SEED, FIRST_SEED + FRESH)
    curves = trained([(own.definition, params, seed) for own, params in entries for seed in fresh])
    means = np.array([worth(curve) for curve in curves]).reshape(len(entries), FRESH).mean(axis=1)
    for own in searches:
        mine = [place for place, entry in enumerate(entries) if entry[0] is own]
        own.found = entries[min(mine, key=lambda place: means[place])][1]


def judged(searches: Sequence[Search]) -> list[float]:
    """Mean on holdout rows over seeds that nobody has used."""
    different = {settings_key(own.found): own for own in searches}
    seeds = range(FIRST_JUDGE_SEED, FIRST_JUDGE_SEED + JUDGES)
    curves = trained([(own.definition, own.found, seed) for own in different.values() for seed in seeds])
    means = np.array([worth(curve) for curve in curves]).reshape(len(different), JUDGES).mean(axis=1)
    values = dict(zip(different, means.tolist(), strict=True))
    return [values[settings_key(own.found)] for own in searches]


def off(params: Params, factor: float) -> dict[str, Any]:
    return {**params, "lr": params["lr"] * factor}


def led(task: str, number: int, earlier: Search, factor: float = 1.0) -> Search:
    """A search that an earlier one leads, with its rates changed."""
    definition = definition_of(task, {}, number)
    axis = Space.of(definition).shared()["lr"]
    best = off(earlier.found, factor)
    best["lr"] = min(max(best["lr"], axis.low), axis.high)  # type: ignore[attr-defined]
    good = [off(own.params, factor) for own in good_ones(earlier.told)]
    return Search(definition, FIRST_TRAINING_SEED + number, good, best)


def measure(task: str, repetitions: int, generation: int) -> dict[str, list[float]]:
    """Way -> what each repetition's recommendation is worth."""
    numbers = range(repetitions)
    same = [Search(definition_of(task, {}, EARLIER + n), EARLIER + n) for n in numbers]
    like = [Search(definition_of(task, TASKS[task][1], EARLIER + n), EARLIER + n) for n in numbers]
    run([*same, *like], generation)
    ways = {
        "cold": [Search(definition_of(task, {}, n), FIRST_TRAINING_SEED + n) for n in numbers],
        "same task, other seed": [led(task, n, same[n]) for n in numbers],
        "other hidden layers": [led(task, n, like[n]) for n in numbers],
        f"rates {OFF:g} times too small": [led(task, n, same[n], 1 / OFF) for n in numbers],
        f"rates {OFF:g} times too large": [led(task, n, same[n], OFF) for n in numbers],
    }
    everything = [own for searches in ways.values() for own in searches]
    run(everything, generation)
    values = judged(everything)
    return {way: values[place * repetitions : (place + 1) * repetitions] for place, way in enumerate(ways)}


def main() -> None:
    """Print a markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--repetitions", type=int, default=20)
    parser.add_argument("--generation", type=int, default=16)
    parser.add_argument("--results", type=Path, help="where the values are kept, too")
    given = parser.parse_args()
    torch.set_num_threads(1)
    print("| task | led by | holdout metric: mean | ratio to the cold search (95 %) | better in |")
    print("|---|---|---:|---:|---:|")
    for task in given.tasks:
        found = measure(task, given.repetitions, given.generation)
        if given.results is not None:
            with given.results.open("a") as file:
                file.write(json.dumps({"task": task, "generation": given.generation, "values": found}) + "\n")
        for way, values in found.items():
            cold = found["cold"]
            ratio = "1" if way == "cold" else str(ratio_of_means(values, cold))
            better = "" if way == "cold" else f"{sum(own < other for own, other in zip(values, cold, strict=True))}"
            print(f"| {task} | {way} | {np.mean(values):.4g} | {ratio} | {better} |", flush=True)


if __name__ == "__main__":
    main()
