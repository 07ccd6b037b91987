"""The search itself: ask for settings, train them, report, prune, tell, until the budget is met."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from optuna.trial import Trial, TrialState

from lrsearch.errors import LrsearchError
from lrsearch.search import pruning, sampling, standing, studies
from lrsearch.search.interruption import Interruption
from lrsearch.search.space import Settings, Space
from lrsearch.search.studies import StoredStudy
from lrsearch.search.trace import TrialTrace
from lrsearch.storage.attributes import CONSTRAINT, ENGINE, ERROR, HORIZON, THREADS
from lrsearch.storage.recording import Recorder
from lrsearch.study_file.model import Definition
from lrsearch.tasks.task import Task
from lrsearch.training.batches import batches_per_epoch
from lrsearch.training.engine import Engine, Lane, LaneStream

FAILURES_IN_A_ROW = 3
"""After so many failed trials without a good one between them the fault is not in the settings."""


@dataclass(frozen=True)
class TrialBegan:
    """A trial's settings are chosen."""

    number: int
    settings: Settings


@dataclass(frozen=True)
class EpochDone:
    """A trial finished an epoch."""

    number: int
    epoch: int
    test_metric: float


@dataclass(frozen=True)
class TrialEnded:
    """A trial is told: complete, pruned or failed."""

    number: int
    state: TrialState
    value: float | None
    diverged: bool
    error: str | None = None


Event = TrialBegan | EpochDone | TrialEnded


class Runner:
    """Takes trials of one study until its budget is met.

    Args:
        stored: The study; it has a definition.
        task: What is trained.
        engine: What trains it.
        interruption: Where signals are looked for.
        timeout: Seconds after which no further trial is taken; None for no limit.
    """

    def __init__(
        self,
        stored: StoredStudy,
        task: Task,
        engine: Engine,
        interruption: Interruption,
        timeout: float | None = None,
    ) -> None:
        assert stored.definition is not None
        self.stored = stored
        self.definition: Definition = stored.definition
        self.task = task
        self.engine = engine
        self.interruption = interruption
        self.deadline = None if timeout is None else time.monotonic() + timeout
        self.space = Space.of(self.definition)
        stored.study.sampler = sampling.build(self.definition)
        stored.study.pruner = pruning.build(self.definition)
        self.recorder = Recorder(stored.study)
        self.asking = frozenset(pruning.rungs(self.definition))

    def events(self) -> Iterator[Event]:
        """Run the search, and say what happens as it happens.

        Raises:
            InterruptedRunError: A signal came; the running trial's settings wait in the storage to be run again.
            LrsearchError: `FAILURES_IN_A_ROW` trials failed.
        """
        failures = 0
        while self._budget_left():
            with self.interruption.open():
                pass
            trial = self.stored.study.ask()
            for event in self._run(trial):
                if isinstance(event, TrialEnded):
                    failures = failures + 1 if event.state == TrialState.FAIL else 0
                    if failures == FAILURES_IN_A_ROW:
                        raise LrsearchError(f"{failures} trials failed one after the other; the last: {event.error}")
                yield event

    def _budget_left(self) -> bool:
        if self.deadline is not None and time.monotonic() >= self.deadline:
            return False
        if studies.is_stopped(self.stored):
            return False
        counts = standing.count(self.stored)
        return counts.waiting > 0 or counts.claimed < self.definition.trials

    def _run(self, trial: Trial) -> Iterator[Event]:
        try:
            settings = self.space.suggest(trial)
            yield TrialBegan(trial.number, settings)
            yield from self._train(trial, settings)
        except (LrsearchError, GeneratorExit) as ending:
            self.recorder.hand_back(trial, str(ending) or "the run was ended")
            raise
        except Exception as error:
            # A model may fail for some settings only; the others go on, and the reason is kept.
            reason = f"{type(error).__name__}: {error}"
            self.recorder.finish(trial, TrialState.FAIL, None, {ERROR: reason}, {})
            yield TrialEnded(trial.number, TrialState.FAIL, None, False, reason)

    def _train(self, trial: Trial, settings: Settings) -> Iterator[Event]:
        training = self.definition.training
        lanes = [Lane(settings.lr, settings.schedule, seed) for seed in training.seeds]
        stream = self.engine.train(self.task, lanes, training)
        trace = TrialTrace(range(len(lanes)))
        stored_epochs = 0
        while self._advance(stream, trace):
            if trace.epoch == 0:
                continue
            pruned = False
            if trace.epoch in self.asking and trace.diverged_at is None:
                stored_epochs = self._record(trial, trace, stored_epochs)
                pruned = self.recorder.should_prune(trial)
            yield EpochDone(trial.number, trace.epoch, trace.test[-1])
            if pruned or trace.diverged_at is not None:
                break
        stream.close()
        self._record(trial, trace, stored_epochs)
        yield self._tell(trial, settings, trace)

    def _advance(self, stream: LaneStream, trace: TrialTrace) -> bool:
        """Train one more epoch; false if there is none."""
        with self.interruption.open():
            records = next(stream, None)
        if records is None:
            return False
        trace.add(records)
        return True

    def _record(self, trial: Trial, trace: TrialTrace, stored_epochs: int) -> int:
        """Store the epochs that are not stored yet; gives back how many are now."""
        fresh = range(stored_epochs + 1, trace.epoch + 1)
        self.recorder.record(trial, {epoch: trace.test[epoch - 1] for epoch in fresh})
        return trace.epoch

    def _tell(self, trial: Trial, settings: Settings, trace: TrialTrace) -> TrialEnded:
        training = self.definition.training
        per_epoch = batches_per_epoch(len(self.task.train[0]), training.batch_size)
        attributes = {
            **trace.attributes(),
            HORIZON: settings.schedule.steps(training.epochs, per_epoch),
            ENGINE: self.engine.name,
            THREADS: torch.get_num_threads(),
        }
        diverged = trace.diverged_at is not None
        constraints = {CONSTRAINT: 1.0} if diverged else {}
        complete = diverged or trace.epoch == training.epochs
        state = TrialState.COMPLETE if complete else TrialState.PRUNED
        self.recorder.finish(trial, state, trace.value if complete else None, attributes, constraints)
        return TrialEnded(trial.number, state, trace.value, diverged)
