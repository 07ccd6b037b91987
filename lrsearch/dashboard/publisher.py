"""Keep what is published up to date while studies run."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from optuna.storages import BaseStorage

from lrsearch.dashboard.artifacts import Artifacts
from lrsearch.dashboard.publish import publish
from lrsearch.errors import InterruptedRunError, LrsearchError
from lrsearch.signals import Interruption
from lrsearch.storage.attributes import BUDGET, DEFINITION, EXCLUDED, ORIGIN
from lrsearch.storage.changes import Changes
from lrsearch.storage.choice import known_engine, storage_reader
from lrsearch.storage.glance import Glimpse, glance, is_known
from lrsearch.storage.listing import Listed
from lrsearch.storage.retry import Patience
from lrsearch.study import status
from lrsearch.study import stored as studies

EVERY = 30.0
"""Seconds between two reports on a study that runs, and between two looks at one that is finished."""
LOOK_AGAIN = 1.0
"""Seconds between two looks at which studies there are and how far they have come, at least."""
SHARE = 0.02
"""Of the time, at most so much goes into looking: where many studies make a look long, the next one waits."""
_KEYS = (BUDGET, DEFINITION, EXCLUDED, ORIGIN)
"""The attributes of a study that change what is published."""


class Publisher:
    """Publishes the studies of a storage that lrsearch made, again and again.

    Args:
        storage: Where they are.
        artifacts: Where the dashboard's artifacts are.
        interruption: Where signals are looked for.
        say: Where a person is told what went wrong.
    """

    def __init__(
        self, storage: BaseStorage, artifacts: Artifacts, interruption: Interruption, say: Callable[[str], None]
    ) -> None:
        self._storage, self._artifacts = storage, artifacts
        self._interruption, self._say = interruption, say
        self._patience = Patience(say)
        self._reader = storage_reader(storage, self._patience)
        self._changes = Changes(known_engine(storage))
        self._published_at: dict[int, float] = {}
        self._due: dict[int, float] = {}
        self._published_from: dict[int, Any] = {}
        self._put_off: set[int] = set()
        self._looked_at = -math.inf
        self._seconds = 0.0

    def run(self) -> None:
        """Publish until a signal comes.

        Raises:
            InterruptedRunError: It came.
        """
        while True:
            if self._changes.since(self._looked_at) or self._put_off:
                self.look()
            with self._interruption.open():
                time.sleep(min(max(LOOK_AGAIN, self._seconds / SHARE), EVERY))

    def look(self) -> None:
        """Publish every study that has changed: now and then while it runs, and as soon as it is finished."""
        self._looked_at = time.monotonic()
        there, seen = self._reader.listed(), self._seen()
        self._seconds = time.monotonic() - self._looked_at
        put_off, self._put_off = self._put_off, set()
        for listed in there:
            ours = listed.definition is not None and listed.origin is None
            if not ours or time.monotonic() < self._due.get(listed.study_id, 0.0):
                self._put_off |= put_off & {listed.study_id}
                continue
            state = seen.get(listed.name)
            if state is not None and self._published_from.get(listed.study_id) == state:
                continue
            self._check()
            try:
                # Notes, plots and artifacts are written through Optuna; to write them again does no harm.
                finished = self._patience(lambda own=listed, state=state: self._publish(own, state))  # type: ignore[misc]
            except InterruptedRunError:
                raise
            except (LrsearchError, KeyError) as error:
                # Most often it was deleted in between. The other studies go on.
                self._say(f"Study {listed.name} is not published: {error}")
                finished = True
            self._due[listed.study_id] = time.monotonic() + (EVERY if finished else LOOK_AGAIN)

    def _seen(self) -> Mapping[str, list[Glimpse]]:
        """Name of each study -> it and what belongs to it, at a glance; nothing where the tables are not known."""
        engine = known_engine(self._storage)
        if engine is None or not self._patience(lambda: is_known(engine)):
            return {}
        found: dict[str, list[Glimpse]] = {}
        for own in self._patience(lambda: glance(engine, _KEYS)):
            link = own.attributes.get(ORIGIN)
            name = str(link["study"]) if isinstance(link, dict) and "study" in link else own.name
            found.setdefault(name, []).append(own)
        return found

    def _publish(self, listed: Listed, state: list[Glimpse] | None) -> bool:
        """Publish a study if it is time.

        Args:
            listed: The study.
            state: What was seen of it, before anything else was read.

        Returns:
            Whether it is finished.
        """
        stored = studies.load(self._storage, listed.name, self._patience)
        finished = status.count(stored).is_done
        waited = time.monotonic() - self._published_at.get(listed.study_id, -math.inf)
        if finished or waited >= EVERY:
            if publish(stored, self._artifacts, self._check):
                self._say(f"Published study {listed.name}.")
            self._published_at[listed.study_id] = time.monotonic()
            self._published_from[listed.study_id] = state
        else:
            self._put_off.add(listed.study_id)
        return finished

    def _check(self) -> None:
        with self._interruption.open():
            pass
