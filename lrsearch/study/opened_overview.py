"""Studies at a glance where the database cannot be read as it stands: through Optuna, which says what is wrong."""

from __future__ import annotations

from collections.abc import Collection

from optuna.storages import BaseStorage

from lrsearch.storage.attributes import DEFINITION, excluded
from lrsearch.storage.choice import known_engine, storage_reader, study_reader
from lrsearch.storage.glance import Glimpse, glance, is_known
from lrsearch.storage.rdb import open_storage
from lrsearch.study.ranking import ranked


def glimpses(url: str, keys: Collection[str]) -> list[Glimpse]:
    """As `storage.glance.glance`, of any storage.

    Args:
        url: The storage.
        keys: The user attributes to read.

    Raises:
        InputError: It cannot be opened.
    """
    storage = open_storage(url)
    engine = known_engine(storage)
    if engine is not None and is_known(engine):
        return glance(engine, keys)
    there = storage_reader(storage)
    return [_glimpse(storage, listed.study_id, listed.name, keys) for listed in there.listed()]


def _glimpse(storage: BaseStorage, study_id: int, name: str, keys: Collection[str]) -> Glimpse:
    study = storage_reader(storage).study(name)
    reader = study_reader(study, storage)
    stored = reader.attributes()
    directions = tuple(direction.name for direction in study.directions)
    maximise, out = directions == ("MAXIMIZE",), excluded(stored)
    best = None
    if len(directions) == 1 and DEFINITION in stored:
        best = reader.best_value(out, maximise=maximise)
    elif len(directions) == 1:
        # Another tool may have constraints of its own, which the database cannot compare.
        winner = next(iter(ranked(reader.all_trials(), out, maximise=maximise)), None)
        best = winner.value if winner else None
    wanted = {key: value for key, value in stored.items() if key in keys}
    return Glimpse(study_id, name, directions, wanted, reader.tally(), best)
