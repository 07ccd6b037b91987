"""The README says what there is: every command, key, family and file, and its code works."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer

from lrsearch import registry
from lrsearch.cli.app import app
from lrsearch.study_file import model
from lrsearch.study_file.load import parse

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.S | re.M)


def commands() -> list[str]:
    found = []
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        children = getattr(command, "commands", {})
        found += [f"{name} {child}" for child in children] or [name]
    return found


@pytest.mark.parametrize("command", commands())
def test_every_command_is_described(command: str) -> None:
    assert f"`lrsearch {command}" in README


@pytest.mark.parametrize("name", list(registry.schedules))
def test_every_scheduler_its_parameters_and_aliases_are_listed(name: str) -> None:
    row = next(line for line in README.splitlines() if line.startswith(f"| `{name}` |"))
    family = registry.schedules.get(name)
    assert all(f"`{key}`" in row for key in family.parameters() if key != "warmup_fraction")
    assert all(alias in row for alias in registry.schedules.aliases_of(name))


def test_every_sampler_and_pruner_and_its_options_are_listed() -> None:
    for kind in (registry.samplers, registry.pruners):
        for name in kind:
            assert re.search(rf"\b{name}\b", README)
            assert all(re.search(rf"\b{key} = ", README) for key in kind.get(name).options.model_fields)


def test_every_key_of_a_study_file_is_shown() -> None:
    shown = blocks("toml")[1]
    keys = {key for section in (model.StudySection, model.TrainingSection) for key in section.model_fields}
    assert all(re.search(rf"^(# )?{key} = ", shown, flags=re.M) for key in keys)


def test_the_study_files_in_it_are_valid() -> None:
    for text in blocks("toml"):
        document = tomllib.loads(text)
        assert parse(document, "README").study.name == document["study"]["name"]


@pytest.mark.parametrize("path", sorted((ROOT / "lrsearch").rglob("*.py")), ids=lambda path: path.name)
def test_every_file_has_its_line(path: Path) -> None:
    tree = README.split("## The code")[1]
    shown = f"{path.parent.name}/" if path.name == "__init__.py" else f"{path.name} "
    assert shown in tree


def test_the_schedule_that_it_adds_works(tmp_path: Path) -> None:
    """Search space, report code and both engines know it after one import."""
    example = next(block for block in blocks("python") if "@register" in block)
    (tmp_path / "staircase.py").write_text(example)
    (tmp_path / "stairs.toml").write_text(
        '[study]\nname = "stairs"\ntrials = 4\nload = ["staircase.py"]\n[task]\nname = "polynomial"\nrows = 60\n'
        '[training]\nepochs = 4\n[search]\nschedulers = ["staircase"]\n'
    )
    run = [sys.executable, "-m", "lrsearch"]
    subprocess.run([*run, "study", "run", "stairs.toml", "--quiet"], cwd=tmp_path, check=True, capture_output=True)
    best = subprocess.run(
        [*run, "study", "best", "stairs", "--format", "json"], cwd=tmp_path, check=True, capture_output=True, text=True
    ).stdout
    assert "staircase.stairs" in best


def test_the_task_in_it_is_the_tested_example(tmp_path: Path) -> None:
    """It differs from the example by the line that lists show."""
    example = next(block for block in blocks("python") if "@lrsearch.task" in block)
    tested = (ROOT / "tests/examples/wine.py").read_text(encoding="utf-8").split('"""\n', 1)[1].strip()
    shown = '    """Which of three growers made a wine, from thirteen measurements."""\n'
    assert example.replace(shown, "").strip() == tested
    (tmp_path / "wine.py").write_text(example)
    command = [sys.executable, "-m", "lrsearch", "tasks", "--load", "wine.py"]
    listed = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert "wine: Which of three growers made a wine, from thirteen measurements." in listed


def test_the_training_loop_in_it_runs_and_is_reported_on(tmp_path: Path) -> None:
    example = next(block for block in blocks("python") if "suggest_schedule(" in block)
    (tmp_path / "own_loop.py").write_text(example)
    for command in (["own_loop.py"], ["-m", "lrsearch", "report", "own_loop"]):
        subprocess.run([sys.executable, *command], cwd=tmp_path, check=True, capture_output=True)
    report = (tmp_path / "reports/own_loop/report.md").read_text(encoding="utf-8")
    assert "| constant" in report
    assert "# `optimizer` is that of your own training loop, with lr=" in report
    assert "scheduler = torch.optim.lr_scheduler." in report


def test_exactly_two_commands_do_all_the_setting_up() -> None:
    setup = [block for block in blocks("bash") if "pip install" in block]
    assert len(setup) == 2
    assert all(len(block.strip().splitlines()) == 1 for block in setup)
    assert "lrsearch study run studies/quickstart.toml && lrsearch report quickstart" in setup[0]
    assert "pytest" in setup[1]


def test_its_pictures_are_there() -> None:
    for target in re.findall(r"!\[[^]]*\]\(([^)]+)\)", README):
        assert (ROOT / target).is_file()
