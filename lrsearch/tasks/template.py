"""A task to start from, and the study file that names it."""

from __future__ import annotations

import keyword
import os
from pathlib import Path

from lrsearch import atomic_file, registry
from lrsearch.errors import InputError, input_error, nearest
from lrsearch.tasks import starts, table_start
from lrsearch.tasks.error_location import sentence
from lrsearch.tasks.table import Table

_STUDY = """\
# Which learning rate and which schedule train {name} best?
[study]
name = "{name}"
trials = 50
load = ["{file}"]

[task]
name = "{name}"

[training]
epochs = 30
{optimizer}"""


def write(target: Path, study: Path | None = None, kind: str = starts.DEFAULT) -> str:
    """Write a task file, and a study file that names it if one is wanted; neither may exist.

    Args:
        target: The task file, ending in ``.py``; its stem becomes the task's name.
        study: The study file.
        kind: One of `starts.KINDS`.

    Returns:
        The task's name.

    Raises:
        InputError: There is no such kind, the stem cannot be a task's name, or a file exists or cannot be written.
    """
    if kind not in starts.KINDS:
        rule = f"must be one of {', '.join(starts.KINDS)}"
        raise input_error("tasks new", rule, key="--kind", received=f'"{kind}"', nearest=nearest(kind, starts.KINDS))
    _check(target, study)
    text = starts.KINDS[kind].format(name=target.stem, file=target.name)
    return _write(target, study, text, starts.OPTIMIZERS.get(kind))


def write_from_table(target: Path, study: Path | None, table: Table) -> str:
    """Write a task file that reads a CSV file, and a study file that names it if one is wanted; neither may exist.

    Args:
        target: The task file, ending in ``.py``; its stem becomes the task's name.
        study: The study file.
        table: What it reads.

    Returns:
        The task's name.

    Raises:
        InputError: The stem cannot be a task's name, or a file exists or cannot be written.
    """
    _check(target, study)
    return _write(target, study, table_start.text(table, target), table_start.OPTIMIZER)


def _check(target: Path, study: Path | None) -> None:
    name = target.stem
    if target.suffix != ".py" or not name.isidentifier() or keyword.iskeyword(name):
        rule = "must be a Python file whose name is a valid function name, such as my_task.py"
        raise input_error("tasks new", rule, received=str(target))
    if name in registry.tasks:
        rule = f'there is a task "{name}" already; choose another name'
        raise input_error("tasks new", rule, received=str(target))
    for file in (target, study):
        if file is not None and file.exists():
            raise input_error(str(file), "exists already; nothing was written")


def _write(target: Path, study: Path | None, text: str, optimizer: str | None) -> str:
    if study is not None:
        beside = Path(os.path.relpath(target.resolve(), study.resolve().parent)).as_posix()
        line = "" if optimizer is None else f'optimizer = "{optimizer}"\n'
        _create(study, _STUDY.format(name=target.stem, file=beside, optimizer=line))
    try:
        _create(target, text)
    except InputError:
        if study is not None:
            study.unlink()
        raise
    return target.stem


def _create(file: Path, text: str) -> None:
    try:
        atomic_file.create(file, text.encode())
    except OSError as error:
        raise input_error(str(file), f"cannot be written: {error.strerror or sentence(error)}") from None
