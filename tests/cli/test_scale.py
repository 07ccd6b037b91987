"""What `lrsearch scale` says before it trains anything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from unittest import mock

import numpy as np
from typer.main import get_command

from lrsearch.cli.app import app
from lrsearch.study.scaling.plan import SEEDS
from lrsearch.study.scaling.runs import ScaleRun
from lrsearch.study.scaling.scaled import Scaled, scaled

STUDY = """
[study]
name = "short"
trials = 2
[task]
name = "polynomial"
[training]
epochs = 8
[search]
lr = {low = 0.01, high = 0.08, log = true}
schedulers = ["constant"]
"""


Command = Callable[..., CompletedProcess[str]]


def told(here: Command, *asked: str) -> str:
    """What the command says of a study file, on one line."""
    Path("short.toml").write_text(STUDY)
    found = here("scale", "short.toml", *asked)
    assert found.returncode == 0, found.stderr
    return " ".join((found.stdout + found.stderr).split())


def test_the_default_budget_is_told(here: Command) -> None:
    """Rungs of 1, 2 and 4 epochs: 8, 11 and 11 rates at most."""
    said = told(here, "--to", "epochs=16", "--dry-run")
    epochs = SEEDS * (8 * 1 + 11 * 2 + 11 * 4)
    assert f"at most {epochs:,} epochs, as much as {epochs / 16:.1f} runs at 16" in said
    assert f"{SEEDS} seeds are the default" in said
    assert "--budget RUNS takes fewer or more; the smallest is" in said


def test_the_command_that_tests_it_asks_the_same(here: Command) -> None:
    """With other rungs, seeds or epochs it would train short runs anew."""
    asked = ["--to", "batch_size=200", "--from", "50,100", "--fixed", "epochs", "--budget", "140"]
    with mock.patch("lrsearch.operations.scale_study.scale", return_value=follows()):
        said = told(here, *asked)
    assert "Test it with: lrsearch scale" in said
    suggested = said.partition("Test it with: ")[2]
    assert {*asked, "--check"} <= set(suggested.split())


def follows() -> Scaled:
    rates = 0.002 * 2.0 ** np.arange(9)
    runs = [
        ScaleRun(at, float(lr), seed, float(1 + 0.1 * np.log(lr / 0.03) ** 2 + 0.001 * seed))
        for at in (50.0, 100.0)
        for lr in rates
        for seed in range(7)
    ]
    return scaled(runs, "batch_size", 200.0, "epochs", (100.0, 10.0))


def test_the_help_names_the_default() -> None:
    (option,) = [own for own in get_command(app).commands["scale"].params if own.name == "budget"]  # type: ignore[attr-defined]
    assert f"by default {SEEDS}," in option.help


def test_a_budget_that_was_chosen_is_not_explained(here: Command) -> None:
    assert "are the default" not in told(here, "--to", "epochs=16", "--dry-run", "--budget", "120")
