"""How many trials a worker takes at once where it trains one after the other.

A claim and the choice of settings wait for the study's lock. Where trials are short, and many workers share a study,
that takes longer than the training. So a worker takes as many as it trains in a moment, going by what the last took.
What it waited for the database does not count: the more workers wait, the larger claims must be.
"""

from __future__ import annotations

MOST = 16
"""Trials of a claim: each of them is chosen without what the others before it have come to."""
AHEAD = 0.5
"""Seconds of training that are claimed at most: so much later a stop is noticed, and so much waits after a crash."""
SHARE = 4
"""Of what is left for each worker, one part in so many is claimed at most, so that all end at the same time."""


class ClaimSize:
    """The size of a worker's next claim.

    Args:
        workers: How many processes share the study. One alone claims one: its trials follow from each other.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._seconds: float | None = None
        self._spent = 0.0

    def wanted(self, left: int) -> int:
        """How many to take.

        Args:
            left: Trials of the study that nobody has taken yet, as far as is known.
        """
        if self._workers == 1 or self._seconds is None:
            return 1
        soon = MOST if self._seconds * MOST <= AHEAD else int(AHEAD / self._seconds)
        return max(1, min(soon, left // (SHARE * self._workers)))

    def spent(self, seconds: float) -> None:
        """Take note of what training has taken.

        Args:
            seconds: Since the last time.
        """
        self._spent += seconds

    def trained(self, trials: int) -> None:
        """Take note of a claim that was trained to its end.

        Args:
            trials: How many.
        """
        self._seconds, self._spent = self._spent / trials, 0.0
