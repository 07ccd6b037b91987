"""Where the files of a command's runs are kept: its settings, its curve and its output."""

from __future__ import annotations

import os
import re
from pathlib import Path

from sqlalchemy.engine import make_url

from lrsearch.storage.address import keeps_nothing
from lrsearch.study.stored import StoredStudy


def folder(stored: StoredStudy) -> Path:
    """The folder of a study: beside an SQLite file, ``lrsearch.output/NAME``; of a server's in the user's cache.

    Args:
        stored: The study.
    """
    url = None if stored.url is None else make_url(stored.url)
    if url is not None and url.get_backend_name() == "sqlite" and url.database and not keeps_nothing(url):
        base = Path(url.database).absolute().with_suffix(".output")
    else:
        cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        base = Path(cache) / "lrsearch" / "output"
    return base.joinpath(*(_plain(part) for part in stored.name.split("/")))


def _plain(part: str) -> str:
    """A part of a study's name as the name of a folder; it never leads elsewhere."""
    return re.sub(r"[^\w.-]+", "_", part).strip(".")[:100] or "_"
