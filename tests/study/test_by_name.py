"""A study is the one whose name was given, in every letter, whatever a database takes for equal."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from databases import close

from lrsearch.errors import InputError
from lrsearch.storage.rdb import open_storage
from lrsearch.study import stored as studies
from lrsearch.study_file.model import Definition


def test_a_name_in_other_letters_is_no_name(database_url: str, define: Callable[..., Definition]) -> None:
    """MariaDB makes no difference between cases and accents; the others do."""
    storage = open_storage(database_url, create=True)
    studies.create(storage, define(study={"name": "Lr-e", "trials": 1}), "mse")
    assert studies.load(storage, "Lr-e").name == "Lr-e"
    for twin in ("lr-e", "Lr-é"):
        with pytest.raises(InputError, match="no such study; did you mean Lr-e"):
            studies.load(storage, twin)
    close(storage)
