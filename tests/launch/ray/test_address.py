"""Which cluster is meant, and with what settings Ray is imported."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from lrsearch.errors import InputError, LrsearchError
from lrsearch.launch.ray.address import SINGLE_MACHINE, Address, check_reachable, prepare, resolve


@pytest.fixture(autouse=True)
def _nobody_is_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No cluster and no token of whoever runs the tests."""
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)


def test_addresses_are_those_of_ray() -> None:
    assert resolve("local") == Address("local", "127.0.0.1", None)
    assert resolve("10.0.0.1:6379") == Address("10.0.0.1:6379", "10.0.0.1", 6379)
    assert resolve("ray://head:10001") == Address("ray://head:10001", "head", 10001)
    assert (resolve("ray://head:10001").is_client, resolve("head:6379").is_client) == (True, False)


@pytest.mark.parametrize(
    "given", ["locl", "head", "head:port", "http://head:80", "ray://head", "ray://h:1/x", "h:99999"]
)
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(InputError, match="must be local, auto, ray://HOST:PORT"):
        resolve(given)


def test_auto_is_the_cluster_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="no Ray cluster runs on this machine"):
        resolve("auto")
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray/ray_current_cluster").write_text("10.0.0.1:6379")
    assert resolve("auto").host == "10.0.0.1"
    monkeypatch.setenv("RAY_ADDRESS", "ray://head:10001")
    assert resolve("auto").host == "head"


def test_an_address_where_nothing_answers_is_told_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but not listening
        port = taken.getsockname()[1]
        with pytest.raises(LrsearchError, match=f"the cluster at 127.0.0.1:{port} is out of reach: Connection refused"):
            check_reachable(resolve(f"127.0.0.1:{port}"))


def test_a_cluster_of_our_own_keeps_to_loopback_and_has_a_token() -> None:
    first: dict[str, str] = {}
    second: dict[str, str] = {}
    prepare(resolve("local"), first)
    prepare(resolve("local"), second)
    assert (first[SINGLE_MACHINE], first["RAY_AUTH_MODE"]) == ("0", "token")
    assert len(first["RAY_AUTH_TOKEN"]) == 64
    assert first["RAY_AUTH_TOKEN"] != second["RAY_AUTH_TOKEN"]


def test_a_token_is_shown_to_other_clusters_where_there_is_one(tmp_path: Path) -> None:
    without: dict[str, str] = {}
    prepare(resolve("10.0.0.1:6379"), without)
    assert not {"RAY_AUTH_MODE", SINGLE_MACHINE} & set(without)
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray/auth_token").write_text("secret")
    for own in ({}, {"RAY_AUTH_TOKEN": "secret"}):
        environment: dict[str, str] = dict(own)
        prepare(resolve("10.0.0.1:6379"), environment)
        assert environment["RAY_AUTH_MODE"] == "token"
    said = {"RAY_AUTH_MODE": "disabled"}
    prepare(resolve("local"), said)
    assert said["RAY_AUTH_MODE"] == "disabled"
