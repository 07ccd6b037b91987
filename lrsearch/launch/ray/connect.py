"""Join a Ray cluster, or start one on this machine: quietly, and again where Ray's own server for clients died."""

from __future__ import annotations

import logging
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from lrsearch.launch.ray.address import Address, out_of_reach

OBJECT_STORE = 80 * 2**20
"""Bytes for Ray's shared objects, near the least it takes: nothing of ours is kept there."""
SERVER_DIED = "Initialization failure from server"
"""What Ray says where the process that it starts for each client died at its start: some do (Ray's issue 63202)."""
ATTEMPTS = 3
"""How often a client tries, each time with a new process."""
MESSAGE_FILTER = {"RAY_DEDUP_LOGS": "1", "RAY_DEDUP_LOGS_SKIP_REGEX": "^", "RAY_DEDUP_LOGS_ALLOW_REGEX": None}
"""Ray's public settings for the messages that it prints: it skips those that match, hence all. None: not set."""


def join(library: Any, address: Address, stack: ExitStack) -> None:
    """Join a cluster; one of this machine is started, and ends with what it leaves on the stack.

    Args:
        library: Ray.
        address: Where the cluster is.
        stack: Takes what must outlive the cluster.

    Raises:
        LrsearchError: It is out of reach.
    """
    settings: dict[str, Any] = {"logging_level": logging.CRITICAL, "log_to_driver": False}
    if address.is_local:
        # The path must be short: sockets in it have at most about 100 characters.
        short = "/tmp" if Path("/tmp").is_dir() else None
        folder = tempfile.TemporaryDirectory(prefix="lrsearch-", dir=short, ignore_cleanup_errors=True)
        settings["include_dashboard"] = False
        settings["object_store_memory"] = OBJECT_STORE
        settings["_temp_dir"] = stack.enter_context(folder)
    try:
        _init(library, address.ray, settings)
    except Exception as error:  # Ray's own classes, gRPC's, and RuntimeError for other versions of Python or Ray
        token = "" if os.environ.get("RAY_AUTH_MODE") == "token" else "; does it ask for a token (~/.ray/auth_token)?"
        raise out_of_reach(address, reason_of(error) + token) from None


@contextmanager
def without_messages(environment: MutableMapping[str, str]) -> Iterator[None]:
    """Ray that is imported inside the block prints no messages in this process.

    Ray prints what happens to actors to stdout, whatever `log_to_driver` says, and stdout is for results. Its own
    filter can skip all messages. Ray reads the filter's settings once, when it is imported. They are taken back
    afterwards: programs that this process starts may want to see messages. If the person's own program has imported
    Ray before, its settings stay in force.

    Args:
        environment: This process's.
    """
    former = {name: environment.get(name) for name in MESSAGE_FILTER}
    _set(environment, MESSAGE_FILTER)
    try:
        yield
    finally:
        _set(environment, former)


def reason_of(error: Exception) -> str:
    """The line that says what happened: Ray puts whole tracebacks of other machines into its messages.

    Args:
        error: What Ray raised.
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    named = [line for line in lines if re.match(r"[\w.]*(Error|Exception): ", line)]
    return (named[-1:] or lines[:1] or [type(error).__name__])[0]


def _set(environment: MutableMapping[str, str], settings: Mapping[str, str | None]) -> None:
    for name, value in settings.items():
        if value is None:
            environment.pop(name, None)
        else:
            environment[name] = value


def _init(library: Any, address: str, settings: dict[str, Any]) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with _silenced():
                library.init(address, **settings)
        except ConnectionError as error:
            if SERVER_DIED not in str(error) or attempt == ATTEMPTS:
                raise
        else:
            return


@contextmanager
def _silenced() -> Iterator[None]:
    """Ray's C++ writes to stderr by itself, a line for each second of waiting."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
