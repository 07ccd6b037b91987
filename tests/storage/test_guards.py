"""What `open_storage` refuses, and that it changes nothing when it does."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest
import sqlalchemy

from lrsearch.errors import InputError
from lrsearch.storage import files, rdb
from lrsearch.storage.counts import engine_of
from lrsearch.storage.rdb import open_storage


class Part(NamedTuple):
    """A line of what psutil lists."""

    device: str
    mountpoint: str
    fstype: str
    opts: str


CREATE = """
import sys
from lrsearch.storage.rdb import open_storage
print("ready", flush=True)
sys.stdin.readline()
print(len(open_storage(sys.argv[1], create=True).get_all_studies()))
"""


def set_revision(url: str, revision: str) -> None:
    engine = sqlalchemy.create_engine(rdb.parse(url))
    with engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'")
    engine.dispose()


def create(url: str) -> None:
    storage = open_storage(url, create=True)
    storage.remove_session()
    engine = engine_of(storage)
    assert engine is not None
    engine.dispose()


def folder_bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def mounted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder that the system says is a network share, inside one that is not."""
    share = tmp_path / "share"
    share.mkdir()
    parts = [
        Part("/dev/x", "/", "ext4", "rw"),
        Part("old", str(share), "ext4", "rw"),
        Part("host:/x", str(share), "fuse.sshfs", "rw,relatime"),
        Part("host:/y", str(tmp_path / "sha"), "nfs4", "rw"),
    ]
    monkeypatch.setattr(psutil, "disk_partitions", lambda **_: parts)
    return share


def test_a_network_file_system_is_named_and_refused(mounted: Path) -> None:
    with pytest.raises(InputError, match=r"network file system \(fuse.sshfs.*PostgreSQL or MariaDB"):
        open_storage(f"sqlite:///{mounted}/a.db", create=True)
    assert list(mounted.iterdir()) == []
    link = mounted.parent / "link"
    link.symlink_to(mounted)
    with pytest.raises(InputError, match="network"):
        open_storage(f"sqlite:///{link}/a.db", create=True)


def test_a_folder_beside_a_network_share_is_none(mounted: Path) -> None:
    assert files.fault(mounted.parent / "a.db") is None


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "fuse.rclone", "CIFS"])
def test_network_kinds(kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(psutil, "disk_partitions", lambda **_: [Part("x", "/", kind, "rw")])
    found = files.file_system(tmp_path)
    assert found is not None
    assert found.is_network


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A file system with a database, mounted read-only."""
    folder = tmp_path / "mount"
    folder.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("mounting a file system takes root")
    try:
        create(f"sqlite:///{folder}/a.db")
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def test_a_read_only_file_system_is_named(read_only: Path) -> None:
    for name in ("a.db", "new.db"):
        with pytest.raises(InputError, match=r"file system .* is read-only \(tmpfs"):
            open_storage(f"sqlite:///{read_only}/{name}", create=True)


@pytest.mark.parametrize(
    ("locked", "words"), [("a.db", "the file .* is read-only"), (".", "the folder .* is read-only")]
)
def test_a_read_only_file_or_folder_is_named(
    locked: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may write everywhere, so the system's answer is replaced."""
    create(f"sqlite:///{tmp_path}/a.db")
    refused = tmp_path / locked
    monkeypatch.setattr(os, "access", lambda path, _: Path(path) != refused)
    with pytest.raises(InputError, match=words):
        open_storage(f"sqlite:///{tmp_path}/a.db")


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_newer_schema_is_refused_and_nothing_touched(journal: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    create(url)
    set_revision(url, "v9.9.9.a")
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        connection.execute(f"PRAGMA journal_mode={journal}")
    before = folder_bytes(tmp_path)
    with pytest.raises(InputError, match=r"newer Optuna.*v9\.9\.9\.a") as caught:
        open_storage(url, create=True)
    assert caught.value.exit_code == 2
    after = folder_bytes(tmp_path)
    assert after["a.db"] == before["a.db"]
    assert set(after) == set(before)


def test_other_schemas_are_refused_on_every_database(fresh_database_url: str) -> None:
    create(fresh_database_url)
    set_revision(fresh_database_url, "v9.9.9.a")
    with pytest.raises(InputError, match="newer Optuna"):
        open_storage(fresh_database_url)
    set_revision(fresh_database_url, "v3.0.0.d")
    with pytest.raises(InputError, match="lrsearch storage upgrade"):
        open_storage(fresh_database_url)


def test_a_newer_schema_gets_no_tables_of_ours(fresh_database_url: str) -> None:
    """Optuna creates whatever table it misses before it looks at the schema."""
    create(fresh_database_url)
    set_revision(fresh_database_url, "v9.9.9.a")
    engine = sqlalchemy.create_engine(rdb.parse(fresh_database_url))
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE trial_heartbeats")
    with pytest.raises(InputError, match="newer Optuna"):
        open_storage(fresh_database_url)
    assert "trial_heartbeats" not in sqlalchemy.inspect(engine).get_table_names()
    engine.dispose()


def test_a_file_that_is_no_database_is_untouched(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"a" * 5000)
    with pytest.raises(InputError, match="not a database"):
        open_storage(f"sqlite:///{tmp_path}/a.db")
    assert folder_bytes(tmp_path) == {"a.db": b"a" * 5000}


def test_several_processes_create_the_tables_at_once(fresh_database_url: str) -> None:
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", CREATE, fresh_database_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    # All wait at the same line, so that they go on together.
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    ends = [worker.communicate(timeout=100) for worker in workers]
    assert [(worker.returncode, out) for worker, (out, _) in zip(workers, ends, strict=True)] == [(0, "0\n")] * 4, ends
    engine = sqlalchemy.create_engine(rdb.parse(fresh_database_url))
    with engine.connect() as connection:
        for table in ("alembic_version", "version_info"):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 1
    engine.dispose()
