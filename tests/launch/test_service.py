"""Parts of a service: started again when they end, with growing pauses, and never left behind."""

from __future__ import annotations

import sys

import psutil
import pytest

from lrsearch.errors import InputError
from lrsearch.launch import service
from lrsearch.launch.service import Part, Service
from lrsearch.signals import Interruption


def part(name: str, program: str) -> Part:
    return Part(name, [sys.executable, "-c", program], {"GREETING": "hello"})


def made(*parts: Part) -> tuple[Service, list[str]]:
    said: list[str] = []
    return Service(parts, Interruption(), said.append, lambda name, line: said.append(f"{name}: {line}")), said


def test_a_part_that_ends_starts_again_with_growing_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "LOOK_AGAIN", 0.01)
    monkeypatch.setattr(service, "FIRST_PAUSE", 0.02)
    program = "import os, sys; print(os.environ['GREETING'], file=sys.stderr); os.kill(os.getpid(), 9)"
    running, said = made(part("worker 0", program), part("steady", "import time; time.sleep(600)"))
    watching = running.watch()
    while running.places[0].restarts < 3:
        next(watching)
    steady = running.places[1].process
    assert steady is not None
    watching.close()  # type: ignore[attr-defined]
    assert [line for line in said if "ended" in line] == [
        f"The worker 0 ended (signal 9); it starts again in {pause} s." for pause in ("0.02", "0.04", "0.08")
    ]
    assert said.count("worker 0: hello") == 3
    assert running.places[1].restarts == 0
    assert not psutil.pid_exists(steady.pid)


def test_a_part_whose_input_is_wrong_ends_the_service() -> None:
    running, said = made(part("dashboard", "import sys; sys.exit(2)"))
    with pytest.raises(InputError, match="the dashboard cannot run"):
        for _ in running.watch():
            pass
    assert all(place.process is None for place in running.places)
    assert said == []
