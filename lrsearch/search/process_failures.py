"""When a worker ends because all that it trains fails, of whichever study."""

from __future__ import annotations

from optuna.trial import TrialState

from lrsearch.errors import LrsearchError
from lrsearch.search.events import Event, TrialEnded
from lrsearch.search.failures import FAILURES_IN_A_ROW, HANDED_BACK, FailureStreak

MOST_FAILURES = 10
"""So many failed trials in a row end the process: another machine may do better."""


class MachineAtFaultError(LrsearchError):
    """All that this process trains fails."""


class ProcessFailures:
    """Counts the failures of a process in a row, and says when it is to end.

    - After `MOST_FAILURES` of them.
    - Sooner if nothing has ever gone well here while others train the same study well.
    - When nothing is left to do and the last trials failed, so that nobody takes its end for a good one.
    """

    def __init__(self) -> None:
        self._in_a_row, self._succeeded, self._told = 0, False, ""

    def take(self, event: Event) -> None:
        """Take note of what happened.

        Args:
            event: Anything that a runner says.
        """
        if not isinstance(event, TrialEnded) or event.refused:
            return
        failed = event.state == TrialState.FAIL
        self._in_a_row = self._in_a_row + 1 if failed else 0
        self._succeeded = self._succeeded or not failed

    def check(self, study: FailureStreak, told: str | None = None) -> None:
        """Look whether to go on with a study whose trials fail.

        Args:
            study: Its failures here; what others can train is handed back to them.
            told: What happened, if something has.

        Raises:
            MachineAtFaultError: It is enough.
        """
        self._told = told or self._told
        others_succeed = study.hand_back()
        if others_succeed and HANDED_BACK not in self._told:
            self._told += HANDED_BACK
        if self._in_a_row >= MOST_FAILURES or (others_succeed and not self._succeeded):
            raise MachineAtFaultError(self._told)

    def check_end(self) -> None:
        """Look whether a process that has nothing left to do ends well.

        Raises:
            MachineAtFaultError: The last trials failed.
        """
        if self._in_a_row >= FAILURES_IN_A_ROW:
            raise MachineAtFaultError(self._told)
