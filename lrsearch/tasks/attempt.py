"""What a person's code gives where nothing depends on it: a metric that is only looked at, a network that is tried."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from lrsearch.errors import InterruptedRunError

Result = TypeVar("Result")
logger = logging.getLogger(__name__)


def attempt(call: Callable[[], Result], what: str) -> Result | None:
    """The result of a call; None if it fails.

    A person's model or metric may raise whatever it likes where it is tried on rows that it was not made for, so every
    error counts as a failure, here and nowhere else. A signal that came meanwhile is none.

    Args:
        call: What may fail.
        what: Named in the log, at level debug, with the error.

    Raises:
        InterruptedRunError: A signal came.
    """
    try:
        return call()
    except InterruptedRunError:
        raise
    except Exception as error:
        logger.debug("%s failed: %s: %s", what, type(error).__name__, error)
        return None
