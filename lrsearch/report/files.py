"""The files of a report: whether they can be written, and writing them."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from lrsearch import atomic_file
from lrsearch.errors import Fault, InputError, input_error, nearest


def prepare(folder: Path) -> None:
    """Make a folder, and find out at once whether files can be written there.

    Args:
        folder: It may exist.

    Raises:
        InputError: It cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _unwritable(folder, error) from None


def check_picture(path: Path, key: str) -> None:
    """Find out, before anything is drawn, whether a figure can be written; its folder is made.

    Args:
        path: The file.
        key: What to call it in messages.

    Raises:
        InputError: It does not end in .png, is a folder, or cannot be written.
    """
    rule = "is a folder" if path.is_dir() else "must end in .png" if path.suffix.lower() != ".png" else None
    if rule is not None:
        raise input_error("output", rule, key=key, received=f'"{path}"')
    prepare(path.parent)


def faults_of_target(file: Path, key: str, suffixes: Collection[str] = ()) -> list[Fault]:
    """What speaks against writing a file, found out before the work whose result it shall hold.

    Args:
        file: The file; it need not exist.
        key: The option that named it.
        suffixes: Endings that are understood; none means any.
    """
    if suffixes and file.suffix not in suffixes:
        return [Fault(key, f"must end in {', '.join(suffixes)}", str(file), nearest(file.suffix, suffixes))]
    if file.is_dir():
        return [Fault(key, "is a folder", str(file))]
    if not file.parent.is_dir():
        return [Fault(key, f"the folder {file.parent} does not exist", str(file))]
    try:
        with tempfile.TemporaryFile(dir=file.parent):
            return []
    except OSError as error:
        return [Fault(key, f"cannot be written: {error.strerror or error}", str(file))]


def replace(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files, each in one step, in the order given.

    Args:
        folder: Where; it exists.
        files: Name -> content.

    Raises:
        InputError: A file cannot be written.
    """
    try:
        for name, content in files.items():
            atomic_file.write(folder / name, content)
    except OSError as error:
        raise _unwritable(folder, error) from None


def remove(folder: Path, names: Iterable[str]) -> None:
    """Remove files, if they are there.

    Args:
        folder: Where.
        names: Their names.

    Raises:
        InputError: A file cannot be removed.
    """
    try:
        for name in names:
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from None


def _unwritable(folder: Path, error: OSError) -> InputError:
    reason = error.strerror or type(error).__name__
    return input_error("output", f"the folder cannot be written: {reason}", received=f'"{folder}"')
