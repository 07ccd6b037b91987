"""What `lrsearch scale` says before it trains anything."""

from __future__ import annotations

from pathlib import Path

from typer.main import get_command
from typer.testing import CliRunner

from lrsearch.cli.app import app
from lrsearch.study.scaling.plan import SEEDS

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


def told(folder: Path, *options: str) -> str:
    file = folder / "short.toml"
    file.write_text(STUDY)
    storage = ["--storage", f"sqlite:///{folder / 'scale.db'}"]
    found = CliRunner().invoke(app, ["scale", str(file), "--to", "epochs=16", "--dry-run", *storage, *options])
    assert found.exit_code == 0, found.output
    return " ".join(found.output.split())


def test_the_default_budget_is_told(tmp_path: Path) -> None:
    """Rungs of 1, 2 and 4 epochs: 8, 11 and 11 rates at most."""
    said = told(tmp_path)
    epochs = SEEDS * (8 * 1 + 11 * 2 + 11 * 4)
    assert f"at most {epochs:,} epochs, as much as {epochs / 16:.1f} runs at 16" in said
    assert f"{SEEDS} seeds are the default" in said
    assert "--budget RUNS takes fewer or more; the smallest is" in said


def test_the_help_names_the_default() -> None:
    (option,) = [own for own in get_command(app).commands["scale"].params if own.name == "budget"]  # type: ignore[attr-defined]
    assert f"by default {SEEDS}," in option.help


def test_a_budget_that_was_chosen_is_not_explained(tmp_path: Path) -> None:
    assert "are the default" not in told(tmp_path, "--budget", "120")
