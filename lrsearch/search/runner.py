"""The search itself: ask for settings, train them, report, prune, tell, until the budget is met."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator
from functools import partial

from optuna.trial import TrialState

from lrsearch.errors import InputError
from lrsearch.garbage import search_as_usual
from lrsearch.pruning import lane_cost, pruners
from lrsearch.pruning.audit import Audit
from lrsearch.pruning.lane_cost import ONE_BY_ONE, LaneCost
from lrsearch.sampling import ask
from lrsearch.sampling.space import Settings, settings_from
from lrsearch.search.claim_size import ClaimSize
from lrsearch.search.events import Event, TrialBegan, TrialEnded, TrialsAdded
from lrsearch.search.failures import FailureStreak
from lrsearch.search.generation import Generation
from lrsearch.search.kept_epoch import Rule
from lrsearch.search.pruning_decision import PruningDecision
from lrsearch.search.training_pass import Training
from lrsearch.search.variants import Variants
from lrsearch.signals import Interruption
from lrsearch.storage.attributes import ERROR, EVALUATIONS
from lrsearch.storage.choice import trial_store
from lrsearch.storage.heartbeat import Heartbeat
from lrsearch.storage.liveness import Worker
from lrsearch.storage.store import GRACE, Claim, TrialEnd
from lrsearch.study import control, lane_costs, status
from lrsearch.study import open as opening
from lrsearch.study.stored import StoredStudy
from lrsearch.tasks.task import Task
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.engine import Engine
from lrsearch.training.when_evaluated import evaluations_of

TELL_AFTER = 10.0
"""Seconds of waiting for other processes until a person is told."""
SMALLEST_PART = 32
"""Trials that a worker takes at least where trials are trained together: fewer would not be done any sooner."""
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
        workers: How many processes share what is left of the study; none takes more than its part.
        go_on: Asked when all trials have ended; says what the study is then, if there are more to train.
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
        workers: int = 1,
        go_on: Callable[[], StoredStudy | None] = lambda: None,
        say: Callable[[str], None] = lambda text: None,  # noqa: ARG005
    ) -> None:
        assert stored.definition is not None
        self.stored, self.definition = stored, stored.definition
        self.interruption = interruption
        self.deadline = None if timeout is None else time.monotonic() + timeout
        self.grace, self.say, self.go_on = grace, say, go_on
        seeded = stored.is_confirmation
        self.asker = ask.Asker(
            self.definition, stored.reader, seeded=seeded, maximise=stored.maximises, study=stored.study
        )
        evaluations = self._evaluations(task)
        stored.study.pruner = pruners.build(self.definition, evaluations)
        self.store = trial_store(stored.study, stored.storage, say, stored.patience)
        self.heartbeat = Heartbeat(self.store, grace, can_hang=self.definition.command is None)
        rule = Rule.of(self.definition, maximise=stored.maximises)
        cost = self._lane_cost(engine, task)
        self.decision = PruningDecision(stored, stored.study.pruner, engine.together, cost, rule, evaluations)
        self.at_once = stored.generation if engine.together else 1
        self._claim_size, self._newest = ClaimSize(1 if self.at_once > 1 else workers), -1
        self.training = Training(
            task=task,
            section=self.definition.training,
            engine=engine,
            rungs=frozenset(pruners.rungs(self.definition, evaluations)),
            evaluations=evaluations,
            ended_at_rung=self.decision,
            store=self.store,
            heartbeat=self.heartbeat,
            interruption=interruption,
            score=stored.score,
            rule=rule,
            spent=self._claim_size.spent,
            audit=Audit.of(self.definition, cost if engine.together else ONE_BY_ONE),
            variants=Variants(self.definition, task, partial(opening.task_with, stored))
            if self.definition.search.options
            else None,
        )
        self.workers = workers
        self.failures = FailureStreak(stored.reader, self.store, engine.device)
        self._reaped_at = -grace

    def _lane_cost(self, engine: Engine, task: Task) -> LaneCost:
        """Settled before anything is trained: two workers that differ in their engines decide alike."""
        if not self.definition.is_pruned or self.stored.is_confirmation:
            return ONE_BY_ONE
        fixed = recording = 0.0
        if isinstance(engine, BatchedEngine):
            fixed, recording = engine.fixed_cost, engine.recording_cost(task, self.definition.training)
        own = lane_cost.reckoned(one_pass=engine.one_pass, device=engine.device.type, fixed=fixed, recording=recording)
        return lane_costs.settled(self.stored, own)

    def _evaluations(self, task: Task) -> int:
        """Of a trial that is trained to the end; noted for those who look at the study without its task."""
        found = evaluations_of(task, self.definition.training)
        if found != self.stored.evaluations:
            self.stored.remember(EVALUATIONS, found)
        return found

    def events(self) -> Iterator[Event]:
        """Run the search, and say what happens as it happens.

        Raises:
            InterruptedRunError: A signal came; the settings of trials under way wait to be run again.
            LrsearchError: Trials failed one after the other (`failures`), or the storage did.
        """
        waiting_since: float | None = None
        with self.heartbeat:
            while True:
                with self.interruption.open():
                    pass
                trained = yield from self.round()
                if trained:
                    waiting_since = None
                elif self.is_over():
                    if not self._goes_on():
                        return
                    yield TrialsAdded(self.budget)
                else:
                    moment = time.monotonic()
                    waiting_since = moment if waiting_since is None else waiting_since
                    if moment - waiting_since > TELL_AFTER:
                        self.say("Other processes are still training trials of this study; waiting for them.")
                        waiting_since = math.inf
                    with self.interruption.open():
                        time.sleep(LOOK_AGAIN)

    def round(self) -> Generator[Event, None, bool]:
        """Take trials once, and train them to their end. The heartbeat must run.

        An `LrsearchError` that is thrown in at an event hands back what is under way.

        Returns:
            Whether there were any to take.
        """
        self._reap()
        claims = self._claim()
        if claims:
            yield from self._run(claims)
        return bool(claims)

    def _reap(self) -> None:
        """Look for lost trials, not at every trial: it is somebody else's accident that this one repairs."""
        if time.monotonic() - self._reaped_at < min(self.grace / 2, 10.0):
            return
        self._reaped_at = time.monotonic()
        if lost := self.store.reap(self.grace):
            numbers = ", ".join(map(str, lost))
            self.say(f"Lost with its worker, to be run again: trial {numbers}.")

    def _claim(self) -> list[Claim]:
        stopped = control.is_stopped(self.stored)
        if stopped or (self.deadline is not None and time.monotonic() >= self.deadline):
            return []
        budget = self.budget
        claims = self.store.claim(self._wanted(budget), budget, Worker.this().as_dict())
        self._newest = max([self._newest, *(claim.number for claim in claims)])
        return claims

    def _wanted(self, budget: int) -> int:
        """How many trials to take: a generation, or this worker's part of it; one or a few where none is asked for."""
        if self.failures.is_braking:
            return 1
        if self.at_once == 1:
            return self._claim_size.wanted(budget - self._newest - 1)
        if self.workers == 1:
            return self.at_once
        counts = status.count(self.stored)
        part = math.ceil((budget - counts.finished - counts.running) / self.workers)
        return min(self.at_once, max(part, SMALLEST_PART))

    @property
    def budget(self) -> int:
        """The study's trials in all."""
        budget = self.stored.budget
        assert budget is not None
        return budget

    def is_over(self) -> bool:
        """Whether there is nothing to take and nobody trains a trial of the study."""
        if self.deadline is not None and time.monotonic() >= self.deadline:
            return True
        counts = status.count(self.stored)
        stopped = control.is_stopped(self.stored)
        return counts.is_done or (stopped and counts.running == 0)

    def _goes_on(self) -> bool:
        """Whether there is more to train, now that all trials have ended, and nobody stopped the study."""
        late = self.deadline is not None and time.monotonic() >= self.deadline
        further = None if late or control.is_stopped(self.stored) else self.go_on()
        if further is None or further.definition is None:
            return False
        self.stored, self.definition = further, further.definition
        return True

    def _run(self, claims: list[Claim]) -> Iterator[Event]:
        search_as_usual()
        left = [claim.trial_id for claim in claims]
        self.heartbeat.watch(left)
        generation: Generation | None = None
        try:
            settings, refused = self._settings(claims)
            yield from self._refuse(refused)
            parts = [settings] if self.at_once > 1 else [{claim: own} for claim, own in settings.items()]
            for part in filter(None, parts):
                for claim, own in part.items():
                    yield TrialBegan(claim.number, own)
                self.decision.begin(part)
                begun = {claim.trial_id for claim in part}
                generation, left = Generation(self.training, part), [own for own in left if own not in begun]
                for event in generation.events():
                    yield event
                    if isinstance(event, TrialEnded):
                        self.failures.take(event)
            self._claim_size.trained(len(claims))
        except BaseException as ending:
            under_way = [] if generation is None else generation.unfinished
            self.store.hand_back([*under_way, *left], str(ending) or "the run was ended")
            raise
        finally:
            self.heartbeat.watch([])

    def _settings(self, claims: list[Claim]) -> tuple[dict[Claim, Settings], dict[Claim, str]]:
        """The settings of trials; and of those whose settings somebody let wait that cannot be trained, why."""
        settings: dict[Claim, Settings] = {}
        refused: dict[Claim, str] = {}
        left = claims
        while left:
            asked = self.asker.ask(left)
            again = self.store.choose(
                {claim.trial_id: own for claim, own in asked.chosen.items()}, [claim.trial_id for claim in asked.once]
            )
            for claim, names in asked.ignored.items():
                self.say(f"Trial {claim.number} of study {self.stored.name}: {', '.join(names)} means nothing here.")
            refused.update(asked.refused)
            for claim, own in asked.chosen.items():
                if claim.trial_id in again:
                    continue
                try:
                    settings[claim] = settings_from(own.params)
                except InputError as error:  # each parameter is right, but not beside the others
                    refused[claim] = "; ".join(map(str, error.faults))
            # Another process has chosen the same meanwhile, and stored it: asked again, the answer differs.
            left = [claim for claim in asked.chosen if claim.trial_id in again]
        return settings, refused

    def _refuse(self, refused: dict[Claim, str]) -> Iterator[Event]:
        """Tell of trials that cannot be trained; no machine is at fault, so they do not count as failures here."""
        if not refused:
            return
        ends = [TrialEnd(claim.trial_id, TrialState.FAIL, None, {ERROR: reason}) for claim, reason in refused.items()]
        self.store.finish(ends)
        for claim, reason in refused.items():
            self.say(f"Trial {claim.number} of study {self.stored.name} cannot be trained: {reason}.")
            yield TrialEnded(claim.number, TrialState.FAIL, None, False, reason, refused=True)
