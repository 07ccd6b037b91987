"""How long a trial's curves may be: tables that Optuna made on MySQL or MariaDB keep 64 KiB of an attribute."""

from __future__ import annotations

import sqlalchemy
from optuna.storages import BaseStorage
from sqlalchemy import Column, Engine
from sqlalchemy.dialects import mysql

from lrsearch.storage import tables
from lrsearch.storage.counts import engine_of

TEXT_BYTES = 65_535
"""What MySQL and MariaDB keep of a TEXT."""
NUMBER_BYTES = 26
"""At most, of one number in a curve: ``-2.2250738585072014e-308`` with a comma and a space."""


def longest_curve(storage: BaseStorage) -> int | None:
    """How many numbers an attribute of a trial has room for; None where there is no limit to speak of.

    Args:
        storage: Any storage.
    """
    engine = engine_of(storage)
    narrow = engine is not None and tables.USER.c.value_json in narrow_columns(engine)
    return TEXT_BYTES // NUMBER_BYTES if narrow else None


def narrow_columns(engine: Engine) -> list[Column[str]]:
    """The columns of attributes that end at 64 KiB.

    Args:
        engine: Of a database that has Optuna's tables.
    """
    if engine.dialect.name not in ("mysql", "mariadb"):
        return []
    there = sqlalchemy.inspect(engine)
    kinds = {
        column: own["type"]
        for column in tables.ATTRIBUTES
        for own in there.get_columns(column.table.name)
        if own["name"] == column.name
    }
    return [column for column, kind in kinds.items() if isinstance(kind, mysql.TEXT)]


def widen(engine: Engine) -> bool:
    """Let attributes be as long as in tables that lrsearch creates: 16 MiB.

    Args:
        engine: Of a database that has Optuna's tables; nobody else should use it meanwhile.

    Returns:
        Whether anything had to be done.
    """
    narrow = narrow_columns(engine)
    for column in narrow:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"ALTER TABLE {column.table.name} MODIFY {column.name} MEDIUMTEXT")
    return bool(narrow)
