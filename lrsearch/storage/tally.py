"""How many trials of each kind a study has."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tally:
    """How many trials of each kind a study has.

    Attributes:
        complete: Trained to the last epoch, or diverged.
        pruned: Stopped at a rung.
        failed: Failed for good.
        retried: Failed, and their settings were run again under another number.
        running: Being trained.
        waiting: Settings that are chosen but not yet trained.
        diverged: Of the complete ones, those that diverged.
    """

    complete: int
    pruned: int
    failed: int
    retried: int
    running: int
    waiting: int
    diverged: int
