"""Which rule for ending trials loses little and saves much? By replay of learning curves, on one seed each.

    python tests/benchmarks/pruning_rules.py --banks FOLDER [--curves FILE.csv.gz ...] [--searches 150] [--trials 64]
        [--one-by-one] [--types 2]

Banks are trained where FOLDER does not have them (10 minutes). A search is so many random settings of a bank that are
trained together; a file of curves is one search for each scheduler type. With --one-by-one each trial is trained by
itself, and compared with those that were seen at the rung before. Regret is how much worse the best value after the
last epoch is than without pruning, as a share; epochs are those that are trained, as a share. Epochs after a trial has
diverged count for nobody. Prints a markdown table.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import pruning_banks
from numpy.typing import NDArray
from pruning_banks import STUDIES, Curves

from lrsearch.pruning.comparison import AtRung, Seen
from lrsearch.pruning.extrapolation import StratifiedExtrapolation, last_epochs
from lrsearch.pruning.halving import StratifiedHalving
from lrsearch.pruning.pruners import Extrapolation, ExtrapolationOptions
from lrsearch.pruning.stratified import StratifiedPruner


class ByValue(StratifiedExtrapolation):
    """Judged by what a trial has come to, at the rungs and with the shares of the rule that is compared."""

    def judged(self, rung: int, values: Mapping[int, float]) -> tuple[float, float]:
        """See `StratifiedPruner.judged`."""
        now = median(values[epoch] for epoch in last_epochs(rung))
        return now, now


class ByOneEpoch(StratifiedExtrapolation):
    """Predicted from single epochs."""

    def looks(self, rung: int) -> tuple[int, ...]:
        """See `StratifiedPruner.looks`."""
        return (rung // 2, rung)

    def judged(self, rung: int, values: Mapping[int, float]) -> tuple[float, float]:
        """See `StratifiedPruner.judged`."""
        return values[rung] + min(values[rung] - values[rung // 2], 0.0), values[rung]


class ThreeFree(StratifiedExtrapolation):
    """One by one the first three of each type always go on."""

    across = False


class WholeShare(StratifiedExtrapolation):
    """One by one the share goes on of those seen so far, however many have gone on."""

    tighter = 1.0


class HalfShare(StratifiedExtrapolation):
    """One by one half of the share goes on once nine tenths of it have."""

    tighter = 0.5


class FirstGoesOn(StratifiedExtrapolation):
    """One by one the first of each type goes on at every rung."""

    def shows_its_type(self, others: Sequence[AtRung], rung: int) -> bool:
        """See `StratifiedPruner.shows_its_type`."""
        return not others


class WithoutLeader(StratifiedExtrapolation):
    """Who leads now must be among the best predicted."""

    def judged(self, rung: int, values: Mapping[int, float]) -> tuple[float, float]:
        """See `StratifiedPruner.judged`."""
        end, _ = super().judged(rung, values)
        return end, end


Rule = Callable[[int], StratifiedPruner | None]
"""Makes a pruner for so many epochs."""


def _shares(epochs: int, *shares: tuple[float, float]) -> tuple[list[int], list[float]]:
    rungs, keep = zip(*shares, strict=True)
    return [max(2, round(rung * epochs)) for rung in rungs], list(keep)


def ours(epochs: int) -> StratifiedPruner:
    """The default."""
    pruner = Extrapolation.build(ExtrapolationOptions.model_validate({}), epochs)
    assert isinstance(pruner, StratifiedPruner)
    return pruner


RULES: Mapping[str, Rule] = {
    "none": lambda _: None,
    "halving, its default": lambda epochs: StratifiedHalving(
        [round(rung * epochs) for rung in (0.083, 0.25, 0.5)], 0.333
    ),
    "halving, one rung at half": lambda epochs: StratifiedHalving([round(0.5 * epochs)], 0.333),
    "value, rungs and shares as ours": lambda epochs: ByValue(*_shares(epochs, (0.125, 0.7), (0.5, 0.3))),
    "predicted from single epochs": lambda epochs: ByOneEpoch(*_shares(epochs, (0.125, 0.7), (0.5, 0.3))),
    "predicted, the leader not spared": lambda epochs: WithoutLeader(*_shares(epochs, (0.125, 0.7), (0.5, 0.3))),
    "predicted, 0.45 at 1/4 and 1/2": lambda epochs: StratifiedExtrapolation(
        *_shares(epochs, (0.25, 0.45), (0.5, 0.45))
    ),
    "predicted, 0.65 at 1/6, 0.3 at 1/2": lambda epochs: StratifiedExtrapolation(
        *_shares(epochs, (1 / 6, 0.65), (0.5, 0.3))
    ),
    "predicted, 0.7 at 1/8, 0.3 at 1/2 (ours)": ours,
}


ALONE: Mapping[str, Rule] = {
    "none": lambda _: None,
    "three of each type go on": lambda epochs: ThreeFree(*_shares(epochs, (0.125, 0.7), (0.5, 0.3))),
    "the share, however many have gone on": lambda epochs: WholeShare(*_shares(epochs, (0.125, 0.7), (0.5, 0.3))),
    "0.5 of the share once it is nearly spent": lambda epochs: HalfShare(*_shares(epochs, (0.125, 0.7), (0.5, 0.3))),
    "0.7, and the first of each type goes on": lambda epochs: FirstGoesOn(*_shares(epochs, (0.125, 0.7), (0.5, 0.3))),
    "0.7 of the share once it is nearly spent (ours)": ours,
}
"""The rules that are compared where each trial is trained by itself."""


def replay(curves: Curves, pruner: StratifiedPruner | None) -> tuple[float, float]:
    """Regret and share of the epochs of one search.

    Args:
        curves: Its trials; all are trained together.
        pruner: Decides; None ends nobody.
    """
    last = curves.test.shape[1]
    live = list(range(len(curves.types)))
    trained = np.zeros_like(curves.test, dtype=bool)
    begin = 0
    for end in [*([] if pruner is None else pruner.rungs), last]:
        trained[live, begin:end] = True
        begin, live = end, [trial for trial in live if np.isfinite(curves.test[trial, end - 1])]
        if pruner is None or end == last:
            continue
        arrived = {trial: _arrived(pruner, end, curves, trial) for trial in live}
        ended = pruner.decide(end, arrived, Seen(lambda _: [], list), together=True).ended
        live = [trial for trial in live if trial not in ended]
    return _came_to(curves, live, trained)


def replay_one_by_one(curves: Curves, pruner: StratifiedPruner | None) -> tuple[float, float]:
    """The same where the trials are trained one after the other.

    Args:
        curves: Of the trials, in their order.
        pruner: Decides; None ends nobody.
    """
    seen: dict[int, list[AtRung]] = defaultdict(list)
    trained, live = np.zeros_like(curves.test, dtype=bool), []
    for trial in range(len(curves.types)):
        end = None if pruner is None else _end(pruner, curves, trial, seen)
        trained[trial, :end] = True
        live += [trial] if end is None else []
    return _came_to(curves, live, trained)


def _end(pruner: StratifiedPruner, curves: Curves, trial: int, seen: Mapping[int, list[AtRung]]) -> int | None:
    """The rung that ends a trial, which is seen there from now on; None if it goes on to its end."""
    for rung in pruner.rungs:
        if not np.isfinite(curves.test[trial, rung - 1]):
            return None
        own, there = _arrived(pruner, rung, curves, trial), seen[rung]
        before = Seen(lambda kind, there=there: [it for it in there if it.scheduler == kind], lambda there=there: there)  # type: ignore[misc]
        ends = bool(pruner.decide(rung, {trial: own}, before).ended)
        seen[rung].append(replace(own, goes_on=not ends))
        if ends:
            return rung
    return None


def _arrived(pruner: StratifiedPruner, rung: int, curves: Curves, trial: int) -> AtRung:
    values = {epoch: float(curves.test[trial, epoch - 1]) for epoch in pruner.looks(rung)}
    return AtRung(trial, str(curves.types[trial]), *pruner.judged(rung, values))


def _came_to(curves: Curves, live: Sequence[int], trained: NDArray[np.bool_]) -> tuple[float, float]:
    steady, best = np.isfinite(curves.test), curves.test[:, -1].min()
    return float(curves.test[live, -1].min() / best - 1), float((trained & steady).sum() / steady.sum())


def replays(
    curves: Curves, rule: Rule, searches: int, trials: int, types: int | None = None, *, one_by_one: bool = False
) -> tuple[float, float]:
    """Mean regret and share of the epochs.

    Args:
        curves: A bank; no more settings than a search has are one search.
        rule: Makes the pruner.
        searches: How many are drawn.
        trials: Of each.
        types: So many scheduler types are drawn for each search; None for all.
        one_by_one: Whether each trial is trained by itself.
    """
    pruner, size = rule(curves.test.shape[1]), len(curves.types)
    once = replay_one_by_one if one_by_one else replay
    if size <= trials and types is None:
        return once(curves, pruner)
    drawn = (_drawn(curves, trials, types, np.random.default_rng(seed)) for seed in range(searches))
    regret, epochs = np.mean([once(curves.of(chosen), pruner) for chosen in drawn], axis=0)
    return float(regret), float(epochs)


def _drawn(curves: Curves, trials: int, types: int | None, source: np.random.Generator) -> NDArray[np.intp]:
    """The settings of a search."""
    kinds = np.unique(curves.types)
    if types is not None:
        kinds = source.choice(kinds, min(types, len(kinds)), replace=False)
    there = np.flatnonzero(np.isin(curves.types, kinds))
    chosen: NDArray[np.intp] = source.choice(there, min(trials, len(there)), replace=False)
    return chosen


def by_type(files: Sequence[Path]) -> dict[str, Curves]:
    """A bank for each scheduler type of each file.

    Args:
        files: See `pruning_banks.read`.
    """
    found = {}
    for file in files:
        curves = pruning_banks.read(file)
        for kind in np.unique(curves.types):
            found[f"{file.name.split('.')[0]} {kind}"] = curves.of(np.flatnonzero(curves.types == kind))
    return found


def main() -> None:
    """Print a markdown table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--banks", type=Path, required=True, help="where banks are kept")
    options.add_argument("--curves", type=Path, nargs="*", default=[], help="files of curves")
    options.add_argument("--searches", type=int, default=150)
    options.add_argument("--trials", type=int, default=64)
    options.add_argument("--one-by-one", action="store_true", help="each trial is trained by itself")
    options.add_argument("--types", type=int, help="so many scheduler types are drawn for each search")
    given = options.parse_args()
    banks = by_type(given.curves)
    banks |= {study: pruning_banks.curves_of(pruning_banks.bank(study, given.banks)) for study in STUDIES}
    print(f"| rule | mean regret | worst bank | epochs | {' | '.join(banks)} |\n|---|{'---:|' * (len(banks) + 3)}")
    for name, rule in (ALONE if given.one_by_one else RULES).items():
        found = [
            replays(curves, rule, given.searches, given.trials, given.types, one_by_one=given.one_by_one)
            for curves in banks.values()
        ]
        regrets, epochs = zip(*found, strict=True)
        cells = [f"{100 * np.mean(regrets):.2f} %", f"{100 * max(regrets):.1f} %", f"{np.mean(epochs):.2f}"]
        print(f"| {name} | {' | '.join([*cells, *(f'{100 * own:.1f} %' for own in regrets)])} |", flush=True)


if __name__ == "__main__":
    main()
