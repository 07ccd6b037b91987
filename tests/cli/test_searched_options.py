"""A study of two optimizers, batch sizes, weight decays and widths, from its file to the code to paste."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from lrsearch import load_frames
from lrsearch.report import diagnosis
from lrsearch.storage.rdb import open_storage
from lrsearch.study import stored as studies
from lrsearch.study_file.applied import applied

FILE = """
[study]
name = "wide"
trials = 12
[task]
name = "polynomial"
rows = 60
holdout_rows = 20
[training]
epochs = 2
[search]
optimizers = ["sgd", "adamw"]
schedulers = ["constant", "linear"]
[search.training]
batch_size = { choices = [10, 21] }
weight_decay = { low = 1e-6, high = 1e-2, log = true }
[search.training.sgd]
momentum = { low = 0.0, high = 0.9 }
[search.task]
hidden = { choices = [[4], [3, 3]] }
[[try]]
lr = 0.01
scheduler = "constant"
optimizer = "adamw"
training = { batch_size = 21 }
[confirm]
contestants = ["default_rate"]
top = 1
seeds = 2
"""


def test_from_the_file_to_the_code(lrsearch: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "wide.toml").write_text(FILE)
    ran = lrsearch("study", "run", "wide.toml", "--engine", "batched")
    assert ran.returncode == 0, ran.stderr
    told = json.loads(lrsearch("study", "best", "wide", "--format", "json").stdout)
    params, optimizer = told["params"], told["params"]["optimizer"]
    assert told["basis"] == "confirmed"
    assert {f"{optimizer}.lr", f"{optimizer}.weight_decay", "scheduler", "batch_size", "task.hidden"} <= set(params)
    # What is to be pasted builds that optimizer, with those arguments.
    assert f"batches of {params['batch_size']} rows" in told["code"]
    space: dict[str, Any] = {"model": torch.nn.Linear(2, 1)}
    exec(told["code"], space)
    made = space["optimizer"]
    assert type(made).__name__.lower() == optimizer
    assert made.param_groups[0]["weight_decay"] == params[f"{optimizer}.weight_decay"]
    _check_trials(tmp_path)
    again = lrsearch("train", "--from-study", "wide", "--trial", "0")
    assert again.returncode == 0, again.stderr
    frames = load_frames("wide", storage=f"sqlite:///{tmp_path / 'lrsearch.db'}")
    assert frames.trials["lr"].notna().all()
    assert diagnosis.findings(frames, frames.evidence)
    refused = lrsearch("scale", "wide", "--to", "epochs=240")
    assert (refused.returncode, "for one optimizer" in refused.stderr) == (2, True)


def _check_trials(folder: Path) -> None:
    """The tried settings came first, and each trial's horizon is that of its own batch size."""
    stored = studies.load(open_storage(f"sqlite:///{folder / 'lrsearch.db'}"), "wide")
    first, *others = stored.trials()
    tried = {"optimizer": "adamw", "adamw.lr": 0.01, "scheduler": "constant", "batch_size": 21}
    assert tried.items() <= first.params.items()
    assert first.params["adamw.weight_decay"] == 1e-6
    assert stored.definition is not None
    for trial in (first, *others):
        own = applied(stored.definition, trial.params)
        per_epoch = -(-42 // own.training.batch_size)
        steps = 2 * (per_epoch if trial.params["scheduler"] == "linear" else 1)
        assert trial.user_attrs["horizon"] == steps


def test_what_does_not_suit_the_data_is_told_at_once(lrsearch: Callable[..., Any], tmp_path: Path) -> None:
    """Batches of more rows than there are, and options that change the rows that trials are judged by."""
    wrong = FILE.replace("[10, 21]", "[10, 43]").replace("hidden = {", "degree = { choices = [2, 3] }\nhidden = {")
    (tmp_path / "wide.toml").write_text(wrong.replace("batch_size = 21", "batch_size = 10"))
    done = lrsearch("study", "create", "wide.toml")
    assert done.returncode == 2
    assert "search.training.batch_size" in done.stderr
    assert "only 42 training rows" in done.stderr
    assert "search.task.degree" in done.stderr
