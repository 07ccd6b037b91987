"""Search from Python: create a study, run it, look at its frames, write its report."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from lrsearch.errors import input_error
from lrsearch.operations.display import NoDisplay
from lrsearch.operations.export import export
from lrsearch.operations.report import report
from lrsearch.operations.run_options import RunOptions
from lrsearch.report import frames
from lrsearch.report.document import Form
from lrsearch.report.frames import StudyFrames
from lrsearch.storage.rdb import DEFAULT_URL
from lrsearch.storage.store import GRACE
from lrsearch.study import open as opening
from lrsearch.study import recommendation
from lrsearch.study.evidence import Evidence
from lrsearch.study.recommended_settings import Recommendation
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
    workers: int | Literal["auto"] | None = None,
    gpus_per_worker: float | None = None,
    cluster: str | None = None,
    grace: float = GRACE,
    load: Sequence[str] = (),
    confirm: bool = True,
) -> StoredStudy:
    """Train until a study has all its trials, and confirm what it found: ``lrsearch study run``.

    What a person should know on the way goes to the logger ``lrsearch``; nothing is printed.

    Args:
        study: A study, its name, or a study file (a path ending in ``.toml``), which is created if it is not there.
        storage: Database URL, where `study` is no study; see `create_study`.
        trials: The study's trials in all, instead of its own number; never below what it has.
        timeout: Seconds after which no further trial is taken.
        engine: ``batched`` trains many trials at once, ``compiled`` too, by code that is compiled for the task;
            ``parallel`` side by side in several processes, ``sequential`` one after the other; ``auto`` takes what
            suits this task, and stays with what the study was begun with.
        device: ``auto``, ``cpu`` or ``cuda``.
        threads: CPU threads of torch, only while the study runs.
        workers: With the parallel engine, processes that train for this run; by default one per core or GPU. With
            the others, processes that share the study; by default one per GPU or, without any, this one. Such
            processes import the task themselves, so it must be in a file; what is not is trained in this process.
        gpus_per_worker: GPUs of each worker, between 0 and 1.
        cluster: Workers on a Ray cluster: ``local``, ``auto``, ``HOST:PORT`` or ``ray://HOST:PORT``.
        grace: Seconds without a heartbeat after which a trial on another machine is taken to be lost.
        load: Files or modules with own tasks and schedules, for this process and its workers.
        confirm: Whether to train the best settings again on fresh seeds afterwards, if the study's file does not say
            no (``[confirm] top = 0``).

    Returns:
        The study, for `load_frames`, `best_settings` and `write_report`.

    Raises:
        InputError: There is no such study, or a file's study exists with another definition.

    Example:
        >>> study = lrsearch.run_study("studies/quickstart.toml")
        >>> lrsearch.best_settings(study).params
    """
    from lrsearch.operations.run import run

    options = RunOptions(
        engine,
        device,
        threads,
        timeout,
        grace,
        _number(workers),
        gpus_per_worker,
        cluster,
        tuple(map(str, load)),
        confirm,
    )
    with _quiet_optuna():
        named = study if isinstance(study, StoredStudy) else os.fspath(study)
        return run(named, options, url=_url(storage), trials=trials)


def confirm_study(
    study: StoredStudy | str,
    *,
    storage: str | None = None,
    top: int | None = None,
    seeds: int | None = None,
    engine: str = "auto",
    device: str = "auto",
    threads: int = 1,
    workers: int | Literal["auto"] | None = None,
    gpus_per_worker: float | None = None,
    cluster: str | None = None,
    grace: float = GRACE,
    load: Sequence[str] = (),
) -> Evidence:
    """Train a study's best settings again on fresh seeds; the same as ``lrsearch study confirm``.

    Args:
        study: A study, or its name.
        storage: Database URL, where `study` is a name; see `create_study`.
        top: Finalists from the search; by default what the study's ``[confirm]`` section says, or 5.
        seeds: Exactly so many fresh seeds; by default what that section says, or as many as it takes to answer the
            question. Asked again with more, it trains only what is new.
        engine: As in `run_study`.
        device: ``auto``, ``cpu`` or ``cuda``.
        threads: CPU threads of torch, only while this trains.
        workers: As in `run_study`.
        gpus_per_worker: As in `run_study`.
        cluster: As in `run_study`.
        grace: As in `run_study`.
        load: As in `run_study`.

    Returns:
        The finalists with what they came to on each seed, and which of them is recommended.

    Raises:
        InputError: There is no such study, or it has nothing to confirm.

    Example:
        >>> evidence = lrsearch.confirm_study("quickstart", seeds=20)
        >>> evidence.recommended.params, evidence.expected.mean
    """
    from lrsearch.operations.confirm import confirm

    options = RunOptions(
        engine, device, threads, None, grace, _number(workers), gpus_per_worker, cluster, tuple(map(str, load))
    )
    opening.bring_in(options.load)
    stored = _found(study, storage)
    with _quiet_optuna():
        confirm(stored, options, NoDisplay(), top, seeds)
    recommendation.keep(stored)
    gathered = recommendation.evidence_of(stored)
    assert gathered is not None
    return gathered


def run_worker(
    studies: Sequence[str] = (),
    *,
    storage: str | None = None,
    exit_when_idle: bool = True,
    engine: str = "auto",
    device: str = "auto",
    threads: int = 1,
    grace: float = GRACE,
    load: Sequence[str] = (),
) -> None:
    """Take trials from the open studies of a storage in turn; the same as ``lrsearch worker``.

    Args:
        studies: Names of the only studies to serve; all by default.
        storage: Database URL; see `create_study`.
        exit_when_idle: End when no study has a trial to take or under way; otherwise a signal ends it.
        engine: As in `run_study`.
        device: As in `run_study`.
        threads: CPU threads of torch, only while this trains.
        grace: As in `run_study`.
        load: Files or modules with own tasks and schedules.

    Raises:
        InputError: A study of `studies` is not there, or its task is not known here.
        InterruptedRunError: A signal came; the settings of trials under way wait to be run again.

    Example:
        >>> lrsearch.run_worker(storage="postgresql://me@server/studies", load=["mytask.py"])
    """
    from lrsearch.operations.work import work

    options = RunOptions(engine, device, threads, None, grace, load=tuple(map(str, load)))
    with _quiet_optuna(), work(_url(storage), studies, options) as worker:
        for _ in worker.events(exit_when_idle=exit_when_idle):
            pass


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


def best_settings(study: StoredStudy | str, *, storage: str | None = None) -> Recommendation:
    """What a study recommends: settings, what to expect of them, and the torch code that uses them.

    Args:
        study: A study, or its name.
        storage: Database URL, where `study` is a name; see `create_study`.

    Returns:
        The same as ``lrsearch study best`` says: confirmed on fresh seeds, or from the search alone.

    Raises:
        InputError: There is no such study, or it has no complete trial yet that did not diverge.

    Example:
        >>> print(lrsearch.best_settings("quickstart").code)
    """
    return recommendation.best_settings(_found(study, storage))


def write_report(
    study: StoredStudy | str,
    *,
    output: File | None = None,
    storage: str | None = None,
    form: Literal["markdown", "html"] = "markdown",
    lr_parameter: str | None = None,
) -> Path:
    """Write a study's report; the same as ``lrsearch report``.

    Args:
        study: A study, or its name.
        output: The folder; ``reports/NAME`` by default.
        storage: Database URL, where `study` is a name; see `create_study`.
        form: ``report.md`` with its figures beside it, or ``report.html`` with the figures inside.
        lr_parameter: Of a study of another tool: the float parameter that plays the learning rate; by default the one
            that is called so.

    Returns:
        The path of ``report.md`` or ``report.html``.

    Raises:
        InputError: There is no such study, or the folder cannot be written.

    Example:
        >>> lrsearch.write_report("quickstart")
    """
    with _quiet_optuna():
        folder = None if output is None else Path(output)
        return report([_found(study, storage)], folder, Form(form), lr=lr_parameter).file


def export_study(study: StoredStudy | str, output: File, *, curves: bool = False, storage: str | None = None) -> int:
    """Write a study's trials to a file, one row each; the same as ``lrsearch study export``.

    Args:
        study: A study, or its name.
        output: A file ending in ``.csv``, ``.json`` or ``.parquet``.
        curves: One row per epoch instead of one per trial.
        storage: Database URL, where `study` is a name; see `create_study`.

    Returns:
        How many rows were written.

    Raises:
        InputError: There is no such study, or the file cannot be written.

    Example:
        >>> lrsearch.export_study("quickstart", "trials.csv")
    """
    with _quiet_optuna():
        return export(_found(study, storage), Path(output), curves=curves)


def _found(study: StoredStudy | str, storage: str | None) -> StoredStudy:
    if isinstance(study, StoredStudy):
        return study
    with _quiet_optuna():
        return opening.find(study, _url(storage))


def _number(workers: int | str | None) -> int | None:
    """How many processes; None for as many as suit the machine."""
    if workers is None or workers == "auto":
        return None
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
        rule = "must be a whole number from 1 on, or auto"
        raise input_error("run_study", rule, key="workers", received=repr(workers))
    return workers


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
