"""From the options of `lrsearch train` to a run that is ready, with everything that is wrong reported together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lrsearch.cli.output import say, show
from lrsearch.cli.study import open_study
from lrsearch.errors import Fault, InputError, LrsearchError, nearest
from lrsearch.report import epochs, files
from lrsearch.signals import Interruption
from lrsearch.study.recommended_settings import Recommendation
from lrsearch.study.repeat import Repeatable, repeatable
from lrsearch.tasks import loading
from lrsearch.tasks.error_location import sentence
from lrsearch.tasks.task import Task
from lrsearch.training import checkpoint, definition
from lrsearch.training.alone import batched_by, train_alone
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.definition import Changes, RunDefinition
from lrsearch.training.devices import describe
from lrsearch.training.engine import set_threads
from lrsearch.training.loop import train
from lrsearch.training.run import EpochRecord, Run
from lrsearch.training.steering import check_steerable

ANY_RATE = 1.0
"""Stands for the learning rate until the person is asked for it."""


@dataclass(frozen=True)
class Request:
    """What the person typed."""

    changes: Changes
    from_study: str | None
    trial: int | None
    storage: str
    resume: Path | None
    checkpoint: Path | None
    plot: Path | None
    output: Path | None
    threads: int | None
    interactive: bool
    modules: Sequence[str]
    keep: str | None = None


@dataclass
class Prepared:
    """A run that is ready to begin, or to go on.

    Attributes:
        definition: What it is.
        task: What is trained.
        run: The run.
        threads: torch's threads.
        checkpoint: Where it is saved after every epoch.
        repeats: The trial that it repeats without a change.
        expects: What a study recommends and expects of it, if it is that without a change.
        batched_by: The engine of batches that trains it, because it trained that trial; None for the loop.
        saved: Epochs in the checkpoint.
    """

    definition: RunDefinition
    task: Task
    run: Run
    threads: int
    checkpoint: Path | None
    repeats: Repeatable | None = None
    batched_by: BatchedEngine | None = None
    expects: Recommendation | None = None
    saved: int = field(init=False)

    def __post_init__(self) -> None:
        self.saved = self.run.epoch

    def records(self) -> Iterator[EpochRecord]:
        """Train under the run's own schedule, from where it is to the last epoch."""
        if self.batched_by is None:
            return train(self.run)
        assert self.repeats is not None
        return train_alone(self.run, self.batched_by, self.repeats.place)

    def save(self) -> None:
        """Write the checkpoint, if there shall be one."""
        if self.checkpoint is not None:
            checkpoint.save(self.checkpoint, self.definition, self.run)
            self.saved = self.run.epoch

    def advance(self, records: Iterator[EpochRecord], interruption: Interruption) -> Iterator[EpochRecord]:
        """Train as the records are asked for, and save after each epoch.

        Raises:
            InterruptedRunError: A signal came.
            LrsearchError: The model failed.
        """
        while True:
            with interruption.open(), _own_code(f"training failed in {self.run.training.unit} {self.run.epoch + 1}"):
                record = next(records, None)
            if record is None:
                return
            self.save()
            yield record


def scheduler_parameters(arguments: Sequence[str], options: Sequence[str]) -> tuple[dict[str, Any], list[Fault]]:
    """The options that the command does not know: parameters of the scheduler, whichever it is.

    Args:
        arguments: What was left over, such as ``--decay .95`` or ``--decay=.95``.
        options: The command's own options, for those who mistype them.

    Returns:
        Parameter -> value, and what is wrong with the rest.
    """
    values: dict[str, Any] = {}
    faults = []
    left = list(arguments)
    while left:
        word = left.pop(0)
        if not word.startswith("--") or len(word) < 3:
            faults.append(Fault(word, "is not an option; everything here has a name, such as --task"))
            continue
        option, equals, written = word.partition("=")
        if not equals and left and not left[0].startswith("--"):
            equals, written = "=", left.pop(0)
        if not equals:
            faults.append(Fault(option, "needs a value, or is no option", None, nearest(option, options)))
            continue
        values[option[2:].replace("-", "_")] = _number(written)
    return values, faults


def prepare(request: Request, faults: list[Fault], options: Sequence[str]) -> Prepared:
    """The run that a person asked for.

    Args:
        request: What she typed.
        faults: What is known to be wrong with it.
        options: The command's own options, for those who mistype them.

    Raises:
        InputError: With every fault that was found.
    """
    loading.load(request.modules)
    faults = [*faults, *_conflicts(request), *_unwritable(request)]
    saved = checkpoint.read(request.resume) if request.resume else None
    again = repeatable(open_study(request.from_study, request.storage), request.trial) if request.from_study else None
    base = saved.document if saved else again.document if again else {}
    wanted = _definition(request, base, faults, options)
    if saved is not None:
        _check_same(definition.parse(saved.document, str(saved.file)), wanted, request.changes)
    threads = request.threads or (saved.threads if saved else again.threads if again else 1)
    set_threads(threads)
    with _own_code("the task failed"):
        task = wanted.build_task()
        run = wanted.start(task)
    if saved is not None:
        checkpoint.restore(saved, run)
        stored = definition.parse(saved.document, str(saved.file))
        _raise([_as_option(fault, request.changes) for fault in checkpoint.check_epochs(stored, wanted, run)])
    if request.keep is not None:
        _keep(run, request)
    elif again is not None:
        run.keep = again.keep
    if request.interactive and not run.diverged:
        _check_steerable(run, request.changes)
    prepared = Prepared(wanted, task, run, threads, request.checkpoint or request.resume)
    if again is not None:
        same = _document_of(again) == wanted
        if again.recommended is not None:
            prepared.expects = again.recommended if same else None
        elif same and threads == again.threads:
            prepared.repeats = again
            prepared.batched_by = (
                None if _needs_loop(request) else batched_by(again.engine, prepared.task, run.training)
            )
        _announce(again, request, prepared)
    return prepared


def _keep(run: Run, request: Request) -> None:
    """Keep what the person says; weights of an epoch that is over cannot be had any more."""
    if request.keep == "best" and run.epoch and run.best is None:
        rule = "the checkpoint has not kept the weights of its best epoch, which are gone; leave the option out"
        _raise([Fault("--keep", rule, '"best"')])
    run.keep = "best" if request.keep == "best" else "last"
    if run.keep == "last":
        run.best = None


def _needs_loop(request: Request) -> bool:
    """Only the sequential loop can be saved in the middle, or steered."""
    return request.checkpoint is not None or request.interactive or request.keep == "best"


def _definition(request: Request, base: dict[str, Any], faults: list[Fault], options: Sequence[str]) -> RunDefinition:
    right = [setting for setting in request.changes.settings if _is_known(setting)]
    try:
        document = definition.changed(base, replace(request.changes, settings=right))
        if request.interactive and document["lr"] is None:
            document["lr"] = ANY_RATE
        made = definition.parse(document, "train")
    except InputError as error:
        found = [_with_options(fault, request.changes, options) for fault in error.faults]
        _raise([*faults, *(_as_option(fault, request.changes) for fault in found)])
        raise
    _raise(faults)
    return made


def _conflicts(request: Request) -> Iterator[Fault]:
    if request.trial is not None and request.from_study is None:
        yield Fault("--trial", "belongs to --from-study", str(request.trial))
    if request.resume and request.from_study:
        yield Fault("--from-study", "a run that goes on with --resume is defined already", request.from_study)
    for setting in request.changes.settings:
        if not _is_known(setting):
            yield Fault("--set", "a single run has task.* and training.* only", f'"{setting}"')


def _is_known(setting: str) -> bool:
    return setting.partition(".")[0].strip() in definition.SECTIONS


def _unwritable(request: Request) -> Iterator[Fault]:
    if request.plot is not None:
        from lrsearch.report.figures import IMAGES  # matplotlib takes a while

        yield from files.faults_of_target(request.plot, "--plot", IMAGES)
    if request.output is not None:
        yield from files.faults_of_target(request.output, "--output", epochs.SUFFIXES)
    new = request.checkpoint
    if new is not None:
        yield from files.faults_of_target(new, "--checkpoint")
    if new is not None and new.is_file() and not (request.resume and request.resume.resolve() == new.resolve()):
        yield Fault("--checkpoint", "exists already; go on from it with --resume, or remove it", str(new))


def _check_same(stored: RunDefinition, wanted: RunDefinition, changes: Changes) -> None:
    same_length = checkpoint.same_but_epochs(wanted, stored.training.epochs)
    _raise([_as_option(fault, changes) for fault in definition.differences(stored, same_length)])


def _check_steerable(run: Run, changes: Changes) -> None:
    try:
        check_steerable(run)
    except InputError as error:
        _raise([_as_option(fault, changes) for fault in error.faults])


def _document_of(again: Repeatable) -> RunDefinition:
    return definition.parse(again.document, "study")


def _announce(again: Repeatable, request: Request, prepared: Prepared) -> None:
    if again.recommended is not None:
        changed = "" if prepared.expects is not None else ", with changes"
        say(f"Training the recommended settings of study {request.from_study}{changed}, seed {prepared.run.seed}.")
        return
    unchanged = prepared.repeats is not None
    changed = "" if unchanged else ", with changes"
    say(f"Repeating trial {again.number} of study {request.from_study}{changed}.")
    if again.value is not None and unchanged:
        say(f"Its test metric with this seed was {show(again.value)}.")
    device = "cpu" if prepared.batched_by is None else describe(prepared.batched_by.device)
    engine = "sequential" if prepared.batched_by is None else prepared.batched_by.name
    if (again.engine, again.device) != (engine, device):
        trained = f"{again.engine} engine on {again.device}"
        say(f"It was trained by the {trained}, this run by the {engine} engine on {device}: equal to rounding only.")


def _with_options(fault: Fault, changes: Changes, options: Sequence[str]) -> Fault:
    """An unknown parameter may be a mistyped option of the command."""
    if fault.key not in changes.parameters or fault.nearest:
        return fault
    close = nearest(fault.key.replace("_", "-"), [option.removeprefix("--") for option in options])
    return replace(fault, nearest=tuple(f"--{name}" for name in close))


def _as_option(fault: Fault, changes: Changes) -> Fault:
    """A fault in the words of the command line."""
    key, rule = fault.key, fault.rule
    if key == "task.name":
        key = "--task"
        if fault.received is not None and not fault.nearest:
            rule += "; a task of your own comes with --load FILE"
    elif key == "training.epochs" and changes.epochs is not None:
        key = "--epochs"
    elif key.startswith("training.seeds") and changes.seed is not None:
        return replace(fault, key="--seed", received=str(changes.seed))
    elif key and "." not in key and not key.startswith("--"):
        key = "--" + key.replace("_", "-")
    return replace(fault, key=key, rule=rule)


def _raise(faults: Sequence[Fault]) -> None:
    if faults:
        raise InputError("train", faults)


def _number(written: str) -> Any:
    try:
        return float(written)
    except ValueError:
        return written


@contextmanager
def _own_code(what: str) -> Iterator[None]:
    """A person's model or task may raise anything; she gets one line of it, not our stack."""
    try:
        yield
    except (LrsearchError, KeyboardInterrupt):
        raise
    except Exception as error:
        raise LrsearchError(f"{what}: {sentence(error)}") from error
