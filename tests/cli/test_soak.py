"""`lrsearch serve` for a long time: studies come and go, workers are killed, and in the end nothing is missing or left.

`LRSEARCH_SOAK_MINUTES` says how long; 30 by default.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import sqlalchemy
from databases import SERVERS, close
from sqlalchemy.engine import make_url

from lrsearch.storage.rdb import open_storage, parse
from lrsearch.study import control, status
from lrsearch.study import open as opening
from lrsearch.study import stored as studies
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file.load import parse as parse_study

MINUTES = float(os.environ.get("LRSEARCH_SOAK_MINUTES", "30"))
NEW_STUDY, KILL = 15.0, 60.0
"""Seconds between two new studies, and between two killed workers."""
TRIALS = 40


class Soak:
    """A service under test, its storage, and what happened to it."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process, self.storage = process, open_storage(url, create=True)
        self.names: list[str] = []
        self.deleted = self.kills = 0
        self.page = ""
        self.lines: list[str] = []
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            for line in lines:
                self.lines.append(line)
                if found := re.search(r"http://\S+/", line):
                    self.page = self.page or found[0].rstrip('"')

    def create(self, chance: random.Random) -> None:
        name = f"study{len(self.names)}"
        document = {
            "study": {"name": name, "trials": TRIALS},
            "task": {"name": "polynomial", "rows": 200},
            "training": {"epochs": 20, "seeds": [chance.randrange(100)]},
            "search": {"schedulers": ["constant", "lambda", "one_cycle"]},
        }
        definition = parse_study(document, "soak")
        studies.create(self.storage, definition, opening.build_task(definition).metric_name)
        self.names.append(name)

    def study(self, name: str) -> StoredStudy:
        return studies.load(self.storage, name)

    def there(self) -> list[str]:
        return studies.names(self.storage)

    def is_done(self, name: str) -> bool:
        counts = status.count(self.study(name))
        return (counts.finished, counts.running, counts.waiting) == (TRIALS, 0, 0)

    def workers(self) -> list[psutil.Process]:
        children = psutil.Process(self.process.pid).children()
        return [child for child in children if "worker" in child.cmdline()]

    def ask(self, path: str) -> object:
        with urllib.request.urlopen(self.page + path, timeout=60) as answer:
            return json.load(answer)

    def until(self, happens: Callable[[], bool], seconds: float = 300.0) -> None:
        deadline = time.monotonic() + seconds
        while not happens():
            assert self.process.poll() is None, self.lines[-20:]
            assert time.monotonic() < deadline, self.lines[-20:]
            time.sleep(0.2)

    def settle(self) -> None:
        """Wait until every study is trained and published."""
        self.until(lambda: all(self.is_done(name) for name in self.there()), 900)
        self.until(lambda: all("artifacts:" in str(self._attributes(name)) for name in self.there()), 300)

    def _attributes(self, name: str) -> dict[str, object]:
        study = self.study(name).study
        return study._storage.get_study_system_attrs(study._study_id)

    def resources(self) -> tuple[int, int, int]:
        """How many processes there are, and how many file handles and threads the lasting ones have."""
        parent = psutil.Process(self.process.pid)
        lasting = [parent, *(child for child in parent.children() if "worker" not in child.cmdline())]
        return (
            len(parent.children(recursive=True)),
            sum(one.num_fds() for one in lasting),
            sum(one.num_threads() for one in lasting),
        )


def connections(url: str) -> int:
    """Connections of everybody to a PostgreSQL database; 0 for other kinds."""
    if not url.startswith("postgresql"):
        return 0
    engine = sqlalchemy.create_engine(parse(SERVERS["postgres"]))
    with engine.connect() as connection:
        count = sqlalchemy.text("SELECT count(*) FROM pg_stat_activity WHERE datname = :name")
        found = int(connection.execute(count, {"name": make_url(url).database}).scalar_one())
    engine.dispose()
    return found


@pytest.mark.soak
@pytest.mark.parametrize("fresh_database_url", ["sqlite", "postgres"], indirect=True)
def test_a_long_time_under_serve(fresh_database_url: str, tmp_path: Path) -> None:
    url = fresh_database_url
    chance = random.Random(1)
    command = [sys.executable, "-m", "lrsearch", "serve", "--workers", "2", "--port", "0", "--log-format", "json"]
    environment = {**os.environ, "LRSEARCH_STORAGE": url, "LRSEARCH_ARTIFACTS": str(tmp_path / "artifacts")}
    process = subprocess.Popen(command, env=environment, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    soak: Soak | None = None
    try:
        soak = Soak(process, url)
        soak.until(lambda: bool(soak.page) and len(soak.workers()) == 2)
        soak.create(chance)
        soak.settle()
        soak.ask("api/studies")
        before, connected = soak.resources(), connections(url)
        _trouble(soak, chance)
        for name in soak.there():
            control.stop(soak.study(name), False)
        soak.settle()
        soak.until(lambda: len(soak.workers()) == 2)
        assert len(soak.ask("api/studies")["study_summaries"]) == len(soak.there())  # type: ignore[index,call-overload]
        # A socket or a connection of a pool more or less is nothing; what leaks grows with every study and kill.
        after = soak.resources()
        print(f"{len(soak.names)} studies, {soak.deleted} deleted, {soak.kills} kills; processes, handles, threads:")
        print(f"{before} before, {after} after; connections: {connected} before, {connections(url)} after")
        assert after[0] == before[0]
        assert after[1] <= before[1] + 8
        assert after[2] <= before[2] + 2
        assert connections(url) <= connected + 4
        family = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert not [child for child in family if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
        assert all(soak.is_done(name) for name in soak.there())
    finally:
        process.terminate()
        process.wait(60)
        if soak is not None:
            soak.reader.join(60)
            close(soak.storage)
    assert connections(url) == 0


def _trouble(soak: Soak, chance: random.Random) -> None:
    """New studies, deleted ones, stopped ones that go on, killed workers."""
    end = time.monotonic() + 60 * MINUTES
    next_study = next_kill = time.monotonic()
    while time.monotonic() < end:
        moment = time.monotonic()
        if moment >= next_study:
            next_study = moment + NEW_STUDY
            soak.create(chance)
            some = chance.choice(soak.there())
            control.stop(soak.study(some), chance.random() < 0.5)
            if soak.is_done(oldest := soak.there()[0]) and len(soak.there()) > 5:
                control.delete(soak.study(oldest))
                soak.deleted += 1
        if moment >= next_kill and (workers := soak.workers()):
            next_kill = moment + KILL
            chance.choice(workers).kill()
            soak.kills += 1
        soak.ask("api/studies")
        assert soak.process.poll() is None, soak.lines[-20:]
        time.sleep(0.5)
