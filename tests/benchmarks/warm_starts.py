"""Is a search of 50 trials better when an earlier study leads it, and how much worse when that one is wrong? By replay.

    python tests/benchmarks/warm_starts.py --banks FOLDER [--tasks polynomial digits] [--generation 50]

Random settings of four families are trained once, each on the same few seeds, and so are those of the task with other
hidden layers; their curves are kept in FOLDER, so that a run that was broken off goes on. Then every repetition has an
earlier study of the task, with other random numbers and on another seed, one of the task with other hidden layers
(which is not confirmed), and the first of these with all its rates 30 times too small or too large. Each leads a
search: its good settings are the prior (`prior_sampler.py`), and its best is the first trial, and a finalist. The cold
search has nothing to lead it.

The product's sampler asks; a trial is told the curve of the nearest settings that no other trial of the search has.
Nothing is pruned. Finalists (the five best, the best constant rate, what was tried first) are compared by their mean on
fresh seeds and holdout rows, and the best of them is judged by its mean on further seeds. `--generation` says how many
trials are asked before any of them is told: 50 is what the batched engine does with 50 trials.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from curve_bank import Bank
from optuna.trial import TrialState
from prior_sampler import WithPrior
from unseen_seeds import Curve, ratio_of_means

from lrsearch.sampling import ask, samplers
from lrsearch.sampling.space import Space
from lrsearch.sampling.tpe import FEWEST_GOOD, rank
from lrsearch.storage.past_trials import PastTrial
from lrsearch.study_file import load
from lrsearch.study_file.model import Definition

TRIALS, TOP = 50, 5
SEARCH, FRESH, JUDGES = range(24, 27), range(1000, 1003), range(500_000, 500_004)
EARLIER = 100_000
"""Sampler seeds of earlier studies begin here."""
OFF = 30.0
TASKS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "polynomial": ({"optimizer": "sgd", "epochs": 30}, {"hidden": [8, 8]}),
    "diabetes": ({"optimizer": "sgd", "epochs": 30}, {"hidden": [16, 16]}),
    "digits": ({"optimizer": "adam", "epochs": 20}, {"hidden": [64]}),
}
"""Task -> how it is trained, and the options of the like one."""

Params = Mapping[str, Any]


def definition_of(task: str, options: Params, seed: int = 0) -> Definition:
    """A study of the task."""
    document = {
        "study": {"name": "search", "trials": TRIALS},
        "task": {"name": task, **options},
        "training": {"batch_size": 50, **TASKS[task][0]},
        "search": {"schedulers": ["constant", "lambda", "cosine", "one_cycle"]},
        "sampler": {"name": "tpe", "seed": seed},
    }
    return load.parse(document, "benchmark")


@dataclass
class Search:
    """One search, from its first trial to what it recommends.

    Attributes:
        bank: What it is told from.
        definition: Its study.
        seed: On which it trains.
        good: Settings that lead it.
        best: What is tried first.
    """

    bank: Bank
    definition: Definition
    seed: int
    good: Sequence[Params] = ()
    best: Params | None = None
    told: list[PastTrial] = field(default_factory=list)
    taken: dict[int, PastTrial] = field(default_factory=dict)
    """Number of a setting of the bank -> the trial that it stands for."""

    def run(self, generation: int, *, confirm: bool = True) -> int:
        """Search and confirm.

        Args:
            generation: Trials that are asked before any of them is told.
            confirm: Whether to; if not, the best trial is recommended.

        Returns:
            The setting of the bank that it recommends.
        """
        space, proposer = Space.of(self.definition), samplers.build(self.definition)
        if self.good:
            seed = int(self.definition.sampler.options["seed"])
            proposer = WithPrior(proposer, space, self.good, seed)
        while (first := len(self.told)) < TRIALS:
            proposer.learn(self.told)
            fixed: dict[int, Params] = {number: {} for number in range(first, min(first + generation, TRIALS))}
            if self.best is not None and first == 0:
                fixed[0] = self.best
            for number, own in ask.choose(proposer, space, fixed, []).items():
                self._tell(number, own.params)
        return self._recommended(confirm=confirm)

    def _tell(self, number: int, params: Params) -> None:
        place = self.bank.nearest(params, self.taken)
        curve = self.bank[place, self.seed]
        trial = PastTrial(number, TrialState.COMPLETE, params, curve.final, violation=float(curve.diverged))
        self.taken[place] = trial
        self.told.append(trial)

    def _recommended(self, *, confirm: bool) -> int:
        ranked = sorted((place for place in self.taken if not self.taken[place].violation),
                        key=lambda place: self.taken[place].value or 0.0)  # fmt: skip
        if not confirm:
            return ranked[0]
        constant = [place for place in ranked if self.taken[place].params["scheduler"] == "constant"]
        tried = [] if self.best is None else [next(iter(self.taken))]
        return min([*ranked[:TOP], *constant[:1], *tried], key=lambda place: worth(self.bank, place, FRESH))


def worth(bank: Bank, place: int, seeds: Sequence[int]) -> float:
    """Mean on holdout rows; a network that diverged is worth no more than an untrained one."""
    return float(np.mean([_of(bank[place, seed]) for seed in seeds]))


def _of(curve: Curve) -> float:
    return curve.final if curve.diverged else curve.holdout


def off(params: Params, factor: float, space: Space) -> dict[str, Any]:
    """The settings with another rate, moved into range."""
    axis: Any = space.shared()["lr"]
    return {**params, "lr": min(max(params["lr"] * factor, axis.low), axis.high)}


def led(bank: Bank, task: str, number: int, earlier: Search, found: int, factor: float = 1.0) -> Search:
    """A search that an earlier one leads, with its rates changed."""
    good = [off(own.params, factor, bank.space) for own in sorted(earlier.told, key=rank)[:FEWEST_GOOD]]
    best = off(earlier.taken[found].params, factor, bank.space)
    return Search(bank, definition_of(task, {}, number), SEARCH[number % len(SEARCH)], good, best)


def measure(banks: Sequence[Bank], task: str, repetitions: int, generation: int) -> dict[str, list[float]]:
    """Way -> what each repetition's recommendation is worth."""
    values: dict[str, list[float]] = {}
    for number in range(repetitions):
        other = SEARCH[(number + 1) % len(SEARCH)]
        same, like = (
            (own, own.run(generation, confirm=bank is banks[0]))
            for bank, seed in zip(banks, (other, SEARCH[0]), strict=True)
            for own in (Search(bank, definition_of(task, {}, EARLIER + number), seed),)
        )
        ways = {
            "cold": Search(banks[0], definition_of(task, {}, number), SEARCH[number % len(SEARCH)]),
            "same task, other seed": led(banks[0], task, number, *same),
            "other hidden layers": led(banks[0], task, number, *like),
            f"rates {OFF:g} times too small": led(banks[0], task, number, *same, 1 / OFF),
            f"rates {OFF:g} times too large": led(banks[0], task, number, *same, OFF),
        }
        for way, search in ways.items():
            values.setdefault(way, []).append(worth(banks[0], search.run(generation), JUDGES))
    return values


def trained(task: str, options: Params, file: Path, size: int, seeds: Sequence[int]) -> Bank:
    """A bank with all its curves, kept seed by seed."""
    bank = Bank(task, file, size, definition_of(task, options))
    for seed in seeds:
        bank.need((number, seed) for number in range(size))
        bank.save()
    return bank


def main() -> None:
    """Print a markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--banks", type=Path, required=True, help="folder in which the curves are kept")
    parser.add_argument("--tasks", nargs="+", default=["polynomial", "digits"], choices=list(TASKS))
    parser.add_argument("--repetitions", type=int, default=20)
    parser.add_argument("--generation", type=int, nargs="+", default=[50])
    parser.add_argument("--size", type=int, default=512, help="settings in a bank")
    given = parser.parse_args()
    torch.set_num_threads(1)
    given.banks.mkdir(parents=True, exist_ok=True)
    print("| task | generation | led by | holdout metric: mean | ratio to the cold search (95 %) | better in |")
    print("|---|---:|---|---:|---:|---:|", flush=True)
    for task in given.tasks:
        own = trained(task, {}, given.banks / f"{task}.npz", given.size, [*SEARCH, *FRESH, *JUDGES])
        like = trained(task, TASKS[task][1], given.banks / f"{task}-like.npz", given.size, SEARCH[:1])
        for generation in given.generation:
            found = measure([own, like], task, given.repetitions, generation)
            for way, values in found.items():
                cold = found["cold"]
                ratio = "1" if way == "cold" else str(ratio_of_means(values, cold))
                better = "" if way == "cold" else sum(led < alone for led, alone in zip(values, cold, strict=True))
                print(f"| {task} | {generation} | {way} | {np.mean(values):.4g} | {ratio} | {better} |", flush=True)


if __name__ == "__main__":
    main()
