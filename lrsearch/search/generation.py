"""Trials that are asked for together: trained in as few passes as memory allows, and in halves where that fails."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence

from lrsearch.errors import LrsearchError
from lrsearch.sampling.space import Settings
from lrsearch.search.events import Event
from lrsearch.search.training_pass import Pass, Training, group_of
from lrsearch.storage.store import Claim
from lrsearch.tasks.attempt import attempt
from lrsearch.training.memory import most_lanes


class Generation:
    """Trains a generation. How it is split changes no trial's numbers, only with whom it is compared at a rung.

    Args:
        training: What the trials have in common.
        settings: The trials and what each trains with.
    """

    def __init__(self, training: Training, settings: Mapping[Claim, Settings]) -> None:
        self._training = training
        self._settings = settings
        seeds = max(len(own.seeds(training.section.seeds)) for own in settings.values())
        self._places = {claim: index * seeds for index, claim in enumerate(settings)}
        claims = list(settings)
        width = len(claims)
        if training.engine.together and training.engine.in_memory:
            width = max(1, _lanes(training, settings.values()) // seeds)
        self._passes = deque(self._pass(claims[first : first + width]) for first in range(0, len(claims), width))

    @property
    def unfinished(self) -> list[int]:
        """Ids of the trials that have no outcome yet."""
        return [claim.trial_id for part in self._passes for claim in part.unfinished]

    def events(self) -> Iterator[Event]:
        """Train all trials to their end.

        A pass that fails, of too little memory or because of one trial among many, is trained again in halves; a trial
        that fails alone is told so, with the reason.
        """
        while self._passes:
            part = self._passes[0]
            try:
                yield from part.events()
            except LrsearchError:
                raise
            except Exception as error:
                left = part.unfinished
                if len(left) == 1:  # a model may fail for some settings only
                    yield part.fail(left[0], f"{type(error).__name__}: {error}")
                half = (len(left) + 1) // 2
                parts = [left[:half], left[half:]] if len(left) > 1 else []
                self._passes.popleft()
                self._passes.extendleft(self._pass(claims, part) for claims in reversed(parts))
            else:
                self._passes.popleft()

    def _pass(self, claims: Sequence[Claim], failed: Pass | None = None) -> Pass:
        settings = {claim: self._settings[claim] for claim in claims}
        if failed is None:
            return Pass(self._training, settings, self._places)
        return Pass(self._training, settings, self._places, failed.compared, failed.audited)


def _lanes(training: Training, settings: Iterable[Settings]) -> int:
    """How many networks memory holds; where not even one can be tried, each trial shall fail by itself, and say why."""
    variants = {
        (group_of(own, training.engine), own.training.optimizer): own for own in map(training.variant, settings)
    }
    device = training.engine.device
    found = [attempt(lambda own=own: most_lanes(own.task, own.training, device), "measuring memory")  # type: ignore[misc]
             for own in variants.values()]  # fmt: skip
    return min((lanes or 1 for lanes in found), default=1)
