"""The search itself: ask for settings, train them, report, prune, tell, until the budget is met."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping

import optuna
from optuna.trial import Trial, TrialState

from lrsearch.errors import LrsearchError
from lrsearch.search import asking, pruning, sampling, standing, studies
from lrsearch.search.events import Event, TrialBegan, TrialEnded
from lrsearch.search.generation import Generation, Training
from lrsearch.search.interruption import Interruption
from lrsearch.search.space import Settings, Space, settings_from
from lrsearch.search.studies import StoredStudy
from lrsearch.search.trace import TrialTrace
from lrsearch.storage.attributes import ERROR
from lrsearch.storage.choice import trial_store
from lrsearch.storage.heartbeat import Heartbeat
from lrsearch.storage.liveness import Worker
from lrsearch.storage.patience import Patience
from lrsearch.storage.store import GRACE, Claim, Outcome
from lrsearch.tasks.task import Task
from lrsearch.training.engine import Engine

FAILURES_IN_A_ROW = 3
"""After so many failed trials without a good one between them the fault is not in the settings."""
TELL_AFTER = 10.0
"""Seconds of waiting for other processes until a person is told."""
LOOK_AGAIN = 0.5
"""Seconds between two looks at trials that other processes train."""


class Runner:
    """Takes trials of one study until its budget is met and nobody trains any.

    Args:
        stored: The study; it has a definition.
        task: What is trained.
        engine: What trains it.
        interruption: Where signals are looked for.
        timeout: Seconds after which no further trial is taken; None for no limit.
        grace: Seconds without a heartbeat after which a trial on another machine is taken to be lost.
        say: Where a person is told what else she should know.
    """

    def __init__(
        self,
        stored: StoredStudy,
        task: Task,
        engine: Engine,
        interruption: Interruption,
        *,
        timeout: float | None = None,
        grace: float = GRACE,
        say: Callable[[str], None] = lambda text: None,  # noqa: ARG005
    ) -> None:
        assert stored.definition is not None
        self.stored, self.definition = stored, stored.definition
        self.interruption = interruption
        self.deadline = None if timeout is None else time.monotonic() + timeout
        self.grace, self.say = grace, say
        self.space = Space.of(self.definition)
        stored.study.sampler = sampling.build(self.definition)
        stored.study.pruner = pruning.build(self.definition)
        self.patience = Patience(say)
        self.store = trial_store(stored.study, stored.storage, say, self.patience)
        self.heartbeat = Heartbeat(self.store, grace)
        self.training = Training(
            task=task,
            section=self.definition.training,
            engine=engine,
            rungs=frozenset(pruning.rungs(self.definition)),
            judge=self._judge,
            store=self.store,
            heartbeat=self.heartbeat,
            interruption=interruption,
        )
        self.at_once = asking.generation_size(self.definition) if engine.together else 1
        self._scheduler: dict[Claim, str] = {}
        self._failures = 0
        self._reaped_at = -grace

    def events(self) -> Iterator[Event]:
        """Run the search, and say what happens as it happens.

        Raises:
            InterruptedRunError: A signal came; the settings of trials under way wait to be run again.
            LrsearchError: `FAILURES_IN_A_ROW` trials failed, or the storage did.
        """
        waiting_since: float | None = None
        with self.heartbeat:
            while True:
                with self.interruption.open():
                    pass
                self._reap()
                claims = self._claim()
                if claims:
                    waiting_since = None
                    yield from self._run(claims)
                elif self._is_over():
                    return
                else:
                    moment = time.monotonic()
                    waiting_since = moment if waiting_since is None else waiting_since
                    if moment - waiting_since > TELL_AFTER:
                        self.say("Other processes are still training trials of this study; waiting for them.")
                        waiting_since = math.inf
                    with self.interruption.open():
                        time.sleep(LOOK_AGAIN)

    def _reap(self) -> None:
        """Look for lost trials, not at every trial: it is somebody else's accident that this one repairs."""
        if time.monotonic() - self._reaped_at < min(self.grace / 2, 10.0):
            return
        self._reaped_at = time.monotonic()
        if lost := self.store.reap(self.grace):
            numbers = ", ".join(map(str, lost))
            self.say(f"Lost with its worker, to be run again: trial {numbers}.")

    def _claim(self) -> list[Claim]:
        stopped = self.patience(lambda: studies.is_stopped(self.stored))
        if stopped or (self.deadline is not None and time.monotonic() >= self.deadline):
            return []
        return self.store.claim(self.at_once, self.definition.trials, Worker.this().as_dict())

    def _is_over(self) -> bool:
        if self.deadline is not None and time.monotonic() >= self.deadline:
            return True
        counts = self.patience(lambda: standing.count(self.stored))
        idle = counts.waiting == 0 and counts.claimed >= self.definition.trials
        stopped = self.patience(lambda: studies.is_stopped(self.stored))
        return (idle or stopped) and counts.running == 0

    def _run(self, claims: list[Claim]) -> Iterator[Event]:
        ids = [claim.trial_id for claim in claims]
        self.heartbeat.watch(ids)
        generation: Generation | None = None
        try:
            settings = self._settings(claims)
            for claim, own in settings.items():
                yield TrialBegan(claim.number, own)
            self._scheduler = {claim: own.schedule.name for claim, own in settings.items()}
            generation = Generation(self.training, settings)
            for event in generation.events():
                self._failures = 0 if isinstance(event, TrialEnded) else self._failures
                yield event
        except (LrsearchError, GeneratorExit) as ending:
            left = ids if generation is None else generation.unfinished
            self.store.hand_back(left, str(ending) or "the run was ended")
            raise
        except Exception as error:
            yield from self._fail(claims, ids if generation is None else generation.unfinished, error)
        finally:
            self.heartbeat.watch([])

    def _fail(self, claims: list[Claim], left: list[int], error: Exception) -> Iterator[Event]:
        """A model may fail for some settings only; the others go on, and the reason is kept."""
        reason = f"{type(error).__name__}: {error}"
        self.store.finish([Outcome(trial_id, TrialState.FAIL, None, {ERROR: reason}) for trial_id in left])
        for claim in claims:
            if claim.trial_id in left:
                yield TrialEnded(claim.number, TrialState.FAIL, None, False, reason)
        self._failures += 1
        if self._failures == FAILURES_IN_A_ROW:
            raise LrsearchError(f"{FAILURES_IN_A_ROW} trials failed one after the other; the last: {reason}") from error

    def _settings(self, claims: list[Claim]) -> dict[Claim, Settings]:
        study = self.stored.study
        if self.training.engine.together:
            chosen = asking.ask(study, self.patience(self.stored.trials), claims, self.space)
            self.store.choose({claim.trial_id: own for claim, own in chosen.items()})
            return {claim: settings_from(own.params) for claim, own in chosen.items()}
        self.patience(self.stored.trials)  # Optuna's cache must have met a trial before it can take parameters for it
        # A study object keeps the trials it has read until it is asked for the next one, which ours never is.
        study = self.patience(
            lambda: optuna.load_study(study_name=study.study_name, storage=self.stored.storage, sampler=study.sampler)
        )
        return {
            claim: self.patience(lambda claim=claim: self.space.suggest(Trial(study, claim.trial_id)))  # type: ignore[misc]
            for claim in claims
        }

    def _judge(self, trials: Mapping[Claim, TrialTrace]) -> set[Claim]:
        study, storage = self.stored.study, self.stored.storage
        pruner = study.pruner
        compared: set[Claim] = set()
        pruned: set[Claim] = set()
        if isinstance(pruner, pruning.StratifiedHalving) and self.training.engine.together:
            last = {claim: (self._scheduler[claim], trace.test[-1]) for claim, trace in trials.items()}
            pruned, compared = pruning.halve(last, pruner.keep)
        return pruned | {
            claim
            for claim in trials.keys() - compared
            # Trial.should_prune would only know what was reported through its own object.
            if self.patience(lambda claim=claim: study.pruner.prune(study, storage.get_trial(claim.trial_id)))  # type: ignore[misc]
        }
