"""Rows that somebody else wrote, or cut short: each is left out and named, and its neighbours are read."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

from lrsearch.errors import LrsearchWarning


class BrokenRowError(ValueError):
    """A row of the database holds what neither lrsearch nor Optuna writes."""


BROKEN = (ValueError, TypeError)
"""What reading a broken row raises; the latter of JSON of another kind, such as a list for a number."""


class BrokenRows:
    """Collects what is left out of one reading."""

    def __init__(self) -> None:
        self._reasons: dict[int, str] = {}

    def leave_out(self, owner: int, error: Exception) -> None:
        """Leave out a row.

        Args:
            owner: Id of the trial that it hangs on.
            error: Why: one of `BROKEN`.
        """
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
