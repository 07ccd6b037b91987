"""The address of a dashboard as a person opens it: one of this machine, where it listens at all of them."""

from __future__ import annotations

import ipaddress
import socket


def url(host: str, port: int) -> str:
    """Where a browser finds the dashboard.

    Args:
        host: Where it listens, such as ``0.0.0.0``.
        port: On which port.
    """
    try:
        if ipaddress.ip_address(host or "0.0.0.0").is_unspecified:
            host = _of_this_machine()
    except ValueError:
        pass  # a name
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def _of_this_machine() -> str:
    """The address under which others reach this machine, as far as it knows; its name where it has no network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            # Nothing is sent: the system only says from which of its addresses it would be (RFC 5737: nobody's).
            asked.connect(("192.0.2.1", 9))
            return str(asked.getsockname()[0])
        except OSError:
            return socket.gethostname()
