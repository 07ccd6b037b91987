"""The server of the dashboard: waitress, with limits on what a request may cost."""

from __future__ import annotations

import errno
import logging
import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from waitress import wasyncore
from waitress.server import create_server

from lrsearch.dashboard import shown_address
from lrsearch.dashboard.guests import Guests, most_connections
from lrsearch.dashboard.seldom import Seldom
from lrsearch.errors import InputError, input_error

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

THREADS = 8
CONNECTIONS = 4
"""To a database server at most."""
LOOK_AGAIN = 0.25
"""Seconds between two looks at whether to go on."""
BACKLOG = 1024
"""Connections that wait to be taken; the system may allow fewer."""
LARGEST_HEADER = 16 * 1024
"""Bytes of a request's headers together."""
LARGEST_BODY = 32 * 1024 * 1024
"""Bytes of a request's content: artifacts that a person adds by hand."""


class Server:
    """Listens from the moment it is made, and answers while it runs.

    Args:
        application: What answers.
        host: Where to listen.
        port: On which port; 0 takes a free one.
        guests: Says which connections end.

    Raises:
        InputError: Nobody can listen there.
    """

    def __init__(self, application: WSGIApplication, host: str, port: int, guests: Guests | None = None) -> None:
        self._guests, self._looked_at = guests or Guests(), 0.0
        _say_seldom()
        listening = _listen(host, port)
        self._sockets: dict[int, Any] = {}
        self._server: Any = create_server(
            application,
            map=self._sockets,
            sockets=[listening],
            threads=THREADS,
            ident=None,  # no need to tell what serves
            clear_untrusted_proxy_headers=False,  # only X-Forwarded-Proto is looked at, and it grants nothing
            max_request_header_size=LARGEST_HEADER,
            max_request_body_size=LARGEST_BODY,
            channel_timeout=60,
            connection_limit=most_connections(),
            backlog=BACKLOG,
        )

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        return shown_address.url(self._server.effective_host, self._server.effective_port)

    def run(self, ended: Callable[[], bool]) -> None:
        """Answer until somebody ends it, then close every connection.

        Args:
            ended: Whether to stop; an exception from a signal handler could be lost between the sockets.
        """
        try:
            while not ended():
                wasyncore.loop(LOOK_AGAIN, use_poll=True, map=self._sockets, count=1)
                self._look_at_guests()
        finally:
            self._server.task_dispatcher.shutdown()
            wasyncore.close_all(self._sockets, ignore_all=True)

    def _look_at_guests(self) -> None:
        channels = list(self._server.active_channels.values())
        if len(channels) <= self._guests.of_address and time.monotonic() - self._looked_at < LOOK_AGAIN:
            return
        self._looked_at = time.monotonic()
        for channel in self._guests.to_end(channels):
            channel.handle_close()


def _say_seldom() -> None:
    for name in ("waitress", "waitress.queue"):
        logger = logging.getLogger(name)
        if not any(isinstance(own, Seldom) for own in logger.filters):
            logger.addFilter(Seldom())


def _listen(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM,
                                                            flags=socket.AI_PASSIVE)[0]  # fmt: skip
    opened = socket.socket(family, kind, protocol)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
    except OSError as error:
        opened.close()
        raise _cannot_listen(host, port, error) from None
    return opened


def _cannot_listen(host: str, port: int, error: OSError) -> InputError:
    if error.errno == errno.EADDRINUSE:
        rule = "another program listens there already; choose another port"
        return input_error("command line", rule, key="--port", received=str(port))
    if error.errno == errno.EACCES:
        return input_error("command line", "may not be used by this user", key="--port", received=str(port))
    rule = "is not an address of this machine"
    return input_error("command line", rule, key="--host", received=f'"{host}"')
