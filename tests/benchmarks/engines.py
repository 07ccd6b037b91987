"""Does a study give the same kind of answer by the batched engine as by the sequential one?

    python tests/benchmarks/engines.py [--studies 20] [--seeds 20] [--file studies/quickstart.toml]

Each study is run by both engines under `--studies` sampler seeds. Its best settings are then trained on `--seeds` fresh
seeds, which no search has seen: what counts is what a person gets who trains with them. Prints a markdown table.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import optuna
from scipy import stats

from lrsearch.sampling.space import Settings, settings_from
from lrsearch.search.runner import Runner
from lrsearch.signals import Interruption
from lrsearch.storage.rdb import open_storage
from lrsearch.study import open as opening
from lrsearch.study import status
from lrsearch.study import stored as studies
from lrsearch.study_file import load
from lrsearch.study_file.model import Definition, TrainingSection
from lrsearch.tasks.task import Task
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.engine import Engine, Lane, SequentialEngine, set_threads

FIRST_FRESH_SEED = 1000


def searched(definition: Definition, task: Task, engine: Engine) -> tuple[Settings, float, int, float]:
    """The best settings, their value in the search, the epochs that it took, and its CPU seconds."""
    began = time.process_time()
    stored = studies.create(open_storage("sqlite://"), definition, task.metric_name)
    list(Runner(stored, task, engine, Interruption()).events())
    best = status.best(stored)
    assert best is not None
    seconds = time.process_time() - began
    return settings_from(best.params), best.values[0], status.epochs_trained(stored.trials()), seconds


def on_fresh_seeds(found: list[Settings], task: Task, training: TrainingSection, seeds: int) -> list[float]:
    """Mean metric of each settings after the last epoch, over fresh seeds; a lane that diverged keeps its first one."""
    fresh = range(FIRST_FRESH_SEED, FIRST_FRESH_SEED + seeds)
    lanes = [Lane(own.lr, own.schedule, seed) for own in found for seed in fresh]
    values = np.zeros(len(lanes))
    gone: set[int] = set()
    for records in BatchedEngine().train(task, lanes, training):
        for lane, value, diverged in zip(records.lanes, records.test_metric, records.diverged, strict=True):
            gone |= {lane} if diverged else set()
            values[lane] = values[lane] if lane in gone else value
    return [float(part.mean()) for part in np.split(values, len(found))]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--studies", type=int, default=20)
    arguments.add_argument("--seeds", type=int, default=20)
    arguments.add_argument("--file", type=Path, default=Path("studies/quickstart.toml"))
    options = arguments.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    set_threads(1)

    document = load.read(options.file)
    definition = opening.define(document, str(options.file))
    task = opening.build_task(definition)
    means = {}
    print("| engine | test metric on fresh seeds: mean ± standard error | median | in the search | epochs | CPU s |"
          " types of the best |\n|---|---|---|---|---|---|---|")  # fmt: skip
    for engine in (SequentialEngine(), BatchedEngine()):
        found = [
            searched(opening.define(load.override(document, [f"sampler.seed={seed}"]), "seeds"), task, engine)
            for seed in range(options.studies)
        ]
        means[engine.name] = np.array(
            on_fresh_seeds([own for own, *_ in found], task, definition.training, options.seeds)
        )
        own = means[engine.name]
        types = [settings.schedule.name for settings, *_ in found]
        counted = ", ".join(f"{name} {types.count(name)}" for name in sorted(set(types)))
        value, epochs, seconds = (float(np.mean([row[place] for row in found])) for place in (1, 2, 3))
        print(f"| {engine.name} | {own.mean():.2f} ± {stats.sem(own):.2f} | {np.median(own):.2f} | {value:.2f} |"
              f" {epochs:.0f} | {seconds:.1f} | {counted} |", flush=True)  # fmt: skip
    test = stats.ttest_ind(means["batched"], means["sequential"], equal_var=False)
    interval = test.confidence_interval()
    print(f"\nbatched minus sequential: {np.mean(means['batched']) - np.mean(means['sequential']):.2f}, "
          f"95 % interval {interval.low:.2f} to {interval.high:.2f} (Welch)")  # fmt: skip


if __name__ == "__main__":
    main()
