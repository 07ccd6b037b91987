"""A study that trains for another one: made beside it, trained like it, and filled with the settings to train."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from lrsearch.errors import input_error
from lrsearch.storage import new_study
from lrsearch.storage.attributes import DATA, METRIC, ORIGIN, RETRIED, VERSION
from lrsearch.storage.choice import trial_store
from lrsearch.storage.new_study import NewStudy, StudyExistsError
from lrsearch.storage.past_trials import key_of
from lrsearch.storage.store import settings_key
from lrsearch.study import stored as studies
from lrsearch.study.linked import Role
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file.model import ConfirmSection, Definition, PluginSection

NEVER = ConfirmSection(top=0)
"""What linked studies have: a confirmation is not confirmed."""


def opened(stored: StoredStudy, name: str, role: Role, scored: Mapping[str, Any]) -> StoredStudy:
    """The linked study of a name, made if it is not there.

    Several processes may be at this at once, and each may be killed in between: every step can be repeated.

    Args:
        stored: The study that it belongs to.
        name: Of the linked study.
        role: What it is there for.
        scored: Which rows score it; see `scoring`.

    Raises:
        InputError: The name is that of a study that belongs to nobody, or to another one.
    """
    link = {**scored, "study": stored.name, "role": role}
    first = {ORIGIN: link, METRIC: stored.metric, VERSION: stored.version, DATA: stored.data}
    with suppress(StudyExistsError):
        stored.patience(lambda: new_study.create(stored.storage, NewStudy(name, first, maximise=stored.maximises)))
    made = studies.load(stored.storage, name, stored.patience)
    there = made.reader.attributes()
    if made.origin != stored.name:
        rule = f"this name is needed for a part of study {stored.name}: delete or rename what has it"
        raise input_error(f"study {stored.name}", rule, received=f'"{name}"')
    for key, value in first.items():
        if key not in there:
            made.remember(key, value)
    return made


def like(definition: Definition, trials: int) -> Definition:
    """The definition of a linked study: trained like the search, and nothing is pruned, tried or confirmed.

    Args:
        definition: Of the search.
        trials: Of the linked study, in all.
    """
    section = definition.study.model_copy(update={"trials": trials})
    return definition.model_copy(
        update={"study": section, "pruner": PluginSection(name="none"), "tries": [], "confirm": NEVER}
    )


def enqueue(stored: StoredStudy, wanted: Sequence[dict[str, Any]]) -> int:
    """Let settings wait that no trial has.

    Args:
        stored: The study that confirms.
        wanted: Parameters, with a seed among them.

    Returns:
        The study's trials in all, so that none is drawn beyond them.
    """
    while True:
        trials = stored.trials()
        there = [key_of(trial) for trial in trials if RETRIED not in trial.user_attrs]
        missing = [params for params in wanted if settings_key(params) not in there]
        store = trial_store(stored.study, stored.storage, patience=stored.patience)
        if not missing or store.enqueue(missing, there=len(trials)):
            return len(there) + len(missing)
