"""The screen of `lrsearch serve`."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from databases import close
from rich.console import Console
from sqlalchemy.exc import OperationalError

from lrsearch.cli.status import Screen
from lrsearch.launch.processes import Program
from lrsearch.launch.service import Service
from lrsearch.signals import Interruption
from lrsearch.storage import listing
from lrsearch.storage.rdb import open_storage
from lrsearch.study import control
from lrsearch.study import stored as studies
from lrsearch.study_file.model import Definition


def shown(screen: Screen, service: Service) -> str:
    printed = io.StringIO()
    Console(file=printed, width=100).print(screen.render(service))
    return printed.getvalue()


def test_it_shows_processes_studies_and_the_last_lines(
    tmp_path: Path, define: Callable[..., Definition], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path}/s.db"
    storage = open_storage(url, create=True)
    screen = Screen(url, "http://10.0.0.1:8080/ (asks for the token)")
    service = Service([Program("worker 0", [], {})], Interruption(), screen.say, print)
    assert "none yet" in shown(screen, service)
    assert "Dashboard: http://10.0.0.1:8080/ (asks for the token)" in shown(screen, service)
    stored = studies.create(storage, define(study={"name": "[b]small[/b]", "trials": 6}), "mse")
    control.stop(stored, True)
    for number in range(20):
        screen.say(f"line {number} of [i]many[/i]")
    text = shown(screen, service)
    assert "worker 0" in text
    assert "[b]small[/b]" in text
    assert "0/6 stopped" in text
    assert "line 19 of [i]many[/i]" in text
    assert "line 2 of" not in text

    def away(*arguments: object) -> None:
        raise OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr(listing, "listed", away)
    assert "cannot be read now" in shown(screen, service)
    close(storage)
    close(screen._storage)
