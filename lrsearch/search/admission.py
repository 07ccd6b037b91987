"""Whether this process may train a study: the same lrsearch, and the same data. Looked at before a trial is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lrsearch
from lrsearch.errors import input_error
from lrsearch.search.studies import StoredStudy
from lrsearch.storage.attributes import DATA

if TYPE_CHECKING:
    from lrsearch.tasks.task import Task


def check(stored: StoredStudy, task: Task) -> None:
    """Refuse to train a study that another lrsearch created, or on other data than its trials so far.

    A study without a fingerprint, from before there were any, takes that of the first process that trains it.

    Args:
        stored: The study.
        task: Its task, as this process builds it.

    Raises:
        InputError: They differ. Nothing was taken.
    """
    check_version(stored)
    from lrsearch.tasks.fingerprint import differences, fingerprint  # torch takes a while

    own, there = fingerprint(task), stored.data
    if there is None:
        stored.study.set_user_attr(DATA, own)
    elif found := differences(own, there):
        rule = f"the data are not those that it was created with: {'; '.join(found)}. Nothing was taken"
        if any("other numbers" in words for words in found):
            rule += "; a task that draws its data needs a seed for them"
        raise input_error(f"study {stored.name}", rule)


def check_version(stored: StoredStudy) -> None:
    """Refuse to train a study of an lrsearch that may train differently.

    Args:
        stored: The study.

    Raises:
        InputError: Their versions differ before the second point; the third number changes no results.
    """
    there = stored.version
    if there is None or _line(there) == _line(lrsearch.__version__):
        return
    rule = (
        f"was created by lrsearch {there}, and this is {lrsearch.__version__}, which may train differently. "
        f'Nothing was taken; install that one: pip install "lrsearch=={".".join(_line(there))}.*"'
    )
    raise input_error(f"study {stored.name}", rule)


def _line(version: str) -> list[str]:
    return version.split(".")[:2]
