"""`lrsearch tasks`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest


def test_tasks_are_listed_with_their_options() -> None:
    command = [sys.executable, "-m", "lrsearch", "tasks"]
    plain = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "polynomial" in plain
    assert "batch_norm" in plain
    rows = json.loads(subprocess.run([*command, "--format", "json"], capture_output=True, text=True, check=True).stdout)
    options = next(row["options"] for row in rows if row["name"] == "polynomial")
    assert {"option": "degree", "type": "whole number >= 0, <= 1000", "default": 2} in options


OWN_TASKS = """
import lrsearch
import torch

X = torch.randn(40, 3)
Y = X.sum(dim=1, keepdim=True)


class Cell(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = torch.nn.LSTM(3, 4, num_layers=2, dropout=0.2, batch_first=True)
        self.last = torch.nn.Linear(4, 1)

    def forward(self, rows):
        return self.last(self.cell(rows[:, None])[0][:, 0])


class Branching(torch.nn.Linear):
    def forward(self, rows):
        values = super().forward(rows)
        return values if values.sum() > 0 else 2 * values


MODELS = {
    "plain": lambda: torch.nn.Linear(3, 1),
    "dropout": lambda: torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Dropout(0.2), torch.nn.Linear(4, 1)),
    "recurrent": Cell,
    "branching": lambda: Branching(3, 1),
}


@lrsearch.task
def own(*, kind: str = "plain") -> lrsearch.Task:
    return lrsearch.Task(model=MODELS[kind], train=(X[:30], Y[:30]), test=(X[30:], Y[30:]), loss="mse", metric="mse")
"""


def test_check_says_which_engine_trains_a_task(
    lrsearch: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    (tmp_path / "own.py").write_text(OWN_TASKS)
    for kind in ("plain", "dropout", "recurrent"):
        checked = lrsearch("tasks", "check", "own.py:own", "--set", f"task.kind={kind}")
        assert checked.stdout.splitlines()[0] == "engine: batched", kind
    refused = lrsearch("tasks", "check", "own.py:own", "--set", "task.kind=branching")
    assert re.match(r"engine: sequential \(the model \(Branching\): .+\)\n", refused.stdout)
    found = json.loads(lrsearch("tasks", "check", "own", "--load", "own.py", "--format", "json").stdout)
    assert found["engine"] == "batched"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["polynomal"], "did you mean polynomial?"),
        (["polynomial", "--set", "training.optimizr=sgd"], "did you mean optimizer?"),
        (["polynomial", "--set", "tasks.rows=50"], "did you mean task?"),
        (["polynomial", "--device", "tpu"], "must be auto, cpu or cuda"),
        (["missing.py:mine"], "no such file"),
    ],
)
def test_check_refuses_wrong_input(
    lrsearch: Callable[..., subprocess.CompletedProcess[str]], arguments: list[str], words: str
) -> None:
    result = lrsearch("tasks", "check", *arguments)
    assert result.returncode == 2
    assert words in result.stderr
