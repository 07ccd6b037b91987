"""Search from Python: create a study, run it, look at its frames, write its report."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from lrsearch.report import evidence, frames, markdown
from lrsearch.report.document import Form
from lrsearch.report.evidence import Evidence
from lrsearch.report.frames import StudyFrames
from lrsearch.storage.rdb import DEFAULT_URL
from lrsearch.study import budget, status
from lrsearch.study import open as opening
from lrsearch.study import stored as studies
from lrsearch.study.status import BestSettings
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file import load

File = str | os.PathLike[str]


def create_study(
    source: File | Mapping[str, Any], *, storage: str | None = None, load_if_exists: bool = False
) -> StoredStudy:
    """Check a study file and store its study.

    Args:
        source: A study file, or its content as a dictionary.
        storage: Database URL; by default ``$LRSEARCH_STORAGE``, or else ``sqlite:///lrsearch.db``.
        load_if_exists: Take the study of that name if it is there with the same definition, instead of raising.

    Returns:
        The study; its attribute ``study`` is Optuna's.

    Raises:
        InputError: With everything that is wrong, or because the study exists.

    Example:
        >>> study = lrsearch.create_study({"study": {"name": "first"}, "task": {"name": "polynomial"}})
    """
    if isinstance(source, Mapping):
        name, document, folder = "study", source, None
    else:
        name, document, folder = str(source), load.read(Path(source)), Path(source).parent
    definition = opening.define(document, name, folder=folder)
    with _quiet_optuna():
        if load_if_exists:
            return opening.create_or_load(definition, _url(storage), name)
        return opening.create(definition, _url(storage))


def run_study(
    study: StoredStudy | File,
    *,
    storage: str | None = None,
    trials: int | None = None,
    timeout: float | None = None,
    engine: str = "auto",
    device: str = "auto",
    threads: int = 1,
) -> StoredStudy:
    """Train until a study has all its trials; the same as ``lrsearch study run``.

    Args:
        study: A study, its name, or a study file (a path ending in ``.toml``), which is created if it is not there.
        storage: Database URL, where `study` is no study; see `create_study`.
        trials: The study's trials in all, instead of its own number; never below what it has.
        timeout: Seconds after which no further trial is taken.
        engine: ``batched`` trains many trials at once, ``sequential`` one after the other; ``auto`` takes the batched
            engine if it trains this task right.
        device: ``auto``, ``cpu`` or ``cuda``.
        threads: CPU threads of torch, only while the study runs.

    Returns:
        The study, for `load_frames`, `best_settings` and `write_report`.

    Raises:
        InputError: There is no such study, or a file's study exists with another definition.

    Example:
        >>> study = lrsearch.run_study("studies/quickstart.toml")
        >>> lrsearch.best_settings(study).params
    """
    from lrsearch.search.runner import Runner
    from lrsearch.signals import Interruption
    from lrsearch.training.choice import choose_engine
    from lrsearch.training.engine import threads_of

    with _quiet_optuna(), threads_of(threads):
        stored = study if isinstance(study, StoredStudy) else opening.find_or_create(os.fspath(study), _url(storage))
        task = opening.task_of(stored)
        if trials is not None:
            stored = budget.set_budget(stored, trials)
        studies.stop(stored, False)
        assert stored.definition is not None
        trains, _ = choose_engine(engine, task, stored.definition.training, device)
        with Interruption().caught() as interruption:
            for _ in Runner(stored, task, trains, interruption, timeout=timeout).events():
                pass
    return stored


def confirm_study(
    study: StoredStudy | str,
    *,
    storage: str | None = None,
    top: int | None = None,
    seeds: int | None = None,
    engine: str = "auto",
    device: str = "auto",
    threads: int = 1,
) -> Evidence:
    """Train a study's best settings again on fresh seeds; the same as ``lrsearch study confirm``.

    Args:
        study: A study, or its name.
        storage: Database URL, where `study` is a name; see `create_study`.
        top: Finalists from the search; by default what the study's ``[confirm]`` section says, or 5.
        seeds: Fresh seeds in all; the same default. Asked again with more, it trains only what is new.
        engine: ``auto``, ``sequential`` or ``batched``.
        device: ``auto``, ``cpu`` or ``cuda``.
        threads: CPU threads of torch, only while this trains.

    Returns:
        The finalists with what they came to on each seed, and which of them is recommended.

    Raises:
        InputError: There is no such study, or it has nothing to confirm.

    Example:
        >>> evidence = lrsearch.confirm_study("quickstart", seeds=20)
        >>> evidence.recommended.params, evidence.expected.mean
    """
    from lrsearch.search.runner import Runner
    from lrsearch.signals import Interruption
    from lrsearch.study import confirmation
    from lrsearch.training.choice import choose_engine
    from lrsearch.training.engine import threads_of

    stored = _found(study, storage)
    with _quiet_optuna(), threads_of(threads):
        for linked in confirmation.prepare(stored, top, seeds):
            assert linked.definition is not None
            task = opening.task_of(linked)
            chosen, _ = choose_engine(engine, task, linked.definition.training, device)
            with Interruption().caught() as interruption:
                for _ in Runner(linked, task, chosen, interruption).events():
                    pass
    gathered = evidence.gather(load_frames(stored))
    assert gathered is not None
    return gathered


def load_frames(study: StoredStudy | str, *, storage: str | None = None) -> StudyFrames:
    """A study as two pandas frames: ``trials`` with a row per trial, ``curves`` with a row per trial and epoch.

    Args:
        study: A study, or its name.
        storage: Database URL, where `study` is a name; see `create_study`.

    Raises:
        InputError: There is no such study.

    Example:
        >>> frames = lrsearch.load_frames("quickstart")
        >>> frames.trials.groupby("scheduler")["value"].min()
    """
    return frames.read_stored(_found(study, storage))


def best_settings(study: StoredStudy | str, *, storage: str | None = None) -> BestSettings:
    """The settings of a study's best trial, and the torch code that uses them.

    Args:
        study: A study, or its name.
        storage: Database URL, where `study` is a name; see `create_study`.

    Raises:
        InputError: There is no such study, or it has no complete trial yet that did not diverge.

    Example:
        >>> print(lrsearch.best_settings("quickstart").code)
    """
    return status.best_settings(_found(study, storage))


def write_report(
    study: StoredStudy | str,
    *,
    output: File | None = None,
    storage: str | None = None,
    form: Literal["markdown", "html"] = "markdown",
) -> Path:
    """Write a study's report; the same as ``lrsearch report``.

    Args:
        study: A study, or its name.
        output: The folder; ``reports/NAME`` by default.
        storage: Database URL, where `study` is a name; see `create_study`.
        form: ``report.md`` with its figures beside it, or ``report.html`` with the figures inside.

    Returns:
        The path of ``report.md`` or ``report.html``.

    Raises:
        InputError: There is no such study, or the folder cannot be written.

    Example:
        >>> lrsearch.write_report("quickstart")
    """
    read = load_frames(study, storage=storage)
    with _quiet_optuna():
        folder = markdown.default_folder(read.name) if output is None else Path(output)
        return markdown.write(read, folder, Form(form))


def _found(study: StoredStudy | str, storage: str | None) -> StoredStudy:
    if isinstance(study, StoredStudy):
        return study
    with _quiet_optuna():
        return opening.find(study, _url(storage))


def _url(storage: str | None) -> str:
    return storage or os.environ.get("LRSEARCH_STORAGE") or DEFAULT_URL


@contextmanager
def _quiet_optuna() -> Iterator[None]:
    """Optuna logs every study and trial; what the caller has set is given back."""
    logger = logging.getLogger("optuna")
    before = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(before)
