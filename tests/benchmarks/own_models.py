"""Models that people train, with every engine, beside a plain Optuna and DataLoader script of the same model.

    python tests/benchmarks/own_models.py --models cnn gpt --engines parallel:1 parallel:2

60 epochs a trial, classical families, nothing pruned on either side, the metrics of every epoch in SQLite. The script
is timed without its imports; lrsearch as a process from its start to its end, and from its first trial on.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import optuna
import plain_script
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.utils.data import TensorDataset

import lrsearch

MODELS = ("cnn", "gru", "gpt")
PLAIN_TRIALS = 2
EPOCHS = plain_script.EPOCHS
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


def parts(name: str) -> tuple[Callable[[], nn.Module], tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Model, training rows and test rows."""
    inputs, targets = sequences() if name == "gpt" else digits()
    rows = 500 if name == "gpt" else 1200
    make = {"cnn": make_cnn, "gru": Gru, "gpt": Gpt}[name]
    return make, (inputs[:rows], targets[:rows]), (inputs[rows:], targets[rows:])


def _task(name: str) -> lrsearch.Task:
    make, train, test = parts(name)
    return lrsearch.Task(make, train, test, loss="cross_entropy", metric="cross_entropy")


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


def plain_rate(name: str, folder: Path) -> float:
    """Epochs per second of the plain script, on one thread."""
    make, train, test = parts(name)
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(storage=f"sqlite:///{folder}/plain.db", pruner=optuna.pruners.NopPruner())

    def objective(trial: optuna.Trial) -> float:
        data = TensorDataset(*train), TensorDataset(*test)
        return plain_script.train(trial, *data, make=make, loss=nn.functional.cross_entropy)

    began = time.perf_counter()
    study.optimize(objective, n_trials=PLAIN_TRIALS)
    return PLAIN_TRIALS * EPOCHS / (time.perf_counter() - began)


def our_rates(name: str, engine: str, workers: str, trials: int, folder: Path) -> tuple[float, float]:
    """Epochs per second of a run: of all its time, and since its first trial began."""
    file = folder / f"{name}.toml"
    file.write_text(STUDY.format(name=name, trials=trials, file=Path(__file__).resolve(), epochs=EPOCHS))
    storage = f"sqlite:///{folder}/{name}-{engine}-{workers}.db"
    command = [sys.executable, "-m", "lrsearch", "study", "run", str(file), "--quiet", "--storage", storage]
    began = time.perf_counter()
    subprocess.run([*command, "--engine", engine, "--workers", workers], check=True, stdout=subprocess.DEVNULL)
    took = time.perf_counter() - began
    found = optuna.load_study(study_name=name, storage=storage).trials
    starts = [trial.datetime_start for trial in found if trial.datetime_start]
    ends = [trial.datetime_complete for trial in found if trial.datetime_complete]
    epochs = sum(len(trial.intermediate_values) for trial in found)
    return epochs / took, epochs / (max(ends) - min(starts)).total_seconds()


def main() -> None:
    """Print a table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    options.add_argument("--engines", nargs="+", default=["parallel:1", "parallel:2"], metavar="ENGINE:WORKERS")
    options.add_argument("--trials", type=int, default=16)
    given = options.parse_args()
    print("| model | engine | processes | epochs/s | plain script, epochs/s | ratio | ratio without the start |")
    print("|---|---|---:|---:|---:|---:|---:|")
    for name in given.models:
        for chosen in given.engines:
            engine, _, workers = chosen.partition(":")
            with tempfile.TemporaryDirectory() as folder:
                # In turn, so that a machine that changes its speed does so for both.
                before = plain_rate(name, Path(folder))
                whole, training = our_rates(name, engine, workers or "1", given.trials, Path(folder))
            ratios = f"{whole / before:.2f} | {training / before:.2f}"
            print(f"| {name} | {engine} | {workers or 1} | {whole:.1f} | {before:.1f} | {ratios} |", flush=True)


if __name__ == "__main__":
    main()
