"""What each trial of a study is trained with, where trials differ in more than rate and schedule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lrsearch.sampling.space import Settings
from lrsearch.study_file.applied import applied
from lrsearch.study_file.model import Definition, TrainingSection
from lrsearch.study_file.option_axes import decoded, encoded, values
from lrsearch.study_file.searched_options import OPTIMIZER
from lrsearch.tasks.task import Task

KEPT = 16
"""Tasks that are kept when they have been made; the oldest is made again when it is needed."""


@dataclass(frozen=True)
class Variant:
    """What one trial is trained with.

    Attributes:
        training: Its section, without a look at seeds.
        task: Its task.
        options: The task's options, where they are searched; else empty.
        is_own: Whether trials may differ in any of these.
    """

    training: TrainingSection
    task: Task
    options: Mapping[str, Any] = field(default_factory=dict)
    is_own: bool = False


class Variants:
    """Says what trials are trained with, and makes the tasks that they need.

    Args:
        definition: The study's.
        task: Its task, without a search among its options.
        make: Makes the task with other options.
    """

    def __init__(
        self,
        definition: Definition,
        task: Task,
        make: Callable[[dict[str, Any]], Task] | None = None,
    ) -> None:
        self._definition, self._task, self._make = definition, task, make
        self._made: dict[str, Task] = {_key(definition.task.options): task}

    def of(self, settings: Settings) -> Variant:
        """What a trial is trained with.

        Args:
            settings: The trial's.
        """
        if not self._definition.search.options:
            return Variant(self._definition.training, self._task)
        own = applied(self._definition, settings.further)
        options = own.task.options if self._definition.search.options.task else {}
        return Variant(own.training, self._task_with(own.task.options), options, is_own=True)

    def _task_with(self, options: dict[str, Any]) -> Task:
        key = _key(options)
        if key not in self._made:
            assert self._make is not None
            if len(self._made) > KEPT:
                del self._made[list(self._made)[1]]  # the first is the study's own
            self._made[key] = self._make(options)
        return self._made[key]


def corners(definition: Definition) -> Iterator[Definition]:
    """Definitions of trials from which it can be told whether all can be trained: each optimizer, each end of a range.

    Args:
        definition: The study's.
    """
    options = definition.search.options
    yield definition
    for name in options.optimizers:
        if name != definition.training.optimizer:
            yield applied(definition, {OPTIMIZER: name})
    for one in options.shared():
        base = definition.task.options if one.section == "task" else definition.training.model_dump()
        for value in values(one.axis):
            if decoded(one.axis, value) != base.get(one.key):
                yield applied(definition, {one.name: encoded(value)})


def _key(options: Mapping[str, Any]) -> str:
    return repr(sorted(options.items()))
