"""What does the default pruner cost and save in whole studies? Each search is run with it and without it.

    python tests/benchmarks/pruned_products.py --results FILE.jsonl [--cases "diabetes 480" ...] [--seeds 0 1 2 ...]
    python tests/benchmarks/pruned_products.py --results FILE.jsonl --judge
    python tests/benchmarks/pruned_products.py --results FILE.jsonl --table

Both ways have the same trials, sampler seed and training seeds, and take turns: `lrsearch study run --no-confirm`, a
whole process with an SQLite file. The confirmation is the same for both: the best three of each search are trained on
four fresh seeds, of which the one with the lowest mean is recommended, and that one is scored on six further seeds;
all on holdout rows, those of both ways and all sampler seeds of a case in one batch. So the confirmation costs neither
way anything. Seconds are CPU seconds of the process and its children, because other work on the machine stretches wall
clock. Every search is appended to FILE, so that a run that was broken off goes on.

`replayed_products.py` adds the same searches on further sampler seeds, without their seconds.
The convolutional network of `own_networks.py` is trained one by one, and has no holdout rows: its test rows score it,
on seeds that are as fresh.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import torch
from equal_time import run
from pruning_banks import STUDIES
from scipy import stats
from unseen_seeds import Numbers, train

from lrsearch.sampling.space import Settings, settings_from
from lrsearch.storage.rdb import open_storage
from lrsearch.study import open as opening
from lrsearch.study import ranking
from lrsearch.study import stored as studies
from lrsearch.study.savings import savings
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file import load
from lrsearch.study_file.model import Definition
from lrsearch.study_file.write import to_toml
from lrsearch.training.compiled.engine import CompiledEngine
from lrsearch.training.engine import Lane

HERE = Path(__file__).resolve().parent
FILES = HERE.parents[1] / "studies"
WAYS: Mapping[str, Mapping[str, Any]] = {"none": {"pruner": {"name": "none"}}, "default": {}}
BEST, PICKING, SCORING = 3, 4, 6
"""Settings of a search that are trained again; seeds that choose one of them; seeds that score that one."""
FIRST_SEED = 600_000
"""Far from the seeds of searches and of confirmations."""

Record = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """Searches of one kind.

    Attributes:
        document: The content of their study file.
        engine: What trains them.
        has_holdout: Whether the task keeps rows aside.
    """

    document: Mapping[str, Any]
    engine: str = "batched"
    has_holdout: bool = True

    def of(self, way: str, seed: int) -> dict[str, Any]:
        """The content of the file of one search.

        Args:
            way: A name of `WAYS`.
            seed: Of the sampler.
        """
        document = {**self.document, "confirm": {"top": 0}, **WAYS[way]}
        return {**document, "sampler": {**document.get("sampler", {}), "seed": seed}}


def long_study(name: str) -> Case:
    """64 trials of a study of `pruning_banks.py`."""
    own = STUDIES[name]
    document = {"task": {"name": own["task"]}, "training": own["training"], "search": {"schedulers": own["schedulers"]}}
    return Case({"study": {"name": "search", "trials": 64}, **document})


def shipped(name: str) -> Case:
    """A file of `studies`, as it is."""
    return Case(load.read(FILES / f"{name}.toml"))


def network(types: Sequence[str], trials: int, engine: str) -> Case:
    """The convolutional network, 30 epochs a trial."""
    study = {"name": "search", "trials": trials, "load": [str(HERE / "own_networks.py")]}
    document = {"study": study, "task": {"name": "cnn"}, "training": {"epochs": 30}, "search": {"schedulers": types}}
    return Case(document, engine, has_holdout=False)


LONG = ("diabetes 480", "polynomial 480", "digits Adam 160")
SHIPPED = ("quickstart", "schedulers", "modern", "diabetes", "digits")
CASES: Mapping[str, Case] = {
    **{name: long_study(name) for name in LONG},
    **{f"{name}.toml": shipped(name) for name in SHIPPED},
    "cnn, one by one, 60 trials of 2 types": network(["constant", "lambda"], 60, "sequential"),
    "cnn, one by one, 60 trials of 7 types": network(["classical"], 60, "sequential"),
    "cnn, parallel, 60 trials of 7 types": network(["classical"], 60, "parallel"),
}


class Results:
    """Records in a file, a line each."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def of_kind(self, kind: str, case: str) -> list[Record]:
        lines = self.file.read_text().splitlines() if self.file.exists() else []
        return [own for own in map(json.loads, lines) if own["kind"] == kind and own["case"] == case]

    def append(self, kind: str, case: str, record: Mapping[str, Any]) -> None:
        with self.file.open("a") as file:
            file.write(json.dumps({"kind": kind, "case": case, **record}) + "\n")

    def searches(self, case: str) -> dict[str, dict[int, Record]]:
        """Way -> sampler seed -> search."""
        found: dict[str, dict[int, Record]] = {way: {} for way in WAYS}
        for own in self.of_kind("search", case):
            # A search that was both run and replayed has come to the same, and has seconds.
            found[own["way"]][own["seed"]] = own | found[own["way"]].get(own["seed"], {})
        return found

    def judged(self, case: str) -> dict[str, list[float]]:
        """Settings, as JSON -> their values on the fresh seeds."""
        return {_key(own["params"]): own["values"] for own in self.of_kind("judged", case)}


def search(case: Case, way: str, seed: int) -> Record:
    """One search, by the command that a person would use."""
    definition = opening.define(case.of(way, seed), "benchmark")
    with tempfile.TemporaryDirectory() as name:
        file, url = Path(name) / "study.toml", f"sqlite:///{name}/study.db"
        file.write_text(to_toml(definition))
        options = ["--storage", url, "--engine", case.engine, "--workers", "1", "--no-confirm", "--quiet"]
        _, used = run(["-m", "lrsearch", "study", "run", str(file), *options])
        found = found_by(studies.load(open_storage(url), definition.study.name))
    return {"way": way, "seed": seed, **found, **used}


def found_by(stored: StoredStudy) -> Record:
    """What a search came to: its best value and settings, and its epochs as a share of those without a pruner.

    Args:
        stored: The search; all its trials have ended.
    """
    trials = stored.trials()
    best = ranking.ranked(trials, {}, maximise=stored.maximises)
    saved = savings(stored, trials)
    epochs = 1.0 if saved is None else 1 - saved.epochs_saved / saved.epochs_unpruned
    return {"value": best[0].value, "best": [trial.params for trial in best[:BEST]], "epochs": epochs}


def judge(name: str, results: Results) -> None:
    """Train what the searches of a case found on fresh seeds, together."""
    case, known = CASES[name], results.judged(name)
    found = (own["best"] for searches in results.searches(name).values() for own in searches.values())
    missing = {_key(params): params for best in found for params in best if _key(params) not in known}
    if not missing:
        return
    definition = opening.define(case.document, "benchmark")
    seeds = range(FIRST_SEED, FIRST_SEED + PICKING + SCORING)
    lanes = [(settings_from(params), seed) for params in missing.values() for seed in seeds]
    scores = scored_on_holdout_rows if case.has_holdout else scored_on_test_rows
    values = scores(lanes, definition).reshape(-1, len(seeds))
    for params, own in zip(missing.values(), values, strict=True):
        results.append("judged", name, {"params": params, "values": own.tolist()})


def scored_on_holdout_rows(lanes: Sequence[tuple[Settings, int]], definition: Definition) -> Numbers:
    """The error of settings on seeds; infinite where one diverged; [lanes]."""
    curves = train(opening.build_task(definition), lanes, definition)
    return np.array([math.inf if curve.diverged else curve.holdout for curve in curves])


def scored_on_test_rows(lanes: Sequence[tuple[Settings, int]], definition: Definition) -> Numbers:
    """The same where no rows are kept aside; of a network that a batch trains slowly."""
    values = np.full(len(lanes), math.inf)
    own = [Lane(settings.lr, settings.schedule, seed) for settings, seed in lanes]
    for records in CompiledEngine().train(opening.build_task(definition), own, definition.training):
        if records.epoch == definition.training.epochs:
            values[list(records.lanes)] = np.where(records.diverged, math.inf, records.test_metric)
    return values


def errors(name: str, searches: Sequence[Record], results: Results) -> Numbers:
    """The error of what each search recommends, on seeds (and rows, where any are kept aside) that it has not seen.

    Args:
        name: Of the case.
        searches: Of one way.
        results: What was judged.

    Returns:
        The errors, [searches].
    """
    judged, found = results.judged(name), []
    for own in searches:
        values = np.array([judged[_key(params)] for params in own["best"]])
        found.append(values[values[:, :PICKING].mean(axis=1).argmin(), PICKING:].mean())
    return np.array(found)


def row(name: str, results: Results) -> str:
    """A row of the table: both ways, on the sampler seeds that both have had."""
    searches = results.searches(name)
    seeds = sorted(set.intersection(*(set(own) for own in searches.values())))
    pairs = [[searches[way][seed] for way in WAYS] for seed in seeds]
    epochs = f"{np.mean([ours['epochs'] for _, ours in pairs]):.2f}" if pairs else "–"
    timed = [(whole["cpu"], ours["cpu"]) for whole, ours in pairs if "cpu" in whole and "cpu" in ours]
    used = "– | – | –"
    if timed:
        before, after = np.mean(timed, axis=0)
        used = f"{before:.1f} | {after:.1f} | {after / before:.2f}"
    return f"| {name} | {len(seeds)} | {_compared(name, pairs, results)} | {epochs} | {used} | {len(timed)} |"


def _compared(name: str, pairs: Sequence[Sequence[Record]], results: Results) -> str:
    """The cells of the errors: dashes where there are too few searches, or they were not judged."""
    known = results.judged(name)
    judged = all(_key(params) in known for pair in pairs for own in pair for params in own["best"])
    if len(pairs) < 2 or not judged:
        return "– | – | –"
    whole, ours = (errors(name, own, results) for own in zip(*pairs, strict=True))
    error = stats.sem(ours - whole) / whole.mean()
    difference = f"{100 * (ours.mean() / whole.mean() - 1):+.2f} ± {100 * error:.2f} %"
    return f"{whole.mean():.4g} | {ours.mean():.4g} | {difference}"


def _key(params: Mapping[str, Any]) -> str:
    return json.dumps(params, sort_keys=True)


def main() -> None:
    """Run what is missing, judge it, or print a markdown table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--results", type=Path, required=True, help="JSON lines; where every search is kept")
    options.add_argument("--cases", nargs="+", choices=tuple(CASES), default=list(CASES), metavar="CASE")
    options.add_argument("--seeds", type=int, nargs="*", default=list(range(10)), help="of the sampler")
    options.add_argument("--judge", action="store_true", help="train what was found on fresh seeds, nothing more")
    options.add_argument("--table", action="store_true", help="only print the table")
    given = options.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    torch.set_num_threads(1)
    results = Results(given.results)
    for name in given.cases:
        if given.judge:
            judge(name, results)
        elif not given.table:
            done = results.searches(name)
            for way, seed in ((way, seed) for seed in given.seeds for way in WAYS if seed not in done[way]):
                results.append("search", name, search(CASES[name], way, seed))
    if given.table:
        columns = ["study", "searches", "error without", "with", "difference", "epochs"]
        print(f"| {' | '.join([*columns, 'CPU seconds without', 'with', 'ratio', 'searches timed'])} |")
        print(f"|---|{'---:|' * 9}")
        for name in given.cases:
            print(row(name, results), flush=True)


if __name__ == "__main__":
    main()
