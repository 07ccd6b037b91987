"""Data that are drawn without a seed are the same in every process, and nobody else's random numbers change."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch

from lrsearch.tasks.fixed_seed import fixed_seed

OWN = """
import random, lrsearch, numpy as np, torch
X = torch.randn(50, 3)
NOISE = torch.from_numpy(np.random.normal(size=(50, 1))).float()

@lrsearch.task
def drawn() -> lrsearch.Task:
    data = torch.utils.data.TensorDataset(X, X.sum(dim=1, keepdim=True) + NOISE * random.random())
    train, test = torch.utils.data.random_split(data, [30, 20])
    return lrsearch.Task(lambda: torch.nn.Linear(3, 1), train=train, test=test, loss="mse", metric="mse")
"""
SHOW = """
import sys
from lrsearch import registry
from lrsearch.tasks.fingerprint import fingerprint
from lrsearch.tasks.loading import load
load([sys.argv[1]])
print(fingerprint(registry.tasks.get("drawn").build({})))
"""


def draw() -> tuple[float, float, float]:
    return random.random(), float(np.random.random()), float(torch.rand(()))


def test_two_processes_draw_the_same_data(tmp_path: Path) -> None:
    """At import, in the task's function, and where rows are split."""
    (tmp_path / "own.py").write_text(OWN)
    command = [sys.executable, "-c", SHOW, str(tmp_path / "own.py")]
    one, other = (subprocess.run(command, check=True, capture_output=True, text=True).stdout for _ in range(2))
    assert one == other
    assert "train" in one


def test_the_streams_go_on_where_they_were() -> None:
    random.seed(3)
    np.random.seed(3)
    torch.manual_seed(3)
    expected = draw()
    random.seed(3)
    np.random.seed(3)
    torch.manual_seed(3)
    with fixed_seed():
        inside = draw()
    assert draw() == expected
    with fixed_seed():
        assert draw() == inside
    assert inside != expected
