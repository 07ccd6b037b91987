"""What a command says of its training, read while it is written."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from lrsearch.training.command_curve import Tail, said, said_in_json

NUMBERS = some.floats(allow_nan=False)


@given(some.integers(0, 10**6), NUMBERS, NUMBERS)
def test_a_line_gives_back_its_numbers(epoch: int, test: float, lr: float) -> None:
    found = said(f"[12:00] epoch={epoch}, loss={test!r} lr={lr!r};", "loss")
    assert found is not None
    assert (found.epoch, found.value, found.lr, math.isnan(found.train)) == (epoch, test, lr, True)
    read = said_in_json(json.dumps({"epoch": epoch, "test": test, "train": lr}), "loss")
    assert read is not None
    assert (read.epoch, read.value, read.train) == (epoch, test, lr)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "epoch=3",
        "loading test=",
        "test=abc",
        "Namespace(test=0.3,",
        "epoch=1.5 test=1",
        "epoch=-1 test=1",
        "test=1_0",
    ],
)
def test_other_lines_say_nothing(line: str) -> None:
    assert said(line, "loss") is None


@pytest.mark.parametrize("line", ["", "[1]", "3", "{", '{"epoch": 1}', '{"test": true}', '{"test": null, "epoch": 1}'])
def test_other_json_says_nothing(line: str) -> None:
    assert said_in_json(line, "loss") is None


def test_a_lost_run_says_so() -> None:
    found = said("epoch=2 test=nan", "test")
    assert found is not None
    assert math.isnan(found.value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(some.lists(some.binary(max_size=12), max_size=6))
def test_lines_do_not_hang_on_how_they_arrive(tmp_path: Path, parts: list[bytes]) -> None:
    path = tmp_path / "output"
    path.write_bytes(b"")
    tail, found = Tail(path), []
    for part in parts:
        with path.open("ab") as file:
            file.write(part)
        found += list(tail.lines())
    found += list(tail.lines(ended=True))
    whole = b"".join(parts).replace(b"\r", b"\n").split(b"\n")
    assert found == [line.decode("utf-8", "replace") for line in whole if line]


def test_a_file_that_is_not_there_has_no_lines(tmp_path: Path) -> None:
    assert list(Tail(tmp_path / "none").lines(ended=True)) == []
