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
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import optuna
import plain_script
import torch
from equal_time import run
from sklearn.datasets import load_digits
from torch import Tensor, nn
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


def digits() -> tuple[Tensor, Tensor]:
    """Images [rows, 1, 8, 8] and their classes, shuffled."""
    images, classes = load_digits(return_X_y=True)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    return torch.tensor(images, dtype=torch.float32).reshape(-1, 1, 8, 8)[order] / 16, torch.tensor(classes)[order]


def sequences() -> tuple[Tensor, Tensor]:
    """Tokens that follow from the one before, and the same a step later."""
    tokens = torch.randint(0, 32, (600, 17), generator=torch.Generator().manual_seed(1))
    tokens[:, 1:] = (tokens[:, :-1] * 3 + 1) % 32
    return tokens[:, :-1], tokens[:, 1:]


def make_cnn() -> nn.Module:
    """3,834 parameters."""
    return nn.Sequential(
        *(nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(256, 10)),
    )


class Gru(nn.Module):
    """Reads an image row by row."""

    def __init__(self) -> None:
        super().__init__()
        self.cells, self.last = nn.GRU(8, 16, batch_first=True), nn.Linear(16, 10)

    def forward(self, images: Tensor) -> Tensor:
        """Scores of the classes."""
        out: Tensor = self.last(self.cells(images.squeeze(1))[0][:, -1])
        return out


class Gpt(nn.Module):
    """One block, causal, tied weights, dropout 0.1."""

    def __init__(self, tokens: int = 32, width: int = 32, dropout: float = 0.1) -> None:
        super().__init__()
        self.embedding, self.places = nn.Embedding(tokens, width), nn.Parameter(torch.zeros(16, width))
        self.block = nn.TransformerEncoderLayer(width, 4, 64, dropout=dropout, batch_first=True, norm_first=True)
        self.head = nn.Linear(width, tokens, bias=False)
        self.head.weight = self.embedding.weight
        self.register_buffer("mask", torch.triu(torch.full((16, 16), float("-inf")), 1))

    def forward(self, tokens: Tensor) -> Tensor:
        """Scores of the next tokens, [rows, tokens, places]."""
        out: Tensor = self.head(self.block(self.embedding(tokens) + self.places, src_mask=self.mask)).transpose(1, 2)
        return out


def make_dropout() -> nn.Module:
    """The tutorial's network, with dropout 0.2 behind each activation."""
    return nn.Sequential(
        *(nn.Linear(5, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Dropout(0.2)),
        *(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Dropout(0.2)),
        nn.Linear(4, 1),
    )


@dataclass(frozen=True)
class Parts:
    """What a model is trained with.

    Attributes:
        make: Makes the model.
        train: Training rows.
        test: Test rows.
        loss: By its name here.
    """

    make: Callable[[], nn.Module]
    train: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]
    loss: str = "cross_entropy"

    @property
    def loss_function(self) -> plain_script.Loss:
        return nn.functional.mse_loss if self.loss == "mse" else nn.functional.cross_entropy


def parts(name: str) -> Parts:
    """Model and rows by name."""
    if name == "dropout":
        train, test = plain_script.make_data()
        return Parts(make_dropout, train[:], test[:], "mse")
    inputs, targets = sequences() if name == "gpt" else digits()
    rows = 500 if name == "gpt" else 1200
    make = {"cnn": make_cnn, "gru": Gru, "gpt": Gpt}[name]
    return Parts(make, (inputs[:rows], targets[:rows]), (inputs[rows:], targets[rows:]))


def _task(name: str) -> lrsearch.Task:
    own = parts(name)
    return lrsearch.Task(own.make, own.train, own.test, loss=own.loss, metric=own.loss)


@lrsearch.task
def cnn() -> lrsearch.Task:
    """Two convolutions on digits."""
    return _task("cnn")


@lrsearch.task
def gru() -> lrsearch.Task:
    """A recurrent network on digits."""
    return _task("gru")


@lrsearch.task
def gpt() -> lrsearch.Task:
    """A small transformer on sequences that can be predicted."""
    return _task("gpt")


@lrsearch.task
def dropout() -> lrsearch.Task:
    """The tutorial's network with dropout."""
    return _task("dropout")


def plain_seconds(name: str, folder: Path, trials: int) -> float:
    """CPU seconds of an epoch of the plain script, on one thread."""
    own = parts(name)
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
    file.write_text(STUDY.format(name=name, trials=trials, file=Path(__file__).resolve(), epochs=plain_script.EPOCHS))
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
