"""Studies in a storage: create, find, stop, exclude trials, delete."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial

from lrsearch import version
from lrsearch.errors import InputError, input_error
from lrsearch.sampling.ask import chosen, generation_size, trials_to_train
from lrsearch.storage import attributes, new_study, settled
from lrsearch.storage.attributes import (
    BUDGET,
    DATA,
    DEFINITION,
    ENGINE_OF_STUDY,
    EVALUATIONS,
    GENERATION,
    METRIC,
    ORIGIN,
    PROVENANCE,
    VERSION,
)
from lrsearch.storage.choice import patient, storage_reader, study_reader
from lrsearch.storage.counts import engine_of
from lrsearch.storage.new_study import NewStudy, StudyExistsError
from lrsearch.storage.reader import StudyReader
from lrsearch.storage.retry import Patience
from lrsearch.study import by_name
from lrsearch.study.linked import HOLDOUT, Role, existing
from lrsearch.study.provenance import provenance
from lrsearch.study_file import names as study_names
from lrsearch.study_file.load import parse_stored
from lrsearch.study_file.model import Definition


@dataclass(frozen=True)
class StoredStudy:
    """A study of a storage.

    Attributes:
        storage: Where it is.
        study: Optuna's study; what is read of it is read through `reader`.
        definition: What lrsearch stored with it; None for a study of another tool.
        reader: Reads it, and waits for a database that has gone away.
        patience: Does that waiting; who writes to the study waits with the same.
    """

    storage: BaseStorage
    study: optuna.Study
    definition: Definition | None
    reader: StudyReader
    patience: Patience

    @classmethod
    def of(cls, study: optuna.Study, definition: Definition | None, reader: StudyReader) -> StoredStudy:
        """An Optuna study as one of ours.

        Args:
            study: The study.
            definition: What lrsearch stored with it.
            reader: What reads it.
        """
        return cls(study._storage, study, definition, reader, patient())

    def remember(self, key: str, value: Any) -> None:
        """Store an attribute with the study, whether the database is away for a while or not.

        Args:
            key: See `storage.attributes`.
            value: Anything that JSON can hold.
        """
        self.patience(lambda: self.study.set_user_attr(key, value))

    def settle(self, key: str, value: Any) -> Any:
        """Store an attribute with the study unless it is there; what is there from then on.

        Args:
            key: See `storage.attributes`.
            value: Anything that JSON can hold.
        """
        return self.patience(lambda: settled.settle(self.study, self.storage, key, value))

    @property
    def name(self) -> str:
        return self.study.study_name

    @property
    def url(self) -> str | None:
        """Its storage's URL, which may hold a password: never print it. None for a study in memory."""
        engine = engine_of(self.storage)
        return None if engine is None else engine.url.render_as_string(hide_password=False)

    @property
    def version(self) -> str | None:
        """The lrsearch that created it."""
        return self.reader.attributes().get(VERSION)

    @property
    def data(self) -> dict[str, Any] | None:
        """The fingerprint of the data that it was created with; None for a study from before there were any."""
        return self.reader.attributes().get(DATA)

    @property
    def has_one_objective(self) -> bool:
        """Always so, but for studies of another tool."""
        return len(self.study.directions) == 1

    @property
    def maximises(self) -> bool:
        """Whether larger values are better; never so in a study that lrsearch created."""
        return bool(self.study.direction == StudyDirection.MAXIMIZE)

    @property
    def direction(self) -> Literal["minimize", "maximize"]:
        return "maximize" if self.maximises else "minimize"

    @property
    def metric(self) -> str:
        return str(self.reader.attributes().get(METRIC, "value"))

    @property
    def generation(self) -> int:
        """How many trials are asked for before any of them is told, where they are trained together."""
        assert self.definition is not None
        stored = self.reader.attributes().get(GENERATION)
        return stored if isinstance(stored, int) and stored > 0 else generation_size(self.definition)

    @property
    def evaluations(self) -> int:
        """Of a run to the end: one for each epoch, unless the study says `evaluate_every` and has been trained."""
        assert self.definition is not None
        training = self.definition.training
        found = None if training.evaluate_every is None else self.reader.attributes().get(EVALUATIONS)
        return found if isinstance(found, int) and found > 0 else training.epochs

    @property
    def evaluations_per_epoch(self) -> float:
        """How many steps of a curve an epoch is; 1 in a study that lrsearch did not make."""
        return 1 if self.definition is None else self.evaluations / self.definition.training.epochs

    @property
    def engine(self) -> str | None:
        """Which engine has trained it since it was begun; None where that was never noted."""
        found = self.reader.attributes().get(ENGINE_OF_STUDY)
        return None if found is None else str(found)

    @property
    def budget(self) -> int | None:
        """Its trials in all: fewer than its file says where the space has fewer settings. None for another tool's."""
        if self.definition is None:
            return None
        fewer = self.reader.attributes().get(BUDGET)
        return fewer if isinstance(fewer, int) and fewer > 0 else self.definition.trials

    @property
    def origin(self) -> str | None:
        """Name of the study that this one belongs to; None if it stands for itself."""
        found = self._link.get("study")
        return None if found is None else str(found)

    @property
    def is_confirmation(self) -> bool:
        """Whether each trial has a seed of its own, and no pruner or sampler has a say."""
        return self._link.get("role") in ("confirm", "contestants")

    @property
    def trains_contestants(self) -> bool:
        """Whether it trains what people do without a search, beside a confirmation."""
        return self._link.get("role") == "contestants"

    @property
    def score(self) -> str | None:
        """Which of the further metrics is a trial's value; None for the test metric."""
        return HOLDOUT if self._link.get("rows") == "holdout" or self.is_halved else None

    @property
    def is_halved(self) -> bool:
        """Whether half of the test rows choose each run's epoch, and the other half score it."""
        return bool(self._link.get("halved"))

    @property
    def may_end_anywhere(self) -> bool:
        """Whether the epoch that counts of a run is not known beforehand."""
        own = self.definition
        return own is not None and (own.study.value == "best" or own.training.patience is not None)

    @property
    def _link(self) -> dict[str, Any]:
        found = self.reader.attributes().get(ORIGIN)
        return found if isinstance(found, dict) else {}

    def excluded(self) -> dict[int, str]:
        """Number of each trial that a person took out -> why."""
        return attributes.excluded(self.reader.attributes())

    def trial(self, number: int) -> FrozenTrial:
        """The trial of that number.

        Raises:
            InputError: There is none.
        """
        trials = self.trials()
        if not 0 <= number < len(trials):
            there = f"study {self.name} has trials 0 to {len(trials) - 1}" if trials else f"study {self.name} has none"
            raise input_error("trial", f"no such trial; {there}", received=str(number))
        return trials[number]

    def trials(self) -> list[FrozenTrial]:
        """All trials, by number; they are not copies."""
        return self.reader.all_trials()


def create(
    storage: BaseStorage,
    definition: Definition,
    metric: str,
    data: dict[str, Any] | None = None,
    direction: Literal["minimize", "maximize"] = "minimize",
) -> StoredStudy:
    """A new study, with the settings of its ``[[try]]`` tables waiting as its first trials.

    Args:
        storage: Where.
        definition: What; it is stored whole, so that its file is never needed again.
        metric: Name of the task's metric.
        data: The fingerprint of its data; None leaves it to the first process that trains.
        direction: Of the metric.

    Raises:
        StudyExistsError: A study of that name exists.
        InputError: No study may be called so, or the database cannot keep the name.
    """
    name = definition.study.name
    if (rule := study_names.fault(name)) is not None:
        raise input_error("study create", rule, key="study.name", received=f'"{name}"')
    user = {
        METRIC: metric,
        GENERATION: generation_size(definition),
        VERSION: version.__version__,
        PROVENANCE: provenance(Path.cwd()),
        DEFINITION: definition.document(),
    }
    budget = trials_to_train(definition)
    further = {DATA: data, BUDGET: budget if budget < definition.trials else None}
    new = NewStudy(
        name,
        user | {key: value for key, value in further.items() if value is not None},
        waiting=list(chosen(definition, 0, definition.trials)),
        metrics=[f"test {metric}"],
        maximise=direction == "maximize",
    )
    waiting = patient()
    try:
        waiting(lambda: new_study.create(storage, new))
    except StudyExistsError:
        # A try before may have been committed, and only its answer was lost.
        if not waiting.waits or load(storage, name).definition != definition:
            raise
    return load(storage, name)


def load(storage: BaseStorage, name: str, patience: Patience | None = None) -> StoredStudy:
    """A study by its name. Its tasks and schedulers need not be known here.

    Args:
        storage: Where.
        name: The study's name.
        patience: Waits for a database that has gone away; by default one that logs that it does.

    Raises:
        InputError: There is no such study; the message lists those that there are.
    """
    patience = patience or patient()
    there = storage_reader(storage, patience)
    study = by_name.study(there, storage, name, patience)
    patience(lambda: study.directions)  # kept by Optuna from then on, and asked for without anybody who waits
    reader = study_reader(study, storage, patience)
    return StoredStudy(storage, study, definition_of(name, reader.attributes()), reader, patience)


def definition_of(name: str, stored: Mapping[str, Any]) -> Definition | None:
    """What lrsearch stored with a study; None for a study of another tool.

    Args:
        name: The study's name.
        stored: Its user attributes.

    Raises:
        InputError: It is not a definition that this version understands.
    """
    if DEFINITION not in stored:
        return None
    document = stored[DEFINITION]
    if not isinstance(document, dict):
        raise input_error(f"stored study {name}", "its definition is no table: somebody else wrote it, or cut it off")
    try:
        return parse_stored(document, f"stored study {name}")
    except InputError as error:
        if (there := stored.get(VERSION)) in (None, version.__version__):
            raise
        rule = f"was created by lrsearch {there}, and {version.__version__} cannot read its definition: "
        raise input_error(f"study {name}", rule + "; ".join(map(str, error.faults))) from None


def redefine(stored: StoredStudy, definition: Definition) -> StoredStudy:
    """Store another definition with a study.

    Args:
        stored: The study.
        definition: What it is from now on.
    """
    stored.remember(DEFINITION, definition.document())
    return replace(stored, definition=definition)


def names(storage: BaseStorage) -> list[str]:
    """The names of all studies, oldest first."""
    return [listed.name for listed in storage_reader(storage).listed()]


def linked(stored: StoredStudy, role: Role) -> StoredStudy | None:
    """A study that belongs to another one; None if there is none.

    Args:
        stored: The study that it belongs to.
        role: What it is there for.
    """
    name = existing(stored.storage, stored.name, stored.patience).get(role)
    return None if name is None else load(stored.storage, name, stored.patience)
