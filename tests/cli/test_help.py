"""`--help`: an example that is a real command, panels, words instead of types, and completion of names."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from lrsearch import registry
from lrsearch.cli import completion
from lrsearch.cli.app import app
from lrsearch.cli.command_help import ORDER, OTHER, PANELS
from lrsearch.cli.examples import EXAMPLES

PROGRAM: Any = typer.main.get_command(app)
Shown = Callable[..., subprocess.CompletedProcess[str]]


def commands(group: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        own = f"{path} {name}".strip()
        yield own, command
        if hasattr(command, "commands"):
            yield from commands(command, own)


COMMANDS = dict(commands(PROGRAM))


def help_of(path: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit):
        PROGRAM([*path.split(), "-h"], standalone_mode=True)
    return capsys.readouterr().out


@pytest.fixture(autouse=True)
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERMINAL_WIDTH", "80")


def test_every_command_has_an_example_that_is_understood() -> None:
    assert set(EXAMPLES) == {"", *COMMANDS}
    for line in (line for lines in EXAMPLES.values() for line in lines):
        program, *words = shlex.split(line)
        assert program == "lrsearch"
        found = PROGRAM
        while words and words[0] in getattr(found, "commands", {}):
            found = found.commands[words.pop(0)]
        if not hasattr(found, "commands"):
            found.make_context("lrsearch", words, resilient_parsing=False)


@pytest.mark.parametrize("path", ["", *COMMANDS])
def test_help_shows_the_example_and_no_type_and_eats_nothing(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = help_of(path, capsys)
    flat = " ".join(re.sub("[│\n]", " ", text).split())
    assert all(line in flat for line in EXAMPLES[path])
    assert not re.search(r"<(bool|str|int|float|path|choice)>|\b(INTEGER|FLOAT|BOOLEAN|TEXT)\b", text)
    assert max(map(len, text.splitlines())) <= 80
    for parameter in getattr(COMMANDS.get(path), "params", []):
        told = (parameter.help or "").replace("\\[", "[")
        if told and not parameter.hidden:
            assert all(word in flat for word in told.split()), parameter.name


def test_markup_is_shown_as_it_was_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Set [search] lr in this study file" in " ".join(re.sub("[│\n]", " ", help_of("lr-find", capsys)).split())


def test_commands_stand_in_the_order_of_the_work(capsys: pytest.CaptureFixture[str]) -> None:
    text = help_of("", capsys)
    assert set(PROGRAM.commands) == set(ORDER)
    places = [re.search(rf"^│ {name} ", text, flags=re.M).start() for name in ORDER]  # type: ignore[union-attr]
    assert places == sorted(places)


def test_every_name_of_a_panel_is_that_of_a_parameter() -> None:
    used = {parameter.name for command in (PROGRAM, *COMMANDS.values()) for parameter in command.params}
    named = {name for names in PANELS.values() for name in names.split()}
    assert named <= used
    panels = {own.rich_help_panel for command in COMMANDS.values() for own in command.params if own.opts[0][0] == "-"}
    assert OTHER not in panels
    assert None not in panels


def test_names_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, here: Shown) -> None:
    assert completion.schedulers("one") == ["one_cycle"]
    assert completion.tasks("poly") == ["polynomial"]
    context = typer.Context(COMMANDS["study show"])
    monkeypatch.delenv("LRSEARCH_STORAGE", raising=False)
    monkeypatch.chdir(tmp_path)
    assert completion.studies(context, "") == []
    assert not list(tmp_path.iterdir())
    (tmp_path / "mine.toml").write_text('[study]\nname = "mine"\n[task]\nname = "polynomial"\nrows = 60\n')
    assert here("study", "create", "mine.toml").returncode == 0
    assert completion.studies(context, "m") == ["mine"]
    assert completion.studies(context, "x") == []
    assert completion.studies_and_files(context, "mi") == ["mine", "mine.toml"]
    context.params["storage"] = "nonsense://"
    assert completion.studies(context, "") == []


def test_a_shell_asks_and_gets_names(tmp_path: Path) -> None:
    asked = {"_LRSEARCH_COMPLETE": "complete_bash", "COMP_WORDS": "lrsearch train --scheduler cos", "COMP_CWORD": "3"}
    program = "import sys; sys.argv = ['lrsearch']; from lrsearch.cli.app import main; main()"
    command = [sys.executable, "-c", program]
    done = subprocess.run(
        command, env={**os.environ, **asked}, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == [name for name in registry.schedules if name.startswith("cos")], done.stderr
