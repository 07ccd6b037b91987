"""Whether a study may be trained: same lrsearch, definition and data, room for its curves. Looked at beforehand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrsearch import version
from lrsearch.errors import Fault, InputError, input_error
from lrsearch.storage.attributes import DATA
from lrsearch.storage.choice import storage_reader
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file.load import differences

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

    from lrsearch.study_file.model import Definition
    from lrsearch.tasks.task import Task


def check(stored: StoredStudy, task: Task) -> None:
    """Refuse to train a study that another lrsearch created, on other data than so far, or without room for its curves.

    A study without a fingerprint, from before there were any, takes that of the first process that trains it.

    Args:
        stored: The study.
        task: Its task, as this process builds it.

    Raises:
        InputError: They differ, or there is none. Nothing was taken.
    """
    check_version(stored)
    if stored.definition is not None:
        check_room(stored.storage, stored.definition, task)
    from lrsearch.tasks.fingerprint import differences, fingerprint  # torch takes a while

    own, there = fingerprint(task), stored.data
    if there is None:
        stored.remember(DATA, own)
    elif found := differences(own, there):
        rule = f"the data are not those that it was created with: {'; '.join(found)}. Nothing was taken"
        if any("other numbers" in words for words in found):
            rule += "; a task that draws its data needs a seed for them"
        raise input_error(f"study {stored.name}", rule)


def check_version(stored: StoredStudy) -> None:
    """Refuse to train a study of an lrsearch that trains differently, or to repeat one of its trials.

    Args:
        stored: The study.

    Raises:
        InputError: See `trains_alike`; what can still be done with the study.
    """
    if trains_alike(stored):
        return
    there = str(stored.version)
    rule = (
        f"was created by lrsearch {there}, and {version.__version__} trains differently: the numbers would not be the "
        "same. It can be listed, shown, reported and exported; to train it, create it again from its file, or install "
        f"lrsearch {'.'.join(_line(there))}"
    )
    raise input_error(f"study {stored.name}", rule)


def trains_alike(stored: StoredStudy) -> bool:
    """Whether this lrsearch comes to the same numbers as the one that created a study.

    Versions that differ only after the second point do; so does whichever trains a study that does not name one.

    Args:
        stored: The study.
    """
    return stored.version is None or _line(stored.version) == _line(version.__version__)


def check_room(storage: BaseStorage, definition: Definition, task: Task) -> None:
    """Refuse a study whose trials have longer curves than the database can keep.

    Args:
        storage: Where the study is, or is to be.
        definition: What it is.
        task: Its task, whose extra metrics are kept in one attribute.

    Raises:
        InputError: They are longer, and what to do about it.
    """
    # Confirming it, the metric on the holdout rows is one more of the extra ones.
    together = max(1, len(task.extra) + (task.holdout is not None))
    longest, epochs = storage_reader(storage).longest_curve(), _steps(definition, task)
    if longest is None or epochs * together <= longest:
        return
    unit = definition.training.unit
    curves = "a curve" if together == 1 else f"{together} curves of extra metrics"
    rule = (
        f"this database keeps 64 KiB of an attribute, and {curves} of so many {unit}s may need more: at most "
        f"{longest // together} {unit}s, or make room with: lrsearch storage upgrade"
    )
    raise input_error(f"study {definition.study.name}", rule, key="training.epochs", received=str(epochs))


def _steps(definition: Definition, task: Task) -> int:
    """Of the curve of a trial that is trained to the end."""
    if definition.training.evaluate_every is None:
        return definition.training.epochs
    from lrsearch.training.when_evaluated import evaluations_of  # torch takes a while

    return evaluations_of(task, definition.training)


def _line(version: str) -> list[str]:
    return version.split(".")[:2]


def check_same(stored: StoredStudy, definition: Definition, source: str) -> None:
    """Refuse to go on with a study under another definition than its own; only `trials` may differ.

    Args:
        stored: The study.
        definition: What the person wants to run.
        source: Where that came from.

    Raises:
        InputError: Names every key that differs.
    """
    if stored.definition is None:
        raise input_error(source, "a study of that name exists that lrsearch did not create", key="study.name",
                          received=f'"{stored.name}"')  # fmt: skip
    found = differences(stored.definition, definition)
    if found:
        first = Fault("study.name", "exists with another definition: choose another name, or undo these changes",
                      f'"{stored.name}"')  # fmt: skip
        raise InputError(source, [first, *found])
