"""A storage's URL: what it names, whether that can be used, and how a person is told. Optuna is not needed for that."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from lrsearch.errors import InputError, input_error
from lrsearch.printable import HIDDEN, redacted, secrets
from lrsearch.storage import address, files


class MissingStorageError(InputError):
    """There is no database at the URL yet."""


def absolute(url: str) -> str:
    """A storage URL that means the same in every folder of this machine.

    Args:
        url: What a person wrote.
    """
    file = sqlite_file(parsed := make_url(url))
    return url if file is None else parsed.set(database=str(file.resolve())).render_as_string(hide_password=False)


def parse(url: str) -> URL:
    """A storage URL with our driver for its kind of database.

    Args:
        url: What a person wrote.

    Raises:
        InputError: It is no URL of a database that we know.
    """
    unknown = "unknown kind of database; use sqlite, postgresql or mysql"
    try:
        parsed = make_url(url)
        _check_password(url)
        name = parsed.drivername
        if name.partition("+")[0] not in ("sqlite", *address.DRIVERS):
            raise input_error("--storage", unknown, received=redacted(url))
        if name in address.DRIVERS:
            parsed = parsed.set(drivername=address.DRIVERS[name][0])
        dialect = parsed.get_dialect()
    except NoSuchModuleError:
        raise input_error("--storage", unknown, received=redacted(url)) from None
    except ArgumentError:
        raise input_error("--storage", address.no_address(url)) from None
    except ValueError:  # what the standard library says of a port
        rule = "the port after the host must be a whole number, as in postgresql://user@host:5432/database"
        raise input_error("--storage", rule) from None
    except ImportError:
        raise cannot_open(parsed, address.wrong_driver(parsed, "is not installed")) from None
    if dialect.is_async:
        raise cannot_open(parsed, address.wrong_driver(parsed, "is one for asynchronous programs"))
    if dialect.name == "sqlite" and dialect.driver != "pysqlite":
        raise cannot_open(parsed, address.wrong_driver(parsed, "makes databases that nothing else here can read"))
    if parsed.port is not None and not 0 < parsed.port < 65536:
        raise input_error("--storage", "the port must be from 1 to 65535", received=str(parsed.port))
    return parsed


def _check_password(url: str) -> None:
    """Refuse a password from which drivers would take the host's name, and send it to the network as such."""
    place = url.partition("://")[2].partition("?")[0]
    if not place.startswith("/") and place.count("@") > 1 and ":" in place.partition("@")[0]:
        rule = "has more than one @; in a user name or password write %40 for @, %2F for / and %3A for :"
        raise input_error("--storage", rule, received=redacted(url))


def check_file(url: URL, *, create: bool = False) -> None:
    """Refuse an SQLite file that is not there, or that lies where several processes cannot share it.

    Args:
        url: From `parse`; of other databases nothing is checked.
        create: Whether the file may be missing.

    Raises:
        MissingStorageError: The file is not there and `create` is false.
        InputError: The file cannot be used.
    """
    path = sqlite_file(url)
    if path is None:
        return
    if not path.parent.is_dir():
        raise cannot_open(url, f"the folder {path.parent} does not exist")
    if path.is_dir():
        raise cannot_open(url, f"{path} is a folder")
    if not path.exists() and not create:
        raise MissingStorageError(f"storage {shown(url)}", input_error("", "there is no such database yet").faults)
    if fault := files.fault(path):
        raise cannot_open(url, fault)


def sqlite_file(url: URL) -> Path | None:
    """The file of an SQLite database; None for one in memory and for a server."""
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return None
    return Path(url.database)


def cannot_open(url: URL, why: str) -> InputError:
    """What a person is told about a storage that cannot be used; without its password.

    Args:
        url: From `parse`.
        why: The reason.
    """
    for secret in secrets(url.render_as_string(hide_password=False)):
        why = why.replace(secret, HIDDEN)
    return input_error("--storage", f"cannot be opened: {why}", received=shown(url))


def shown(url: URL) -> str:
    """A storage URL as a person may see it.

    Args:
        url: From `parse`.
    """
    return redacted(url.render_as_string(hide_password=False))
