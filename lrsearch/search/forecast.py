"""How long a study would train, before it is run: halving is played through with trials that cost nothing."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from lrsearch.search import pruning
from lrsearch.search.asking import generation_size
from lrsearch.search.pruning import HalvingOptions, StratifiedHalving, halve, survivors
from lrsearch.study_file.model import Definition

Player = tuple[str, float]
"""A trial's scheduler type, and how good it is, the same at every rung."""


@dataclass(frozen=True)
class Forecast:
    """What a study would cost.

    Attributes:
        trials: In all.
        rungs: Epochs after which the worse trials end.
        epochs: Trained in all, each seed counted.
        seconds: Of training, with one worker, if nothing else uses its processor.
    """

    trials: int
    rungs: list[int]
    epochs: int
    seconds: float


def forecast(definition: Definition, epoch_seconds: Callable[[int], float], *, together: bool) -> Forecast:
    """Play a study with halving, and add up its epochs.

    Every scheduler type gets as many trials as the others, in an order drawn with a fixed seed.

    Args:
        definition: The study; its pruner is ``halving``.
        epoch_seconds: Seconds of an epoch of so many lanes.
        together: Whether a generation of trials is trained at once, or all trials one after the other.
    """
    draw = random.Random(0)
    types = definition.search.schedulers
    players = [(types[number % len(types)], draw.random()) for number in range(definition.trials)]
    draw.shuffle(players)
    game = _Game(HalvingOptions(**definition.pruner.options).keep)
    rungs = list(pruning.rungs(definition))
    seeds = len(definition.training.seeds)
    size = generation_size(definition) if together else 1
    epochs, seconds = 0, 0.0
    for first in range(0, len(players), size):
        live = players[first : first + size]
        for begin, end in zip([0, *rungs], [*rungs, definition.training.epochs], strict=True):
            epochs += (end - begin) * len(live) * seeds
            seconds += (end - begin) * epoch_seconds(len(live) * seeds)
            live = game.rung(end, live) if end in rungs else []
            if not live:
                break
    return Forecast(definition.trials, rungs, epochs, seconds)


class _Game:
    """The pruner's rule, for trials that are only numbers.

    Args:
        keep: Share of each scheduler type that goes on.
    """

    def __init__(self, keep: float) -> None:
        self.keep = keep
        self.seen: dict[tuple[int, str], list[float]] = defaultdict(list)

    def rung(self, epoch: int, players: list[Player]) -> list[Player]:
        """Those that go on, of some that reach a rung together."""
        ended, compared = halve(dict(enumerate(players)), self.keep)
        live = []
        for number, (kind, value) in enumerate(players):
            others = self.seen[epoch, kind]
            alone = number not in compared and len(others) >= StratifiedHalving.FREE
            worse = alone and sum(other < value for other in others) >= survivors(len(others) + 1, self.keep)
            others.append(value)
            if number not in ended and not worse:
                live.append((kind, value))
        return live
