"""The long searches of `pruned_products.py` on many sampler seeds, without training them twice.

    python tests/benchmarks/replayed_products.py --results FILE.jsonl --curves FOLDER [--cases "diabetes 480" ...]
        [--seeds 0 1 2 ...]

The 64 trials of such a search are one generation: all settings are asked for before anything is known of any of them.
So both ways train the same networks, and the pruner only decides which of them go on. They are trained to the end once,
those of all sampler seeds in one batch, each at the place that it has in its search; the metric on training rows, on
which no decision rests, is looked at once. Then lrsearch's own runner, sampler, pruner and audit search them, as they
are and without a pruner. What comes out is what the command comes to, and is appended to the same file; the seconds are
not.
"""

from __future__ import annotations

import argparse
import pickle
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import optuna
import torch
from curve_bank import Key, ReplayEngine
from pruned_products import CASES, LONG, WAYS, Results, found_by
from unseen_seeds import Curve, train

from lrsearch.sampling.space import settings_from
from lrsearch.search.runner import Runner
from lrsearch.signals import Interruption
from lrsearch.storage.rdb import open_storage
from lrsearch.study import open as opening
from lrsearch.study import stored as studies
from lrsearch.study_file.model import Definition
from lrsearch.tasks.task import Task


class UnknownError(BaseException):
    """A search asks for curves that are not there. No Exception: as one it would count as a trial that failed."""


class AskedFor:
    """The curves of what a search asks for; a bank for `ReplayEngine`."""

    def __init__(self) -> None:
        self.params: list[Mapping[str, Any]] = []
        self.curves: dict[int, Curve] = {}

    def nearest(self, params: Mapping[str, Any], unless: Collection[int] = ()) -> int:
        """The number of exactly these settings; they get one when they are first asked for."""
        if params not in self.params:
            self.params.append(params)
        return self.params.index(params)

    def need(self, keys: Iterable[Key]) -> None:
        """Refuse where a curve is not known."""
        if any(number not in self.curves for number, _ in keys):
            raise UnknownError

    def __getitem__(self, key: Key) -> Curve:
        return self.curves[key[0]]


def replay(definition: Definition, task: Task, bank: AskedFor) -> tuple[dict[str, Any], int]:
    """What a search comes to, and the epochs that it trained.

    Raises:
        UnknownError: It asks for what has not been trained yet; the bank knows what.
    """
    stored = studies.create(open_storage("sqlite://"), definition, task.metric_name)
    engine = ReplayEngine(bank)  # type: ignore[arg-type]
    list(Runner(stored, task, engine, Interruption()).events())
    return found_by(stored), engine.epochs


def asked(definition: Definition, task: Task) -> AskedFor:
    """What a search asks for first, which here is all that it asks for."""
    bank = AskedFor()
    try:
        replay(definition, task, bank)
    except UnknownError:
        return bank
    raise AssertionError("a bank without curves cannot serve a search")


def banks(name: str, seeds: list[int], task: Task, file: Path) -> dict[int, AskedFor]:
    """Sampler seed -> the curves of its search; trained together where they are not in the file.

    Args:
        name: A name of `LONG`.
        seeds: Of the sampler.
        task: Of the case.
        file: Where they are kept.
    """
    if file.exists():
        kept: dict[int, AskedFor] = pickle.loads(file.read_bytes())  # written by this program
        if set(seeds) <= set(kept):
            return kept
    case = CASES[name]
    found = {seed: asked(opening.define(case.of("none", seed), "benchmark"), task) for seed in seeds}
    document = {**case.document, "training": dict(case.document["training"])}
    document["training"]["train_metric_every"] = document["training"]["epochs"]
    definition = opening.define(document, "benchmark")
    own = definition.training.seeds[0]
    lanes = [(settings_from(params), own) for bank in found.values() for params in bank.params]
    curves = train(task, lanes, definition)
    for bank in found.values():
        bank.curves = {number: next(curves) for number in range(len(bank.params))}
    file.write_bytes(pickle.dumps(found))
    return found


def main() -> None:
    """Append what each search comes to."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--results", type=Path, required=True, help="JSON lines; where every search is kept")
    options.add_argument("--curves", type=Path, required=True, help="where the curves are kept")
    options.add_argument("--cases", nargs="+", choices=LONG, default=list(LONG), metavar="CASE")
    options.add_argument("--seeds", type=int, nargs="+", default=list(range(10)), help="of the sampler")
    given = options.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    torch.set_num_threads(1)
    given.curves.mkdir(parents=True, exist_ok=True)
    results = Results(given.results)
    for name in given.cases:
        task = opening.build_task(opening.define(CASES[name].document, "benchmark"))
        known = banks(name, given.seeds, task, given.curves / f"{name.replace(' ', '_')}.pickle")
        for seed in given.seeds:
            for way in WAYS:
                definition = opening.define(CASES[name].of(way, seed), "benchmark")
                found, epochs = replay(definition, task, known[seed])
                trained = epochs / (definition.trials * definition.training.epochs)
                results.append("search", name, {"way": way, "seed": seed, **found, "epochs": trained})


if __name__ == "__main__":
    main()
