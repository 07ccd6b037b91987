"""A worker that stays: it takes trials from every open study of a storage in turn, also from those that come later."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace

from optuna.storages import BaseStorage

from lrsearch.errors import InterruptedRunError, LrsearchError, input_error, nearest
from lrsearch.search import contest as preparation
from lrsearch.search.engines import Engines, Machine
from lrsearch.search.events import EpochDone, Event
from lrsearch.search.failures import FailuresInARowError
from lrsearch.search.process_failures import ProcessFailures
from lrsearch.search.runner import Runner
from lrsearch.search.serving import UNREADABLE, Serving, named
from lrsearch.signals import Interruption
from lrsearch.storage.changes import Changes
from lrsearch.storage.choice import known_engine, storage_reader
from lrsearch.storage.listing import Listed
from lrsearch.storage.retry import Patience, StorageFailedError
from lrsearch.storage.store import GRACE
from lrsearch.study import confirmation, contest, failed_cells, recommendation
from lrsearch.study import open as opening
from lrsearch.study import stored as studies
from lrsearch.study.linked import ROLES, name_of, trains_contestants
from lrsearch.study.stored import StoredStudy
from lrsearch.tasks.task import Task
from lrsearch.training.engine import Engine

LOOK_AGAIN = 0.5
"""Seconds between two looks at which studies there are, and at a study that had nothing to take."""
LOOKING_SHARE, LONGEST_LOOK_AGAIN = 0.02, 10.0
"""Where a thousand studies make a look long, the next one waits: looking takes at most such a share of the time."""
STOP_SECONDS = 1.0
"""Seconds between two looks, while training, at whether the study was stopped."""
FIRST_PAUSE, LONGEST_PAUSE = 10.0, 600.0
"""Seconds for which a study whose trials fail is left alone: they grow from the first to the longest."""
LOOK_AT_OTHERS = 2.0
"""Seconds between two looks, while a study whose trials fail is left alone, at whether others train it well."""


class StoppedStudyError(LrsearchError):
    """Somebody stopped the study while its trials were trained."""


class StudyWorker:
    """Serves the studies of a storage, one claim at a time each.

    It imports nothing because a storage says so: a study whose task is not known here is left out, with one line.

    Args:
        storage: Where the studies are.
        names: The only studies to serve; all by default.
        interruption: Where signals are looked for.
        say: Where a person is told what else she should know.
        engines: Makes the engine of each study.
        grace: Seconds without a heartbeat after which a trial on another machine is taken to be lost.
        workers: How many processes like this one share the studies, as far as is known.

    Raises:
        InputError: A study of `names` is not there, or its task is not known here.
    """

    def __init__(
        self,
        storage: BaseStorage,
        names: Sequence[str],
        interruption: Interruption,
        say: Callable[[str], None],
        *,
        engines: Engines | None = None,
        grace: float = GRACE,
        workers: int = 1,
    ) -> None:
        self._storage, self._names = storage, frozenset(names)
        self._parts = {name_of(name, role) for name in names for role in ROLES}
        self._interruption, self._say = interruption, say
        self._engines = engines or Engines("auto", Machine(), say)
        self._grace, self._workers = grace, workers
        self._patience = Patience(say)
        self._reader = storage_reader(storage, self._patience)
        self._changes = Changes(known_engine(storage))
        self._serving: dict[str, Serving] = {}
        self._looked_at, self._look_again = -math.inf, LOOK_AGAIN
        self._turn = 0
        self._training: Runner | None = None
        self._failures = ProcessFailures()
        self._looked_at_others = -math.inf
        self._check_names()

    def events(self, *, exit_when_idle: bool = False) -> Iterator[tuple[str, Event]]:
        """Train, and say what happens as it happens: the study's name and the event.

        Args:
            exit_when_idle: End when no study has a trial to take and nobody trains one.

        Raises:
            InterruptedRunError: A signal came; the settings of trials under way wait to be run again.
            MachineAtFaultError: See `ProcessFailures`.
            LrsearchError: The storage failed.
        """
        try:
            while True:
                self._end_if_asked()
                self._look()
                self._look_at_others()
                served = yield from self._serve_next()
                if served or self._looked_at == -math.inf:
                    continue
                if exit_when_idle and all(own.runner is None for own in self._serving.values()):
                    self._failures.check_end()
                    return
                with self._interruption.open():
                    time.sleep(LOOK_AGAIN)
        finally:
            for name in list(self._serving):
                self._leave(name)
            self._looked_at = -math.inf

    @property
    def studies(self) -> list[str]:
        """Names of the studies that have, or may soon have, something to take."""
        return [name for name, own in self._serving.items() if own.runner is not None]

    @property
    def waits(self) -> int:
        """How often the storage had to be waited for."""
        return self._patience.waits

    def is_hung(self) -> bool:
        """Whether training has not moved for far longer than it should need."""
        training = self._training  # another thread asks
        return training is not None and training.heartbeat.is_hung()

    def _check_names(self) -> None:
        known = {listed.name for listed in self._reader.listed()}
        for name in sorted(self._names - known):
            raise input_error(
                "command line", "no such study", key="--study", received=f'"{name}"', nearest=nearest(name, known)
            )
        for name in sorted(self._names):
            opening.task_of(studies.load(self._storage, name, self._patience))

    def _end_if_asked(self) -> None:
        """Let a signal that has come end the worker: with a thousand studies a look at each takes minutes."""
        with self._interruption.open():
            pass

    def _look(self) -> None:
        """See which studies have come, gone or changed."""
        began = time.monotonic()
        if began - self._looked_at < self._look_again or not self._changes.since(self._looked_at):
            return
        there = {own.name: own for own in self._reader.listed() if self._is_ours(own)}
        self._look_again = min(max(LOOK_AGAIN, (time.monotonic() - began) / LOOKING_SHARE), LONGEST_LOOK_AGAIN)
        for name, serving in list(self._serving.items()):
            now = there.get(name)
            if serving.runner is not None and now == replace(serving.listed, retries=now.retries if now else 0):
                serving.listed = now  # its runner takes what is run again as it takes anything else
            elif now != serving.listed:
                self._leave(name)
        for name, listed in there.items():
            if name not in self._serving:
                self._end_if_asked()
                self._serving[name] = self._prepared(listed)
        self._looked_at = time.monotonic()

    def _is_ours(self, listed: Listed) -> bool:
        named = not self._names or listed.name in self._names or listed.name in self._parts
        if listed.origin in self._names:
            named = named or trains_contestants(listed.name, listed.origin)
        return listed.definition is not None and not listed.stopped and named

    def _prepared(self, listed: Listed) -> Serving:
        stack = ExitStack()
        try:
            stored = studies.load(self._storage, listed.name, self._patience)
            task = opening.task_of(stored)
            assert stored.definition is not None
            if stored.definition.command is not None:
                self._check_consent(stored)
            engine = self._engine_of(stored, task)
            runner = Runner(
                stored, task, engine, self._interruption, grace=self._grace, workers=self._workers, say=self._say
            )
        except StorageFailedError:
            raise
        except LrsearchError as error:
            # The study names a task or a scheduler type that this process has not loaded, or another version made it.
            self._say(f"Study {listed.name} is left out: {error}")
            return Serving(listed, None, stack)
        except UNREADABLE as error:
            self._say(f"Study {listed.name} is left out: what is stored with it cannot be understood ({named(error)})")
            return Serving(listed, None, stack)
        stack.enter_context(runner.heartbeat)
        return Serving(listed, runner, stack)

    def _engine_of(self, stored: StoredStudy, task: Task) -> Engine:
        """Tried out once for all studies that train the same in the same way."""
        assert stored.definition is not None
        document = stored.definition.document()
        searched = stored.definition.search.options.document()
        key = json.dumps([document.get("task"), document["training"], searched], sort_keys=True)
        return self._engines.make(self._engines.choice(stored, task, key), stored, task)

    def _check_consent(self, stored: StoredStudy) -> None:
        """Whoever can write to the storage must not run code here: a command is run only where its study is named."""
        search = stored.origin or stored.name
        if search not in self._names:
            rule = f"it runs a command that the storage tells; if you trust it, name the study: --study {search}"
            raise LrsearchError(rule)

    def _leave(self, name: str) -> None:
        serving = self._serving.pop(name)
        serving.open.close()

    def _serve_next(self) -> Generator[tuple[str, Event], None, bool]:
        """Let the study take trials that has waited longest; if it has none, the next one.

        Returns:
            Whether any had.
        """
        for serving in sorted(self._serving.values(), key=lambda own: own.turn):
            if serving.runner is None or time.monotonic() < serving.not_before:
                continue
            self._end_if_asked()
            self._turn += 1
            serving.turn = self._turn
            trained = yield from self._serve(serving, serving.runner)
            if trained:
                return True
        return False

    def _serve(self, serving: Serving, runner: Runner) -> Generator[tuple[str, Event], None, bool]:
        name = serving.listed.name
        self._training = runner
        try:
            trained = yield from self._followed(name, runner.round())
            if trained:
                serving.setbacks = 0
            elif runner.is_over():
                serving.runner = None  # until its definition changes
                serving.open.close()
                self._go_on_from(runner.stored)
            else:
                serving.not_before = time.monotonic() + LOOK_AGAIN
            return trained
        except (InterruptedRunError, StorageFailedError):
            raise
        except StoppedStudyError:
            self._say(f"Study {name} was stopped; the trials under way wait.")
        except FailuresInARowError as error:
            self._failures.check(runner.failures, str(error))
            self._leave_alone(serving, str(error))
        except LrsearchError as error:
            # It may have been deleted meanwhile; then the next look says so.
            self._leave_alone(serving, str(error))
        except UNREADABLE as error:
            self._leave_alone(serving, f"what is stored with it cannot be understood ({named(error)})")
        finally:
            self._training = None
        return False

    def _leave_alone(self, serving: Serving, reason: str) -> None:
        pause = min(FIRST_PAUSE * 2 ** min(serving.setbacks, 10), LONGEST_PAUSE)
        serving.setbacks += 1
        serving.not_before = time.monotonic() + pause
        self._say(f"Study {serving.listed.name} is left alone for {pause:g} s: {reason}")

    def _look_at_others(self) -> None:
        """A study whose trials fail here may be trained well elsewhere meanwhile: then its settings are handed back."""
        if time.monotonic() - self._looked_at_others < LOOK_AT_OTHERS:
            return
        self._looked_at_others = time.monotonic()
        for serving in self._serving.values():
            if serving.runner is not None and serving.runner.failures.is_braking:
                self._failures.check(serving.runner.failures)

    def _go_on_from(self, stored: StoredStudy) -> None:
        """Let a study that is over be confirmed, if it is to be; a study of confirmation ends with the answer."""
        search = stored if stored.origin is None else studies.load(self._storage, stored.origin)
        try:
            failed_cells.check(search)
        except LrsearchError as unfinished:
            self._say(f"Study {search.name}: {unfinished}")
            return
        if confirmation.is_wanted(search):
            confirmation.advance(search)
            self._looked_at = -math.inf  # what has been made is served next
        if confirmation.is_wanted(search) or search.definition is None:
            return
        if contest.is_wanted(search):
            preparation.prepare(search, self._engines.device)
            self._looked_at = -math.inf
        recommendation.keep(search)

    def _followed(self, name: str, events: Generator[Event, None, bool]) -> Generator[tuple[str, Event], None, bool]:
        """Pass on what happens, and hand the trials back where somebody stops the study meanwhile."""
        looked_at = time.monotonic()
        try:
            while True:
                try:
                    event = next(events)
                except StopIteration as end:
                    return bool(end.value)
                self._failures.take(event)
                yield name, event
                if isinstance(event, EpochDone) and time.monotonic() - looked_at > STOP_SECONDS:
                    looked_at = time.monotonic()
                    if self._is_stopped(name):
                        events.throw(StoppedStudyError("the study was stopped"))
        finally:
            events.close()

    def _is_stopped(self, name: str) -> bool:
        return any(own.name == name and own.stopped for own in self._reader.listed())
