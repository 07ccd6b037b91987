"""Does lrsearch find better settings than a plain Optuna script with the same number of epochs? By replay.

    python tests/benchmarks/equal_epochs.py --bank FILE.npz [--task polynomial] [--epochs 6000] [--repetitions 60]
        [--sampler random] [--first 0] [--confirm 5x5 ...] [--size 6000] [--training-seeds 1] [--judge-seeds 20]

Random settings of the classical families are trained once on each training seed; their curves are kept in FILE, which
is made if it is not there (minutes). Both searches are told the curve of the nearest of them that they have not had:

- the plain script: MedianPruner with its defaults, one seed; it takes its best trial. It searches at random, or, with
  --sampler tpe, asks Optuna's TPESampler (minutes for each search, which begins trials by the thousand: there are as
  many at a time as there are cores);
- lrsearch: its own runner, sampler, pruner and confirmation, with an engine that replays; it takes what the
  confirmation recommends. `--confirm 5x5` are 5 finalists on 5 fresh seeds each; each value makes a row.

The epochs of a confirmation count. How many trials fit is found with sampler seeds that the comparison does not use.
Repetition r has sampler seed r, counted from --first, and the training seeds 24, 25, ... in turn. The bank should
be several times as large as a search is long (the plain script begins 2,300 trials in 6,000 epochs): otherwise all
repetitions find the same. What a search takes is judged by its mean test metric over seeds that neither has used; a
network that diverged counts as an untrained one. The interval is a bootstrap (BCa) of the ratio of means over paired
repetitions. Prints a markdown table.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import optuna
import torch
from asking import suggest
from curve_bank import Bank, ReplayEngine
from optuna.trial import TrialState
from unseen_seeds import FIRST_JUDGE_SEED, Numbers, print_ways, study_document

from lrsearch.api.studies import load_frames
from lrsearch.sampling.space import settings_from
from lrsearch.search.runner import Runner
from lrsearch.signals import Interruption
from lrsearch.storage.rdb import open_storage
from lrsearch.study import confirmation
from lrsearch.study import open as opening
from lrsearch.study import stored as studies
from lrsearch.study.finalists import finalists
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file import load

FIRST_TRAINING_SEED = 24
STARTUP_TRIALS = 5
"""Of MedianPruner, by default."""
CALIBRATION_SEED, CALIBRATIONS = 10_000, 3
SPARE = 0.98
"""Share of the epochs that a search plans to use, so that it needs no more of them on average."""

Seeds = tuple[int, int]
"""The sampler's, and that of the training."""


@dataclass(frozen=True)
class Found:
    """What a search came to.

    Attributes:
        number: The setting of the bank that it takes.
        epochs: What it used, confirmation included.
    """

    number: int
    epochs: int


@dataclass(frozen=True)
class Confirmation:
    """How many finalists, and on how many fresh seeds each."""

    top: int
    seeds: int

    @property
    def fresh_seeds(self) -> range:
        return range(confirmation.FIRST_SEED, confirmation.FIRST_SEED + self.seeds)

    @classmethod
    def of(cls, text: str) -> Confirmation:
        """From a text such as 5x5."""
        top, seeds = text.split("x")
        return cls(int(top), int(seeds))


class RandomOrder:
    """Asks for the settings of the bank in random order: random search, for they are random themselves."""

    def __init__(self, bank: Bank, seed: int) -> None:
        self._order = iter(np.random.default_rng(seed).permutation(len(bank.settings)).tolist())

    def ask(self) -> int:
        """A setting that was not asked for yet."""
        number = next(self._order, None)
        if number is None:
            raise SystemExit("the plain script has had every setting of the bank: choose a larger --size")
        return int(number)

    def tell(self, curve: Numbers, *, pruned: bool) -> None:
        """Nothing is learned."""


class OptunaTpe:
    """Asks for the setting of the bank that is nearest to what Optuna's TPESampler proposes."""

    def __init__(self, bank: Bank, seed: int) -> None:
        self._bank = bank
        self._study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
        self._taken: set[int] = set()

    def ask(self) -> int:
        """A setting that was not asked for yet, as long as there is one of its type."""
        trial = self._trial = self._study.ask()
        chosen = self._bank.space.settle({}, lambda name, axis: suggest(trial, name, axis))
        number = self._bank.nearest(chosen.params, self._taken)
        self._taken.add(number)
        return number

    def tell(self, curve: Numbers, *, pruned: bool) -> None:
        """What the last one came to; [epochs]."""
        self._trial.report(curve[-1], len(curve))
        if pruned:
            self._study.tell(self._trial, state=TrialState.PRUNED)
        elif np.isnan(curve[-1]):
            self._study.tell(self._trial, state=TrialState.FAIL)
        else:
            self._study.tell(self._trial, curve[-1])


SAMPLERS: dict[str, Callable[[Bank, int], RandomOrder | OptunaTpe]] = {"random": RandomOrder, "tpe": OptunaTpe}


def plain_searches(bank: Bank, sampler: str, seeds: Sequence[Seeds], epochs: int) -> list[Found]:
    """What `plain_search.py` does with either sampler, once for each pair of seeds."""
    quiet = optuna.logging.set_verbosity, (optuna.logging.ERROR,)
    # Not forked: this process has trained, and torch's threads do not survive that.
    with ProcessPoolExecutor(None, get_context("spawn"), *quiet) as pool:
        return [own.result() for own in [pool.submit(plain, bank, sampler, *pair, epochs) for pair in seeds]]


def plain(bank: Bank, sampler_name: str, sampler_seed: int, training_seed: int, epochs: int) -> Found:
    """One search of the plain script; the bank must have all curves of the training seed."""
    sampler = SAMPLERS[sampler_name](bank, sampler_seed)
    complete: dict[int, Numbers] = {}
    used = 0
    while used < epochs:
        number = sampler.ask()
        curve = bank[number, training_seed].test[1:]
        pruned_at = median_prunes(curve, list(complete.values()))
        sampler.tell(curve[:pruned_at], pruned=pruned_at is not None)
        used += pruned_at or len(curve)
        if pruned_at is None and not np.isnan(curve[-1]):
            complete[number] = curve
    return Found(min(complete, key=lambda number: complete[number][-1]), used)


def median_prunes(curve: Numbers, complete: Sequence[Numbers]) -> int | None:
    """The epoch after which Optuna's MedianPruner ends a trial; None if it does not.

    Args:
        curve: The trial's values; [epochs].
        complete: Those of the trials that are complete.
    """
    if len(complete) < STARTUP_TRIALS:
        return None
    best = np.fmin.accumulate(curve)
    worse = np.isnan(best) | (best > np.nanmedian(complete, axis=0))
    return int(worse.argmax()) + 1 if worse.any() else None


def lrsearch(bank: Bank, seeds: Sequence[Seeds], trials: int, with_: Confirmation) -> list[Found]:
    """What `lrsearch study run` and `study confirm` do, once for each pair of seeds."""
    searched = [search(bank, own, trials) for own in seeds]
    # Finalists that the bank lacks on fresh seeds are trained together: a few lanes take as long as hundreds.
    bank.need(
        (engine.number_of(settings_from(finalist.params)), seed)
        for stored, engine in searched
        for finalist in finalists(stored, with_.top)
        for seed in with_.fresh_seeds
    )
    return [confirmed(stored, engine, with_) for stored, engine in searched]


def search(bank: Bank, seeds: Seeds, trials: int) -> tuple[StoredStudy, ReplayEngine]:
    """A search that is over, and what it was replayed with."""
    sampler, training = seeds
    document = study_document(bank.definition.task.name, trials, sampler_seed=sampler, training_seed=training)
    stored = studies.create(open_storage("sqlite://"), load.parse(document, "replay"), bank.task.metric_name)
    engine = ReplayEngine(bank)
    list(Runner(stored, bank.task, engine, Interruption()).events())
    return stored, engine


def confirmed(stored: StoredStudy, engine: ReplayEngine, with_: Confirmation) -> Found:
    """What the confirmation of a search recommends."""
    linked = confirmation.prepare(stored, with_.top, with_.seeds)
    go_on = partial(confirmation.next_of, linked)
    list(Runner(linked, opening.task_of(linked), engine, Interruption(), go_on=go_on).events())
    gathered = load_frames(stored).evidence
    assert gathered is not None
    return Found(engine.number_of(settings_from(gathered.recommended.params)), engine.epochs)


def trials_that_fit(bank: Bank, epochs: int, with_: Confirmation) -> int:
    """So many trials use up the epochs, by what a few searches needed."""
    confirmed = with_.top + 3
    trials = max(16, (epochs - confirmed * with_.seeds * bank.definition.training.epochs) // 12)
    for _ in range(2):
        seeds = [(CALIBRATION_SEED + turn, FIRST_TRAINING_SEED) for turn in range(CALIBRATIONS)]
        over = np.mean([own.epochs for own in lrsearch(bank, seeds, trials, with_)]) - SPARE * epochs
        trials = max(16, round(trials - over / 12))
    return trials


def searches(bank: Bank, given: argparse.Namespace) -> dict[str, list[Found]]:
    """Way of searching -> what it found in each repetition."""
    training_seeds = range(FIRST_TRAINING_SEED, FIRST_TRAINING_SEED + given.training_seeds)
    bank.need((number, seed) for number in range(given.size) for seed in training_seeds)
    bank.save()
    repetitions = range(given.first, given.first + given.repetitions)
    seeds = [(own, training_seeds[own % given.training_seeds]) for own in repetitions]
    found = {"plain script": plain_searches(bank, given.sampler, seeds, given.epochs)}
    for text in given.confirm:
        with_ = Confirmation.of(text)
        trials = trials_that_fit(bank, given.epochs, with_)
        found[f"lrsearch, {trials} trials, confirm {text}"] = lrsearch(bank, seeds, trials, with_)
        bank.save()
    return found


def judged(bank: Bank, found: dict[str, list[Found]], seeds: Sequence[int]) -> dict[str, list[float]]:
    """Way of searching -> mean test metric of what it took, for each repetition."""
    bank.need((own.number, seed) for all_ in found.values() for own in all_ for seed in seeds)
    bank.save()
    return {way: [float(np.mean(bank.final(own.number, seeds))) for own in all_] for way, all_ in found.items()}


def main() -> None:
    """Print a markdown table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--bank", type=Path, required=True, help="where the curves are kept")
    options.add_argument("--task", default="polynomial")
    options.add_argument("--epochs", type=int, default=6000)
    options.add_argument("--repetitions", type=int, default=60)
    options.add_argument("--sampler", choices=tuple(SAMPLERS), default="random", help="of the plain script")
    options.add_argument("--first", type=int, default=0, help="sampler seed of the first repetition")
    options.add_argument("--confirm", nargs="+", default=["5x5"], metavar="TOPxSEEDS")
    options.add_argument("--size", type=int, default=6000, help="settings in the bank")
    options.add_argument("--training-seeds", type=int, default=1, help="seeds that searches may train on")
    options.add_argument("--judge-seeds", type=int, default=20)
    given = options.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    torch.set_num_threads(1)
    bank = Bank(given.task, given.bank, given.size)
    found = searches(bank, given)
    values = judged(bank, found, range(FIRST_JUDGE_SEED, FIRST_JUDGE_SEED + given.judge_seeds))
    used = {way: f"{np.mean([own.epochs for own in all_]):.0f} epochs" for way, all_ in found.items()}
    where = f"{given.repetitions} repetitions from {given.first}, plain script: {given.sampler}"
    print(f"\n### {given.task}, {given.epochs} epochs, {where}\n")
    print_ways(values, "plain script", used)


if __name__ == "__main__":
    main()
