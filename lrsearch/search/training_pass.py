"""Trials that are trained together in one pass, from their settings to their outcome."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import torch
from optuna.trial import TrialState

from lrsearch.pruning.audit import NO_AUDIT, Audit
from lrsearch.sampling.space import Settings
from lrsearch.search.events import EpochDone, Event, TrialEnded
from lrsearch.search.kept_epoch import Rule
from lrsearch.search.trial_curves import LAST, TrialTrace, audit_attributes
from lrsearch.search.variants import Variant, Variants
from lrsearch.signals import Interruption
from lrsearch.storage.attributes import (
    AUDIT_ERROR,
    CONSTRAINT,
    DEVICE,
    ENGINE,
    ERROR,
    HORIZON,
    PARAMETER_GROUPS,
    PLACE,
    STEP_UPDATES,
    THREADS,
)
from lrsearch.storage.heartbeat import Heartbeat
from lrsearch.storage.store import Claim, TrialEnd, TrialStore
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.task import Task
from lrsearch.training import grouped
from lrsearch.training.batches import updates_per_epoch
from lrsearch.training.devices import describe
from lrsearch.training.engine import Engine, Lane, LaneRecords, LaneStream
from lrsearch.training.grouped import Group, together

EndedAtRung = Callable[[Mapping[Claim, TrialTrace]], set[Claim]]
"""Says which of the trials that have reached a rung end there; their values are stored already."""


@dataclass(frozen=True)
class Training:
    """What all trials of a study have in common while they are trained.

    Attributes:
        task: What is trained.
        section: Epochs, batch size, optimizer, seeds.
        engine: What trains it.
        rungs: Epochs, or evaluations, after which `ended_at_rung` is asked.
        evaluations: Of a trial that is trained to the end: one for each epoch, unless `evaluate_every` says otherwise.
        ended_at_rung: Says who is pruned.
        store: Where everything is written.
        heartbeat: Is told that training moves.
        interruption: Where signals are looked for.
        score: Which of the task's further metrics is a trial's value; None for the test metric.
        rule: Which epoch of a run counts.
        spent: Told the seconds that the engine took, each time that it is asked.
        variants: Says what each trial is trained with, beside its settings; None where all have `task` and `section`.
        audit: Says which of the trials that are pruned are trained on, to see what they would come to.
    """

    task: Task
    section: TrainingSection
    engine: Engine
    rungs: frozenset[int]
    evaluations: int
    ended_at_rung: EndedAtRung
    store: TrialStore
    heartbeat: Heartbeat
    interruption: Interruption
    score: str | None = None
    rule: Rule = LAST
    spent: Callable[[float], None] = lambda seconds: None  # noqa: ARG005
    audit: Audit = NO_AUDIT
    variants: Variants | None = None

    def variant(self, settings: Settings) -> Variant:
        """What a trial is trained with.

        Args:
            settings: The trial's.
        """
        return Variant(self.section, self.task) if self.variants is None else self.variants.of(settings)


class Pass:
    """Trains trials through their rungs and tells how each ended.

    A trial that is audited has ended for everybody but the engine: it is told as it stood at the rung that ended it,
    and what comes later is noted beside that.

    Args:
        training: What they have in common.
        settings: The trials and what each trains with.
        places: Where the first lane of each stands in the generation.
        compared: Epoch up to which they were compared in an earlier pass that failed.
        audited: Those of its trials that were audited there, as they stood when they were compared.

    Attributes:
        compared: The same, up to now.
        audited: The same, up to now.
    """

    def __init__(
        self,
        training: Training,
        settings: Mapping[Claim, Settings],
        places: Mapping[Claim, int],
        compared: int = 0,
        audited: Mapping[Claim, TrialTrace] | None = None,
    ) -> None:
        self.compared = compared
        self.audited = {claim: trace for claim, trace in (audited or {}).items() if claim in settings}
        self._training = training
        self._settings = settings
        self._places = places
        self._variants = {claim: training.variant(own) for claim, own in settings.items()}
        self._lanes: list[Lane] = []
        self._active: dict[Claim, TrialTrace] = {}
        for claim, own in settings.items():
            first = len(self._lanes)
            seeds = enumerate(own.seeds(training.section.seeds))
            variant = self._variants[claim]
            section = variant.training if variant.is_own else None
            self._lanes += [
                Lane(own.lr, own.schedule, seed, places[claim] + index, claim.number, section, variant.options)
                for index, seed in seeds
            ]
            self._active[claim] = TrialTrace(range(first, len(self._lanes)), training.score, training.rule)
        self._seats = {own: range(places[own], places[own] + len(it.lanes)) for own, it in self._active.items()}
        self._claim_of = {lane: claim for claim, trace in self._active.items() for lane in trace.lanes}
        self._stored: dict[Claim, int] = dict.fromkeys(settings, 0)

    @property
    def unfinished(self) -> list[Claim]:
        """The trials that have no outcome yet."""
        return list(self._active)

    def events(self) -> Iterator[Event]:
        """Train all trials to their end."""
        training = self._training
        pauses = [rung for rung in training.rungs if rung > self.compared]
        with closing(grouped.train(training.engine, self._groups(), self._lanes, pauses)) as stream:
            yield from self._through(stream)

    def _groups(self) -> list[Group]:
        """The lanes that the engine can train together, in the order in which the first of each stands."""
        groups: dict[Hashable, list[int]] = {}
        for lane in range(len(self._lanes)):
            variant = self._variants[self._claim_of[lane]]
            groups.setdefault(group_of(variant, self._training.engine), []).append(lane)
        firsts = [self._variants[self._claim_of[lanes[0]]] for lanes in groups.values()]
        return [Group(first.task, first.training, tuple(lanes))
                for first, lanes in zip(firsts, groups.values(), strict=True)]  # fmt: skip

    def _through(self, stream: LaneStream) -> Iterator[Event]:
        training = self._training
        records = self._next(stream, None)
        while records is not None:
            before = len(self._active)
            for lane, reason in records.failures.items():
                if (claim := self._claim_of[lane]) in self._active:
                    yield self.fail(claim, reason)
            moved = self._taken(records)
            if moved:
                training.heartbeat.epoch_done()
                yield EpochDone(records.epoch, len(moved))
            yield from self._end_those_that_are_done(moved)
            if len(self._active) < before or any(self._active[claim].epoch in training.rungs for claim in moved):
                yield from self._compare_at_rung()
            if len(self._active) == before:
                records = self._next(stream, None)
            else:
                records = self._next(stream, {lane for trace in self._active.values() for lane in trace.lanes})

    def _taken(self, records: LaneRecords) -> list[Claim]:
        """Let each trial take its part of what the engine yielded; tells which have got on by an epoch."""
        told = dict.fromkeys(self._claim_of[lane] for lane in records.lanes)
        # A lane may come to its end after another one of its trial, which diverged, has ended the trial.
        return [claim for claim in told if claim in self._active and self._active[claim].take(records)]

    def _next(self, stream: LaneStream, keep: set[int] | None) -> LaneRecords | None:
        """What comes next from the lanes that are kept; None if nothing does."""
        asked = time.monotonic()
        with self._training.interruption.open():
            try:
                return next(stream) if keep is None else stream.send(keep)
            except StopIteration:
                return None
            finally:
                self._training.spent(time.monotonic() - asked)

    def _end_those_that_are_done(self, moved: Sequence[Claim]) -> Iterator[TrialEnded]:
        last = self._training.evaluations
        over = {claim for claim in moved if self._active[claim].epoch == last or self._active[claim].is_over}
        if over:
            yield from self._tell([claim for claim in self._active if claim in over])

    def _compare_at_rung(self) -> Iterator[TrialEnded]:
        """When all trials that are left have come to a rung, end those that are pruned there."""
        asked = {claim: trace for claim, trace in self._active.items() if claim not in self.audited}
        rungs = {trace.epoch for trace in asked.values()}
        if len(rungs) != 1 or (epoch := rungs.pop()) not in self._training.rungs or epoch <= self.compared:
            return
        if not (asked := {claim: trace for claim, trace in asked.items() if trace.is_evaluated(epoch)}):
            return
        self._training.store.record(self._fresh(asked))
        pruned = self._training.ended_at_rung(asked)
        numbers = {claim: claim.number for claim in self._active if claim in pruned}
        chosen = self._training.audit.chosen(numbers, self._active.keys() - pruned, self._seats)
        self.audited |= {claim: deepcopy(self._active[claim]) for claim in chosen}
        self.compared = epoch
        if ended := pruned - set(chosen):
            yield from self._tell([claim for claim in self._active if claim in ended])

    def _fresh(self, claims: Iterable[Claim]) -> dict[int, dict[int, float]]:
        """Trial id -> what it came to after the epochs that are not stored yet, which count as stored from now on."""
        fresh = {}
        for claim in claims:
            trace = self.audited.get(claim, self._active[claim])
            first = self._stored[claim] + 1
            epochs = filter(trace.is_evaluated, range(first, trace.epoch + 1))
            fresh[claim.trial_id] = {epoch: trace.test[epoch - 1] for epoch in epochs}
            self._stored[claim] = trace.epoch
        return fresh

    def _tell(self, claims: Sequence[Claim]) -> Iterator[TrialEnded]:
        fresh = self._fresh(claims)
        outcomes = {
            claim: replace(self._outcome(claim, self._active[claim]), reported=fresh[claim.trial_id])
            for claim in claims
        }
        accepted = self._training.store.finish(list(outcomes.values()))
        for claim, outcome in outcomes.items():
            trace = self.audited.get(claim, self._active.pop(claim))
            # A trial that others took to be lost is being run again; its outcome will come from there.
            if claim.trial_id in accepted:
                yield TrialEnded(claim.number, outcome.state, trace.value, trace.diverged_at is not None)

    def fail(self, claim: Claim, reason: str) -> TrialEnded:
        """Tell that a trial could not be trained to its end; one that is audited was pruned before.

        Args:
            claim: The trial, which has no outcome yet.
            reason: Why not.
        """
        ended = self.audited.get(claim)
        if ended is None:
            told = TrialEnded(claim.number, TrialState.FAIL, None, False, reason)
            outcome = TrialEnd(claim.trial_id, TrialState.FAIL, None, {ERROR: reason})
        else:
            outcome = self._outcome(claim, self._active[claim], {AUDIT_ERROR: reason})
            told = TrialEnded(claim.number, outcome.state, ended.value, False)
        self._training.store.finish([outcome])
        del self._active[claim]
        return told

    def _outcome(self, claim: Claim, trained: TrialTrace, further: Mapping[str, Any] | None = None) -> TrialEnd:
        training, schedule, variant = self._training, self._settings[claim].schedule, self._variants[claim]
        per_epoch, every = updates_per_epoch(variant.task, variant.training), variant.training.evaluate_every
        updates = schedule.updates_per_step(per_epoch, every)
        trace = self.audited.get(claim, trained)
        since = {} if trace is trained else audit_attributes(trace, trained, training.evaluations)
        attributes = {
            **trace.attributes(),
            **since,
            **(further or {}),
            HORIZON: schedule.steps(training.section.epochs, per_epoch, every),
            **({STEP_UPDATES: updates} if schedule.warmup_fraction and updates > 1 else {}),
            **({} if training.task.parameters is None else {PARAMETER_GROUPS: True}),
            ENGINE: training.engine.name,
            DEVICE: describe(training.engine.device),
            THREADS: torch.get_num_threads(),
            PLACE: self._places[claim],
        }
        diverged = trace.diverged_at is not None
        complete = trace.is_over or trace.epoch == training.evaluations
        state = TrialState.COMPLETE if complete else TrialState.PRUNED
        # A pruned trial's value is its last intermediate one, as Optuna has it; NaN is no value.
        value = None if math.isnan(trace.value) else trace.value
        return TrialEnd(claim.trial_id, state, value, attributes, {CONSTRAINT: 1.0} if diverged else {})


def group_of(variant: Variant, engine: Engine) -> Hashable:
    """Equal for trials that an engine can train together.

    Args:
        variant: What a trial is trained with.
        engine: What trains it.
    """
    options = repr(sorted(variant.options.items()))
    return options, together(variant.training, engine) if variant.is_own else ""
