"""How often a gain is claimed where nothing can be learned, and how often it is found where there is one.

    python tests/benchmarks/nothing_to_learn.py --studies 34

Each study draws rows of its own, is searched and confirmed as by default, and is asked what it claims: that a schedule
is better than the best constant rate, and that something was learned. Labels of the first three kinds do not depend on
the inputs.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from functools import partial
from typing import Any

import optuna
import torch

import lrsearch
from lrsearch.tasks.network import multilayer_perceptron
from lrsearch.tasks.task import Task

TRIALS = 60


@lrsearch.task
def coin_flips(*, seed: int = 0) -> Task:
    """Two classes that have nothing to do with the ten features; 600 rows."""
    return classifier(seed, rows=600, signal=0.0)


@lrsearch.task
def twenty_rows(*, seed: int = 0) -> Task:
    """The same with 20 rows."""
    return classifier(seed, rows=20, signal=0.0)


@lrsearch.task
def large_targets(*, seed: int = 0) -> Task:
    """Targets of the size of 1e5 that have nothing to do with the features; 400 rows."""
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(400, 5, generator=generator)
    targets = 1e5 + 3e4 * torch.randn(400, 1, generator=generator)
    parts = [(features[rows], targets[rows]) for rows in (slice(200), slice(200, 300), slice(300, 400))]
    model = partial(multilayer_perceptron, 5, [8], 1, activation="tanh", batch_norm="none")
    return Task(model=model, train=parts[0], test=parts[1], holdout=parts[2], loss="mse", metric="mse")


@lrsearch.task
def signal(*, seed: int = 0) -> Task:
    """Two classes that the features tell apart, with noise; 600 rows."""
    return classifier(seed, rows=600, signal=3.0)


def classifier(seed: int, rows: int, signal: float) -> Task:
    """Half of the rows are trained on, a quarter each is for the test and the holdout."""
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(rows, 10, generator=generator)
    wave = features[:, 0] * features[:, 1] + features[:, 2] + 0.5 * features[:, 3]
    labels = (torch.rand(rows, generator=generator) < torch.sigmoid(signal * wave)).long()
    half, most = rows // 2, rows * 3 // 4
    parts = [(features[part], labels[part]) for part in (slice(half), slice(half, most), slice(most, rows))]
    model = partial(multilayer_perceptron, 10, [16], 2, activation="relu", batch_norm="none")
    return Task(
        model=model, train=parts[0], test=parts[1], holdout=parts[2], loss="cross_entropy", metric="cross_entropy"
    )


KINDS: dict[str, dict[str, Any]] = {
    "coin_flips": {"epochs": 20, "optimizer": "adam"},
    "twenty_rows": {"epochs": 20, "optimizer": "adam", "batch_size": 10},
    "large_targets": {"epochs": 20, "optimizer": "adam"},
    "polynomial": {"epochs": 60},
    "digits": {"epochs": 20, "optimizer": "adam"},
    "signal": {"epochs": 20, "optimizer": "adam"},
}
NULL = ("coin_flips", "twenty_rows", "large_targets")
SEEDLESS = ("digits",)


def claims(kind: str, seed: int) -> set[str]:
    """What one study claims.

    Args:
        kind: One of `KINDS`.
        seed: Of its rows, its trials and its sampler.
    """
    task: dict[str, Any] = {"name": kind} if kind in SEEDLESS else {"name": kind, "seed": seed}
    document = {
        "study": {"name": f"{kind}-{seed}", "trials": TRIALS},
        "task": task,
        "training": {**KINDS[kind], "seeds": [seed]},
        "search": {"schedulers": ["classical"], "lr": {"low": 1e-4, "high": 0.3, "log": True}},
        "sampler": {"name": "tpe", "seed": seed},
        "confirm": {"contestants": []},
    }
    study = lrsearch.run_study(lrsearch.create_study(document, storage="sqlite://"))
    found = lrsearch.best_settings(study)
    said = set()
    if found.learned:
        said.add("learned")
    elif found.learned is False:
        said.add("nothing learned")
    constant = found.constant
    if found.params["scheduler"] != "constant" and constant is not None and constant.told_apart:
        said.add("a schedule gains")
    return said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=34, help="Of each kind in which nothing can be learned.")
    parser.add_argument("--others", type=int, default=10, help="Of each other kind.")
    options = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    print("| kind | studies | a schedule gains | learned | nothing learned | seconds each |")
    print("|---|---:|---:|---:|---:|---:|")
    for kind in KINDS:
        number = options.studies if kind in NULL else options.others
        began = time.perf_counter()
        counts = Counter(claim for seed in range(number) for claim in claims(kind, 100 + seed))
        seconds = (time.perf_counter() - began) / number
        cells = [counts["a schedule gains"], counts["learned"], counts["nothing learned"]]
        print(f"| {kind} | {number} | {cells[0]} | {cells[1]} | {cells[2]} | {seconds:.1f} |", flush=True)


if __name__ == "__main__":
    main()
