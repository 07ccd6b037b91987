"""The address that is shown can be opened: never one that only says "everywhere"."""

from __future__ import annotations

import socket

import psutil
import pytest

from lrsearch.dashboard import shown_address
from lrsearch.dashboard.allowed_hosts import names


@pytest.mark.parametrize("host", ["0.0.0.0", "::", ""])
def test_everywhere_becomes_an_address_of_this_machine_that_is_let_in(host: str) -> None:
    found = shown_address.url(host, 8080)
    place = found.removeprefix("http://").removesuffix("/").rpartition(":")[0]
    own = {entry.address for entries in psutil.net_if_addrs().values() for entry in entries}
    assert place in {*own, socket.gethostname()}
    assert names("0.0.0.0", []).include(f"{place}:8080")


def test_what_is_named_stays() -> None:
    assert shown_address.url("127.0.0.1", 80) == "http://127.0.0.1:80/"
    assert shown_address.url("::1", 80) == "http://[::1]:80/"
    assert shown_address.url("search.example.org", 80) == "http://search.example.org:80/"


def test_without_a_network_it_is_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    class Offline(socket.socket):
        def connect(self, address: object) -> None:
            raise OSError(101, "Network is unreachable")

    monkeypatch.setattr(socket, "socket", Offline)
    assert shown_address.url("0.0.0.0", 1) == f"http://{socket.gethostname()}:1/"
