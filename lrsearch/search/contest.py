"""Decides which contestants take part, and lets their runs wait to be trained, as any other trials.

Left to us, they take part as long as all together add less than two minutes, or a tenth of what the search took.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass

from lrsearch import registry
from lrsearch.errors import InputError, LrsearchError
from lrsearch.storage.attributes import CONTESTANTS as DECISION
from lrsearch.storage.attributes import ORIGIN
from lrsearch.study import contest, linked_study
from lrsearch.study import open as opening
from lrsearch.study import stored as studies
from lrsearch.study.confirmed_runs import Confirmation
from lrsearch.study.contest import Decision
from lrsearch.study.contestants import CONTESTANTS, FOUND_RATE, defaults, training_of
from lrsearch.study.savings import spent
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file.axes import Range, short
from lrsearch.study_file.contestants import NAMES, is_installed, missing
from lrsearch.study_file.model import PluginSection, TrainingSection
from lrsearch.study_file.searched_options import OPTIMIZER, SearchedOptions
from lrsearch.tasks.task import Task
from lrsearch.training.batches import updates_per_epoch
from lrsearch.training.devices import moved, resolve
from lrsearch.training.engine import SequentialEngine
from lrsearch.training.found_rate import found_rate, updates
from lrsearch.training.timing import epoch_seconds

LITTLE = 120.0
"""Seconds that contestants may add, left to us, however short the search was."""
SHARE = 0.1
"""Of the search's seconds that they may add, however long that is."""


def prepare(stored: StoredStudy, device: str) -> list[StoredStudy]:
    """The linked studies to run; asked again, what is there is not trained again.

    Args:
        stored: The search; its contestants are wanted (`contest.is_wanted`).
        device: Where a rate is looked for: ``auto``, ``cpu`` or ``cuda``.

    Raises:
        InputError: The task cannot be trained here.
    """
    answered = contest.answered_confirmation(stored)
    assert answered is not None
    decided = contest.decision(stored) or _decide(stored, answered, device)
    groups = ((one, contest.missing_of(answered, decided, names)) for one, names in decided.groups().items())
    return [_planned(stored, answered, optimizer, wanted) for optimizer, wanted in groups if wanted]


def _decide(stored: StoredStudy, answered: Confirmation, device: str) -> Decision:
    """Decided once, and stored: how long training takes differs from machine to machine."""
    assert stored.definition is not None
    asked, training = stored.definition.confirm.contestants, stored.definition.training
    looking = _Looking(opening.build_task(stored.definition), training, device, len(contest.seeds_of(answered)))
    names = NAMES if asked is None else asked
    rates: dict[str, float] = {}
    left_out: dict[str, str] = {}
    seconds, limit = 0.0, max(LITTLE, SHARE * spent(stored.trials()))
    for name in names:
        try:
            cost = looking.cost(name, has_rate=any(own in rates for own in FOUND_RATE))
            if asked is None and seconds + cost > limit:
                left_out[name] = f"it would take about {cost:.0f} s, and all together may add {limit:.0f} s"
                continue
            rates[name] = looking.rate(name)
            seconds += cost
        except LrsearchError as error:
            faults = error.faults if isinstance(error, InputError) else []
            left_out[name] = "; ".join(fault.rule for fault in faults) or str(error)
    confirmed = studies.linked(stored, "confirm")
    assert confirmed is not None
    made = Decision(asked, rates, left_out, seconds)
    return _settled(confirmed, made)


def _settled(confirmed: StoredStudy, made: Decision) -> Decision:
    """Of several processes at the same moment all go on with one decision."""
    there = Decision.of(confirmed.settle(DECISION, made.document()))
    if there.asked == made.asked:
        return there
    confirmed.remember(DECISION, made.document())  # the file has asked for something else since
    return made


@dataclass
class _Looking:
    """Looks at what contestants cost, and at their rates."""

    task: Task
    training: TrainingSection
    device: str
    seeds: int

    def __post_init__(self) -> None:
        self._found: float | None = None

    def cost(self, name: str, *, has_rate: bool) -> float:
        """Seconds that a contestant takes, trained one run after the other."""
        if not is_installed(name):
            raise LrsearchError(missing(name))
        training = training_of(self.training, {OPTIMIZER: CONTESTANTS[name].optimizer})
        epoch = epoch_seconds(SequentialEngine(str(resolve(self.device))), self.task, training, 1)
        first = updates() / updates_per_epoch(self.task, training) if name in FOUND_RATE and not has_rate else 0.0
        return epoch * (training.epochs * self.seeds + first)

    def rate(self, name: str) -> float:
        """Its rate."""
        own = CONTESTANTS[name]
        if own.lr is not None:
            return own.lr
        return self._of_test() if name in FOUND_RATE else _default_rate(self.training.optimizer)

    def _of_test(self) -> float:
        if self._found is None:
            found = found_rate(moved(self.task, resolve(self.device)), self.training)
            if found.lr is None:
                raise LrsearchError(f"lr-find names no rate: {found.why_lr}")
            self._found = found.lr
        return self._found


def _default_rate(optimizer: str) -> float:
    """The rate that an optimizer takes where nobody names one.

    Raises:
        LrsearchError: It has none.
    """
    argument = inspect.signature(registry.optimizers.get(optimizer).make).parameters.get("lr")
    default = None if argument is None else argument.default
    if isinstance(default, bool) or not isinstance(default, (int, float)) or not default > 0:
        raise LrsearchError(f"{optimizer} has no default rate")
    return float(default)


def _planned(
    stored: StoredStudy, answered: Confirmation, optimizer: str | None, wanted: Sequence[dict[str, float | str]]
) -> StoredStudy:
    """The linked study of an optimizer, with its runs waiting; the definition comes last, as in a confirmation."""
    assert stored.definition is not None
    made = _opened(stored, contest.study_name(stored.name, optimizer))
    total = linked_study.enqueue(made, wanted)
    definition = stored.definition
    rates = [float(run["lr"]) for run in wanted]
    schedulers = list(dict.fromkeys(str(run["scheduler"]) for run in wanted))
    fixed = {name: defaults(name) for name in schedulers}
    search = {
        "lr": Range(low=short(min(rates) / 2), high=short(max(rates) * 2), log=True),
        "schedulers": schedulers,
        "parameters": fixed,
        "options": SearchedOptions(),
    }
    training = training_of(definition.training, {OPTIMIZER: optimizer})
    trained = {
        "search": definition.search.model_copy(update=search),
        "sampler": PluginSection(name="random"),
        "training": training.model_copy(update={"seeds": contest.seeds_of(answered)}),
    }
    return studies.redefine(made, linked_study.like(definition, total).model_copy(update=trained))


def _opened(stored: StoredStudy, name: str) -> StoredStudy:
    """The linked study of that name, scored as the confirmation is; made if it is not there."""
    confirmed = studies.linked(stored, "confirm")
    assert confirmed is not None
    return linked_study.opened(stored, name, "contestants", confirmed.reader.attributes()[ORIGIN])
