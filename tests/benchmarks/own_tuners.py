"""What the tuner that a framework brings recommends, and what lrsearch does, for the same cost.

    python tests/benchmarks/own_tuners.py torch lightning transformers command csv [--repeats 3]

Each case is an example of the README at its own size. What is counted as cost are epochs of training, of the search and
of the confirmation together; the other tuner goes on until it has had as many, where it can. Then what each recommends
is trained on ten seeds that none of them has had, and scored on rows that none has seen.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import torch

import lrsearch
from lrsearch.integrations import lightning as in_lightning
from lrsearch.integrations.reporting import report

EPOCHS, TRIALS, FRESH = 10, 20, 10
TYPES = ["constant", "cosine", "one_cycle", "plateau"]
COMMAND_TYPES = ["constant", "cosine", "one_cycle"]
RATES = (1e-4, 0.3)
Found = dict[str, tuple[float, float]]
"""Tuner -> epochs that it has cost, and the holdout error of what it recommends."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("cases", nargs="+", choices=CASES)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    for name in given.cases:
        rounds = [CASES[name](repeat) for repeat in range(given.repeats)]
        for tuner in rounds[0]:
            cost, error = np.mean([found[tuner] for found in rounds], axis=0)
            each = ", ".join(f"{found[tuner][1]:.3g}" for found in rounds)
            print(f"| {name} | {tuner} | {cost:.0f} | {error:.4g} | {each} |", flush=True)


def rows_of(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    inputs = torch.randn(count, 3, generator=torch.Generator().manual_seed(seed))
    return inputs, inputs.prod(dim=1, keepdim=True)


TRAIN, TEST, HOLDOUT = rows_of(200, 0), rows_of(100, 1), rows_of(2000, 2)


def network() -> torch.nn.Sequential:
    return torch.nn.Sequential(torch.nn.Linear(3, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))


def error_of(model: torch.nn.Module, rows: tuple[torch.Tensor, torch.Tensor]) -> float:
    with torch.no_grad():
        return float(torch.nn.functional.mse_loss(model(rows[0]), rows[1]))


class Loop:
    """The loop of the first example; it counts its epochs.

    Args:
        ask: Asks a trial for rate and schedule.
        say: Takes the trial, an error and the epoch.
    """

    def __init__(self, ask: Callable[[Any], Any], say: Callable[[Any, float, int], None]) -> None:
        self.ask, self.say, self.epochs = ask, say, 0

    def __call__(self, trial: Any) -> float:
        schedule = self.ask(trial)
        torch.manual_seed(lrsearch.seed(trial))
        model = network()
        optimizer = torch.optim.Adam(model.parameters(), lr=schedule.lr)
        scheduler = schedule.build(optimizer)
        value = float("nan")
        for epoch in range(1, EPOCHS + 1):
            for rows in torch.randperm(200).split(20):
                optimizer.zero_grad()
                torch.nn.functional.mse_loss(model(TRAIN[0][rows]), TRAIN[1][rows]).backward()
                optimizer.step()
            self.epochs += 1
            value = error_of(model, TEST)
            self.say(trial, value, epoch)
            scheduler.step(value) if schedule.needs_metric else scheduler.step()
        self.last = model
        return value


def whole(trial: Any) -> Any:
    return lrsearch.suggest_schedule(trial, TYPES, horizon=EPOCHS)


def rate_only(trial: Any) -> Any:
    rates = {"low": RATES[0], "high": RATES[1], "log": True}
    return lrsearch.suggest_schedule(trial, {"schedulers": ["constant"], "lr": rates}, horizon=EPOCHS)


def as_optuna_says(trial: Any, value: float, epoch: int) -> None:
    trial.report(value, epoch)
    if trial.should_prune():
        raise optuna.TrialPruned


def fixed(params: Mapping[str, Any], seed: int) -> optuna.trial.FixedTrial:
    """A trial of given settings, as in a confirmation."""
    trial = optuna.trial.FixedTrial({**params, "seed": seed})
    trial.suggest_int("seed", 0, 10**6)
    return trial


def holdout(params: Mapping[str, Any]) -> float:
    """The mean holdout error of settings over fresh seeds."""
    errors = []
    for seed in range(1000, 1000 + FRESH):
        loop = Loop(whole if "scheduler" in params else rate_only, lambda *_: None)
        loop(fixed(params, seed))
        errors.append(error_of(loop.last, HOLDOUT))
    return float(np.mean(errors))


def optunas(ask: Callable[[Any], Any], epochs: int, repeat: int) -> tuple[float, float]:
    """What ``optimize`` finds at its defaults: TPE, and the pruner that compares with the median."""
    loop, study = Loop(ask, as_optuna_says), optuna.create_study(sampler=optuna.samplers.TPESampler(seed=repeat))
    study.optimize(loop, callbacks=[lambda own, _: own.stop() if loop.epochs >= epochs else None])
    return loop.epochs, holdout(study.best_params)


def ours(objective: Any, count: Callable[[], int], repeat: int, trials: int = TRIALS) -> tuple[int, dict[str, Any]]:
    """What the README's lines recommend, and their cost."""
    with tempfile.TemporaryDirectory() as folder:
        study = optuna.create_study(
            study_name="own", storage=f"sqlite:///{folder}/s.db", pruner=optuna.pruners.NopPruner(),
            sampler=optuna.samplers.TPESampler(seed=repeat),
        )  # fmt: skip
        study.optimize(objective, n_trials=trials)
        found = lrsearch.confirm(objective, study, top=3)
        return count(), dict(found.recommended.params)


def torch_case(repeat: int) -> Found:
    loop = Loop(whole, lambda trial, value, epoch: report(trial, value, epoch, EPOCHS))
    epochs, params = ours(loop, lambda: loop.epochs, repeat)
    return {
        "lrsearch": (epochs, holdout(params)),
        "Optuna's default, the rate": (optunas(rate_only, epochs, repeat)),
        "Optuna's default, the same space": optunas(whole, epochs, repeat),
    }


def lightning_case(repeat: int) -> Found:
    import logging

    import lightning

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    counted = [0]

    class Net(lightning.LightningModule):
        def __init__(self, schedule: Any = None, trial: Any = None, lr: float = 1e-3) -> None:
            super().__init__()
            self.net, self.schedule, self.trial, self.lr = network(), schedule, trial, lr

        def training_step(self, rows: Any) -> torch.Tensor:
            return torch.nn.functional.mse_loss(self.net(rows[0]), rows[1])

        def validation_step(self, rows: Any) -> None:
            self.log("val_loss", torch.nn.functional.mse_loss(self.net(rows[0]), rows[1]))

        def on_train_epoch_start(self) -> None:
            counted[0] += 1

        def configure_optimizers(self) -> Any:
            if self.schedule is None:
                return torch.optim.Adam(self.parameters(), lr=self.lr)
            optimizer = torch.optim.Adam(self.parameters(), lr=self.schedule.lr)
            return in_lightning.optimizers(self, optimizer, self.schedule, self.trial)

    def loader(rows: Any, size: int, **options: Any) -> Any:
        return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*rows), size, **options)

    train, test = loader(TRAIN, 20, shuffle=True), loader(TEST, 100)
    silent = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")
    quiet: dict[str, Any] = {"accelerator": "cpu", "max_epochs": EPOCHS, **dict.fromkeys(silent, False)}

    def objective(trial: Any) -> float:
        lightning.seed_everything(lrsearch.seed(trial), verbose=False)
        schedule = whole(trial)
        trainer = lightning.Trainer(callbacks=[in_lightning.report(trial, "val_loss")], **quiet)
        trainer.fit(Net(schedule, trial), train, test)
        return float(trainer.callback_metrics["val_loss"])

    epochs, params = ours(objective, lambda: counted[0], repeat)
    lightning.seed_everything(repeat, verbose=False)
    trainer = lightning.Trainer(**quiet)
    finder = lightning.pytorch.tuner.Tuner(trainer).lr_find(Net(), train, test)  # its defaults: 100 updates
    assert finder is not None
    return {
        "lrsearch": (epochs, holdout(params)),
        "lr_find": (100 / len(train), holdout({"lr": finder.suggestion(), "scheduler": "constant"})),
    }


def command_case(repeat: int) -> Found:
    script = Path(__file__).with_name("own_tuners_script.py")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        run = f"{sys.executable} {script} --lr {{lr}} --seed {{seed}} --settings {{settings}}"
        (folder / "s.toml").write_text(
            f'[study]\nname = "s"\ntrials = {TRIALS}\n[command]\nrun = "{run}"\n[training]\nepochs = {EPOCHS}\n'
            f"[search]\nschedulers = {json.dumps(COMMAND_TYPES)}\n[sampler]\nseed = {repeat}\n[confirm]\ntop = 3\n"
        )
        command = [sys.executable, "-m", "lrsearch"]
        subprocess.run([*command, "study", "run", "s.toml", "--quiet"], cwd=folder, check=True, capture_output=True)
        told = subprocess.run([*command, "study", "best", "s", "--format", "json"], cwd=folder, check=True,
                              capture_output=True, text=True)  # fmt: skip
        epochs = sum(file.read_text().count("epoch=") for file in folder.rglob("lrsearch.output/**/*.txt"))
        params = json.loads(told.stdout)["params"]
    study, used = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=repeat)), 0
    while used < epochs:
        trial = study.ask()
        words = ["--lr", str(trial.suggest_float("lr", *RATES, log=True)), "--seed", "0"]
        printed = subprocess.run([sys.executable, script, *words], check=True, capture_output=True, text=True).stdout
        study.tell(trial, float(printed.split("test=")[-1]))
        used += EPOCHS
    return {"lrsearch": (epochs, scored(params)), "ask and tell, the rate": (used, scored(study.best_params))}


def scored(params: Mapping[str, Any]) -> float:
    from own_tuners_script import holdout_error

    trial = optuna.trial.FixedTrial({"scheduler": "constant", **params})
    schedule = lrsearch.suggest_schedule(trial, COMMAND_TYPES, horizon=EPOCHS)
    factors = [schedule.schedule.factor(t, EPOCHS) for t in range(EPOCHS)]
    return float(np.mean([holdout_error(schedule.lr, seed, factors) for seed in range(1000, 1000 + FRESH)]))


def csv_case(repeat: int) -> Found:
    """Runs of twelve rates, on one to five seeds each, as they come to lie about."""
    from own_tuners_runs import Bank

    bank = Bank(np.geomspace(1e-3, RATES[1], 12).tolist(), EPOCHS)
    for place, rate in enumerate(bank.rates):
        for seed in range(bank.seeds):
            loop = Loop(rate_only, lambda *_: None)
            value = loop(fixed({"lr": rate, "scheduler": "constant"}, seed))
            bank.add(place, seed, value, error_of(loop.last, HOLDOUT))
    return bank.picked(random.Random(repeat))


def transformers_case(repeat: int) -> Found:
    from own_tuners_trainer import Sequences

    case = Sequences(repeat)
    epochs, params = ours(case.objective, lambda: case.epochs, repeat, trials=12)
    search, own = case.own_search(epochs)
    return {"lrsearch": (epochs, case.scored(params)), "hyperparameter_search": (search, case.scored_own(own))}


CASES: dict[str, Callable[[int], Found]] = {
    "torch": torch_case, "lightning": lightning_case, "transformers": transformers_case, "command": command_case,
    "csv": csv_case,
}  # fmt: skip

if __name__ == "__main__":
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    main()
