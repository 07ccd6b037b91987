"""SQLite files: where they lie, whether they can be written there, and how to look into one without touching it."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psutil
from sqlalchemy import Engine, event

from lrsearch.errors import StorageFailedError

NETWORK = frozenset(
    """
    afpfs afs beegfs ceph cifs coda davfs davfs2 glusterfs gpfs lustre ncpfs nfs nfs3 nfs4 orangefs pvfs2 smb smb2 smb3
    smbfs webdav curlftpfs gcsfuse goofys mount.s3 rclone s3fs sshfs
    """.split()  # noqa: SIM905 -- as a list it would take thirty lines
)
"""File systems shared between machines. FUSE's carry a prefix, as in ``fuse.sshfs``."""


@dataclass(frozen=True)
class FileSystem:
    """What a file lies on.

    Attributes:
        kind: Its type, such as ``ext4`` or ``nfs4``.
        mounted: Where it is mounted.
        is_network: Whether other machines may write to it at the same time.
        is_read_only: Whether it was mounted so.
    """

    kind: str
    mounted: str
    is_network: bool
    is_read_only: bool


class ReplacedFileError(StorageFailedError):
    """The file of an SQLite database was removed, or another one was put in its place, while it was in use.

    The process's connections go on with the old file, which nobody else can open any more.
    """


class KeptFile:
    """The file that a database had when it was opened.

    Args:
        path: Where it is.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()  # a process may change its folder
        self._identity = _identity(path)

    def check(self) -> None:
        """Refuse to go on with another file, or without one.

        Raises:
            ReplacedFileError: The file is not there, or is another one.
        """
        now = _identity(self._path)
        if now == self._identity:
            return
        happened = "removed" if now is None else "replaced by another one"
        raise ReplacedFileError(
            f"the database file {self._path} was {happened} while it was in use; nothing more is written, and what was "
            "trained since is lost. Put the file back, or begin anew"
        )


def keep_to(engine: Engine, path: Path | None) -> None:
    """Look before every transaction, and every connection, whether the file is still the one that was opened.

    Args:
        engine: Of the database.
        path: Its file; nothing is looked at where there is none.
    """
    if path is not None and path.exists():
        kept = KeptFile(path)
        event.listen(engine, "begin", lambda _: kept.check())
        event.listen(engine, "do_connect", lambda *_: kept.check())


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def file_system(path: Path) -> FileSystem | None:
    """What a file or folder lies on; None where the system does not tell.

    Args:
        path: It need not exist yet.
    """
    real = path.resolve()
    # Where something is mounted over something else, the later one is what is seen.
    holding = [part for part in psutil.disk_partitions(all=True) if real.is_relative_to(part.mountpoint)]
    if not holding:
        return None
    deepest = max(len(Path(part.mountpoint).parts) for part in holding)
    part = [part for part in holding if len(Path(part.mountpoint).parts) == deepest][-1]
    options = part.opts.split(",")
    kind = part.fstype.casefold()
    name = kind.removeprefix("fuse.")
    remote = name in NETWORK or "remote" in options  # the latter on Windows
    return FileSystem(part.fstype, part.mountpoint, remote, "ro" in options)


def fault(path: Path) -> str | None:
    """Why an SQLite database cannot be used by several processes at this place, in a sentence; None if it can.

    Args:
        path: The database's file; it need not exist yet.
    """
    lies = file_system(path)
    if lies is not None and lies.is_network:
        return (
            f"{path} lies on a network file system ({lies.kind}, mounted at {lies.mounted}), where SQLite loses data "
            "when several processes write; use a PostgreSQL or MariaDB database instead"
        )
    folder = path.absolute().parent
    if lies is not None and lies.is_read_only:
        return f"the file system that holds {path} is read-only ({lies.kind}, mounted at {lies.mounted})"
    if path.exists() and not os.access(path, os.W_OK):
        return f"the file {path} is read-only for this user"
    if not os.access(folder, os.W_OK):
        # Also who only reads needs the files that SQLite keeps beside the database.
        return f"the folder {folder} is read-only for this user, and SQLite writes files beside its database"
    return None


def untouched(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing: neither the file nor what stands beside it.

    Args:
        path: An SQLite file.
    """
    # Reading a write-ahead log's database leaves its side files behind, unless SQLite is told that nobody writes.
    alone = not any(path.with_name(path.name + ending).exists() for ending in ("-wal", "-journal"))
    address = f"file:{quote(str(path.absolute()))}?mode=ro{'&immutable=1' if alone else ''}"
    return sqlite3.connect(address, uri=True, check_same_thread=False)
