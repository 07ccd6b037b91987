"""`lrsearch train`: one run with explicit settings."""

from __future__ import annotations

import csv
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest
import torch
from compiler import needs_compiler

Command = Callable[..., "subprocess.CompletedProcess[str]"]
SMALL = ("train", "--task", "polynomial", "--set", "task.rows=60", "--epochs", "6")


def read(finished: subprocess.CompletedProcess[str]) -> Any:
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


def rows(file: Path) -> list[dict[str, str]]:
    with file.open() as opened:
        return [{**row, "seconds": ""} for row in csv.DictReader(opened)]


def refused(finished: subprocess.CompletedProcess[str]) -> str:
    """The message, on one line."""
    assert finished.returncode == 2, finished.stderr
    assert finished.stdout == ""
    assert "Traceback" not in finished.stderr
    return " ".join(finished.stderr.split())


def test_the_tutorials_experiment(here: Command, tmp_path: Path) -> None:
    """S10: learning rate 0.05, multiplied by 0.95 after every epoch."""
    done = here(
        "train", "--task", "polynomial", "--lr", ".05", "--scheduler", "lambda", "--decay", ".95", "--epochs", "60",
        "--plot", "curves.png", "--output", "epochs.json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "lambda (decay 0.95)" in done.stdout
    assert "lambda epoch: 0.95 ** epoch" in done.stdout
    assert "60 of 60" in done.stdout
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    epochs = json.loads((tmp_path / "epochs.json").read_text())
    assert list(epochs[0]) == ["epoch", "lr", "train_mse", "test_mse", "seconds"]
    assert [row["lr"] for row in epochs] == pytest.approx([0.05 * 0.95**epoch for epoch in range(60)], rel=1e-12)
    reference = Path(__file__).parent.parent / "training" / "seed_curves.json"
    curves = json.loads(reference.read_text())["curves"]
    expected = next(curve for key, curve in curves.items() if key.startswith("lambda") and "0.95" in key)
    assert [row["test_mse"] for row in epochs[:10]] == pytest.approx(expected["test_mse"][:10], rel=1e-5)


def test_progress_is_a_few_lines_where_there_is_no_terminal_and_none_when_quiet(here: Command) -> None:
    lines = here(*SMALL, "--lr", ".01", "--epochs", "60").stderr.splitlines()
    assert 10 <= len(lines) <= 20
    assert re.fullmatch(r"epoch 60/60 · lr 0\.01 · mse train \S+, test \S+", lines[-1])
    assert here(*SMALL, "--lr", ".01", "--quiet").stderr == ""


def test_the_metric_on_training_rows_is_shown_where_there_is_one(here: Command, tmp_path: Path) -> None:
    """In lines and JSON, and as a curve through the epochs that have it; never as a NaN."""
    every_second = ("--set", "training.train_metric_every=2")
    done = here(*SMALL, *every_second, "--epochs", "5", "--lr", ".01", "--plot", "run.png", "--output", "epochs.json")
    assert done.returncode == 0, done.stderr
    assert "nan" not in (done.stderr + done.stdout).casefold()
    shown = [epoch["train_mse"] is not None for epoch in json.loads((tmp_path / "epochs.json").read_text())]
    assert shown == [False, True, False, True, True]
    assert (tmp_path / "run.png").read_bytes().startswith(b"\x89PNG")


def test_the_summary_as_json_is_complete(here: Command) -> None:
    arguments = ("--lr", "0.01", "--scheduler", "OneCycleLR", "--warmup-fraction=0.2", "--final", "0.01", "--seed", "3")
    told = read(here(*SMALL, *arguments, "--set", "training.momentum=0.5", "--format", "json", "--quiet"))
    assert told["definition"]["parameters"] == {"warmup_fraction": 0.2, "start": 0.04, "final": 0.01}
    assert (told["definition"]["training"]["seeds"], told["definition"]["training"]["momentum"]) == ([3], 0.5)
    assert (told["epochs"], told["final"]["epoch"], told["diverged"], told["metric"]) == (6, 6, False, "mse")
    assert told["best_test"]["test"] <= told["final"]["test"]
    scope: dict[str, Any] = {"model": torch.nn.Linear(1, 1)}
    exec(told["code"], scope)
    assert scope["optimizer"].defaults["momentum"] == 0.5


def test_a_run_that_diverges_says_so_and_fails(here: Command, tmp_path: Path) -> None:
    failed = here(*SMALL, "--lr", "1e25", "--plot", "x.png", "--format", "json")
    assert failed.returncode == 1
    assert json.loads(failed.stdout)["diverged"] is True
    assert "the run diverged in epoch 1; try a smaller learning rate" in failed.stderr
    assert (tmp_path / "x.png").is_file()


def test_classification_shows_its_accuracy(here: Command, tmp_path: Path) -> None:
    arguments = ("train", "--task", "digits", "--lr", "0.1", "--epochs", "2", "--output", "e.csv", "--plot", "e.svg")
    assert "test accuracy" in here(*arguments).stdout
    assert list(rows(tmp_path / "e.csv")[0]) == [
        "epoch", "lr", "train_cross_entropy", "test_cross_entropy", "accuracy", "seconds",
    ]  # fmt: skip
    assert "<svg" in (tmp_path / "e.svg").read_text()


def test_own_tasks_and_schedules_are_loaded(lrsearch: Command, tmp_path: Path) -> None:
    (tmp_path / "own_halving.py").write_text(
        "from dataclasses import dataclass\n"
        "import lrsearch, torch\n"
        "from lrsearch.schedules import Schedule, parameter, register\n"
        "@register\n"
        "@dataclass(frozen=True)\n"
        "class Halving(Schedule):\n"
        "    name, unit, formula, torch_class = 'own_halving', 'epoch', 'x', 'LambdaLR'\n"
        "    every: int = parameter(2, 'epochs', minimum=1, integer=True)\n"
        "    def shape(self, t, horizon): return 0.5 ** (t // self.every)\n"
        "    def shape_code(self, lr, horizon): return 'scheduler = None'\n"
        "@lrsearch.task\n"
        "def own_line(*, rows: int = 20) -> lrsearch.Task:\n"
        "    data = torch.ones(rows, 1), torch.ones(rows, 1)\n"
        "    return lrsearch.Task(lambda: torch.nn.Linear(1, 1), data, data, 'mse', 'mae')\n"
    )
    arguments = ("train", "--task", "own_line", "--lr", "1e-3", "--scheduler", "own_halving", "--epochs", "4")
    assert "comes with --load FILE" in refused(lrsearch(*arguments))
    done = lrsearch(
        *arguments, "--every", "1", "--load", "own_halving.py", "--output", "e.csv", "--checkpoint", "e.ckpt"
    )
    assert done.returncode == 0, done.stderr
    assert [float(row["lr"]) for row in rows(tmp_path / "e.csv")] == [1e-3, 5e-4, 2.5e-4, 1.25e-4]
    assert "train_mae" in rows(tmp_path / "e.csv")[0]


def test_a_failing_model_gets_one_line(lrsearch: Command, tmp_path: Path) -> None:
    (tmp_path / "own_broken.py").write_text(
        "import lrsearch, torch\n"
        "class Net(torch.nn.Linear):\n"
        "    def forward(self, rows):\n"
        "        if self.training: raise RuntimeError('only in training')\n"
        "        return super().forward(rows)\n"
        "@lrsearch.task\n"
        "def own_broken(*, when: str = 'data') -> lrsearch.Task:\n"
        "    if when == 'data': raise ValueError('no data today')\n"
        "    data = torch.zeros(8, 2), torch.zeros(8, 1)\n"
        "    return lrsearch.Task(lambda: Net(2 if when == 'training' else 3, 1), data, data, 'mse', 'mse')\n"
    )
    for when, code, words in (
        ("data", 2, "ValueError: no data today (line 8 of own_broken.py)"),
        ("model", 2, "RuntimeError: mat1 and mat2 shapes"),
        ("training", 1, "Error: training failed in epoch 1: RuntimeError: only in training"),
    ):
        arguments = ("train", "--task", "own_broken", "--set", f"task.when={when}", "--lr", "1")
        failed = lrsearch(*arguments, "--load", "own_broken.py")
        assert failed.returncode == code
        assert words in failed.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train"], "--task: is required --lr: is required"),
        ([*SMALL, "--lr", "0"], "--lr = 0.0: must be a finite number with 0 < lr"),
        ([*SMALL, "--lr", "1", "--scheduler", "lamda"], 'unknown scheduler; did you mean lambda?'),
        ([*SMALL, "--lr", "1", "--scheduler", "all"], "is a group"),
        ([*SMALL, "--lr", "1", "--scheduler", "lambda", "--decai", ".9"], "did you mean decay?"),
        ([*SMALL, "--lr", "1", "--scheduler", "lambda", "--decay", "1.5"], "number with 0 < decay <= 1"),
        ([*SMALL, "--lr", "1", "--scheduler", "lambda", "--decay", "fast"], "must be a finite number"),
        ([*SMALL, "--lr", "1", "--decay", ".9"], "scheduler constant (it has warmup_fraction), but of lambda"),
        ([*SMALL, "--lr", "1", "--sceduler", "lambda"], "did you mean --scheduler?"),
        ([*SMALL, "--lr", "1", "--quite"], "did you mean --quiet?"),
        ([*SMALL, "--lr", "1", "polynomial"], "polynomial: is not an option"),
        ([*SMALL, "--lr", "1", "--set", "task.degre=2"], "task.degre = 2: unknown key; did you mean degree?"),
        ([*SMALL, "--lr", "1", "--set", "search.lr=2"], "task.* and training.* only"),
        ([*SMALL, "--lr", "1", "--set", "training.momentum=2"], "training.momentum = 2: must be smaller than 1"),
        ([*SMALL, "--lr", "1", "--epochs", "0"], "--epochs = 0: must be at least 1"),
        ([*SMALL, "--lr", "1", "--seed", "-4"], "--seed = -4"),
        ([*SMALL, "--lr", "1", "--plot", "x.gif"], "--plot = x.gif: must end in .png, .svg, .pdf"),
        ([*SMALL, "--lr", "1", "--output", "x.png"], "--output = x.png: must end in .csv, .json"),
        ([*SMALL, "--lr", "1", "--plot", "no/x.png"], "the folder no does not exist"),
        ([*SMALL, "--lr", "1", "--checkpoint", "."], "is a folder"),
        ([*SMALL, "--lr", "1", "--trial", "3"], "belongs to --from-study"),
        ([*SMALL, "--lr", "1", "--load", "no.py"], "no such file"),
        (["train", "--resume", "no.ckpt"], "checkpoint no.ckpt: no such file"),
        (["train", "--from-study", "small"], "there is no such database yet"),
        ([*SMALL, "--interactive", "--scheduler", "lambda"], "steered by hand has the constant schedule"),
    ],
)  # fmt: skip
def test_bad_input_gets_one_message_and_writes_nothing(
    here: Command, tmp_path: Path, arguments: list[str], words: str
) -> None:
    assert words in refused(here(*arguments))
    assert list(tmp_path.iterdir()) == []


def test_all_faults_come_together(here: Command) -> None:
    wrong = "--task polinomial --lr -1 --scheduler lambda --decay 7 --epochs 0 --set trainin.x=4 --plot x.jpg word"
    message = refused(here("train", *wrong.split()))
    assert "7 faults" in message
    for key in ("--task", "--lr", "--decay", "--epochs", "--set", "--plot", "word"):
        assert f" {key}" in message


@pytest.fixture
def study(here: Command, tmp_path: Path) -> optuna.Study:
    """A finished study whose trials have two seeds each."""
    (tmp_path / "pairs.toml").write_text(
        '[study]\nname = "pairs"\ntrials = 4\n[task]\nname = "polynomial"\nrows = 60\n'
        '[training]\nepochs = 4\nseeds = [5, 6]\nmomentum = 0.5\n[search]\nschedulers = ["lambda", "one_cycle"]\n'
        "[confirm]\ntop = 0\n"
    )
    here("study", "run", "pairs.toml", "--quiet", "--storage", "sqlite:///own.db", "--threads", "2")
    return optuna.load_study(study_name="pairs", storage=f"sqlite:///{tmp_path}/own.db")


def test_a_trial_is_repeated_to_the_last_bit(here: Command, study: optuna.Study, tmp_path: Path) -> None:
    """Same task, training section, schedule, first seed and threads."""
    for trial in (study.trials[2], study.best_trial):
        repeat = ("train", "--from-study", "pairs", "--trial", str(trial.number), "--storage", "sqlite:///own.db")
        told = read(here(*repeat, "--format", "json"))
        assert told["definition"]["lr"] == trial.params["lr"]
        assert (told["definition"]["training"]["seeds"], told["threads"]) == ([5], 2)
        if trial.state == optuna.trial.TrialState.COMPLETE:
            assert told["final"]["test"] == trial.user_attrs["seed_values"][0] == told["repeats"]["value"]
            assert f"trial {trial.number}, to the last bit" in here(*repeat).stdout


def test_a_trial_of_the_compiled_engine_is_repeated_by_it(
    here: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the last bit; without a compiler, and what it has compiled, equal to rounding only, which is said."""
    needs_compiler()
    (tmp_path / "code.toml").write_text(
        '[study]\nname = "code"\ntrials = 2\n[task]\nname = "polynomial"\nrows = 60\n[training]\nepochs = 2\n'
        '[search]\nschedulers = ["lambda"]\n[confirm]\ntop = 0\n[pruner]\nname = "none"\n'
    )
    here("study", "run", "code.toml", "--engine", "compiled")
    repeat = ("train", "--from-study", "code", "--trial", "1")
    again = here(*repeat)
    assert "trial 1, to the last bit" in again.stdout
    assert "equal to rounding only" not in again.stderr
    monkeypatch.setenv("CXX", "no-such-compiler")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
    other = here(*repeat)
    assert "trained by the compiled engine on cpu, this run by the sequential engine" in other.stderr


def test_the_recommended_settings_are_trained_beside_what_is_expected(here: Command, study: optuna.Study) -> None:
    repeat = ("train", "--from-study", "pairs", "--storage", "sqlite:///own.db")
    best = read(here("study", "best", "pairs", "--storage", "sqlite:///own.db", "--format", "json"))
    told = read(here(*repeat, "--format", "json"))
    assert (told["definition"]["lr"], told["definition"]["training"]["seeds"]) == (best["params"]["lr"], [5])
    assert told["expected"]["expected"] == best["expected"]
    assert told["expected"]["value"] == told["final"]["test"]
    assert f"expected {best['expected']:.4g}" in here(*repeat).stdout


def test_a_trial_is_repeated_with_changes(here: Command, study: optuna.Study) -> None:
    repeat = ("train", "--from-study", "pairs", "--storage", "sqlite:///own.db", "--format", "json")
    changed = here(*repeat, "--seed", "6", "--epochs", "5", "--scheduler", "cosine", "--threads", "1")
    told = read(changed)
    assert "with changes" in changed.stderr
    assert (told["definition"]["scheduler"], told["epochs"], told["threads"]) == ("cosine", 5, 1)
    assert told["definition"]["training"]["momentum"] == 0.5
    assert told["repeats"] is None
    assert "has trials 0 to 3" in refused(here(*repeat, "--trial", "9"))
    assert "did you mean pairs?" in refused(here("train", "--from-study", "pair", "--storage", "sqlite:///own.db"))
