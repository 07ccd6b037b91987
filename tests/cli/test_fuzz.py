"""Whatever is typed and whatever a file holds ends in an answer or in one message: 800 cases, always the same ones."""

from __future__ import annotations

import random
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import typer.main

from lrsearch.cli.app import app
from lrsearch.study_file.templates import folder

Run = Callable[..., "subprocess.CompletedProcess[str]"]
FILES, LINES = 500, 300
LONGEST = 20_000
"""Characters of a message; no person reads more, and a traceback of a recursion has ten times as many."""
VALUES = (
    "-1", "0", "1e400", "-0.0", "nan", "inf", "1_000", "0x10", "99999999999999999999", "true", '""', "'x'", "[]",
    "{}", "[[]]", "[1, 'a', []]", '"\\u0007\\u001b]0;x\\u0007"', '"' + "x" * 3000 + '"', "{ low = 1 }",
    "{ low = 2, high = 1 }",
    "{ low = 0, high = 1, log = true }", "{ choices = [] }", "{ choices = [1, 1] }", "1979-05-27", "07:32:00",
    "'''\n'''",
    "[" * 40 + "]" * 40, "{ low = 1e-300, high = 1e300, log = true, steps = 3 }", "'nonsense'", "9" * 400,
)  # fmt: skip
WORDS = (
    "", " ", "-", "--", "-1", "0", "1", "2", "1e999", "nan", "x" * 5000, "small", "small.toml", "nope.toml",
    "broken.toml",
    ".", "/", "/dev/null", "no/such/folder/f.csv", "[bold]", "\x1b[31m", "\udcff", "\x00", "ü", "a=b", "=",
    "task.rows=3",
    "training.epochs=1", "task=1", "a.b.c=1", "json", "table", "polynomial", "constant", "plateau", "all",
    "sqlite:///",
    "sqlite:///small.db", "sqlite:////no/such/f.db", "mysql://:@:0/", "postgresql://me:pw@127.0.0.1:1/x?password=pw",
    "127.0.0.1:1", "local:x", "cpu", "cuda:99", "sequential", "99999999999999999999", "0.05", "small.toml:polynomial",
)  # fmt: skip
SERVING = (("serve",), ("dashboard",))
"""They end only if they cannot begin."""


def mutated(text: str, draw: random.Random) -> bytes:
    """A study file in which one to four things are others."""
    lines = text.splitlines()
    for _ in range(draw.randint(1, 4)):
        place = draw.randrange(len(lines))
        key = re.match(r"\s*([\w.]+)\s*=", lines[place])
        match draw.randrange(8):
            case 0 | 1 | 2 if key:
                lines[place] = f"{key[1]} = {draw.choice(VALUES)}"
            case 3:
                lines.insert(place, lines[draw.randrange(len(lines))])
            case 4:
                lines[place] = lines[place][: draw.randrange(len(lines[place]) + 1)]
            case 5:
                lines[place] = f"{draw.choice(['lr', 'x', 'low', 'a.b', 'name'])} = {draw.choice(VALUES)}"
            case 6:
                lines[place] = draw.choice(["[study]", "[[try]]", "[search.lambda]", "[a.b.c]", "[[task]]", "[]", "["])
            case _:
                del lines[place]
                lines = lines or [""]
    content = bytearray("\n".join(lines).encode())
    for _ in range(draw.choice((0, 0, 0, 1, 5))):
        place = draw.randrange(len(content) + 1)
        content[place : place + 1] = bytes([draw.randrange(256)])
    return draw.choice((b"", b"", b"\xef\xbb\xbf")) + bytes(content)


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command, with the words that call it."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


def command_line(path: tuple[str, ...], command: Any, draw: random.Random) -> list[str]:
    """Some options and arguments of a command, with words that mean nothing there, or nearly something."""
    words = list(path)
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option) or parameter.opts]
    for parameter in draw.sample(options, min(len(options), draw.randint(0, 4))):
        name = parameter.opts[0]
        if not name.startswith("-") or name in ("--interactive", "--help"):
            continue
        words += [name] if getattr(parameter, "is_flag", False) else [name, draw.choice(WORDS)]
    words += [draw.choice(WORDS) for _ in range(draw.choice((0, 1, 1, 1, 2)))]
    if path in SERVING:
        words += ["--storage", "sqlite:////no/such/folder/s.db"]
    return [*words, "--exit-when-idle"] if path == ("worker",) else words


def check(done: subprocess.CompletedProcess[str], what: str) -> None:
    assert done.returncode in (0, 1, 2), what
    assert "Traceback" not in done.stderr + done.stdout, what
    assert len(done.stderr) < LONGEST, what
    assert done.stderr or done.returncode == 0, what
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", done.stderr + done.stdout), what


def test_every_study_file_is_planned_or_refused(here: Run, tmp_path: Path) -> None:
    """With one message; nothing is written."""
    draw = random.Random(26)
    texts = [file.read_text(encoding="utf-8") for file in sorted(folder().glob("*.toml"))]
    refused = 0
    for case in range(FILES):
        content = mutated(draw.choice(texts), draw)
        (tmp_path / "f.toml").write_bytes(content)
        try:
            done = here("study", "create", "f.toml", "--dry-run")
        except Exception as error:
            raise AssertionError(f"case {case}: {content!r}") from error
        check(done, f"case {case}: {content!r}: {done.stderr}")
        refused += done.returncode == 2
    assert FILES / 2 < refused < FILES
    assert [file.name for file in tmp_path.iterdir()] == ["f.toml"]


def test_every_command_line_is_done_or_refused(lrsearch: Run, tmp_path: Path) -> None:
    """By every command, with options of its own and words of all kinds."""
    draw = random.Random(27)
    (tmp_path / "broken.toml").write_bytes(b"\xff\xfe[study]")
    assert lrsearch("study", "run", "small.toml", "--quiet").returncode == 0
    there = list(commands(typer.main.get_command(app)))
    for case in range(LINES):
        words = command_line(*there[case % len(there)], draw)
        try:
            done = lrsearch(*words)
        except Exception as error:
            raise AssertionError(f"case {case}: {shlex.join(words)[:400]!r}") from error
        check(done, f"case {case}: {shlex.join(words)[:400]!r}: {done.returncode} {done.stderr[-2000:]}")
