"""Under what a study was created: versions, and the commit of the person's own repository."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("torch", "optuna", "numpy")
"""Their versions decide what a study comes to."""
PATIENCE = 5.0
"""Seconds that git gets for an answer."""


def provenance(folder: Path) -> dict[str, Any]:
    """What is noted with a new study.

    Args:
        folder: Where the person works.

    Returns:
        ``versions`` (of Python and `PACKAGES`) and, in a git repository, ``commit`` and ``dirty``: whether the working
        tree differed from that commit.
    """
    return {"versions": _versions(), **_commit(folder)}


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _commit(folder: Path) -> dict[str, Any]:
    commit = _git(folder, "rev-parse", "--verify", "HEAD")
    if not commit:
        return {}
    # A file that nobody has added yet, a database say, does not change what the commit holds.
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return {"commit": commit, "dirty": changed is None or bool(changed)}


def _git(folder: Path, *arguments: str) -> str | None:
    """What git says; None if it is not there, or this is no repository."""
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
