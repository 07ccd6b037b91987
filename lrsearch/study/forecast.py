"""How long a study would train, before it is run: pruning is played through with trials that cost nothing."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from lrsearch.pruning import lane_cost, pruners
from lrsearch.pruning.audit import Audit
from lrsearch.pruning.comparison import AtRung, Seen
from lrsearch.pruning.lane_cost import LaneCost
from lrsearch.pruning.stratified import StratifiedPruner
from lrsearch.sampling.ask import generation_size, trials_to_train
from lrsearch.study_file.model import Definition

NOT_LEARNING = ("random", "qmc", "grid")
"""Samplers whose later trials are no better than their earlier ones."""
LEARNT = 0.7
"""So much smaller is the error of the last trial than that of the first, where a sampler learns. Then as many go on as
in searches by TPE (`tests/benchmarks/pruned_products.py`)."""


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
        rungs: Epochs, or evaluations, after which the worse trials end.
        epochs: Trained in all, each seed counted.
        seconds: Of training, with one worker, if nothing else uses its processor.
        epochs_unpruned: Epochs that the study would train if no trial ended early.
        seconds_unpruned: Seconds that this would take.
        least_epochs: Those of `epochs` if the patience of every run ends as soon as it can; None without patience.
        least_seconds: The same of `seconds`.
    """

    trials: int
    rungs: list[int]
    epochs: int
    seconds: float
    epochs_unpruned: int
    seconds_unpruned: float
    least_epochs: int | None = None
    least_seconds: float | None = None


def can_be_played(definition: Definition) -> bool:
    """Whether it can be said beforehand what pruning leaves of a study: not for the pruners of Optuna.

    Args:
        definition: The study.
    """
    return not definition.is_pruned or isinstance(pruners.build(definition), StratifiedPruner)


def forecast(
    definition: Definition,
    epoch_seconds: Callable[[int], float],
    *,
    together: bool,
    cost: LaneCost | None = None,
    draw: int = 0,
    evaluations: int | None = None,
) -> Forecast:
    """Play a study, and add up its epochs.

    Nobody knows beforehand when the patience of a run ends. So it is played with runs that go on to the last epoch, and
    with runs that stop after ``patience + 1`` evaluations, the fewest that there can be: the first one always improves.

    Every scheduler type gets as many trials as the others, in an order drawn at random. The trials of a sampler that
    learns are the better the later they come. Pruned trials that are audited are trained on beside the others.

    Args:
        definition: The study; see `can_be_played`.
        epoch_seconds: Seconds of an epoch of so many lanes.
        together: Whether a generation of trials is trained at once, or all trials one after the other.
        cost: What the rungs take lanes to cost; by default as on a processor.
        draw: Which order; the same number draws the same.
        evaluations: Of a trial that is trained to the end; by default one for each epoch.
    """
    training = definition.training
    last = evaluations or training.epochs
    of_step = training.epochs / last

    def played(end: int) -> Forecast:
        players = _players(definition, draw)
        return _played(
            definition, players, lambda lanes: of_step * epoch_seconds(lanes), last, end, together=together, cost=cost
        )

    found = played(last)
    epochs, unpruned = (round(steps * of_step) for steps in (found.epochs, found.epochs_unpruned))
    found = replace(found, epochs=epochs, epochs_unpruned=unpruned)
    if training.patience is None:
        return found
    least = played(min(training.patience + 1, last))
    return replace(found, least_epochs=round(least.epochs * of_step), least_seconds=least.seconds)


def _played(
    definition: Definition,
    players: list[Player],
    step_seconds: Callable[[int], float],
    steps: int,
    last: int,
    *,
    together: bool,
    cost: LaneCost | None,
) -> Forecast:
    """The same in evaluations, of runs that have `steps` of them and end after `last`."""
    pruner, seeds = pruners.build(definition, steps), len(definition.training.seeds)
    cost = (cost or lane_cost.reckoned(one_pass=True, device="cpu")) if together else lane_cost.ONE_BY_ONE
    at_rungs = None
    if isinstance(pruner, StratifiedPruner):
        at_rungs = Rungs(pruner, seeds, cost, steps, together=together)
    audit = Audit.of(definition, cost)
    rungs = [] if at_rungs is None else [rung for rung in at_rungs.epochs if rung < last]
    size = generation_size(definition) if together else 1
    epochs, seconds, unpruned = 0, 0.0, 0.0
    for first in range(0, len(players), size):
        live, beside = players[first : first + size], list[Player]()
        unpruned += last * step_seconds(len(live) * seeds)
        for begin, end in zip([0, *rungs], [*rungs, last], strict=True):
            lanes = (len(live) + len(beside)) * seeds
            if not lanes:
                break
            epochs += (end - begin) * lanes
            seconds += (end - begin) * step_seconds(lanes)
            if at_rungs is not None and end in rungs:
                left = at_rungs.pass_on(end, live)
                ended = {own: own.number for own in live if own not in left}
                beside += audit.chosen(ended, [*left, *beside], at_rungs.places([*live, *beside]))
                live = left
    return Forecast(len(players), rungs, epochs, seconds, len(players) * seeds * last, unpruned)


def _players(definition: Definition, draw: int) -> list[Player]:
    source, trials = random.Random(draw), trials_to_train(definition)
    types = definition.search.schedulers
    drawn = [(types[number % len(types)], source.random()) for number in range(trials)]
    source.shuffle(drawn)
    learnt = 0.0 if definition.sampler.name in NOT_LEARNING else LEARNT / trials
    return [Player(number, kind, value * (1 - learnt * number)) for number, (kind, value) in enumerate(drawn)]


class Rungs:
    """Who went on at each rung, and what was seen there.

    Args:
        pruner: The study's.
        seeds: Lanes of a trial.
        cost: What lanes cost.
        last: Evaluations of a trial that is trained to the end; None if that is not known.
        together: Whether trials are trained by the generation.
    """

    def __init__(
        self,
        pruner: StratifiedPruner,
        seeds: int = 1,
        cost: LaneCost = lane_cost.ONE_BY_ONE,
        last: int | None = None,
        *,
        together: bool = False,
    ) -> None:
        self._pruner, self._seeds, self._cost, self._last, self._together = pruner, seeds, cost, last, together
        self._seen: dict[tuple[int, str], list[AtRung]] = defaultdict(list)

    @property
    def epochs(self) -> list[int]:
        """Where the rungs are."""
        return list(self._pruner.rungs)

    def places(self, players: Iterable[Player]) -> dict[Player, range]:
        """Where the lanes of each stand.

        Args:
            players: They.
        """
        return {own: range(own.number * self._seeds, (own.number + 1) * self._seeds) for own in players}

    def _all(self, epoch: int) -> list[AtRung]:
        return [own for (rung, _), seen in self._seen.items() if rung == epoch for own in seen]

    def pass_on(self, epoch: int, players: list[Player]) -> list[Player]:
        """Those that go on, of some that reach a rung together.

        Args:
            epoch: The rung.
            players: They.
        """
        places, ahead = self.places(players), self._pruner.until_next(epoch, self._last)
        arrived = {own: AtRung(own.number, own.kind, own.value) for own in players}
        ended = self._pruner.decide(
            epoch,
            arrived,
            Seen(lambda kind: self._seen[epoch, str(kind)], lambda: self._all(epoch)),
            lambda kept, next_best: self._cost.spared(kept, next_best, places, ahead),
            together=self._together,
        ).ended
        for own in players:
            self._seen[epoch, own.kind].append(replace(arrived[own], goes_on=own not in ended))
        return [own for own in players if own not in ended]
