"""Where does the time of a study go? Run it by hand.

    python tests/benchmarks/shares.py [--trials 5000] [--resumed 500] [--storage sqlite:///shares.db]

All classical families on the seed workload with halving, sampled by TPE, trained in batches; first a fresh study up to
the last trials, then these by a new process, which has to learn from the stored ones.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

STUDY = """[study]
name = "shares"
trials = {trials}
[task]
name = "polynomial"
[training]
seeds = [24]
[search]
schedulers = ["classical"]
[sampler]
name = "tpe"
"""
PARTS = {
    "asking": ("lrsearch.sampling.ask:Asker", ["ask"]),
    "writing": ("lrsearch.storage.sql_store:SqlStore", ["claim", "choose", "record", "finish", "reap"]),
    "training": ("lrsearch.training.batched:BatchedEngine", ["train"]),
}


def timed(spent: dict[str, float], part: str, method: Callable[..., Any]) -> Callable[..., Any]:
    """The method, its time added to a part's; of a generator, that of each step."""

    def whole(*arguments: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return method(*arguments, **named)
        finally:
            spent[part] += time.perf_counter() - began

    def stepwise(*arguments: Any, **named: Any) -> Any:
        stream, answer = method(*arguments, **named), None
        while True:
            began = time.perf_counter()
            try:
                value = stream.send(answer)
            except StopIteration:
                return
            finally:
                spent[part] += time.perf_counter() - began
            answer = yield value

    return stepwise if part == "training" else whole


def measure(file: str, storage: str, trials: int) -> None:
    """Run the study in this process up to so many trials, and print what took how long."""
    import importlib

    began = time.perf_counter()
    spent: dict[str, float] = defaultdict(float)
    for part, (place, methods) in PARTS.items():
        module, _, owner = place.partition(":")
        found = getattr(importlib.import_module(module), owner)
        for name in methods:
            setattr(found, name, timed(spent, part, getattr(found, name)))
    from lrsearch.cli.app import app

    arguments = ["study", "run", file, "--trials", str(trials), "--engine", "batched", "--quiet", "--storage", storage]
    app(arguments, standalone_mode=False)
    total = time.perf_counter() - began
    spent["the rest, imports included"] = total - sum(spent.values())
    cells = " | ".join(f"{seconds:.1f} s, {100 * seconds / total:.0f} %" for seconds in spent.values())
    print(f"{total:.1f} s | {cells}", file=sys.stderr)


def main() -> None:
    """Print a markdown table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    options.add_argument("--trials", type=int, default=5000)
    options.add_argument("--resumed", type=int, default=500)
    options.add_argument("--storage", help="by default a new SQLite file")
    options.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.measure:
        measure(given.measure[0], given.storage, int(given.measure[1]))
        return
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "shares.toml"
        file.write_text(STUDY.format(trials=given.trials - given.resumed))
        storage = given.storage or f"sqlite:///{name}/shares.db"
        print("| run | in all | asking | writing | training | the rest, imports included |")
        print("|---|---:|---:|---:|---:|---:|")
        for label, target in (("fresh", given.trials - given.resumed), ("resumed", given.trials)):
            command = [sys.executable, __file__, "--storage", storage, "--measure", str(file), str(target)]
            done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True)
            print(f"| {label}, to {target} trials | {done.stderr.strip().splitlines()[-1]} |", flush=True)


if __name__ == "__main__":
    main()
