"""Beats are tied to progress: training that hangs is silent."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from lrsearch.storage import heartbeat
from lrsearch.storage.heartbeat import FIRST_EPOCH, Heartbeat


class Listener:
    """A store that notes whose heart beat."""

    def __init__(self) -> None:
        self.beats: list[tuple[int, ...]] = []

    def beat(self, trial_ids: Sequence[int]) -> None:
        self.beats.append(tuple(trial_ids))


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.moment = 0.0

    def monotonic(self) -> float:
        return self.moment


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(heartbeat, "time", made)
    return made


def test_an_epoch_that_takes_far_longer_than_the_others_is_hung(clock: Clock) -> None:
    heart = Heartbeat(Listener(), grace=5.0)  # type: ignore[arg-type]
    heart.watch([1])
    clock.moment = FIRST_EPOCH - 1
    assert not heart.is_hung()
    heart.epoch_done()
    clock.moment += 10 * (FIRST_EPOCH - 1) - 1
    assert not heart.is_hung()
    clock.moment += 2
    assert heart.is_hung()
    heart.epoch_done()
    assert not heart.is_hung()


def test_one_call_beats_for_all_trials_and_for_none_that_ended() -> None:
    listener = Listener()
    with Heartbeat(listener, grace=0.04) as heart:  # type: ignore[arg-type]
        heart.watch([3, 4])
        while not listener.beats:
            pass
        heart.watch([])
    assert set(listener.beats) == {(3, 4)}
