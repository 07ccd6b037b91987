"""Which code a task is made of: what a process has loaded of it, in one number, as far as that can be known."""

from __future__ import annotations

import hashlib
import os
import sys
import sysconfig
from functools import cache
from pathlib import Path

import psutil

OWN = ("schedules", "tasks", "training")
"""Folders of this package that decide how a task is trained. They count whole, for one command loads more of them than
another, and what is loaded when a process asks is not all that it will load."""
_KINDS = ("stdlib", "platstdlib", "purelib", "platlib")


def loaded_code(libraries: frozenset[str] = frozenset()) -> str | None:
    """A hash of the person's own code in this process, of ours, and of the libraries named.

    Libraries count by the sizes and times of their files, all other code by its content.

    Args:
        libraries: Top-level packages that the task uses and that are installed, such as ``timm``.

    Returns:
        None where it cannot be known: code was typed into a prompt or a notebook, or a file has changed since.
    """
    own = _own_files()
    files = dict(own)
    for name, module in sorted(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name == "__main__" and file is None:
            return None
        if file is not None and os.path.isabs(file) and _counts(name, file, libraries):
            files[name] = file
    parts = []
    for name, file in files.items():
        part = _identity(file, content=name in own or not _is_installed(file))
        if part is None:
            return None
        parts.append(f"{name} {part}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def root_of(module: str | None) -> str:
    """The top-level package of a module.

    Args:
        module: Its name.
    """
    return (module or "").partition(".")[0]


@cache
def _began() -> float:
    """When this process began, in seconds of `time.time`: a file that is newer may hold other code than was loaded."""
    return psutil.Process().create_time()


def _own_files() -> dict[str, str]:
    """Place in this package -> file."""
    package = Path(__file__).parent.parent
    found = (file for folder in OWN for file in (package / folder).rglob("*") if file.suffix in (".py", ".hpp"))
    return {str(file.relative_to(package)): str(file) for file in sorted(found)}


def _counts(name: str, file: str, libraries: frozenset[str]) -> bool:
    if root_of(name) == "lrsearch":
        return False
    return root_of(name) in libraries or not _is_installed(file)


def _is_installed(file: str) -> bool:
    """Whether a file belongs to Python or to a package that pip installed."""
    return file.startswith(_installed())


@cache
def _installed() -> tuple[str, ...]:
    """Folders of Python and of installed packages, as modules may spell them."""
    folders = {sysconfig.get_path(kind) for kind in _KINDS}
    return tuple(f"{name}{os.sep}" for folder in folders for name in {folder, os.path.realpath(folder)})


def _identity(file: str, *, content: bool) -> str | None:
    try:
        stat = Path(file).stat()
    except OSError:
        return None
    if stat.st_mtime >= _began():
        return None
    return _content(file, stat.st_mtime_ns, stat.st_size) if content else f"{stat.st_mtime_ns} {stat.st_size}"


@cache
def _content(file: str, changed: int, size: int) -> str:  # noqa: ARG001 - read again when they differ
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()
