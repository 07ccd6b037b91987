"""Save a run after an epoch and go on with it later, bit for bit.

The file holds tensors and plain values only, so that `torch.load` reads it with ``weights_only=True`` and a file
from elsewhere can run no code. What a model keeps outside its `state_dict` is not saved.
"""

from __future__ import annotations

import io
import math
import pickle
import struct
import warnings
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, is_dataclass, replace
from pathlib import Path
from typing import Any

import torch

from lrsearch import atomic_file, version
from lrsearch.errors import Fault, InputError, LrsearchError, input_error, nearest
from lrsearch.training import best_weights, random_streams
from lrsearch.training.checkpoint_values import check_optimizer, faults_of
from lrsearch.training.definition import RunDefinition
from lrsearch.training.run import Before, EpochRecord, Run
from lrsearch.training.when_evaluated import Evaluations

KIND = "lrsearch checkpoint"
FORMAT = 1
"""Rises when a reader of the former format would misread the file."""
NO_TORCH_FILE = (
    pickle.UnpicklingError, struct.error, EOFError, AssertionError, AttributeError, LookupError, ArithmeticError,
    RuntimeError, TypeError, ValueError,
)  # fmt: skip
"""What torch raises for files that are damaged in one place or another; it has no class of its own for them."""


@dataclass(frozen=True)
class Checkpoint:
    """What a file says.

    Attributes:
        file: Where it is.
        document: The run's definition, for `definition.parse`.
        threads: torch's thread count while it was trained; another one changes the last bits.
        epoch: Epochs finished.
        state: All that the loop had advanced.
    """

    file: Path
    document: dict[str, Any]
    threads: int
    epoch: int
    state: dict[str, Any]


def save(file: Path, definition: RunDefinition, run: Run) -> None:
    """Write a checkpoint; whatever happens, the file is the former one or the new one, whole.

    Args:
        file: Where; its folder exists.
        definition: What the run is.
        run: The run, between two epochs.

    Raises:
        LrsearchError: It cannot be written.
    """
    content = io.BytesIO()
    torch.save(
        {
            "kind": KIND,
            "format": FORMAT,
            "lrsearch": version.__version__,
            "definition": definition.document(),
            "threads": torch.get_num_threads(),
            "state": _state(run),
        },
        content,
    )
    try:
        for left in atomic_file.parts_of(file):
            left.unlink(missing_ok=True)  # of a process that was killed while it wrote
        atomic_file.write(file, content.getvalue(), durable=True)
    except OSError as error:
        raise LrsearchError(f"checkpoint {file} cannot be written: {error.strerror or error}") from None


def read(file: Path) -> Checkpoint:
    """What a checkpoint says; its task need not be known yet.

    Args:
        file: A file that `save` wrote.

    Raises:
        InputError: There is none, it is something else or cut short, its format is another one, or a number in it
            breaks a rule.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # torch's, of what the message below says
            content = torch.load(io.BytesIO(_bytes_of(file)), map_location="cpu", weights_only=True)
    except FileNotFoundError:
        beside = [other.name for other in file.parent.iterdir()] if file.parent.is_dir() else []
        near = nearest(file.name, beside)
        raise input_error(f"checkpoint {file}", "no such file", nearest=near) from None
    except OSError as error:
        rule = f"cannot be read: {error.strerror or error}"
        raise input_error(f"checkpoint {file}", rule) from None
    except NO_TORCH_FILE:
        raise input_error(f"checkpoint {file}", "is no checkpoint, or was cut short") from None
    if not isinstance(content, dict) or content.get("kind") != KIND:
        raise input_error(f"checkpoint {file}", "is no checkpoint of lrsearch")
    if content.get("format") != FORMAT:
        rule = (
            f"was written by lrsearch {content.get('lrsearch')} in format {content.get('format')}; "
            f"lrsearch {version.__version__} reads format {FORMAT}"
        )
        raise input_error(f"checkpoint {file}", rule)
    if faults := faults_of(content):
        raise InputError(f"checkpoint {file}", [replace(faults[0], rule=f"is damaged: {faults[0].rule}"), *faults[1:]])
    state = content["state"]
    return Checkpoint(file, content["definition"], content["threads"], state["epoch"], state)


def state_of(run: Run) -> bytes:
    """All that the loop has advanced, for `resumed` in this process or another one of the same run.

    Args:
        run: The run, between two epochs.
    """
    content = io.BytesIO()
    torch.save(_state(run), content)
    return content.getvalue()


def resumed(state: bytes, begin: Callable[[Before], Run]) -> Run:
    """A run as it was when `state_of` was asked.

    Args:
        state: What that gave.
        begin: Begins the same run anew, from what it had measured before its first update.

    Raises:
        InputError: The state is not of this run.
    """
    kept = torch.load(io.BytesIO(state), map_location="cpu", weights_only=True)
    run = begin(Before(**kept["before"]))
    restore(Checkpoint(Path("of this run"), {}, torch.get_num_threads(), int(kept["epoch"]), kept), run)
    return run


def restore(checkpoint: Checkpoint, run: Run) -> None:
    """Bring a run that has just begun to where the checkpoint was.

    Args:
        checkpoint: What `read` gave.
        run: What `RunDefinition.start` gave for the same definition; it is advanced. The number of epochs may differ
            from the checkpoint's, see `check_epochs`.

    Raises:
        InputError: The task has changed since, or the file is damaged.
    """
    state = checkpoint.state
    try:
        if not _same_start(run.before, Before(**state["before"])):
            raise _changed(checkpoint, "its data or its first weights are others")
        try:
            run.model.load_state_dict(state["model"])
        except RuntimeError:
            raise _changed(checkpoint, "its model has other layers") from None
        made = [dict(group) for group in run.optimizer.param_groups]
        run.optimizer.load_state_dict(state["optimizer"])
        check_optimizer(run.optimizer, made)
        if run.average is not None:
            run.average.load_state_dict(state["average"])
        run.precision.load(state.get("precision", {}))
        run.order.go_on_from(state["order"])
        run.random_state = state["random_state"]
        if "streams" in state:
            run.streams = random_streams.from_plain(state["streams"])
        run.before = Before(**state["before"])
        run.lr, run.epoch, run.diverged = float(state["lr"]), int(state["epoch"]), bool(state["diverged"])
        run.records = [EpochRecord(**record) for record in state["records"]]
        for record in run.records:
            run.stopping.take(record.test_metric)
        best_weights.restore(run, state.get("best"))
        if run.epoch:
            run.schedule_state = _as(run.schedule_state, state["schedule_state"])
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError):
        raise _damaged(checkpoint.file) from None


def check_epochs(stored: RunDefinition, wanted: RunDefinition, run: Run) -> list[Fault]:
    """Whether a run may end at another epoch than it was begun for.

    It may when every rate so far is the one that a run of the new length would have used: always for a constant
    rate, never for a cosine, and for warmup-stable-decay as long as the decay has not begun. Then resuming still
    equals one uninterrupted run.

    Args:
        stored: What the checkpoint says.
        wanted: The same with another number of epochs.
        run: The run as it was begun for `wanted`, restored.

    Returns:
        What is wrong, if anything.
    """
    epochs, former = wanted.training.epochs, stored.training.epochs
    if epochs == former:
        return []
    per_epoch, every = run.updates_per_epoch, run.training.evaluate_every
    done = Evaluations.of(stored.training, per_epoch).updates_until(run.epoch)
    if epochs * per_epoch < done:
        return [Fault("training.epochs", f"{done / per_epoch:.4g} epochs are done already", str(epochs))]
    if run.updates != done:
        rule = f"the last evaluation came after {done} updates, which is no multiple of evaluate_every = {every}"
        return [Fault("training.epochs", f"{rule}; start a new run for another length", str(epochs))]
    old, new = (run.schedule.steps(length, per_epoch, every) for length in (former, epochs))
    updates = run.updates_per_step
    for t, update in (divmod(n, updates) for n in range(done)):
        former_rate, rate = (run.schedule.factor(t, h, update=update, updates=updates) for h in (old, new))
        if former_rate != rate:
            break
    else:
        return []
    there = f"laid out for {former} epochs, and {done / per_epoch:.4g} of them are done"
    rule = f"the rates of {run.schedule.describe()} are {there}"
    return [Fault("training.epochs", f"{rule}; start a new run for another length", str(epochs))]


def same_but_epochs(definition: RunDefinition, epochs: int) -> RunDefinition:
    """A definition with another number of epochs."""
    return replace(definition, training=definition.training.model_copy(update={"epochs": epochs}))


def _state(run: Run) -> dict[str, Any]:
    state = run.schedule_state
    return {
        "epoch": run.epoch,
        "lr": run.lr,
        "diverged": run.diverged,
        "schedule_state": asdict(state) if is_dataclass(state) and not isinstance(state, type) else state,
        "model": run.model.state_dict(),
        "optimizer": run.optimizer.state_dict(),
        "average": None if run.average is None else run.average.state_dict(),
        "best": best_weights.document(run),
        "precision": run.precision.state(),
        "order": run.order_state,
        "random_state": run.random_state,
        "streams": random_streams.plain(run.streams),
        "before": _plain(run.before),
        "records": [_plain(record) for record in run.records],
    }


def _plain(record: Before | EpochRecord) -> dict[str, Any]:
    """A record without its details, which are arrays; the last epoch's are there once it is trained."""
    return {name: value for name, value in vars(record).items() if name != "details"} | {"extra": dict(record.extra)}


def _as(fresh: object, stored: Any) -> object:
    """A schedule's state again as what the family made it: a dataclass, or the plain value itself."""
    if is_dataclass(fresh) and not isinstance(fresh, type) and isinstance(stored, Mapping):
        return replace(fresh, **stored)
    return stored


def _same_start(now: Before, then: Before) -> bool:
    """Whether a task still begins where it did, but for rounding: other thread counts sum in another order."""
    pairs = [(now.train_loss, then.train_loss), (now.test_metric, then.test_metric)]
    return all(math.isclose(a, b, rel_tol=1e-3) or (math.isnan(a) and math.isnan(b)) for a, b in pairs)


def _changed(checkpoint: Checkpoint, reason: str) -> InputError:
    rule = f"the task is not the one it was saved with: {reason}"
    return input_error(f"checkpoint {checkpoint.file}", rule)


def _bytes_of(file: Path) -> bytes:
    """What a file holds, if it is one that says how large it is, and whose parts are as large as they look.

    torch stores tensors as they are; a small file whose parts unpack to many times as much asks for the machine.
    """
    if file.exists() and not file.is_file():
        raise input_error(f"checkpoint {file}", "cannot be read: it is no file")
    content = file.read_bytes()
    with suppress(zipfile.BadZipFile), zipfile.ZipFile(io.BytesIO(content)) as parts:
        if sum(part.file_size for part in parts.infolist()) > len(content):
            raise input_error(f"checkpoint {file}", "is no checkpoint: its parts are packed")
    return content


def _damaged(file: Path) -> InputError:
    return input_error(f"checkpoint {file}", "is damaged")
