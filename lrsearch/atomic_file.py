"""Files that appear whole or not at all, whatever happens while they are written."""

from __future__ import annotations

import errno
import glob
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

LONGEST = 200
"""Bytes of a file's name that stand in the name of what becomes it; file systems take 255 in all."""


def write(file: Path, content: bytes, *, durable: bool = False) -> None:
    """Write a file; who reads it meanwhile gets the former one.

    Args:
        file: Where; its folder exists. One that is there is replaced, and its permissions are kept.
        content: What.
        durable: Whether it must outlast a power cut once this returns.

    Raises:
        OSError: It cannot be written; the file is as it was.
    """
    with replacing(file, durable=durable) as opened:
        opened.write(content)


@contextmanager
def replacing(file: Path, *, durable: bool = False) -> Iterator[BinaryIO]:
    """What is written inside the block takes the place of a file at its end; see `write`.

    Args:
        file: Where; its folder exists.
        durable: Whether it must outlast a power cut once the block has ended.

    Yields:
        The opened file, for bytes.

    Raises:
        OSError: It cannot be written; the file is as it was, as with any other exception of the block.
    """
    part = _part_of(file)
    try:
        with part.open("xb") as opened:
            if file.exists():
                shutil.copymode(file, part)  # who could read it before can read it now
            yield opened
            if durable:
                opened.flush()
                os.fsync(opened.fileno())
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    if durable:
        _sync_folder(file.parent)


def create(file: Path, content: bytes) -> None:
    """Write a file that must not be there yet.

    Args:
        file: Where; its folder exists.
        content: What.

    Raises:
        FileExistsError: It is there; it is as it was.
        OSError: It cannot be written; there is no file of that name.
    """
    part = _part_of(file)
    try:
        with part.open("xb") as opened:
            opened.write(content)
        try:
            os.link(part, file)  # which, unlike a renaming, replaces nothing
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links
            if os.path.lexists(file):
                raise FileExistsError(f"{file} exists") from None
            part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def parts_of(file: Path) -> Iterator[Path]:
    """What processes that write a file have beside it, or had when they were killed.

    Args:
        file: The file.
    """
    yield from file.parent.glob(f".{glob.escape(_shown(file.name))}.*.part")


def _part_of(file: Path) -> Path:
    """A new file in the same folder: renaming is atomic only within one file system."""
    if not file.name:
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(file))
    return file.parent / f".{_shown(file.name)}.{os.getpid()}-{secrets.token_hex(4)}.part"


def _shown(name: str) -> str:
    """A name that a file system just takes leaves no room for ours."""
    if len(os.fsencode(name)) <= LONGEST:
        return name
    return f"{name[:40]}-{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}"


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)  # the new name, too, must outlast a power cut
    finally:
        os.close(opened)
