"""What a person may do to a study that is stored: take trials out, stop it, hand back what is lost, delete it."""

from __future__ import annotations

import optuna

from lrsearch.errors import DeletedStudyError, input_error
from lrsearch.storage.attributes import EXCLUDED, STOPPED
from lrsearch.storage.choice import trial_store
from lrsearch.study import linked
from lrsearch.study import stored as studies
from lrsearch.study.stored import StoredStudy


def exclude(stored: StoredStudy, number: int, reason: str) -> None:
    """Take a trial out of best settings, comparisons and tables; it stays in the storage.

    Args:
        stored: The study.
        number: The trial's number.
        reason: Why; the report says it.
    """
    stored.trial(number)
    stored.remember(EXCLUDED, _keyed({**stored.excluded(), number: reason}))


def include(stored: StoredStudy, number: int) -> None:
    """Undo `exclude`.

    Args:
        stored: The study.
        number: The trial's number.

    Raises:
        InputError: The trial is not excluded.
    """
    kept = stored.excluded()
    if number not in kept:
        raise input_error("trial exclude", "is not excluded", received=str(number))
    del kept[number]
    stored.remember(EXCLUDED, _keyed(kept))


def _keyed(excluded: dict[int, str]) -> dict[str, str]:
    return {str(number): excluded[number] for number in sorted(excluded)}


def stop(stored: StoredStudy, stopped: bool) -> None:
    """Let no run take further trials of a study or its confirmation, or let them again.

    Args:
        stored: The study.
        stopped: Whether nobody shall take trials.
    """
    for name in linked.of(stored.storage, stored.name, stored.patience):
        studies.load(stored.storage, name, stored.patience).remember(STOPPED, stopped)
    stored.remember(STOPPED, stopped)


def is_stopped(stored: StoredStudy) -> bool:
    return bool(stored.reader.attributes().get(STOPPED, False))


def reap(stored: StoredStudy, grace: float) -> list[int]:
    """Let the settings of trials whose worker is gone be run again.

    Args:
        stored: The study.
        grace: Seconds without a heartbeat after which a worker on another machine is taken to be gone.

    Returns:
        Numbers of the trials that were lost.
    """
    return trial_store(stored.study, stored.storage, patience=stored.patience).reap(grace)


def delete(stored: StoredStudy) -> None:
    """Delete a study and all its trials for good, and with it its confirmation and short runs.

    Args:
        stored: The study.
    """
    for name in linked.of(stored.storage, stored.name, stored.patience):
        _delete(stored, name)
    _delete(stored, stored.name)


def _delete(stored: StoredStudy, name: str) -> None:
    tries = 0

    def once() -> None:
        nonlocal tries
        tries += 1
        optuna.delete_study(study_name=name, storage=stored.storage)

    try:
        stored.patience(once)
    except DeletedStudyError:
        if tries == 1:
            raise  # else the first try has done it, and its answer was lost
