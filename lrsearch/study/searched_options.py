"""Whether searched options suit a task's data: batches of rows that there are, and trials that can be compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lrsearch.errors import Fault, InputError
from lrsearch.study_file.applied import applied
from lrsearch.study_file.faults import show
from lrsearch.study_file.meaning import show_axis
from lrsearch.study_file.model import Definition
from lrsearch.study_file.option_axes import encoded, values

if TYPE_CHECKING:
    from lrsearch.tasks.task import Task

COMPARED = ("test", "holdout")
"""Rows that judge trials; with other ones their values could not be compared."""


def check(definition: Definition, task: Task, make: Callable[[Definition], Task]) -> None:
    """Refuse options that do not suit the data, at the ends of ranges and for every choice.

    Args:
        definition: What a study is to be.
        task: Its task, without a search among its options.
        make: Makes the task of another definition.

    Raises:
        InputError: With everything that was found.
    """
    if not definition.search.options:
        return
    faults = [*_batches(definition, task), *_rows(definition, task, make)]
    if faults:
        raise InputError(f"study {definition.study.name}", faults)


def _batches(definition: Definition, task: Task) -> list[Fault]:
    from lrsearch.training.batches import epoch_rows  # torch takes a while

    axis = definition.search.options.training.get("batch_size")
    rows = epoch_rows(task, definition.training)
    if axis is None or max(int(size) for size in values(axis) if isinstance(size, int)) <= rows:
        return []
    return [Fault("search.training.batch_size", f"the task has only {rows} training rows", show_axis(axis))]


def _rows(definition: Definition, task: Task, make: Callable[[Definition], Task]) -> list[Fault]:
    """The options that change the rows that trials are judged by."""
    from lrsearch.tasks.fingerprint import differences, fingerprint  # torch takes a while

    found: list[Fault] = []
    options = [one for one in definition.search.options.shared() if one.section == "task"]
    there = {part: own for part, own in fingerprint(task).items() if part in COMPARED} if options else {}
    for one in options:
        for value in values(one.axis):
            own = fingerprint(make(applied(definition, {one.name: encoded(value)})))
            if changed := differences({part: rows for part, rows in own.items() if part in COMPARED}, there):
                rule = f"changes what trials are judged by ({changed[0]}), so that they could not be compared"
                found.append(Fault(one.place, rule, show(value)))
                break
    return found
