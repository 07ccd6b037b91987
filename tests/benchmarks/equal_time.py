"""Does lrsearch find better settings in the time that a plain Optuna script takes for 6,000 epochs? Run it by hand.

    python tests/benchmarks/equal_time.py --results FILE.jsonl [--task polynomial] [--epochs 6000] [--repetitions 20]
        [--trials 1800] [--training-seeds 6] [--keep 0.5] [--top 12] [--seeds 30] [--judge-seeds 20] [--table]

The peer is `plain_search.py` beside this file: TPE, MedianPruner, one seed; it takes `study.best_params`. lrsearch runs
`study run` and then `study confirm --format json`, two whole processes with an SQLite file, and takes `recommended`.
Start and imports of both processes count; of the peer, only the search does. The options of lrsearch are to be chosen
so that it needs no more time than the peer on average: the last line says what it needed. `README.md` has one rule
for all tasks. So many trainings as fit are shared out to trials with S seeds each, S being the root of a 300th of them,
rounded down; half of each scheduler type goes on at a rung; 12 finalists are confirmed on 5 S fresh seeds. In the time
in which the peer trains a hundred networks, lrsearch trains thousands, and what one seed says is mostly luck.

Both use one thread. What they use is CPU seconds of the process and its children, because other work on the machine
stretches wall clock; wall clock is shown beside it.

Repetition r has sampler seed r, for both. The peer's training seed is 24 + r, those of lrsearch begin at 24 + 20 r.
Judged by the mean test metric over seeds that neither has used; a network that diverged counts as an untrained one. The
interval is a bootstrap (BCa) of the ratio of means over paired repetitions. Every search is appended to FILE, so that a
run that was broken off goes on, and other options of lrsearch can be compared with the same searches of the peer;
--table prints what is there, nothing more.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from unseen_seeds import FIRST_JUDGE_SEED, definition_of, print_ways, study_document, train

from lrsearch.sampling.space import settings_from
from lrsearch.study import open as opening
from lrsearch.study_file import load
from lrsearch.study_file.write import to_toml

HERE = Path(__file__).parent
FIRST_TRAINING_SEED, SEEDS_APART = 24, 20
WAYS = ("plain", "lrsearch")

Record = dict[str, Any]


def run(command: Sequence[str]) -> tuple[str, dict[str, float]]:
    """What a process printed, and what it and its children used."""
    began = time.perf_counter()
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        printed, said = process.stdout.read(), process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{said}")
    return printed, {"cpu": usage.ru_utime + usage.ru_stime, "wall": time.perf_counter() - began}


def plain(task: str, epochs: int, seed: int) -> Record:
    """The peer's search."""
    own = ["--task", task, "--epochs", str(epochs), "--seed", str(seed)]
    printed, _ = run([str(HERE / "plain_search.py"), *own, "--training-seed", str(FIRST_TRAINING_SEED + seed)])
    return dict(json.loads(printed))


def lrsearch(given: argparse.Namespace, seed: int) -> Record:
    """Search and confirmation, as two commands."""
    first = FIRST_TRAINING_SEED + SEEDS_APART * seed
    document = study_document(given.task, given.trials, sampler_seed=seed)
    document["training"]["seeds"] = list(range(first, first + given.training_seeds))
    document["pruner"] = {"name": "halving", "keep": given.keep}
    document["confirm"] = {**document.get("confirm", {}), "contestants": []}
    with tempfile.TemporaryDirectory() as name:
        file, storage = Path(name) / "study.toml", ["--storage", f"sqlite:///{name}/study.db"]
        file.write_text(to_toml(load.parse(document, "benchmark")))
        _, search = run(["-m", "lrsearch", "study", "run", str(file), *storage, "--quiet"])
        own = ["--top", str(given.top), "--seeds", str(given.seeds), "--format", "json", "--quiet"]
        printed, confirmation = run(["-m", "lrsearch", "study", "confirm", "search", *storage, *own])
    told = json.loads(printed)
    used = {key: search[key] + confirmation[key] for key in search}
    finalists = {"finalists": len(told["finalists"]), "confirmation_cpu": confirmation["cpu"]}
    return {"params": told["recommended"], **finalists, **used}


def judge(task: str, chosen: Sequence[Mapping[str, Any]], seeds: int) -> list[list[float]]:
    """Test metric of each settings on each unseen seed, after the last epoch."""
    definition = definition_of(task)
    fresh = range(FIRST_JUDGE_SEED, FIRST_JUDGE_SEED + seeds)
    lanes = [(settings_from(params), seed) for params in chosen for seed in fresh]
    curves = list(train(opening.build_task(definition), lanes, definition))
    gone = sum(curve.diverged for curve in curves)
    if gone:
        print(f"{gone} of {len(curves)} networks of the judge diverged", file=sys.stderr)
    return np.array([curve.final for curve in curves]).reshape(len(chosen), seeds).tolist()


class Results:
    """Records in a file, a line each; those made under other options are left alone."""

    OPTIONS: ClassVar = {
        "plain": ("task", "epochs"),
        "lrsearch": ("task", "trials", "training_seeds", "keep", "top", "seeds"),
        "judged": ("task", "judge_seeds"),
    }
    """Kind of record -> the options that it depends on."""

    def __init__(self, file: Path, given: argparse.Namespace) -> None:
        self.file = file
        self._options = {kind: {key: getattr(given, key) for key in keys} for kind, keys in self.OPTIONS.items()}

    def of_kind(self, kind: str) -> list[Record]:
        lines = self.file.read_text().splitlines() if self.file.exists() else []
        records = [json.loads(line) for line in lines]
        return [own for own in records if own["kind"] == kind and own["options"] == self._options[kind]]

    def append(self, kind: str, record: Record) -> None:
        with self.file.open("a") as file:
            file.write(json.dumps({"kind": kind, "options": self._options[kind], **record}) + "\n")

    def repetitions(self) -> dict[str, list[Record]]:
        """Way of searching -> its repetitions, as far as all ways have had them."""
        by_number = {way: {own["number"]: own for own in self.of_kind(way)} for way in WAYS}
        common = sorted(set.intersection(*(set(own) for own in by_number.values())))
        return {way: [own[number] for number in common] for way, own in by_number.items()}


def compare(given: argparse.Namespace, results: Results) -> None:
    """Run what is missing: both searches in turn, so that what else the machine does hits both."""
    searches: dict[str, Callable[[int], Record]] = {
        "plain": lambda number: plain(given.task, given.epochs, number),
        "lrsearch": lambda number: lrsearch(given, number),
    }
    done = {way: {own["number"] for own in results.of_kind(way)} for way in WAYS}
    for number in range(given.repetitions):
        for way in WAYS:
            if number not in done[way]:
                results.append(way, {"number": number, **searches[way](number)})


def judge_all(given: argparse.Namespace, results: Results) -> dict[str, list[float]]:
    """Way of searching -> mean test metric on unseen seeds of what it took, for each repetition.

    All that was not judged yet is trained together: a few lanes take as long as hundreds.
    """
    known = {json.dumps(own["params"]): own["values"] for own in results.of_kind("judged")}
    taken = {way: [own["params"] for own in records] for way, records in results.repetitions().items()}
    missing = [params for own in taken.values() for params in own if json.dumps(params) not in known]
    judged = judge(given.task, missing, given.judge_seeds) if missing else []
    for params, values in zip(missing, judged, strict=True):
        results.append("judged", {"params": params, "values": values})
        known[json.dumps(params)] = values
    return {way: [float(np.mean(known[json.dumps(params)])) for params in own] for way, own in taken.items()}


def print_results(given: argparse.Namespace, results: Results) -> None:
    """Print the table, and how equal the times were."""
    values, records = judge_all(given, results), results.repetitions()
    used = {
        way: ", ".join(f"{np.mean([record[key] for record in own]):.1f} s {name}"
                       for key, name in (("cpu", "CPU"), ("wall", "wall clock")))
        for way, own in records.items()
    }  # fmt: skip
    pairs = list(zip(records["plain"], records["lrsearch"], strict=True))
    shares = [ours["cpu"] / theirs["cpu"] for theirs, ours in pairs]
    trials, epochs = (np.mean([theirs[key] for theirs, _ in pairs]) for key in ("trials", "epochs"))
    total = sum(ours["cpu"] for _, ours in pairs) / sum(theirs["cpu"] for theirs, _ in pairs)
    single = f"{min(shares):.2f} to {max(shares):.2f} in single repetitions"
    took = f"{total:.2f} of that one's CPU seconds in all, {single}"
    print(f"\n### {given.task}, {len(pairs)} repetitions\n")
    print_ways(values, "plain", used)
    print(f"\nPlain script: {epochs:.0f} epochs in {trials:.0f} trials on average.")
    searched = f"{given.trials} trials on {given.training_seeds} seeds, keep = {given.keep:g}"
    print(f"lrsearch: {searched}, then the best {given.top} on {given.seeds} seeds, with {took}.")


def main() -> None:
    """Print a markdown table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--results", type=Path, required=True, help="JSON lines; where every repetition is kept")
    options.add_argument("--task", default="polynomial")
    options.add_argument("--epochs", type=int, default=6000, help="of the plain script")
    options.add_argument("--repetitions", type=int, default=20)
    options.add_argument("--trials", type=int, default=1800, help="of lrsearch")
    options.add_argument("--training-seeds", type=int, default=6, help="on which each of them is trained")
    options.add_argument("--keep", type=float, default=0.5, help="share of each scheduler type that goes on at a rung")
    options.add_argument("--top", type=int, default=12, help="finalists of lrsearch's confirmation")
    options.add_argument("--seeds", type=int, default=30, help="fresh seeds of lrsearch's confirmation")
    options.add_argument("--judge-seeds", type=int, default=20)
    options.add_argument("--table", action="store_true", help="only print the table")
    given = options.parse_args()
    torch.set_num_threads(1)
    results = Results(given.results, given)
    if not given.table:
        compare(given, results)
    print_results(given, results)


if __name__ == "__main__":
    main()
