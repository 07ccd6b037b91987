"""From a study file, or a name, to a stored study that is ready to be run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrsearch import registry
from lrsearch.errors import InputError, input_error, nearest
from lrsearch.printable import redacted
from lrsearch.storage.new_study import StudyExistsError
from lrsearch.storage.rdb import MissingStorageError, open_storage
from lrsearch.study import budget, compatibility, searched_options
from lrsearch.study import stored as studies
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file import load
from lrsearch.study_file.model import Definition

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

    from lrsearch.storage.retry import Patience
    from lrsearch.tasks.task import Task


def define(
    document: Mapping[str, Any], source: str, *, folder: Path | None = None, modules: Sequence[str] = ()
) -> Definition:
    """The definition that a document describes, with the tasks and schedules that it needs brought in first.

    Args:
        document: A study file's content.
        source: What to call it in messages.
        folder: Where the files that the document names are; the working directory by default.
        modules: Further files or modules to bring in.

    Raises:
        InputError: With every fault that was found.
    """
    bring_in(modules)
    bring_in(load.sources(dict(document)), folder)
    return load.parse(dict(document), source)


def create(definition: Definition, url: str) -> StoredStudy:
    """A new study in a storage, which is made if it is not there.

    Args:
        definition: What the study is.
        url: The storage.

    Raises:
        InputError: The task cannot be built, or there is a study of that name.
    """
    # Built before anything is written: options may be right one by one and wrong together.
    task = build_task(definition)
    return store(open_storage(url, create=True), definition, task)


def store(storage: BaseStorage, definition: Definition, task: Task) -> StoredStudy:
    """A new study with the fingerprint of its data.

    Args:
        storage: Where.
        definition: What the study is.
        task: Its task.

    Raises:
        InputError: There is a study of that name, rows cannot be read, or the database has no room for its curves.
    """
    from lrsearch.tasks.fingerprint import fingerprint  # torch takes a while

    compatibility.check_room(storage, definition, task)
    searched_options.check(definition, task, build_task)
    data = fingerprint(task) if definition.command is None else None
    return studies.create(storage, definition, task.metric_name, data, task.direction)


def create_or_load(definition: Definition, url: str, source: str) -> StoredStudy:
    """The study of a definition, made if it is not there; one that is there may grow by the definition's trials.

    Args:
        definition: What the study is.
        url: The storage.
        source: Where the definition came from, for messages.

    Raises:
        InputError: The task cannot be built, or the study exists with another definition, data or version.
    """
    task = build_task(definition)
    storage = open_storage(url, create=True)
    if definition.study.name not in studies.names(storage):
        with suppress(StudyExistsError):  # somebody else may have started the same file at the same moment
            return store(storage, definition, task)
    stored = studies.load(storage, definition.study.name)
    if stored.definition is None:
        with suppress(StudyExistsError):  # half made by a creation that was ended; or another tool's
            return store(storage, definition, task)
    compatibility.check_version(stored)  # first: with another version, the definition's defaults may be others, too
    compatibility.check_same(stored, definition, source)
    if definition.command is None:
        compatibility.check(stored, task)
    assert stored.definition is not None
    if stored.definition.confirm != definition.confirm:
        stored = studies.redefine(stored, stored.definition.model_copy(update={"confirm": definition.confirm}))
    grows = stored.definition is not None and definition.trials > stored.definition.trials
    return budget.set_budget(stored, definition.trials) if grows else stored


def find(name: str, url: str, patience: Patience | None = None) -> StoredStudy:
    """A study that exists.

    Args:
        name: Its name.
        url: The storage.
        patience: Waits for a server that does not answer when it is opened; by default nobody does.

    Raises:
        InputError: There is no such study, or no such storage.
    """
    try:
        return studies.load(open_storage(url, patience=patience), name, patience)
    except MissingStorageError:
        rule = f"no such study: there is no database {redacted(url)} yet; a study file ends in .toml"
        raise input_error("study", rule, received=f'"{name}"') from None


def find_or_create(study: str, url: str, modules: Sequence[str] = (), patience: Patience | None = None) -> StoredStudy:
    """The study of a name, or of a study file; the study of a file is made if it is not there.

    Args:
        study: A name, or a path ending in ``.toml``.
        url: The storage.
        modules: Files or modules with own tasks and schedules to bring in.
        patience: As in `find`.

    Raises:
        InputError: There is no such study, or it exists with another definition than the file's.
    """
    if not study.endswith(".toml"):
        bring_in(modules)
        return find(study, url, patience)
    file = Path(study)
    definition = define(load.read(file), study, folder=file.parent, modules=modules)
    return create_or_load(definition, url, study)


def task_of(stored: StoredStudy) -> Task:
    """What a stored study trains, if this process may train it.

    Args:
        stored: The study.

    Raises:
        InputError: lrsearch did not create it, its task is not known here, or see `compatibility.check`.
    """
    if stored.definition is None:
        raise input_error("study run", "was not created by lrsearch, so it says nothing to train", received=stored.name)
    compatibility.check_version(stored)
    if stored.definition.command is not None:
        return build_task(stored.definition, stored)
    _check_is_there(stored.definition, "task", stored.definition.task.name, registry.tasks)
    for optimizer in dict.fromkeys(
        [stored.definition.training.optimizer, *stored.definition.search.options.optimizers]
    ):
        _check_is_there(stored.definition, "optimizer", optimizer, registry.optimizers)
    task = build_task(stored.definition)
    compatibility.check(stored, task)
    return _as_scored(stored, task)


def task_with(stored: StoredStudy, options: dict[str, Any]) -> Task:
    """The task of a study with other options than its own, for trials that differ in them.

    Args:
        stored: The study; `task_of` let it be trained.
        options: All options.
    """
    assert stored.definition is not None
    own = stored.definition.task.model_copy(update={"options": options})
    return _as_scored(stored, build_task(stored.definition.model_copy(update={"task": own})))


def _as_scored(stored: StoredStudy, task: Task) -> Task:
    """The task as a study scores it: a confirmation looks at holdout rows, too."""
    if not stored.is_confirmation:
        return task
    from lrsearch.study import holdout  # torch takes a while

    return holdout.scored(task, stored.score, halves=stored.is_halved, each_epoch=stored.may_end_anywhere)


def _check_is_there(definition: Definition, kind: str, name: str, known: registry.Registry[Any]) -> None:
    """Refuse a stored study that names code of somebody's own, where that is not loaded."""
    with suppress(InputError):
        if name in known:
            return
    # What the storage says is told, and never imported: whoever can write there must not run code here.
    named = " ".join(f"--load {source}" for source in load.sources(definition.document()))
    way = f"bring it in with {named}, as the study's file says" if named else "name its file with --load"
    rule = f"the study's {kind} is not there; {way}, or install its package. There are {', '.join(known)}"
    raise input_error("study run", rule, received=f'"{name}"', nearest=nearest(name, known))


def build_task(definition: Definition, stored: StoredStudy | None = None) -> Task:
    """The task with the definition's options, or what stands in its place where a command is run.

    Args:
        definition: What a study is.
        stored: The study, where a command is to be run: its output is kept beside the storage.
    """
    if definition.command is not None:
        from lrsearch.study import command_output
        from lrsearch.tasks.command_task import CommandTask  # torch takes a while

        folder = None if stored is None else command_output.folder(stored)
        return CommandTask(definition.study.name if stored is None else stored.name, definition, folder)
    made: Task = registry.tasks.get(definition.task.name).build(definition.task.options)
    return made


def bring_in(sources: Sequence[str], folder: Path | None = None) -> None:
    """Import files or modules that register tasks and schedules.

    Args:
        sources: Files or modules.
        folder: Where relative paths start.
    """
    if sources:
        from lrsearch.tasks import loading  # torch takes a while

        loading.load(sources, folder)
