"""Where it is decided who is pruned at a rung: the values are gathered here, and the study's pruner is asked.

What compares trials of one scheduler type stands in `pruning.stratified`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from copy import copy

import optuna
from optuna.pruners import BasePruner
from optuna.storages import BaseStorage, InMemoryStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from lrsearch.pruning.comparison import AtRung, Seen, at_rungs
from lrsearch.pruning.lane_cost import ONE_BY_ONE, LaneCost
from lrsearch.pruning.stratified import StratifiedPruner
from lrsearch.sampling.space import Settings
from lrsearch.search.kept_epoch import Rule
from lrsearch.search.trial_curves import LAST, TrialTrace
from lrsearch.storage.rung_trials import RungTrial
from lrsearch.storage.rung_values import RungValues
from lrsearch.storage.store import Claim
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file.searched_options import OPTIMIZER


class PruningDecision:
    """Asks the study's pruner about trials that have reached a rung; their values are stored already.

    Args:
        stored: The study.
        pruner: Its pruner.
        together: Whether trials come by the generation. Then they are compared with each other, and with those that
            were stored when their generation began.
        cost: What lanes cost that are trained together: more go on where that costs next to nothing.
        rule: Which epoch of a run counts.
        evaluations: Of a trial that is trained to the end; None if that is not known.
    """

    def __init__(
        self,
        stored: StoredStudy,
        pruner: BasePruner,
        together: bool,
        cost: LaneCost = ONE_BY_ONE,
        rule: Rule = LAST,
        evaluations: int | None = None,
    ) -> None:
        self._stored = stored
        self._pruner = pruner
        self._together = together
        self._cost = cost if together else ONE_BY_ONE
        self._settings: Mapping[Claim, Settings] = {}
        self._order: Mapping[Claim, int] = {}
        self._mirror: Mirror | None = None
        self._before: dict[int, RungTrial] | None = None
        self._excluded: Collection[int] = ()
        self._ended: dict[tuple[int, int], AtRung] = {}
        self._rule = rule
        self._evaluations = evaluations
        self._rungs = RungValues(stored.reader, self._epochs(pruner) if isinstance(pruner, StratifiedPruner) else ())

    def _epochs(self, pruner: StratifiedPruner) -> Sequence[int]:
        """The epochs whose values decide: all up to the last one that is looked at, where the best one counts."""
        return range(1, max(pruner.epochs, default=0) + 1) if self._rule.best else pruner.epochs

    def begin(self, settings: Mapping[Claim, Settings]) -> None:
        """A new generation begins.

        Args:
            settings: Its trials, and what each trains with; in the order of their lanes.
        """
        self._settings = settings
        self._order = {claim: index for index, claim in enumerate(settings)}
        self._mirror = self._before = None

    def __call__(self, trials: Mapping[Claim, TrialTrace]) -> set[Claim]:
        """Those that end here.

        Args:
            trials: The trials that have reached the rung, with their curves.
        """
        if isinstance(self._pruner, StratifiedPruner):
            return self._compared(self._pruner, trials)
        if self._together:
            return self._mirrored(trials)
        return {claim for claim in trials if self._pruned(claim)}

    def _pruned(self, claim: Claim) -> bool:
        def ask() -> bool:
            # Trial.should_prune would only know what was reported through its own object.
            trial = self._stored.storage.get_trial(claim.trial_id)
            return self._pruner.prune(self._stored.study, _as_compared(trial, self._rule))

        # Such a pruner reads for itself, through Optuna.
        return self._stored.patience(ask)

    def _compared(self, pruner: StratifiedPruner, trials: Mapping[Claim, TrialTrace]) -> set[Claim]:
        rung = next(iter(trials.values())).epoch
        arrived = {claim: self._arrived(pruner, rung, claim, trace) for claim, trace in trials.items()}
        asked = {claim.number for claim in trials}
        if not self._together:
            return pruner.decide(rung, arrived, self._seen_now(pruner, rung, asked)).ended
        ahead = pruner.until_next(rung, self._evaluations)
        decision = pruner.decide(
            rung,
            arrived,
            Seen(lambda kind: self._seen_before(pruner, rung).of(kind), lambda: self._seen_before(pruner, rung).all()),
            lambda kept, next_best: self._cost.spared(kept, next_best, self._places(trials), ahead),
            together=True,
        )
        for claim in decision.alone:
            self._remember(arrived[claim], trials[claim], pruner)
        return decision.ended

    def _arrived(self, pruner: StratifiedPruner, rung: int, claim: Claim, trace: TrialTrace) -> AtRung:
        curve = self._rule.curve(trace.test)
        values = {epoch: curve[epoch - 1] for epoch in pruner.looks(rung)}
        own = self._settings[claim]
        optimizer = own.further.get(OPTIMIZER)
        trial = RungTrial(claim.number, TrialState.RUNNING, own.schedule.name, values, optimizer)
        return pruner.at_rung(rung, trial, maximise=self._stored.maximises)

    def _places(self, trials: Mapping[Claim, TrialTrace]) -> dict[Claim, range]:
        """Where the lanes of each trial stood in the generation."""
        seeds = max(len(trace.lanes) for trace in trials.values())
        first = {claim: self._order[claim] * seeds for claim in trials}
        return {claim: range(place, place + len(trials[claim].lanes)) for claim, place in first.items()}

    def _seen_now(self, pruner: StratifiedPruner, rung: int, asked: Collection[int]) -> Seen:
        but = {*self._stored.excluded(), *asked}
        known = self._rule.compared(self._rungs.read())
        return pruner.seen(known, rung, but, maximise=self._stored.maximises, known=self._ended)

    def _seen_before(self, pruner: StratifiedPruner, rung: int) -> Seen:
        if self._before is None:
            there = at_rungs(self._stored.trials())
            own = {claim.number for claim in self._settings}
            before = {number: trial for number, trial in there.items() if number not in own}
            self._before = dict(self._rule.compared(before))
            self._excluded = self._stored.excluded()
        return pruner.seen(self._before, rung, self._excluded, maximise=self._stored.maximises)

    def _remember(self, arrived: AtRung, trace: TrialTrace, pruner: StratifiedPruner) -> None:
        """A trial of the generation that was not compared with the others of it: later ones are compared with it."""
        curve = self._rule.curve(trace.test)
        values = {epoch: curve[epoch - 1] for epoch in pruner.epochs if epoch <= trace.epoch}
        assert self._before is not None
        running = TrialState.RUNNING
        self._before[arrived.number] = RungTrial(arrived.number, running, arrived.scheduler, values, arrived.optimizer)

    def _mirrored(self, trials: Mapping[Claim, TrialTrace]) -> set[Claim]:
        if self._mirror is None:
            self._mirror = Mirror(self._stored, {claim.number for claim in self._settings}, self._rule)
        mirror, curve = self._mirror, self._rule.curve
        return {claim for claim, trace in trials.items() if mirror.ends(self._pruner, claim.number, curve(trace.test))}


class Mirror:
    """A study in memory: a pruner reads all trials at every question, which a database takes long to answer.

    Args:
        stored: The study.
        under_way: Numbers of those that are trained here; they begin without values.
        rule: Which epoch of a run counts.
    """

    def __init__(self, stored: StoredStudy, under_way: Collection[int], rule: Rule = LAST) -> None:
        self._storage: BaseStorage = InMemoryStorage()
        self._study = optuna.create_study(
            storage=self._storage, study_name=stored.name, direction=stored.study.direction
        )
        for key, value in stored.reader.attributes().items():
            self._study.set_user_attr(key, value)
        study_id = self._storage.get_study_id_from_name(stored.name)
        self._ids = [
            self._storage.create_new_trial(
                study_id, _begun(trial) if trial.number in under_way else _as_compared(trial, rule)
            )
            for trial in stored.trials()
        ]

    def ends(self, pruner: BasePruner, number: int, curve: list[float]) -> bool:
        """Whether a trial is pruned.

        Args:
            pruner: Decides.
            number: The trial's number.
            curve: Its intermediate values from epoch 1.
        """
        trial_id = self._ids[number]
        known = len(self._storage.get_trial(trial_id).intermediate_values)
        for epoch in range(known + 1, len(curve) + 1):
            self._storage.set_trial_intermediate_value(trial_id, epoch, curve[epoch - 1])
        return pruner.prune(self._study, self._storage.get_trial(trial_id))


def _begun(trial: FrozenTrial) -> FrozenTrial:
    return create_trial(
        state=TrialState.RUNNING,
        params=trial.params,
        distributions=trial.distributions,
        system_attrs=trial.system_attrs,
    )


def _as_compared(trial: FrozenTrial, rule: Rule) -> FrozenTrial:
    """A trial with the values that it is compared by, in the place of its curve."""
    if not rule.best:
        return trial
    changed, epochs = copy(trial), sorted(trial.intermediate_values)
    values = rule.curve([trial.intermediate_values[epoch] for epoch in epochs])
    changed.intermediate_values = dict(zip(epochs, values, strict=True))
    return changed
