"""What a shell offers while a name is typed: studies, tasks, schedulers. Offers nothing where it cannot know."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from glob import escape, glob

import typer

from lrsearch import registry
from lrsearch.storage.rdb import DEFAULT_URL, open_storage


def studies(context: typer.Context, incomplete: str) -> list[str]:
    """Studies of the storage that the command line, or the environment, names so far.

    Args:
        context: What was typed.
        incomplete: The beginning of a name.
    """
    found: list[str] = []
    with suppress(Exception):  # a message would stand in the middle of what is being typed
        from lrsearch.study import stored

        url = context.params.get("storage") or os.environ.get("LRSEARCH_STORAGE") or DEFAULT_URL
        found = stored.names(open_storage(url))
    return _beginning(incomplete, found)


def studies_and_files(context: typer.Context, incomplete: str) -> list[str]:
    """The same, and the study files that lie where the path so far leads.

    Args:
        context: What was typed.
        incomplete: The beginning of a name or path.
    """
    files = sorted(glob(f"{escape(incomplete)}*.toml"))
    return [*studies(context, incomplete), *files]


def tasks(incomplete: str) -> list[str]:
    """Tasks that need no file."""
    found: list[str] = []
    with suppress(Exception):
        found = list(registry.tasks)
    return _beginning(incomplete, found)


def schedulers(incomplete: str) -> list[str]:
    """Scheduler types."""
    found: list[str] = []
    with suppress(Exception):
        found = list(registry.schedules)
    return _beginning(incomplete, found)


def _beginning(incomplete: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
