"""Which rows score a confirmation, and what a network that has learned nothing comes to on them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from lrsearch.study import open as opening
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file.model import Definition

FEWEST_HALVED = 4
"""With fewer test rows they stay whole."""
FLATTERED = "the rows that score a run have chosen its epoch, too, which flatters it"
"""Why a value is better than a new training will be, where nothing but the test rows is there and they stay whole."""


def scoring(definition: Definition) -> dict[str, Any]:
    """Which rows score a confirmation, how many those are, and why they are no holdout rows if they are not.

    Args:
        definition: Of the search.
    """
    best = definition.study.value == "best"
    if definition.command is not None:  # nobody but the command knows its rows
        return {"rows": "test", "row_count": 0, **({"reason": FLATTERED} if best else {})}
    from lrsearch.tasks.data import Streamed
    from lrsearch.tasks.data import count as rows_of  # torch takes a while

    task = opening.build_task(definition)
    none, streamed = task.holdout is None, isinstance(task.test, Streamed) or isinstance(task.holdout, Streamed)
    if task.holdout is not None and not streamed:
        return {"rows": "holdout", "row_count": rows_of(task.holdout)}
    rows = rows_of(task.test)
    cannot = "holdout rows that a DataLoader reads cannot be scored beside the test rows"
    reason = "the task has no holdout rows" if none else cannot
    if not best:
        return {"rows": "test", "row_count": rows, "reason": reason}
    if isinstance(task.test, Streamed) or rows < FEWEST_HALVED:
        return {"rows": "test", "row_count": rows, "reason": f"{reason}, and {FLATTERED}"}
    told = f"{reason}: half of the test rows chose each run's epoch, and the other half scored it"
    return {"rows": "test", "row_count": rows // 2, "reason": told, "halved": True}


def constant_prediction_of(made: StoredStudy, definition: Definition) -> dict[str, Any] | None:
    """What a network that has learned nothing would come to on the rows that score a confirmation.

    Args:
        made: The confirmation, which says what scores it.
        definition: Of the search.
    """
    if definition.command is not None:
        return None
    from lrsearch.tasks.constant_prediction import constant_prediction  # torch takes a while

    task = opening.build_task(definition)
    if made.is_halved:
        from lrsearch.study.holdout import halved

        task = halved(task)
    rows = task.test if made.score is None or task.holdout is None else task.holdout
    found = constant_prediction(task, rows, maximise=made.maximises)
    return None if found is None else asdict(found)
