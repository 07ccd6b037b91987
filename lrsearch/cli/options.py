"""Options that several commands share, with one wording."""

from __future__ import annotations

import logging
from typing import Annotated

import typer

from lrsearch.cli import completion
from lrsearch.cli.output import Format
from lrsearch.errors import input_error
from lrsearch.study_file.limits import MOST_THREADS

MOST_WORKERS = 1024
"""Processes of one command."""


def _kept(url: str) -> str:
    """A storage that another command finds again; one in this command's memory would be gone before it is looked at."""
    from lrsearch.storage.address import keeps_nothing  # takes a while, and some commands need no storage
    from lrsearch.storage.url import parse

    if keeps_nothing(parse(url)):
        rule = "is in memory and gone when the command ends: name a file, such as sqlite:///lrsearch.db"
        raise input_error("--storage", rule, received=url)
    return url


def _number_of_workers(text: str) -> int | None:
    """How many processes; None for as many as suit the machine."""
    if text == "auto":
        return None
    if not text.isdecimal() or not 1 <= int(text) <= MOST_WORKERS:
        rule = f"must be a whole number from 1 to {MOST_WORKERS}, or auto"
        raise input_error("command line", rule, key="--workers", received=text)
    return int(text)


Storage = Annotated[
    str,
    typer.Option(
        metavar="URL",
        envvar="LRSEARCH_STORAGE",
        show_default=True,
        callback=_kept,
        help="Database: sqlite:///FILE, postgresql://..., mysql://...",
    ),
]
OutputFormat = Annotated[Format, typer.Option("--format", help="How to print the result.")]
Load = Annotated[
    list[str] | None,
    typer.Option("--load", metavar="FILE|MODULE", help="Python file or module that registers tasks; may be repeated."),
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Replace a key of the study file, such as training.epochs=30."),
]
Grace = Annotated[
    float,
    typer.Option(min=0.1, metavar="S", help="A worker on another machine, silent for so long, has lost its trials."),
]
Engine = Annotated[
    str,
    typer.Option(
        help="auto, sequential, batched (many at once), compiled (many at once, as C++), or parallel (side by side on "
        "all cores)."
    ),
]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Threads = Annotated[
    int, typer.Option(min=1, max=MOST_THREADS, help="CPU threads of torch; other counts change the last bits.")
]
Workers = Annotated[
    int | None,
    typer.Option(
        metavar="N|auto",
        parser=_number_of_workers,
        help="Processes: with parallel those that train for this run (auto: one per core or GPU), else those that "
        "share the study (auto: one per GPU, or one).",
    ),
]
Cluster = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Workers on a Ray cluster: local, auto, HOST:PORT or ray://HOST:PORT."),
]
GpusPerWorker = Annotated[
    float | None,
    typer.Option(min=0, max=1, help="GPUs of each worker; 0.5 lets two share one. By default 1, if there are any."),
]
StudyName = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="A study in the storage.", show_default=False, autocompletion=completion.studies
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")]


def quiet_libraries() -> None:
    """Let libraries say only what we do not: our progress tells of trials, and our own lines of outages."""
    for name, level in (
        ("optuna", logging.WARNING),
        ("optuna.study", logging.WARNING),  # what is imported later sets the level above it anew
        ("sqlalchemy.pool", logging.CRITICAL),
        ("psycopg", logging.ERROR),
    ):
        logging.getLogger(name).setLevel(level)
