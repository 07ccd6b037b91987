"""What the URL of a database means, and what to write instead of one that cannot be used."""

from __future__ import annotations

from sqlalchemy.engine import URL

from lrsearch import extras

DRIVERS = {
    "postgres": ("postgresql+psycopg", "postgres"),
    "postgresql": ("postgresql+psycopg", "postgres"),
    "mysql": ("mysql+pymysql", "mysql"),
    "mariadb": ("mariadb+pymysql", "mysql"),
}
"""Kind of database -> our driver for it, and the extra that installs it."""
EXAMPLES = "sqlite:///lrsearch.db or postgresql://user@host/database"


def keeps_nothing(url: URL) -> bool:
    """Whether a database is in the memory of the process that opens it, and gone with it.

    Args:
        url: From `rdb.parse`.
    """
    name = url.database or ""
    return url.get_backend_name() == "sqlite" and (
        name in ("", ":memory:") or name.startswith("file::memory:") or url.query.get("mode") == "memory"
    )


def no_address(url: str) -> str:
    """What is wrong with a text that is no URL; a bare name may have been meant as that of a file.

    Args:
        url: What a person wrote.
    """
    rule = f"is not a database URL, such as {EXAMPLES}"
    bare = url.strip() and not any(part in url for part in ("://", "@", ":memory:"))
    return f"{rule}; did you mean sqlite:///{url}?" if bare else rule


def wrong_driver(url: URL, fault: str) -> str:
    """What to do about a driver that cannot be used.

    Args:
        url: With the driver.
        fault: Why not; of ours, that it is not installed.
    """
    kind = url.drivername.partition("+")[0]
    own, extra = DRIVERS.get(kind, (kind, ""))
    if url.drivername == own:
        return f"the driver {own} is not installed; install it, {extras.install(extra)}"
    ours = own.partition("+")[2] or kind
    return f"the driver {url.drivername} {fault}; write {kind}://..., which takes the driver of lrsearch ({ours})"
