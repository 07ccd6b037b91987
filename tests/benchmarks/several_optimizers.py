"""Is a search with two optimizers as good as one with the better of them alone, in equal time? Run it by hand.

    python tests/benchmarks/several_optimizers.py --results FILE.jsonl [--repetitions 20] [--minutes M] [--table]

Each repetition searches digits with SGD alone, with AdamW alone, and with both allowed (`[search] optimizers`), and
confirms what each finds: `study run`, with another sampler seed and training seed. What each recommends is trained on
20 further seeds and judged by the mean on holdout rows after the last epoch. A trial costs more with one optimizer than
with the other: `--trials-of-both` gives the search with both another number.

Every search is appended to FILE, so that a run that was broken off goes on; --table prints what is there.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import torch
from equal_time import FIRST_TRAINING_SEED
from scipy import stats
from unseen_seeds import FIRST_JUDGE_SEED, ratio_of_means

import lrsearch
from lrsearch.sampling.space import settings_from
from lrsearch.study import open as opening
from lrsearch.study.holdout import scored_on_holdout
from lrsearch.study.linked import HOLDOUT
from lrsearch.study_file import load
from lrsearch.study_file.applied import applied
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.engine import Lane

WAYS: Mapping[str, Sequence[str]] = {"sgd": ["sgd"], "adamw": ["adamw"], "both": ["sgd", "adamw"]}
RATES = {"sgd": {"low": 1e-3, "high": 1.0, "log": True}, "adamw": {"low": 1e-4, "high": 0.1, "log": True}}
"""A range for each, as wide for one as for the other."""


def document(way: str, number: int, given: argparse.Namespace) -> dict[str, Any]:
    """A study; that of one optimizer has it as its only choice, so that all three are made alike."""
    names = WAYS[way]
    return {
        "study": {"name": "search", "trials": trials_of(way, given)},
        "task": {"name": "digits"},
        "training": {"epochs": given.epochs, "batch_size": 50, "seeds": [FIRST_TRAINING_SEED + number]},
        "search": {
            "schedulers": ["constant", "linear", "one_cycle"],
            "optimizers": names,
            "training": {name: {"lr": RATES[name]} for name in names},
        },
        "sampler": {"name": "tpe", "seed": number},
        "confirm": {"contestants": [], "top": given.top, **({"seeds": given.seeds} if given.seeds else {})},
    }


def trials_of(way: str, given: argparse.Namespace) -> int:
    """How many trials a search has."""
    return given.trials_of_both or given.trials if way == "both" else given.trials


def searched(way: str, number: int, given: argparse.Namespace) -> dict[str, Any]:
    """What a search recommends, and what it took."""
    began = time.process_time()
    study = lrsearch.run_study(
        lrsearch.create_study(document(way, number, given), storage="sqlite://"), engine="batched"
    )
    found = lrsearch.best_settings(study)
    return {"way": way, "number": number, "params": found.params, "cpu": time.process_time() - began}


def judged(record: Mapping[str, Any], given: argparse.Namespace) -> float:
    """Mean on holdout rows over seeds that no search has seen; infinite if one diverged."""
    definition = load.parse(document(record["way"], 0, given), "benchmark")
    settings = settings_from(record["params"])
    task = scored_on_holdout(opening.build_task(definition))
    seeds = range(FIRST_JUDGE_SEED, FIRST_JUDGE_SEED + given.judge_seeds)
    lanes = [Lane(settings.lr, settings.schedule, seed) for seed in seeds]
    training = applied(definition, settings.further).training
    values = np.full(len(lanes), np.nan)
    for records in BatchedEngine().train(task, lanes, training):
        if records.epoch == training.epochs:
            values[list(records.lanes)] = np.where(records.diverged, np.nan, records.extra[HOLDOUT])
    return math.inf if np.isnan(values).any() else float(values.mean())


def measure(given: argparse.Namespace) -> None:
    """Search what is missing, all ways in turn."""
    done = {(own["way"], own["number"]) for own in kept(given)}
    began = time.monotonic()
    for number, way in product(range(given.repetitions), WAYS):
        if time.monotonic() - began > 60 * given.minutes:
            return
        if (way, number) not in done:
            record = searched(way, number, given)
            record |= {"value": judged(record, given), "options": made_with(way, given)}
            with given.results.open("a") as file:
                file.write(json.dumps(record) + "\n")


def kept(given: argparse.Namespace) -> list[dict[str, Any]]:
    """The records of the file that were made with these options."""
    lines = given.results.read_text().splitlines() if given.results.exists() else []
    return [own for own in map(json.loads, lines) if own["options"] == made_with(own["way"], given)]


def made_with(way: str, given: argparse.Namespace) -> list[int]:
    """The options on which a record depends."""
    return [trials_of(way, given), given.epochs, given.top, given.seeds, given.judge_seeds]


def print_table(given: argparse.Namespace) -> None:
    """A row for each way, over the repetitions that all have had."""
    records = kept(given)
    by_way = {way: {own["number"]: own for own in records if own["way"] == way} for way in WAYS}
    common = sorted(set.intersection(*(set(own) for own in by_way.values())))
    values = {way: [by_way[way][number]["value"] for number in common] for way in WAYS}
    better = min(("sgd", "adamw"), key=lambda way: float(np.mean(values[way])))
    print(f"\n### digits, {len(common)} repetitions, {given.epochs} epochs\n")
    print(
        "| allowed | trials | CPU seconds | holdout cross-entropy ± standard error | ratio to the better alone (95 %) "
        "| took sgd in |"
    )
    print("|---|---:|---:|---:|---:|---:|")
    for way, own in values.items():
        ratio = "1" if way == better else str(ratio_of_means(own, values[better])) if len(common) > 2 else ""
        seconds = np.mean([by_way[way][number]["cpu"] for number in common])
        sgd = sum(by_way[way][number]["params"]["optimizer"] == "sgd" for number in common)
        trials = trials_of(way, given)
        print(f"| {way} | {trials} | {seconds:.0f} | {np.mean(own):.4f} ± {stats.sem(own):.2g} | {ratio} | {sgd} |")


def main() -> None:
    """Search, judge, and print a markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, required=True, help="JSON lines; where every repetition is kept")
    parser.add_argument("--repetitions", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=math.inf, help="begin no further search after so many")
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--trials-of-both", type=int, default=0, help="0: as many")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--top", type=int, default=5, help="finalists from the search")
    parser.add_argument("--seeds", type=int, default=0, help="fresh seeds for each; 0: as many as it takes")
    parser.add_argument("--judge-seeds", type=int, default=20)
    parser.add_argument("--table", action="store_true", help="only print the table")
    given = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    torch.set_num_threads(1)
    if not given.table:
        measure(given)
    print_table(given)


if __name__ == "__main__":
    main()
