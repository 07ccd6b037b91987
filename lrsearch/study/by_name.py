"""Which study has a name: asked for by the name, not looked up in a list of all."""

from __future__ import annotations

import optuna
from optuna.storages import BaseStorage

from lrsearch.errors import input_error, nearest
from lrsearch.storage.reader import StorageReader
from lrsearch.storage.retry import Patience


def study(there: StorageReader, storage: BaseStorage, name: str, patience: Patience) -> optuna.Study:
    """Optuna's study of exactly this name. All are listed only where that is in doubt: there may be thousands.

    Args:
        there: Reads which studies there are.
        storage: Where.
        name: The study's name.
        patience: Waits for a database that has gone away.

    Raises:
        InputError: There is none; the message lists those that there are.
    """
    try:
        found = there.study(name)
        # Some databases take names for equal that differ in upper case or accents.
        if patience(lambda: storage.get_study_name_from_id(found._study_id)) == name:
            return found
    except KeyError:
        pass
    studies = there.listed()
    known = [listed.name for listed in studies]
    if name in known:
        return there.study(name)
    own = [listed.name for listed in studies if listed.origin is None] or known  # without those that belong to them
    listed = f"; there are {', '.join(own)}" if own else "; the storage has no studies"
    near = nearest(name, known)
    raise input_error("study", "no such study" + ("" if near else listed), received=f'"{name}"', nearest=near)
