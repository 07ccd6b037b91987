"""A service: whatever ends is started again, unless its input is wrong from the start."""

from __future__ import annotations

import sys

import psutil
import pytest

from lrsearch.errors import InputError
from lrsearch.launch import processes
from lrsearch.launch.processes import Program
from lrsearch.launch.service import Service
from lrsearch.signals import Interruption

STEADY = "import time; time.sleep(600)"


def python(name: str, code: str) -> Program:
    return Program(name, [sys.executable, "-c", code], {"GREETING": "hello"})


def made(*programs: Program) -> tuple[Service, list[str]]:
    said: list[str] = []
    return Service(programs, Interruption(), said.append, lambda name, line: said.append(f"{name}: {line}")), said


def test_a_process_that_ends_starts_again_with_growing_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "LOOK_AGAIN", 0.01)
    monkeypatch.setattr(processes, "FIRST_PAUSE", 0.02)
    code = "import os, sys; print(os.environ['GREETING'], file=sys.stderr); os.kill(os.getpid(), 9)"
    running, said = made(python("worker 0", code), python("steady", STEADY))
    watching = running.watch()
    while running.children[0].restarts < 3:
        next(watching)
    steady = running.children[1].process
    assert steady is not None
    watching.close()  # type: ignore[attr-defined]
    assert [line for line in said if "ended" in line] == [
        f"The worker 0 ended (signal 9); it starts again in {pause} s." for pause in ("0.02", "0.04", "0.08")
    ]
    assert said.count("worker 0: hello") == 3
    assert running.children[1].restarts == 0
    assert not psutil.pid_exists(steady.pid)


def test_a_process_whose_input_is_wrong_ends_the_service() -> None:
    running, said = made(python("dashboard", "import sys; sys.exit(2)"), python("other", STEADY))
    with pytest.raises(InputError, match="the dashboard cannot run"):
        for _ in running.watch():
            pass
    assert all(child.process is None for child in running.children)
    assert said == []
