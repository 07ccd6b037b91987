"""Does asking for a whole generation find as good settings as Optuna's TPE does one by one? Run it by hand.

    python tests/benchmarks/sampling.py [--seeds 20] [--trials 200] [--replay FILE]

Functions on the search space of the classical families stand for training. The replay is the real thing: random
settings are trained once (their results are kept in FILE, if it is named), and a search is told the result of the
nearest of them.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from asking import suggest
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

from lrsearch.sampling import ask, samplers
from lrsearch.sampling.proposer import Uniform
from lrsearch.sampling.space import Space
from lrsearch.storage.past_trials import PastTrial
from lrsearch.study_file.load import parse
from lrsearch.study_file.model import Definition

Params = Mapping[str, Any]
Objective = Callable[[Params], float]
REPLAYED, GENERATION = 1500, 64


def definition_of(sampler: str, seed: int, schedulers: Sequence[str] = ("classical",)) -> Definition:
    """The default search space of some families, on the seed workload."""
    document: dict[str, Any] = {
        "study": {"name": "sampling"},
        "task": {"name": "polynomial"},
        "search": {"schedulers": list(schedulers)},
        "sampler": {"name": sampler, "seed": seed},
    }
    return parse(document, "benchmark")


def shares(space: Space, params: Params) -> list[float]:
    """Where settings lie on their axes, from 0 to 1: the learning rate, then the schedule's own parameters."""
    axes = {"lr": space.shared()["lr"], **space.distributions(params["scheduler"])}
    return [share(axis, params[name]) for name, axis in axes.items()]


def share(axis: BaseDistribution, value: float) -> float:
    """Where a value lies between the ends of its axis."""
    assert isinstance(axis, (FloatDistribution, IntDistribution))
    low, high = (math.log(axis.low), math.log(axis.high)) if axis.log else (axis.low, axis.high)
    return ((math.log(value) if axis.log else value) - low) / (high - low)


def bowls(space: Space) -> Objective:
    """A bowl for each family, the last one the deepest, each with another best point."""
    families = list(space.schedulers)

    def value(params: Params) -> float:
        place = families.index(params["scheduler"])
        offset = 0.02 * (len(families) - 1 - place)
        best = 0.3 + 0.5 * place / len(families)
        return offset + sum((own - best) ** 2 for own in shares(space, params))

    return value


def branin(space: Space) -> Objective:
    """Branin's function (three valleys of equal depth) of the learning rate and the family's first parameter."""

    def value(params: Params) -> float:
        first, second = (*shares(space, params), 0.5)[:2]
        x, y = 15 * first - 5, 15 * second
        bent = y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6
        return bent**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10 - 0.397887

    return value


def ridge(space: Space) -> Objective:
    """A narrow ridge: the best learning rate depends on the schedule's own parameters."""

    def value(params: Params) -> float:
        first, *own = shares(space, params)
        return abs(first - 0.8 + 0.5 * statistics.mean(own or [0.8])) + 0.2 * sum((part - 0.6) ** 2 for part in own)

    return value


FUNCTIONS = {"bowls": bowls, "branin": branin, "ridge": ridge}


def replay(space: Space, file: Path | None) -> Objective:
    """The test MSE of the nearest settings that were trained, above the best of them."""
    tried, values = _replayed(space, file)
    best = min(values)
    points = [np.array(shares(space, params)) for params in tried]
    kinds = {
        kind: (np.array([points[i] for i in own]), [values[i] for i in own])
        for kind in space.schedulers
        if (own := [i for i, params in enumerate(tried) if params["scheduler"] == kind])
    }

    def value(params: Params) -> float:
        known, results = kinds[params["scheduler"]]
        distances = np.abs(known - np.array(shares(space, params))).sum(axis=1)
        return results[int(distances.argmin())] - best

    return value


def _replayed(space: Space, file: Path | None) -> tuple[list[Params], list[float]]:
    import json

    if file is None or not file.exists():
        tried, values = _trained(space)
        if file is None:
            return tried, values
        file.write_text(json.dumps([tried, values]))
    tried, values = json.loads(file.read_text())
    return tried, values


def _trained(space: Space) -> tuple[list[Params], list[float]]:
    """Random settings, and their test MSE after 60 epochs."""
    import torch

    from lrsearch import registry
    from lrsearch.sampling.space import settings_from
    from lrsearch.training.batched import BatchedEngine
    from lrsearch.training.engine import Lane

    torch.set_num_threads(1)
    definition = definition_of("random", 0)
    task = registry.tasks.get("polynomial").build(definition.task.options)
    tried = [space.settle({}, Uniform(1).point(number)).params for number in range(REPLAYED)]
    settings = [settings_from(params) for params in tried]
    lanes = [Lane(own.lr, own.schedule, 24) for own in settings]
    values = [0.0] * len(lanes)
    for records in BatchedEngine().train(task, lanes, definition.training):
        for lane, value, before in zip(records.lanes, records.test_metric, records.diverged, strict=True):
            # A diverged trial is worth no more than an untrained one.
            values[lane] = values[lane] if before else float(value)
    return [dict(params) for params in tried], values


def by_generations(definition: Definition, objective: Objective, trials: int, generation: int) -> list[float]:
    """Values in the order of the trials, with our own sampler."""
    space, proposer = Space.of(definition), samplers.build(definition)
    told: list[PastTrial] = []
    while len(told) < trials:
        proposer.learn(told)
        numbers = range(len(told), min(len(told) + generation, trials))
        chosen = ask.choose(proposer, space, {number: {} for number in numbers}, [])
        told += [
            PastTrial(number, TrialState.COMPLETE, own.params, objective(own.params)) for number, own in chosen.items()
        ]
    return [trial.value for trial in told if trial.value is not None]


def with_optuna(definition: Definition, objective: Objective, trials: int, generation: int, seed: int) -> list[float]:
    """Values in the order of the trials, with Optuna's sampler: every ask looks at all trials, those under way too."""
    space = Space.of(definition)
    sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True, group=True)
    study = optuna.create_study(sampler=sampler)
    while (done := len(study.trials)) < trials:
        asked = []
        for _ in range(min(generation, trials - done)):
            trial = study.ask()
            chosen = space.settle({}, lambda name, axis, trial=trial: suggest(trial, name, axis))
            asked.append((trial, chosen.params))
        for trial, params in asked:
            study.tell(trial, objective(params))
    return [trial.values[0] for trial in study.trials]


def ways(objective: Objective, trials: int) -> dict[str, Callable[[int], list[float]]]:
    """Label -> a search that takes a seed."""

    def ours(sampler: str, generation: int) -> Callable[[int], list[float]]:
        return lambda seed: by_generations(definition_of(sampler, seed), objective, trials, generation)

    def optunas(generation: int) -> Callable[[int], list[float]]:
        return lambda seed: with_optuna(definition_of("tpe", seed), objective, trials, generation, seed)

    return {
        "random": ours("random", GENERATION),
        "Optuna's TPE, one by one": optunas(1),
        "lrsearch, one by one": ours("tpe", 1),
        f"Optuna's TPE, generations of {GENERATION}": optunas(GENERATION),
        f"lrsearch, generations of {GENERATION}": ours("tpe", GENERATION),
    }


def main() -> None:
    """Print a markdown table."""
    options = argparse.ArgumentParser()
    options.add_argument("--seeds", type=int, default=20)
    options.add_argument("--trials", type=int, default=200)
    options.add_argument("--replay", type=Path, help="where the replayed results are kept")
    options.add_argument("--only", nargs="*", help="which objectives", default=[*FUNCTIONS, "replay"])
    given = options.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    space = Space.of(definition_of("tpe", 0))
    objectives = {name: FUNCTIONS[name](space) for name in given.only if name in FUNCTIONS}
    if "replay" in given.only:
        objectives["replay"] = replay(space, given.replay)
    halves = [given.trials // 4, given.trials // 2, given.trials]
    heads = " | ".join(f"after {trials}" for trials in halves)
    print(f"| objective | sampler | {heads} | seconds a search |\n|---|---|{'---:|' * len(halves)}---:|")
    for name, objective in objectives.items():
        for label, search in ways(objective, given.trials).items():
            began = time.perf_counter()
            best = [np.minimum.accumulate(search(seed)) for seed in range(given.seeds)]
            seconds = (time.perf_counter() - began) / given.seeds
            cells = []
            for trials in halves:
                regrets = [float(values[trials - 1]) for values in best]
                error = statistics.stdev(regrets) / math.sqrt(len(regrets))
                cells.append(f"{statistics.mean(regrets):.3f} ± {error:.3f}")
            print(f"| {name} | {label} | {' | '.join(cells)} | {seconds:.1f} |", flush=True)


if __name__ == "__main__":
    main()
