"""Under which names the dashboard may be addressed, and which pages may send it requests."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass

import psutil

from lrsearch.errors import Fault, InputError, input_error

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_AUTHORITY = re.compile(r"(?P<name>\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(?::(?P<port>[0-9]{1,5}))?")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Authority:
    """The part of a URL that says which server is meant.

    Attributes:
        name: A host name or an IP address without brackets, in lower case.
        port: Its port; None if it is not given.
    """

    name: str
    port: int | None

    @classmethod
    def parse(cls, text: str) -> Authority | None:
        """What a Host header, or the end of an Origin header, says.

        Args:
            text: Its value.

        Returns:
            None for anything but one well-formed name with an optional port.
        """
        found = _AUTHORITY.fullmatch(text.lower())
        if found is None:
            return None
        name, port = found["name"], found["port"]
        if name.startswith("["):
            try:
                name = str(ipaddress.IPv6Address(name[1:-1]))
            except ValueError:
                return None
        return cls(name, None if port is None else int(port))


@dataclass(frozen=True)
class AllowedHosts:
    """Who the dashboard is, from the outside.

    A page of another site can make a browser send requests here: under that site's own name, if its owner lets the
    name point to this address (DNS rebinding), or across sites. Both say so in their headers.

    Attributes:
        own: Names and addresses at which this machine answers.
        allowed: What a person added, for use behind a proxy; without a port, any port of it will do as a Host.
    """

    own: frozenset[str]
    allowed: frozenset[Authority] = frozenset()

    def include(self, host: str) -> bool:
        """Whether a Host header is one of ours.

        Args:
            host: Its value.
        """
        asked = Authority.parse(host)
        if asked is None:
            return False
        return asked.name in self.own or any(
            asked.name == known.name and known.port in (None, asked.port) for known in self.allowed
        )

    def is_own_origin(self, origin: str, host: str) -> bool:
        """Whether an Origin header names one of our own pages.

        Args:
            origin: Its value, such as ``http://localhost:8080``; ``null`` is nobody.
            host: The Host header of the same request.
        """
        scheme, separator, rest = origin.lower().partition("://")
        sender, asked = Authority.parse(rest), Authority.parse(host)
        if not separator or scheme not in _DEFAULT_PORTS or sender is None or asked is None:
            return False
        default = _DEFAULT_PORTS[scheme]
        port = sender.port or default
        if sender.name == asked.name and port == (asked.port or default):
            return True
        # A proxy may have put another Host header in its place.
        return any(sender.name == known.name and port == (known.port or default) for known in self.allowed)


def names(host: str, allowed: Iterable[str]) -> AllowedHosts:
    """The names of a dashboard that listens at an address.

    Args:
        host: Where it listens.
        allowed: Further names, each with or without a port.

    Raises:
        InputError: One of these is not a name.
    """
    further = {text: Authority.parse(text) for text in allowed}
    if faults := [
        Fault("--allowed-host", "must be a host name, with or without a port, such as search.example.org", f'"{text}"')
        for text, authority in further.items()
        if authority is None
    ]:
        raise InputError("command line", faults)
    return AllowedHosts(_own(host), frozenset(authority for authority in further.values() if authority is not None))


def is_loopback(host: str) -> bool:
    """Whether only programs on this machine reach an address.

    Args:
        host: A name or an IP address.

    Raises:
        InputError: It cannot be resolved.
    """
    return all(address.is_loopback for address in _addresses(host))


def _addresses(host: str) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    try:
        found = socket.getaddrinfo(host or "0.0.0.0", None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        rule = "is neither an address of this machine nor a name of one"
        raise input_error("command line", rule, key="--host", received=f'"{host}"') from None
    return [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]


def _own(host: str) -> frozenset[str]:
    addresses = _addresses(host)
    listening = {str(address) for address in addresses} | {host.lower()}
    if all(address.is_loopback for address in addresses):
        return LOOPBACK | listening
    if any(address.is_unspecified for address in addresses):
        every = (entry.address for entries in psutil.net_if_addrs().values() for entry in entries)
        listening |= {address.partition("%")[0].lower() for address in every} | LOOPBACK
    return frozenset(listening | {socket.gethostname().lower()})
