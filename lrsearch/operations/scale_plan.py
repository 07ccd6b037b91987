"""What short runs a person asks for: places, types, seeds and what they cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from lrsearch import registry
from lrsearch.errors import Fault, InputError, input_error
from lrsearch.operations.scale import target
from lrsearch.sampling.space import Space
from lrsearch.storage.attributes import SCALE
from lrsearch.study import open as opening
from lrsearch.study import recommendation
from lrsearch.study.scaling.plan import AXES, Entrant, Plan, within
from lrsearch.study.scaling.prior import Fixed
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file.axes import Choices, Range
from lrsearch.study_file.model import TRAIN_SHARE, Definition, TrySection
from lrsearch.study_file.searched_options import OPTIMIZER

PARTS = (16, 8, 4)
"""Short runs are these parts of the target, if nobody says."""
SHARES = (0.1, 0.2, 0.4)
"""The same where data grow."""


@dataclass(frozen=True)
class Asked:
    """What a person says about the short runs.

    Attributes:
        to: The target, such as ``epochs=240``; None for that of the file, or what was asked last.
        rungs: Places of the axis; by default `PARTS` of the target, of data `SHARES`.
        fixed: What stays the same where data or batch size grow.
        budget: In runs at the target; None for as many seeds as `SEEDS`.
    """

    to: str | None
    rungs: tuple[float, ...]
    fixed: Fixed
    budget: float | None


def planned(definition: Definition, stored: StoredStudy | None, asked: Asked) -> Plan:
    """The short runs that a person asks for, now or again.

    Args:
        definition: Of the study.
        stored: The study, where it is there.
        asked: What she says.

    Raises:
        InputError: See `plan_of` and `within`; or nothing is asked.
    """
    own = definition.scale
    if asked.to is None and own is not None:
        plan = plan_of(definition, stored, own.axis, own.to, asked.rungs or own.places, asked.fixed)
        return replace(plan, seeds=within(plan, asked.budget))
    if asked.to is None:
        last = asked_before(stored)
        plan = plan_of(definition, stored, last["axis"], last["to"], last["from"], last["fixed"])
        return replace(plan, seeds=last["seeds"])
    axis, to = target(asked.to)
    plan = plan_of(definition, stored, axis, to, asked.rungs, asked.fixed)
    return replace(plan, seeds=within(plan, asked.budget))


def plan_of(
    definition: Definition, stored: StoredStudy | None, axis: str, to: float, rungs: Sequence[float], fixed: Fixed
) -> Plan:
    """The short runs that a question needs.

    Args:
        definition: Of the study.
        stored: The study, where it is there: the type that it recommends is scaled. None: the types of the file.
        axis: What grows.
        to: The target.
        rungs: Places of the axis; by default `PARTS` of the target, of data `SHARES`.
        fixed: What stays the same where data or batch size grow.

    Raises:
        InputError: The axis cannot be trained, places do not fit it, or the task has no rows to take a share of.
    """
    if searched := definition.search.options.document():
        rule = f"a rate is scaled for one optimizer, batch and model, and this study searches {', '.join(searched)}"
        raise input_error("scale", rule, key="search")
    if axis not in AXES:
        rule = f"only {', '.join(AXES)} can be trained; with runs that exist (--runs) it may be anything"
        raise input_error("scale", rule, key="--to", received=axis)
    if definition.command is not None and axis != "epochs":
        rule = "a command is given its epochs, and reads its data itself: only epochs can be scaled"
        raise input_error("scale", rule, key="--to", received=axis)
    chosen = tuple(rungs) or _default_rungs(axis, to)
    if faults := _faults(axis, chosen, to):
        raise InputError("scale", faults)
    share = float(definition.task.options.get(TRAIN_SHARE, 1.0))
    entrants, rates = _entrants(definition, stored), _range(definition.search.lr)
    plan = Plan(
        axis, chosen, to, fixed, definition.training, entrants, rates, {}, share, definition.study.value == "best"
    )
    if axis == "epochs" or fixed == "epochs":
        return plan
    per_epoch = {at: _updates(definition, axis, at) for at in {*chosen, to, plan.own_place}}
    return replace(plan, per_epoch=per_epoch)


def placed(definition: Definition, plan: Plan, at: float) -> Definition:
    """The study as it is trained at a place of the axis.

    Args:
        definition: Of the study.
        plan: What grows.
        at: The place.
    """
    training = definition.training.model_copy(update=plan.changed(at))
    return _on_share(definition.model_copy(update={"training": training}), plan.axis, at)


def _on_share(definition: Definition, axis: str, at: float) -> Definition:
    if axis != "data":
        return definition
    name = definition.task.name
    if not registry.tasks.get(name).has_share:
        rule = f"task {name} has an option {TRAIN_SHARE} of its own, so lrsearch takes no share of its rows"
        raise input_error("scale", rule, key="--to", received=axis)
    options = {**definition.task.options, TRAIN_SHARE: at}
    return definition.model_copy(update={"task": definition.task.model_copy(update={"options": options})})


def _updates(definition: Definition, axis: str, at: float) -> int:
    """Updates in an epoch at a place of the axis; the task's rows are counted."""
    from lrsearch.training.batches import updates_per_epoch  # torch takes a while

    size = {"batch_size": int(at)} if axis == "batch_size" else {}
    task = opening.build_task(_on_share(definition, axis, at))
    return updates_per_epoch(task, definition.training.model_copy(update=size))


def _default_rungs(axis: str, to: float) -> tuple[float, ...]:
    if axis == "data":
        return tuple(float(f"{to * part:.6g}") for part in SHARES)
    return tuple(sorted({max(math.floor(to / part), 1) * 1.0 for part in PARTS}))


def _faults(axis: str, rungs: Sequence[float], to: float) -> list[Fault]:
    """What of the places does not fit the axis, or each other."""
    places = [*(("--from", at) for at in rungs), ("--to", to)]
    if axis == "data":
        rule = "is a share of the training rows: at most 1"
        faults = [Fault(key, rule, f"{at:g}") for key, at in places if at > 1]
    else:
        faults = [Fault(key, "must be whole", f"{at:g}") for key, at in places if at != int(at)]
    faults += [Fault("--from", "needs at least two places", f"{rungs[0]:g}")] if len(rungs) < 2 else []
    if rungs[-1] >= to:
        faults.append(Fault("--from", f"must be below the target, {to:g}", f"{rungs[-1]:g}"))
    return faults


def asked_before(stored: StoredStudy | None) -> dict[str, Any]:
    """What was last asked about a study.

    Args:
        stored: The study, where it is there.

    Raises:
        InputError: Nothing was.
    """
    found = None if stored is None else stored.reader.attributes().get(SCALE)
    if not isinstance(found, dict):
        raise input_error("scale", "say where to: nothing was asked about this study before", key="--to")
    return found


def _entrants(definition: Definition, stored: StoredStudy | None) -> tuple[Entrant, ...]:
    found = None if stored is None else recommendation.recommended(stored)
    if found is not None and OPTIMIZER not in found.params:  # else a contestant, whose rate is on another scale
        own = {key: value for key, value in found.params.items() if key not in ("lr", "scheduler", "seed")}
        return (Entrant(str(found.params["scheduler"]), own, float(found.params["lr"])),)
    space = Space.of(definition)
    entrants = []
    for kind in definition.search.schedulers:
        params = space.params_of(TrySection(lr=0.01, scheduler=kind))
        own = {key: value for key, value in params.items() if key not in ("lr", "scheduler")}
        entrants.append(Entrant(kind, own, None))
    return tuple(entrants)


def _range(axis: Range | Choices | float) -> Range:
    if isinstance(axis, Range):
        return axis
    rates = axis.choices if isinstance(axis, Choices) else [axis / 4, axis * 4]
    return Range(low=min(rates), high=max(max(rates), min(rates) * 4), log=True)
