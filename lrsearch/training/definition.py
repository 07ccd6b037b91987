"""What a single run is: a task, a training section, a learning rate and a schedule, checked like a study file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lrsearch import registry
from lrsearch.errors import Fault, InputError, nearest
from lrsearch.schedules.base import Parameter, Schedule
from lrsearch.study_file import load, optimizer_keys
from lrsearch.study_file.faults import show
from lrsearch.study_file.model import Definition, PluginSection, StudySection, TrainingSection
from lrsearch.tasks.task import Task
from lrsearch.training import optimizers
from lrsearch.training.batches import updates_per_epoch
from lrsearch.training.first_update import check_first_update
from lrsearch.training.loop import start
from lrsearch.training.room import check_room
from lrsearch.training.run import Run

LR = Parameter("initial learning rate", above=0)
SECTIONS = ("task", "training")


@dataclass(frozen=True)
class RunDefinition:
    """Everything that says what a single run is.

    Attributes:
        task: The task's name and its complete options.
        training: Epochs, batch size, optimizer; it has one seed.
        lr: Initial learning rate.
        schedule: How it goes.
    """

    task: PluginSection
    training: TrainingSection
    lr: float
    schedule: Schedule

    @property
    def seed(self) -> int:
        return self.training.seeds[0]

    def document(self) -> dict[str, Any]:
        """The definition as plain values, in the shape that `parse` reads."""
        study = StudySection(name="train", trials=1)
        sections = Definition(study=study, task=self.task, training=self.training).document()
        return {
            **{name: sections[name] for name in SECTIONS},
            "lr": self.lr,
            "scheduler": self.schedule.name,
            "parameters": self.schedule.values(),
        }

    def build_task(self) -> Task:
        """The task with its options; a study's holdout rows are not touched."""
        made: Task = registry.tasks.get(self.task.name).build(self.task.options)
        return made

    def start(self, task: Task) -> Run:
        """The run before its first epoch.

        Args:
            task: What `build_task` gave.

        Raises:
            InputError: There is no room to train it here, or the optimizer does not fit the network.
        """
        check_room(task, self.training)
        check_first_update(task, self.training)
        return start(task, self.schedule, self.lr, self.training, self.seed)

    def code(self, task: Task) -> str:
        """Lines of torch code that train a ``model`` with these settings.

        Args:
            task: What `build_task` gave; its rows decide how many updates an epoch has.
        """
        per_epoch = updates_per_epoch(task, self.training)
        every = self.training.evaluate_every
        horizon = self.schedule.steps(self.training.epochs, per_epoch, every)
        optimizer = optimizers.code(self.training, self.lr, grouped=task.parameters is not None)
        directed = self.schedule.directed(task.maximises)
        where = self.training.evaluated if directed.unit == "evaluation" else None
        updates = directed.updates_per_step(per_epoch, every)
        schedule = directed.code(self.lr, horizon, updates=updates, where=where)
        return f"import torch\n\n{optimizer}\n{schedule}"


@dataclass(frozen=True)
class Changes:
    """What a person says about a run; what is left out stays as it is, or takes its default.

    Attributes:
        task: Name of the task.
        lr: Initial learning rate.
        scheduler: Scheduler type, or an alias of one.
        parameters: The scheduler's own parameters.
        epochs: Passes over the training rows.
        seed: Decides initial weights and data order.
        settings: ``task.degree=3`` or ``training.momentum=0.9`` each.
    """

    task: str | None = None
    lr: float | None = None
    scheduler: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    epochs: int | None = None
    seed: int | None = None
    settings: Sequence[str] = ()


def changed(document: Mapping[str, Any], changes: Changes) -> dict[str, Any]:
    """A document with some things changed. Options of another task or scheduler do not outlive their owner.

    Args:
        document: In the shape of `RunDefinition.document`; may be empty.
        changes: What shall be different.

    Raises:
        InputError: A setting does not look like ``task.degree=3``.
    """
    task = dict(document.get("task", {}))
    if changes.task is not None and changes.task != task.get("name"):
        task = {"name": changes.task}
    training = dict(document.get("training", {}))
    if any(setting.partition("=")[0].strip() == "training.optimizer" for setting in changes.settings):
        training = optimizer_keys.of_any(training, TrainingSection.model_fields)
    sections = load.override({"task": task, "training": training}, changes.settings)
    if changes.epochs is not None:
        sections = load.override(sections, [f"training.epochs={changes.epochs}"])
    if changes.seed is not None:
        sections = load.override(sections, [f"training.seeds=[{changes.seed}]"])
    scheduler = changes.scheduler or document.get("scheduler", "constant")
    same = _resolved(scheduler) == _resolved(document.get("scheduler", ""))
    return {
        **sections,
        "lr": document.get("lr") if changes.lr is None else changes.lr,
        "scheduler": scheduler,
        "parameters": {**(document.get("parameters", {}) if same else {}), **changes.parameters},
    }


def parse(document: Mapping[str, Any], source: str) -> RunDefinition:
    """The definition that a document describes, checked against everything that is registered.

    Args:
        document: In the shape of `RunDefinition.document`; what it leaves out takes its default.
        source: What to call it in messages.

    Raises:
        InputError: With every fault that was found.
    """
    faults: list[Fault] = []
    sections = None
    given = {key: value for key, value in document.items() if key not in ("lr", "scheduler", "parameters")}
    try:
        sections = load.parse({"study": {"name": "train", "trials": 1}, **given}, source)
        if len(sections.training.seeds) > 1:
            rule = "a single run has one seed"
            faults.append(Fault("training.seeds", rule, show(sections.training.seeds)))
    except InputError as error:
        faults.extend(error.faults)
    lr = document.get("lr")
    if lr is None:
        faults.append(Fault("lr", "is required"))
    elif not LR.holds(lr):
        faults.append(Fault("lr", LR.rule("lr"), show(lr)))
    name, values = document.get("scheduler", "constant"), document.get("parameters", {})
    faults.extend(_scheduler_faults(name, values))
    if faults or sections is None or lr is None:
        raise InputError(source, faults)
    return RunDefinition(sections.task, sections.training, float(lr), registry.schedules.get(name).of(values))


def differences(first: RunDefinition, second: RunDefinition) -> list[Fault]:
    """The keys in which two definitions differ.

    Args:
        first: The one that holds.
        second: The one that is compared with it.
    """
    ours, theirs = _leaves(first), _leaves(second)
    keys = [key for key in {**ours, **theirs} if ours.get(key) != theirs.get(key)]
    if "scheduler" in keys:
        # The parameters of two scheduler types have nothing to do with each other.
        keys = [key for key in keys if key not in first.schedule.parameters() | second.schedule.parameters()]
    rule = "the checkpoint has {}; leave the option out, or start a new run"
    return [Fault(key, rule.format(show(ours.get(key))), show(theirs.get(key))) for key in keys]


def _scheduler_faults(name: str, values: Mapping[str, Any]) -> list[Fault]:
    if name in registry.schedules.groups():
        members = ", ".join(registry.schedules.groups()[name])
        return [Fault("scheduler", f"is a group; a single run takes one of {members}", show(name))]
    if name not in registry.schedules:
        return [registry.schedules.unknown(name, "scheduler")]
    family = registry.schedules.get(name)
    return [_elsewhere(fault, family) if fault.key not in family.parameters() else fault
            for fault in family.faults(values)]  # fmt: skip


def _elsewhere(fault: Fault, family: type[Schedule]) -> Fault:
    """An unknown parameter may be one of another scheduler, which the person forgot to name."""
    owners = [name for name in registry.schedules if fault.key in registry.schedules.get(name).parameters()]
    known = ", ".join(family.parameters())
    rule = f"is no parameter of scheduler {family.name} (it has {known})"
    if owners:
        return Fault(fault.key, f"{rule}, but of {', '.join(owners)}", fault.received)
    return Fault(fault.key, rule, fault.received, nearest(fault.key, family.parameters()))


def _resolved(name: str) -> str:
    return registry.schedules.resolve(name) if name in registry.schedules else name


def _leaves(definition: RunDefinition) -> dict[str, Any]:
    document = definition.document()
    nested = {f"{section}.{key}": value for section in SECTIONS for key, value in document[section].items()}
    return {**nested, "lr": document["lr"], "scheduler": document["scheduler"], **document["parameters"]}
