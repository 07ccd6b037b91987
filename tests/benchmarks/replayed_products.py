"""The searches of `pruned_products.py` on many sampler seeds, without training anything twice.

    python tests/benchmarks/replayed_products.py --results FILE.jsonl --curves FOLDER [--cases "diabetes 480" ...]
        [--seeds 0 1 2 ...]

The trials of a generation are asked for before anything is known of any of them, and the pruner only decides which of
them go on. So a generation can be trained to its end beforehand: that of all sampler seeds and of both ways in one
batch, each lane at the place that it has in its search. The metric on training rows, on which no decision rests, is
looked at once. Then lrsearch's own runner, sampler, pruner and audit search what was trained, with a pruner and
without, until they ask for the next generation. What comes out is what the command comes to, and is appended to the
same file; the seconds are not.
"""

from __future__ import annotations

import argparse
import pickle
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna
import torch
from curve_bank import Key, ReplayEngine
from pruned_products import CASES, LONG, SHIPPED, WAYS, Record, Results, found_by
from unseen_seeds import LANES, Curve, trained

from lrsearch.search.runner import Runner
from lrsearch.signals import Interruption
from lrsearch.storage.rdb import open_storage
from lrsearch.study import open as opening
from lrsearch.study import stored as studies
from lrsearch.study.holdout import scored_on_holdout
from lrsearch.study_file.model import Definition, TrainingSection
from lrsearch.tasks.task import Task
from lrsearch.training.engine import Lane, LaneStream

NAMES = (*LONG, *(f"{name}.toml" for name in SHIPPED))


class UnknownError(BaseException):
    """A search asks for curves that are not there. No Exception: as one it would count as a trial that failed."""


class AskedFor:
    """The curves of what the searches of one sampler seed ask for; a bank for `ReplayEngine`."""

    def __init__(self) -> None:
        self.params: list[Mapping[str, Any]] = []
        self.curves: dict[Key, Curve] = {}
        self.missing: dict[Key, Lane] = {}

    def nearest(self, params: Mapping[str, Any], unless: Collection[int] = ()) -> int:
        """The number of exactly these settings; they get one when they are first asked for."""
        if params not in self.params:
            self.params.append(params)
        return self.params.index(params)

    def need(self, keys: Iterable[Key]) -> None:
        """Refuse where a curve is not known."""
        if any(key not in self.curves for key in keys):
            raise UnknownError

    def __getitem__(self, key: Key) -> Curve:
        return self.curves[key]


class AskingEngine(ReplayEngine):
    """Notes the lanes that are not there.

    Args:
        asked: Its bank.
    """

    def __init__(self, asked: AskedFor) -> None:
        super().__init__(asked)  # type: ignore[arg-type]
        self.asked = asked

    def train(
        self, task: Task, lanes: Sequence[Lane], training: TrainingSection, pauses: Collection[int] = ()
    ) -> LaneStream:
        """See `Engine.train`."""
        self.asked.missing |= {key: lane for key, lane in zip(self.keys(lanes), lanes, strict=True)
                               if key not in self.asked.curves}  # fmt: skip
        return super().train(task, lanes, training, pauses)


def replay(definition: Definition, task: Task, bank: AskedFor) -> Record:
    """What a search comes to.

    Raises:
        UnknownError: It asks for what has not been trained yet; the bank knows what.
    """
    stored = studies.create(open_storage("sqlite://"), definition, task.metric_name)
    engine = AskingEngine(bank)
    list(Runner(stored, task, engine, Interruption()).events())
    whole = definition.trials * definition.training.epochs * len(definition.training.seeds)
    return {**found_by(stored), "epochs": engine.epochs / whole}


def searches(name: str, seeds: Sequence[int], task: Task, banks: dict[int, AskedFor]) -> list[Record] | None:
    """All searches of a case; None if there are any that ask for more.

    Args:
        name: Of the case.
        seeds: Of the sampler.
        task: Of the case.
        banks: Sampler seed -> its curves.
    """
    found: list[Record] = []
    complete = True
    for seed in seeds:
        for way in WAYS:
            definition = opening.define(CASES[name].of(way, seed), "benchmark")
            try:
                found.append({"way": way, "seed": seed, **replay(definition, task, banks.setdefault(seed, AskedFor()))})
            except UnknownError:
                complete = False
    return found if complete else None


def train_missing(name: str, task: Task, banks: Mapping[int, AskedFor]) -> None:
    """Train what the searches have asked for.

    Args:
        name: Of the case.
        task: Of the case.
        banks: Sampler seed -> its curves.
    """
    document = {**CASES[name].document, "training": dict(CASES[name].document["training"])}
    document["training"]["train_metric_every"] = document["training"]["epochs"]
    definition, scored = opening.define(document, "benchmark"), scored_on_holdout(task)
    wanted = [(bank, key, lane) for bank in banks.values() for key, lane in bank.missing.items()]
    for first in range(0, len(wanted), LANES):
        part = wanted[first : first + LANES]
        for (bank, key, _), curve in zip(part, trained(scored, [own for _, _, own in part], definition), strict=True):
            bank.curves[key] = curve
            del bank.missing[key]


def main() -> None:
    """Append what each search comes to."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--results", type=Path, required=True, help="JSON lines; where every search is kept")
    options.add_argument("--curves", type=Path, required=True, help="where the curves are kept")
    options.add_argument("--cases", nargs="+", choices=NAMES, default=list(NAMES), metavar="CASE")
    options.add_argument("--seeds", type=int, nargs="+", default=list(range(10)), help="of the sampler")
    given = options.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    torch.set_num_threads(1)
    given.curves.mkdir(parents=True, exist_ok=True)
    results = Results(given.results)
    for name in given.cases:
        task = opening.build_task(opening.define(CASES[name].document, "benchmark"))
        file = given.curves / f"{name.replace(' ', '_')}.pickle"
        banks: dict[int, AskedFor] = pickle.loads(file.read_bytes()) if file.exists() else {}  # written below
        while (found := searches(name, given.seeds, task, banks)) is None:
            train_missing(name, task, banks)
            file.write_bytes(pickle.dumps(banks))
        for own in found:
            results.append("search", name, own)


if __name__ == "__main__":
    main()
