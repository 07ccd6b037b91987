"""Where a person's caches are on this machine: what lies there may be deleted at any time."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder(part: str) -> Path:
    """The folder of one kind of cached things, ``$XDG_CACHE_HOME/lrsearch/PART`` or ``~/.cache/lrsearch/PART``.

    Args:
        part: Such as ``checkpoints``.

    Raises:
        RuntimeError: There is no home folder, and XDG_CACHE_HOME is not set.
    """
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The specification: a path that is not absolute counts as none.
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".cache") / "lrsearch" / part
