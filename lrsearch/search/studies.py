"""Studies in a storage: create, find, count, best trial."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import optuna
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

import lrsearch
from lrsearch.errors import Fault, InputError, input_error, nearest
from lrsearch.search import pruning, sampling
from lrsearch.search.attributes import DEFINITION, EXCLUDED, METRIC, RETRIED, VERSION
from lrsearch.search.space import Space
from lrsearch.study_file.load import differences, parse_stored
from lrsearch.study_file.model import Definition


@dataclass(frozen=True)
class TrialCounts:
    """How far a study is. At the end ``complete + pruned + failed = budget``.

    Attributes:
        budget: Trials the study has in all; None for a study that lrsearch did not create.
        complete: Trained to the last epoch, or diverged.
        pruned: Stopped at a rung.
        failed: Failed for good.
        retried: Failed, and their settings were run again under another number.
        running: Being trained.
        waiting: Settings that are chosen but not yet trained.
        diverged: Of the complete ones, those that diverged.
    """

    budget: int | None
    complete: int
    pruned: int
    failed: int
    retried: int
    running: int
    waiting: int
    diverged: int

    @property
    def finished(self) -> int:
        """Settings that are done: complete, pruned, or failed for good."""
        return self.complete + self.pruned + self.failed

    @property
    def claimed(self) -> int:
        """Settings that are done, under way or waiting."""
        return self.finished + self.running + self.waiting

    def as_dict(self) -> dict[str, int | None]:
        return asdict(self)


@dataclass(frozen=True)
class StoredStudy:
    """A study of a storage.

    Attributes:
        study: Optuna's study.
        definition: What lrsearch stored with it; None for a study of another tool.
    """

    study: optuna.Study
    definition: Definition | None

    @property
    def name(self) -> str:
        return self.study.study_name

    @property
    def version(self) -> str | None:
        """The lrsearch that created it."""
        return self.study.user_attrs.get(VERSION)

    @property
    def metric(self) -> str:
        return str(self.study.user_attrs.get(METRIC, "value"))

    def trials(self) -> list[FrozenTrial]:
        """All trials, by number; they are not copies."""
        return self.study.get_trials(deepcopy=False)


def create(storage: BaseStorage, definition: Definition, metric: str) -> StoredStudy:
    """A new study, with the settings of its ``[[try]]`` tables waiting as its first trials.

    Args:
        storage: Where.
        definition: What; it is stored whole, so that its file is never needed again.
        metric: Name of the task's metric.

    Raises:
        InputError: A study of that name exists.
    """
    name = definition.study.name
    if name in names(storage):
        raise input_error(
            "study create", "a study of that name exists; choose another, or pass --skip-if-exists",
            key="study.name", received=f'"{name}"',
        )  # fmt: skip
    study = optuna.create_study(study_name=name, storage=storage, direction="minimize")
    space = Space.of(definition)
    for entry in definition.tries:
        study.enqueue_trial(space.params_of(entry))
    study.set_user_attr(METRIC, metric)
    study.set_user_attr(VERSION, lrsearch.__version__)
    study.set_user_attr(DEFINITION, definition.document())
    return load(storage, name)


def load(storage: BaseStorage, name: str) -> StoredStudy:
    """A study by its name, ready to be asked for trials.

    Args:
        storage: Where.
        name: The study's name.

    Raises:
        InputError: There is no such study; the message lists those that there are.
    """
    if name not in (known := names(storage)):
        listed = f"; there are {', '.join(known)}" if known else "; the storage has no studies"
        near = nearest(name, known)
        raise input_error("study", "no such study" + ("" if near else listed), received=f'"{name}"', nearest=near)
    study = optuna.load_study(study_name=name, storage=storage)
    document = study.user_attrs.get(DEFINITION)
    if document is None:
        return StoredStudy(study, None)
    definition = parse_stored(document, f"stored study {name}")
    study.sampler = sampling.build(definition)
    study.pruner = pruning.build(definition)
    return StoredStudy(study, definition)


def names(storage: BaseStorage) -> list[str]:
    """The names of all studies, oldest first."""
    return [study.study_name for study in storage.get_all_studies()]


def all_studies(storage: BaseStorage) -> list[StoredStudy]:
    """All studies that minimise or maximise one value, oldest first."""
    single = [study for study in storage.get_all_studies() if len(study.directions) == 1]
    return [load(storage, study.study_name) for study in single]


def check_same(stored: StoredStudy, definition: Definition, source: str) -> None:
    """Refuse to go on with a study under another definition than its own; only `trials` may differ.

    Args:
        stored: The study.
        definition: What the person wants to run.
        source: Where that came from.

    Raises:
        InputError: Names every key that differs.
    """
    if stored.definition is None:
        raise input_error(source, "a study of that name exists that lrsearch did not create", key="study.name",
                          received=f'"{stored.name}"')  # fmt: skip
    found = differences(stored.definition, definition)
    if found:
        first = Fault("study.name", "exists with another definition: choose another name, or undo these changes",
                      f'"{stored.name}"')  # fmt: skip
        raise InputError(source, [first, *found])


def set_budget(stored: StoredStudy, trials: int) -> StoredStudy:
    """The study with another number of trials in all.

    Args:
        stored: The study.
        trials: Its new total.

    Raises:
        InputError: More trials are claimed already.
    """
    assert stored.definition is not None
    if trials == stored.definition.trials:
        return stored
    done = count(stored).claimed
    if trials < done:
        rule = f"is the study's total and cannot be below the {done} trials that it has"
        raise input_error("command line", rule, key="--trials", received=str(trials))
    section = stored.definition.study.model_copy(update={"trials": trials})
    changed = stored.definition.model_copy(update={"study": section})
    stored.study.set_user_attr(DEFINITION, changed.document())
    return StoredStudy(stored.study, changed)


def count(stored: StoredStudy, trials: Sequence[FrozenTrial] | None = None) -> TrialCounts:
    """How far the study is.

    Args:
        stored: The study.
        trials: Its trials, if they were read already.
    """
    trials = stored.trials() if trials is None else trials
    by_state = {state: [t for t in trials if t.state == state] for state in TrialState}
    retried = sum(RETRIED in trial.user_attrs for trial in by_state[TrialState.FAIL])
    return TrialCounts(
        budget=stored.definition.trials if stored.definition else None,
        complete=len(by_state[TrialState.COMPLETE]),
        pruned=len(by_state[TrialState.PRUNED]),
        failed=len(by_state[TrialState.FAIL]) - retried,
        retried=retried,
        running=len(by_state[TrialState.RUNNING]),
        waiting=len(by_state[TrialState.WAITING]),
        diverged=sum(is_diverged(trial) for trial in by_state[TrialState.COMPLETE]),
    )


def is_diverged(trial: FrozenTrial) -> bool:
    return any(value > 0 for value in trial.constraints.values())


def best(trials: Iterable[FrozenTrial], direction: StudyDirection = StudyDirection.MINIMIZE) -> FrozenTrial | None:
    """The best complete trial that did not diverge and was not excluded; None if there is none.

    Args:
        trials: The candidates.
        direction: Which way is better.
    """
    candidates = [
        trial
        for trial in trials
        if trial.state == TrialState.COMPLETE
        and not is_diverged(trial)
        and EXCLUDED not in trial.user_attrs
        and trial.value is not None
        and math.isfinite(trial.value)
    ]
    sign = -1 if direction == StudyDirection.MAXIMIZE else 1
    return min(candidates, key=lambda trial: (sign * trial.values[0], trial.number), default=None)


def epochs_trained(trials: Iterable[FrozenTrial]) -> int:
    """Epochs of all trials together; a trial's seeds count as one."""
    return sum(len(trial.intermediate_values) for trial in trials)


def summary(stored: StoredStudy) -> dict[str, Any]:
    """What `study show` says, with the keys of its JSON form."""
    trials = stored.trials()
    winner = best(trials, stored.study.direction)
    return {
        "name": stored.name,
        "metric": stored.metric,
        "version": stored.version,
        "trials": count(stored, trials).as_dict(),
        "best": None if winner is None else {"number": winner.number, "value": winner.value, "params": winner.params},
        "epochs_trained": epochs_trained(trials),
        "definition": stored.definition.document() if stored.definition else None,
    }
