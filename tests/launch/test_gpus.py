"""Who uses which graphics processor. None is needed to know."""

from __future__ import annotations

import pytest

from lrsearch.errors import InputError
from lrsearch.launch.gpus import by_default, fitting, pins, to_share


@pytest.mark.parametrize(
    ("visible", "workers", "share", "expected"),
    [
        (["0", "1"], 2, None, ["0", "1"]),
        (["0", "1"], 3, None, ["0", "1", "0"]),
        (["4", "GPU-7"], 2, 1.0, ["4", "GPU-7"]),
        (["0", "1"], 4, 0.5, ["0", "1", "0", "1"]),
        (["0"], 3, 1 / 3, ["0", "0", "0"]),
        (["0", "1"], 2, 0.0, ["", ""]),
        ([], 2, None, [None, None]),
        ([], 2, 0.0, ["", ""]),
    ],
)
def test_devices_are_dealt_out_in_turn(
    visible: list[str], workers: int, share: float | None, expected: list[str | None]
) -> None:
    assert pins(visible, workers, share) == expected


def test_shares_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="room for 2 such workers on 1 GPU, and --workers asks for 3"):
        pins(["0"], 3, 0.5)
    with pytest.raises(InputError, match="torch finds no GPU here"):
        pins([], 2, 0.5)


@pytest.mark.parametrize(("gpus", "share", "places"), [(1, 1, 1), (2, 0.5, 4), (2, 0.3, 6), (1, 0.1, 10), (2, 0.6, 2)])
def test_no_share_is_split_between_two_devices(gpus: float, share: float, places: int) -> None:
    assert fitting(gpus, share) == places


@pytest.mark.parametrize(
    ("visible", "share", "workers"),
    [([], None, 1), ([], 0.0, 1), (["0"], None, 1), (["0", "1"], None, 2), (["0", "1"], 0.5, 4), (["0", "1"], 0.0, 1)],
)
def test_without_a_number_there_is_a_worker_for_each_share(
    visible: list[str], share: float | None, workers: int
) -> None:
    assert by_default(visible, share) == workers
    assert len(pins(visible, workers, share)) == workers


@pytest.mark.parametrize(("device", "shared"), [("auto", ["7"]), ("cuda", ["7"]), ("cuda:1", []), ("cpu", [])])
def test_a_device_that_was_named_is_not_shared(monkeypatch: pytest.MonkeyPatch, device: str, shared: list[str]) -> None:
    monkeypatch.setattr("lrsearch.training.engine.devices", lambda: ["7"])
    assert to_share(device) == shared
