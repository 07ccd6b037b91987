"""Models that people train, with every engine, beside a plain Optuna and DataLoader script of the same model.

    python tests/benchmarks/own_models.py [--models cnn gpt ...] [--engines loop parallel:2 ...] [--trials 16]

Classical families, nothing pruned on either side, the metrics of every epoch in SQLite. Times are CPU seconds of a
process and its children, because other work on the machine stretches wall clock. An engine runs a study of --trials
trials and one of a quarter of them, as whole processes: the difference is what trials cost, without what a process
needs to start. `batched:1:256` is an engine with its own number of trials. `loop` is the sequential loop alone, in this
process, without sampling and storage; it takes turns with the plain loop. So does `code:1:32`, the compiled engine
alone with so many lanes, whose compiling is not counted.

The ratio of epochs per second is what CPU seconds say: `processes * plain / ours`, as it would be where every process
has a core of its own.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import optuna
import own_networks
import plain_script
import torch
from equal_time import run
from torch.utils.data import TensorDataset

import lrsearch
from lrsearch import registry
from lrsearch.schedules.classical import Constant
from lrsearch.study_file import load
from lrsearch.training import loop
from lrsearch.training.compiled.engine import CompiledEngine
from lrsearch.training.lane import Lane

MODELS = ("cnn", "gru", "gpt", "dropout")
PLAIN_TRIALS, TURNS = 2, 3
TASKS: dict[str, lrsearch.Task] = {}
"""The compiled engine keeps code with its task."""
STUDY = """
[study]
name = "{name}"
trials = {trials}
load = ["{file}"]
[task]
name = "{name}"
[training]
epochs = {epochs}
[search]
schedulers = ["classical"]
[pruner]
name = "none"
[confirm]
top = 0
"""


def plain_seconds(name: str, folder: Path, trials: int) -> float:
    """CPU seconds of an epoch of the plain script, on one thread."""
    own = own_networks.parts(name)
    storage = f"sqlite:///{folder}/plain-{time.monotonic_ns()}.db"
    study = optuna.create_study(storage=storage, pruner=optuna.pruners.NopPruner())

    def objective(trial: optuna.Trial) -> float:
        rows = TensorDataset(*own.train), TensorDataset(*own.test)
        return plain_script.train(trial, *rows, make=own.make, loss=own.loss_function)

    began = time.process_time()
    study.optimize(objective, n_trials=trials)
    return (time.process_time() - began) / (trials * plain_script.EPOCHS)


def loop_seconds(name: str) -> float:
    """CPU seconds of an epoch of the sequential loop alone."""
    section = {"study": {"name": "loop"}, "task": {"name": name}, "training": {"epochs": plain_script.EPOCHS}}
    training = load.parse(section, "benchmark").training
    task = registry.tasks.get(name).build({})
    began = time.process_time()
    list(loop.train(loop.start(task, Constant(), 0.03, training, plain_script.SEED)))
    return (time.process_time() - began) / plain_script.EPOCHS


def code_seconds(name: str, lanes: int) -> float:
    """CPU seconds of an epoch of a lane of the compiled engine alone, once its code is compiled."""
    section = {"study": {"name": "code"}, "task": {"name": name}, "training": {"epochs": plain_script.EPOCHS}}
    training = load.parse(section, "benchmark").training
    task = TASKS.setdefault(name, registry.tasks.get(name).build({}))
    own = [Lane(0.03, Constant(), plain_script.SEED + lane) for lane in range(lanes)]
    stream = CompiledEngine().train(task, own, training)
    next(stream), next(stream)
    began = time.process_time()
    for _ in stream:
        pass
    return (time.process_time() - began) / ((plain_script.EPOCHS - 1) * lanes)


def run_seconds(name: str, engine: str, workers: str, trials: int, folder: Path) -> float:
    """CPU seconds of a run, its processes included."""
    file = folder / f"{trials}.toml"
    file.write_text(
        STUDY.format(name=name, trials=trials, file=Path(own_networks.__file__).resolve(), epochs=plain_script.EPOCHS)
    )
    storage = f"sqlite:///{folder}/{engine}-{workers}-{trials}.db"
    command = ["-m", "lrsearch", "study", "run", str(file), "--quiet", "--storage", storage]
    return run([*command, "--engine", engine, "--workers", workers])[1]["cpu"]


def our_seconds(name: str, engine: str, workers: str, trials: int) -> tuple[float, float]:
    """CPU seconds of an epoch: of the plain script and of an engine, whose starts are taken off.

    Args:
        name: The model.
        engine: Of lrsearch; ``loop`` for the loop alone, ``code`` for the compiled engine alone.
        workers: Processes.
        trials: Of the longer of two runs.
    """
    with tempfile.TemporaryDirectory() as folder:
        if engine == "loop":
            turns = [(plain_seconds(name, Path(folder), 1), loop_seconds(name)) for _ in range(TURNS)]
            plain, ours = (sum(own) / TURNS for own in zip(*turns, strict=True))
            return plain, ours
        if engine == "code":
            turns = [(plain_seconds(name, Path(folder), 1), code_seconds(name, trials)) for _ in range(TURNS)]
            plain, ours = (sum(own) / TURNS for own in zip(*turns, strict=True))
            return plain, ours
        few = trials // 4
        before = plain_seconds(name, Path(folder), PLAIN_TRIALS)
        short, long = (run_seconds(name, engine, workers, own, Path(folder)) for own in (few, trials))
        after = plain_seconds(name, Path(folder), PLAIN_TRIALS)
        return (before + after) / 2, (long - short) / ((trials - few) * plain_script.EPOCHS)


def _engine(chosen: str, trials: int) -> tuple[str, str, int]:
    """Engine, processes and trials of such as ``parallel:2:16``."""
    engine, workers, own = (*chosen.split(":"), "", "")[:3]
    return engine, workers or "1", int(own or trials)


def main() -> None:
    """Print a table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    options.add_argument("--engines", nargs="+", default=["loop", "parallel:1", "parallel:2"],
                         metavar="ENGINE[:WORKERS[:TRIALS]]")  # fmt: skip
    options.add_argument("--trials", type=int, default=16)
    options.add_argument("--epochs", type=int, default=plain_script.EPOCHS)
    given = options.parse_args()
    plain_script.EPOCHS = given.epochs
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    print("| model | engine | processes | plain script, CPU ms an epoch | lrsearch, CPU ms an epoch | ratio |")
    print("|---|---|---:|---:|---:|---:|")
    for name in given.models:
        with tempfile.TemporaryDirectory() as folder:
            plain_seconds(name, Path(folder), 1)  # the first training of a process takes longer
        for chosen in given.engines:
            engine, workers, trials = _engine(chosen, given.trials)
            plain, ours = our_seconds(name, engine, workers, trials)
            ratio = int(workers) * plain / ours
            print(
                f"| {name} | {engine} | {workers} | {1000 * plain:.1f} | {1000 * ours:.2f} | {ratio:.2f} |", flush=True
            )


if __name__ == "__main__":
    main()
