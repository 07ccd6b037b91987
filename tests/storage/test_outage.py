"""The database goes away, the disk fills up: nothing is lost, and it is said in one line."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import close, counts_of, skip, trials_of
from shared_study import wait_until
from sqlalchemy.exc import IntegrityError, OperationalError

from lrsearch import create_study
from lrsearch.storage.retry import Patience, StorageFailedError

STUDY = """
[study]
name = "out"
trials = {trials}
[task]
name = "polynomial"
rows = {rows}
[training]
epochs = 12
[search]
schedulers = ["constant"]
[sampler]
name = "random"
[confirm]
top = 0
"""


def lrsearch(url: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "lrsearch", *arguments, "--storage", url]


class Cluster:
    """A PostgreSQL server of our own, which we may stop as we like."""

    def __init__(self, folder: Path) -> None:
        programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        found = shutil.which("initdb") or (str(programs[-1]) if programs else None)
        if found is None:
            skip("postgres", "no initdb on this machine")
        assert found is not None
        self._bin = Path(found).parent
        self.data = folder / "cluster"
        self._as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def control(self, *arguments: str) -> None:
        options = f"-p {self.port} -k '' -c listen_addresses=127.0.0.1"
        log = self.data.with_name("log")
        command = [*self._as_user, str(self._bin / "pg_ctl"), "-D", str(self.data), "-l", str(log), "-w", "-o", options]
        subprocess.run([*command, *arguments], check=True, capture_output=True)

    def create(self) -> None:
        initdb = [
            *self._as_user,
            str(self._bin / "initdb"),
            "-D",
            str(self.data),
            "-U",
            "postgres",
            "-A",
            "trust",
            "-N",
        ]
        subprocess.run(initdb, check=True, capture_output=True)
        self.control("start")


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    # Below /tmp itself: PostgreSQL's own user must be able to walk there.
    folder = Path("/tmp") / f"lrsearch-{os.getpid()}-{time.monotonic_ns()}"
    folder.mkdir()
    made = Cluster(folder)
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    try:
        made.create()
        yield made
        made.control("stop", "-m", "immediate")
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("mode", "engine", "rows", "trials", "count", "targets"),
    [
        ("immediate", "sequential", 300, 30, 1, [3]),
        pytest.param("fast", "sequential", 300, 150, 2, [10, 60], marks=pytest.mark.soak),
        pytest.param("immediate", "batched", 10_000, 150, 2, [10, 60], marks=pytest.mark.soak),
    ],
)
def test_workers_outlast_a_restart_of_the_server(
    cluster: Cluster, tmp_path: Path, mode: str, engine: str, rows: int, trials: int, count: int, targets: list[int]
) -> None:
    """Rows so many that the study is not over before the last restart."""
    file = tmp_path / "out.toml"
    file.write_text(STUDY.format(trials=trials, rows=rows))
    close(create_study(file, storage=cluster.url).storage)
    command = lrsearch(cluster.url, "study", "run", "out", "--quiet", "--grace", "30", "--engine", engine)
    workers = [
        subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) for _ in range(count)
    ]
    for target in targets:
        wait_until(
            lambda target=target: (
                counts_of(cluster.url, "out").finished >= target  # type: ignore[misc]
                and len(at_work(cluster.url)) == count
            ),
            workers[0],
        )
        cluster.control("stop", "-m", mode)
        cluster.control("start")
    errors = [worker.communicate(timeout=300)[1] for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * count, "".join(errors)
    counts = counts_of(cluster.url, "out")
    assert (counts.complete + counts.pruned, counts.running, counts.waiting, counts.failed) == (trials, 0, 0, 0)
    done = [t for t in trials_of(cluster.url, "out") if t.state.name in ("COMPLETE", "PRUNED")]
    assert len({t.params["lr"] for t in done}) == trials
    assert all(sorted(t.intermediate_values) == list(range(1, len(t.user_attrs["train_curve"]) + 1)) for t in done)
    assert all(text.count("out of reach") <= 2 for text in errors), errors
    assert any("out of reach" in text for text in errors), errors


def at_work(url: str) -> set[int]:
    """The processes that have taken trials."""
    return {trial.user_attrs["worker"]["pid"] for trial in trials_of(url, "out") if "worker" in trial.user_attrs}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if not mounted or mounted.returncode:
        skip("mount", "a file system may not be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_breaks_nothing(small_disk: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{small_disk}/s.db"
    file = tmp_path / "out.toml"
    file.write_text(STUDY.format(trials=400, rows=60))
    quiet = {"capture_output": True, "text": True, "check": False}
    failed = subprocess.run(lrsearch(url, "study", "run", str(file), "--quiet"), **quiet)
    assert failed.returncode == 1, failed.stderr
    assert "full" in failed.stderr
    assert "Traceback" not in failed.stderr
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    with sqlite3.connect(small_disk / "s.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    before = counts_of(url, "out").finished
    assert before > 0
    again = subprocess.run(lrsearch(url, "study", "run", "out", "--quiet"), **quiet)
    assert again.returncode == 0, again.stderr
    counts = counts_of(url, "out")
    assert (counts.complete + counts.pruned, counts.running, counts.waiting, counts.failed) == (400, 0, 0, 0)


def test_patience_repeats_what_may_pass_and_says_so_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lrsearch.storage.retry.time.sleep", lambda _: None)
    said: list[str] = []
    answers = [OperationalError("", {}, Exception("server closed the connection"))] * 8

    def operation() -> str:
        if answers:
            raise answers.pop()
        return "done"

    patience = Patience(said.append)
    assert patience(operation) == "done"
    assert patience.waits == 8
    assert [text.split(" (")[0] for text in said] == ["The storage is out of reach", "The storage is back."]


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("", {}, sqlite3.OperationalError("database or disk is full")),
        OperationalError("", {}, sqlite3.OperationalError("attempt to write a readonly database")),
        IntegrityError("", {}, Exception("duplicate key")),
    ],
)
def test_patience_does_not_wait_for_what_stays(error: Exception) -> None:
    def operation() -> None:
        raise error

    with pytest.raises(StorageFailedError):
        Patience(lambda _: None)(operation)


def test_patience_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lrsearch.storage.retry.time.sleep", lambda _: None)

    def operation() -> None:
        raise OperationalError("", {}, Exception("connection refused"))

    with pytest.raises(StorageFailedError, match="connection refused"):
        Patience(lambda _: None, limit=0.05)(operation)
