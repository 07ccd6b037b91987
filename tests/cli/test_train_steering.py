"""`lrsearch train --interactive`: rounds by hand, through a pipe and at a terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

Command = Callable[..., "subprocess.CompletedProcess[str]"]
SMALL = ("train", "--task", "polynomial", "--set", "task.rows=60", "--interactive")


def rates(file: Path) -> list[float]:
    return [row["lr"] for row in json.loads(file.read_text())]


def test_rounds_through_a_pipe_add_up_to_a_schedule(here: Command, tmp_path: Path) -> None:
    done = here(*SMALL, "--plot", "p.png", "--output", "e.json", stdin="3\n0.05\ny\n2\n0.01\n\n\n\nn\n")
    assert done.returncode == 0, done.stderr
    used = [0.05] * 3 + [0.01] * 4
    assert rates(tmp_path / "e.json") == used
    assert "0.05 (epochs 1 to 3), 0.01 (epochs 4 to 7)" in done.stdout
    scope: dict[str, Any] = {"model": torch.nn.Linear(1, 1)}
    exec(done.stdout[done.stdout.index("import bisect") :], scope)
    pasted = []
    for _ in used:
        pasted.append(scope["optimizer"].param_groups[0]["lr"])
        scope["optimizer"].step()
        scope["scheduler"].step()
    assert pasted == pytest.approx(used, rel=1e-14)
    assert (tmp_path / "p.png").is_file()


def test_the_dialogue_reads_well_without_a_terminal(here: Command) -> None:
    """Answers are echoed, numbers and a curve follow each round, and nothing is wider than 80 columns."""
    lines = here(*SMALL, stdin="3\n0.05\nn\n").stderr.splitlines()
    assert lines[1:3] == ["Epochs [10]: 3", "Learning rate: 0.05"]
    assert any(
        re.fullmatch(r"Epochs 1 to 3 at 0.05: train mse \S+ -> \S+, test mse \S+ -> \S+", line) for line in lines
    )
    assert any("┤█" in line for line in lines)
    assert lines[-1] == "Go on? [y]: n"
    assert max(map(len, lines[1:])) <= 80


def test_wrong_answers_ask_again_with_the_rule(here: Command, tmp_path: Path) -> None:
    answers = "none\n0\n2.5\n2\n\nfast\n-1\nnan\n0.01\nperhaps\nn\n"
    done = here(*SMALL, "--output", "e.json", stdin=answers)
    assert done.returncode == 0
    assert rates(tmp_path / "e.json") == [0.01, 0.01]
    assert done.stderr.count("epochs must be a whole number with 1 <= epochs") == 3
    assert done.stderr.count("learning rate must be a finite number with 0 < learning rate") == 4
    assert done.stderr.count("answer y or n") == 1


@pytest.mark.parametrize(
    ("answers", "epochs"), [("", 0), ("2\n", 0), ("2\n0.1\n", 2), ("2\n0.1\ny\n", 2), ("2\n0.1\ny\n1\n0.2", 3)]
)
def test_the_end_of_input_ends_it_cleanly(here: Command, answers: str, epochs: int) -> None:
    done = here(*SMALL, "--format", "json", stdin=answers)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["epochs"] == epochs


def test_without_an_epoch_no_file_is_written(here: Command, tmp_path: Path) -> None:
    done = here(*SMALL, "--plot", "p.png", "--output", "e.csv")
    assert "Nothing was trained, so no file was written." in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_options_are_what_the_first_round_suggests(here: Command, tmp_path: Path) -> None:
    here(*SMALL, "--lr", "0.02", "--epochs", "3", "--output", "e.json", stdin="\n\nn\n")
    assert rates(tmp_path / "e.json") == [0.02] * 3


def test_a_checkpoint_goes_on_with_the_rate_it_had(here: Command, tmp_path: Path) -> None:
    """In two sittings or in one: the same numbers."""
    here(*SMALL, "--output", "one.json", stdin="2\n0.05\ny\n2\n0.01\ny\n1\n\nn\n")
    here(*SMALL, "--checkpoint", "run.ckpt", stdin="2\n0.05\ny\n2\n0.01\nn\n")
    again = here("train", "--resume", "run.ckpt", "-i", "--output", "two.json", stdin="y\n1\n\nn\n")
    assert again.returncode == 0, again.stderr
    assert "0.05 (epochs 1 to 2), 0.01 (epochs 3 to 5)" in again.stdout
    one, two = (json.loads((tmp_path / name).read_text()) for name in ("one.json", "two.json"))
    assert [{**row, "seconds": 0} for row in two] == [{**row, "seconds": 0} for row in one]


def test_a_run_that_diverges_ends_the_dialogue(here: Command) -> None:
    failed = here(*SMALL, stdin="2\n1e25\ny\n2\n0.1\n")
    assert failed.returncode == 1
    assert "the run diverged in epoch 1" in failed.stderr
    assert "in epoch 1" in failed.stdout


class Terminal:
    """A person at a pseudo-terminal of 80 columns."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "lrsearch", *arguments],
            cwd=folder,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "COLUMNS": "80", "LINES": "40", "TERM": "xterm"},
            start_new_session=True,
            preexec_fn=_take_the_terminal,
        )
        os.close(theirs)
        self.ours = ours
        self.seen = ""

    def until(self, words: str) -> str:
        """What is shown up to some words; fails if the program ends before."""
        while words not in self.seen:
            part = self._read()
            assert part, f"ended without {words!r}: {self.seen}"
            self.seen += part
        shown, self.seen = self.seen.split(words, 1)
        return shown

    def type(self, answer: str) -> None:
        os.write(self.ours, answer.encode())

    def end(self) -> tuple[int, str]:
        while part := self._read():
            self.seen += part
        os.close(self.ours)
        return self.process.wait(timeout=60), re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", self.seen)

    def _read(self) -> str:
        try:
            return os.read(self.ours, 65536).decode(errors="replace")
        except OSError:  # Linux says so when the last one at the other end has gone
            return ""


def _take_the_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@pytest.fixture
def at_terminal(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    opened = []

    def begin(*arguments: str) -> Terminal:
        opened.append(Terminal(tmp_path, *arguments))
        return opened[-1]

    yield begin
    for terminal in opened:
        terminal.process.kill()
        terminal.process.wait()


def test_at_a_terminal(at_terminal: Callable[..., Terminal], tmp_path: Path) -> None:
    """A live line while it trains, a wrong answer, a second round, ctrl-D."""
    terminal = at_terminal(*SMALL, "--output", "e.json")
    for question, answer in (("Epochs [10]: ", "2"), ("Learning rate: ", "no"), ("Learning rate: ", "0.05")):
        terminal.until(question)
        terminal.type(answer + "\n")
    assert "━" in terminal.until("Go on? [y]: ")
    terminal.type("\n")
    terminal.until("Epochs [2]: ")
    terminal.type("\n")
    terminal.until("Learning rate [0.05]: ")
    terminal.type("0.01\n")
    terminal.until("Go on? [y]: ")
    terminal.type("\x04")
    code, rest = terminal.end()
    assert code == 0
    assert "0.05 (epochs 1 to 2), 0.01 (epochs 3 to 4)" in rest
    assert max(map(len, rest.splitlines())) <= 80
    assert rates(tmp_path / "e.json") == [0.05, 0.05, 0.01, 0.01]


def test_ctrl_c_at_a_question_says_how_to_go_on(at_terminal: Callable[..., Terminal]) -> None:
    terminal = at_terminal(*SMALL, "--lr", "0.05", "--checkpoint", "run.ckpt")
    for question in ("Epochs [10]: ", "Learning rate [0.05]: "):
        terminal.until(question)
        terminal.type("\n")
    terminal.until("Go on? [y]: ")
    terminal.type("\x03")
    code, rest = terminal.end()
    assert code == 130
    # The terminal folds the line at its own width.
    assert "10 epochs are in run.ckpt. Go on with: lrsearch train --resume run.ckpt --interactive" in rest
