"""Errors of a person's code count as a failure where nothing depends on it; a signal does not."""

from __future__ import annotations

import logging

import pytest

from lrsearch.errors import InterruptedRunError
from lrsearch.tasks.attempt import attempt


def fail(error: BaseException) -> int:
    raise error


def test_a_failure_is_none_and_its_reason_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "lrsearch.tasks.attempt")
    assert attempt(lambda: 3, "a metric") == 3
    assert attempt(lambda: fail(ZeroDivisionError("by nothing")), "a metric") is None
    assert "a metric failed: ZeroDivisionError: by nothing" in caplog.text


@pytest.mark.parametrize("error", [InterruptedRunError("ctrl-C"), KeyboardInterrupt()])
def test_a_signal_passes(error: BaseException) -> None:
    with pytest.raises(type(error)):
        attempt(lambda: fail(error), "a metric")
