"""Where a Ray cluster is, and what must be set before Ray is imported so that it is joined quietly and safely."""

from __future__ import annotations

import os
import secrets
import socket
import tempfile
from collections.abc import MutableMapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from lrsearch.errors import InputError, LrsearchError, input_error, nearest

CONNECT_TIMEOUT = 5.0
"""Seconds until an address that does not answer counts as out of reach; Ray itself tries for minutes."""
LOOPBACK = ("localhost", "127.0.0.1", "::1")
SINGLE_MACHINE = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
"""Ray's switch between clusters and one machine, whatever the system: with 0 it listens on loopback only. Without it,
Ray replaces a loopback address by the machine's own and listens on every interface."""


@dataclass(frozen=True)
class Address:
    """A cluster, as `ray.init` names it.

    Attributes:
        ray: ``local``, ``host:port`` or ``ray://host:port``.
        host: Where it is.
        port: Where it answers; None for a cluster that is yet to be started.
    """

    ray: str
    host: str
    port: int | None

    @property
    def is_local(self) -> bool:
        """Whether it is started here, and ended with this process."""
        return self.port is None

    @property
    def is_client(self) -> bool:
        """Whether this machine is not part of the cluster."""
        return self.ray.startswith("ray://")


def resolve(given: str) -> Address:
    """What a person's `--cluster` means.

    Args:
        given: ``local``, ``auto``, ``host:port`` or ``ray://host:port``.

    Raises:
        InputError: It is none of these, or ``auto`` finds no cluster.
    """
    if given == "local":
        return Address("local", "127.0.0.1", None)
    if given != "auto":
        return _parsed(given)
    found = os.environ.get("RAY_ADDRESS") or _started_here()
    if not found or found in ("auto", "local"):
        rule = "no Ray cluster runs on this machine; `ray start --head` starts one, and --cluster local does without"
        raise input_error("command line", rule, key="--cluster", received="auto")
    return _parsed(found)


def prepare(address: Address, environment: MutableMapping[str, str]) -> None:
    """Set what Ray reads when it is imported. What the person has set stays.

    Args:
        address: Which cluster.
        environment: This process's.
    """
    environment.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if address.host in LOOPBACK:
        environment.setdefault(SINGLE_MACHINE, "0")
    if "RAY_AUTH_MODE" in environment:
        return
    if address.is_local:
        # Other users of the machine reach loopback, too. Ray would leave its token in the person's home.
        environment["RAY_AUTH_MODE"] = "token"
        environment.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    elif _has_token(environment):
        environment["RAY_AUTH_MODE"] = "token"  # a cluster that asks for none ignores it


def check_reachable(address: Address) -> None:
    """Find out at once whether anything answers there.

    Args:
        address: Which cluster.

    Raises:
        LrsearchError: Nothing does.
    """
    if address.port is None:
        return
    try:
        socket.create_connection((address.host, address.port), timeout=CONNECT_TIMEOUT).close()
    except OSError as error:
        raise out_of_reach(address, error.strerror or str(error)) from None


def out_of_reach(address: Address, reason: str) -> LrsearchError:
    """The error for a cluster that cannot be joined.

    Args:
        address: Which cluster.
        reason: Why not.
    """
    return LrsearchError(f"the cluster at {address.ray} is out of reach: {reason}")


def _parsed(given: str) -> Address:
    try:
        parts = urlsplit(given if "://" in given else f"//{given}")
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _malformed(given) from None
    if parts.scheme not in ("", "ray") or not host or not port or parts.path or parts.query or parts.username:
        raise _malformed(given)
    return Address(given, host, port)


def _malformed(given: str) -> InputError:
    rule = "must be local, auto, ray://HOST:PORT (10001 by default) or HOST:PORT (6379 by default)"
    words = () if ":" in given else nearest(given, ("local", "auto"))
    return input_error("command line", rule, key="--cluster", received=f'"{given}"', nearest=words)


def _started_here() -> str:
    """The cluster of this machine, as `ray start` notes it; empty if there is none."""
    folder = Path(os.environ.get("RAY_TMPDIR") or ("/tmp" if Path("/tmp").is_dir() else tempfile.gettempdir()))
    note = folder / "ray" / "ray_current_cluster"
    return note.read_text().strip() if note.is_file() else ""


def _has_token(environment: MutableMapping[str, str]) -> bool:
    named = "RAY_AUTH_TOKEN" in environment or "RAY_AUTH_TOKEN_PATH" in environment
    return named or (Path.home() / ".ray" / "auth_token").is_file()
