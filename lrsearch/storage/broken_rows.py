"""Rows that somebody else wrote, or cut short: each is left out and named, and its neighbours are read."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from lrsearch.errors import LrsearchWarning


class BrokenRowError(ValueError):
    """A row of the database holds what neither lrsearch nor Optuna writes."""


class BrokenRows:
    """Collects what is left out of one reading."""

    def __init__(self) -> None:
        self._reasons: dict[int, str] = {}

    @contextmanager
    def kept_out(self, owner: int) -> Iterator[None]:
        """Leave out the row that the block reads, if it is broken.

        Args:
            owner: Id of the trial that it hangs on.
        """
        try:
            yield
        except (ValueError, TypeError) as error:  # the latter of JSON of another kind, such as a list for a number
            self._reasons.setdefault(owner, str(error))

    def reason(self, owner: int) -> str | None:
        """Why something of a trial was left out; None if nothing was.

        Args:
            owner: Id of the trial.
        """
        return self._reasons.get(owner)

    def tell(self, numbers: Mapping[int, int]) -> None:
        """Warn of each trial of which something was left out.

        Args:
            numbers: Trial id -> number.
        """
        for owner, reason in self._reasons.items():
            if owner in numbers:
                rule = f"trial {numbers[owner]}: {reason}; it counts as failed"
                warnings.warn(rule, LrsearchWarning, stacklevel=2)
