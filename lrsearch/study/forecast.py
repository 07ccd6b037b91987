"""How long a study would train, before it is run: halving is played through with trials that cost nothing."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from lrsearch.pruning import audit, pruners
from lrsearch.pruning.halving import AtRung, Rank, StratifiedHalving, rank
from lrsearch.sampling.ask import generation_size, trials_to_train
from lrsearch.study_file.model import Definition


@dataclass(frozen=True)
class Player:
    """A trial that is only numbers.

    Attributes:
        number: The trial's.
        kind: Its scheduler type.
        value: How good it is, the same at every rung.
    """

    number: int
    kind: str
    value: float


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

    Every scheduler type gets as many trials as the others, in an order drawn with a fixed seed. Pruned trials that are
    audited are trained on beside the others.

    Args:
        definition: The study; its pruner is ``halving``.
        epoch_seconds: Seconds of an epoch of so many lanes.
        together: Whether a generation of trials is trained at once, or all trials one after the other.
    """
    draw = random.Random(0)
    types = definition.search.schedulers
    drawn = [(types[number % len(types)], draw.random()) for number in range(trials_to_train(definition))]
    draw.shuffle(drawn)
    players = [Player(number, *own) for number, own in enumerate(drawn)]
    pruner = pruners.build(definition)
    assert isinstance(pruner, StratifiedHalving)
    at_rungs = Rungs(pruner)
    audited = audit.choice(definition)
    rungs = list(pruner.rungs)
    seeds = len(definition.training.seeds)
    size = generation_size(definition) if together else 1
    epochs, seconds = 0, 0.0
    for first in range(0, len(players), size):
        live, beside = players[first : first + size], 0
        for begin, end in zip([0, *rungs], [*rungs, definition.training.epochs], strict=True):
            lanes = (len(live) + beside) * seeds
            if not lanes:
                break
            epochs += (end - begin) * lanes
            seconds += (end - begin) * epoch_seconds(lanes)
            left = at_rungs.pass_on(end, live) if end in rungs else []
            beside += sum(audited(own.number) for own in live if own not in left)
            live = left
    return Forecast(len(players), rungs, epochs, seconds)


class Rungs:
    """Who went on at each rung, and what was seen there.

    Args:
        pruner: The study's.
    """

    def __init__(self, pruner: StratifiedHalving) -> None:
        self._pruner = pruner
        self._seen: dict[tuple[int, str], list[Rank]] = defaultdict(list)

    def pass_on(self, epoch: int, players: list[Player]) -> list[Player]:
        """Those that go on, of some that reach a rung together.

        Args:
            epoch: The rung.
            players: They.
        """
        arrived = {own: AtRung(own.number, own.kind, own.value) for own in players}
        ended = self._pruner.decide(arrived, lambda kind: self._seen[epoch, str(kind)]).ended
        for own in players:
            self._seen[epoch, own.kind].append(rank(own.value, own.number))
        return [own for own in players if own not in ended]
