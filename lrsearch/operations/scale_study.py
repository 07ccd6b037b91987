"""Train the short runs of a study, as linked studies of its own, and say what they mean for the long one."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lrsearch.errors import Fault, InputError, input_error
from lrsearch.operations.display import Display
from lrsearch.operations.run import run
from lrsearch.operations.run_options import RunOptions
from lrsearch.operations.scale import target
from lrsearch.sampling.space import Space
from lrsearch.storage.attributes import ORIGIN, SCALE
from lrsearch.storage.new_study import StudyExistsError
from lrsearch.storage.rdb import open_storage
from lrsearch.study import compatibility, confirmation, linked_study, recommendation, short_runs
from lrsearch.study import open as opening
from lrsearch.study import stored as studies
from lrsearch.study.scaling.plan import AXES, Entrant, Plan, refined, within
from lrsearch.study.scaling.prior import Fixed
from lrsearch.study.scaling.runs import ScaleRun
from lrsearch.study.scaling.scaled import Scaled, scaled
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file import load
from lrsearch.study_file.axes import Choices, Range
from lrsearch.study_file.model import Definition, PluginSection, TrySection
from lrsearch.study_file.searched_options import OPTIMIZER

WIDE = Range(low=1e-9, high=1e3, log=True)
"""Rates that a rung may have: the ladder says which it has."""
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asked:
    """What a person says about the short runs.

    Attributes:
        to: The target, such as ``epochs=240``; None for that of the file, or what was asked last.
        rungs: Places of the axis; by default a sixteenth, an eighth and a quarter of the target.
        fixed: What stays the same where the batch grows.
        budget: In runs at the target; None for five seeds.
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
        rungs: Places of the axis; by default a sixteenth, an eighth and a quarter of the target.
        fixed: What stays the same where the batch grows.

    Raises:
        InputError: The axis cannot be trained, or places do not fit it.
    """
    if searched := definition.search.options.document():
        rule = f"a rate is scaled for one optimizer, batch and model, and this study searches {', '.join(searched)}"
        raise input_error("scale", rule, key="search")
    if axis not in AXES:
        rule = f"only {' and '.join(AXES)} can be trained; with runs that exist (--runs) it may be anything"
        raise input_error("scale", rule, key="--to", received=axis)
    chosen = tuple(rungs) or tuple(sorted({max(math.floor(to / part), 1) * 1.0 for part in (16, 8, 4)}))
    faults = [Fault("--from", "must be whole", f"{at:g}") for at in chosen if at != int(at)]
    faults += [Fault("--to", "must be whole", f"{to:g}")] if to != int(to) else []
    faults += [Fault("--from", "needs at least two places", f"{chosen[0]:g}")] if len(chosen) < 2 else []
    if chosen[-1] >= to:
        faults.append(Fault("--from", f"must be below the target, {to:g}", f"{chosen[-1]:g}"))
    if faults:
        raise InputError("scale", faults)
    rates = definition.search.lr
    return Plan(axis, chosen, to, fixed, definition.training, _entrants(definition, stored), _range(rates))


def scale(
    stored: StoredStudy | None, definition: Definition, url: str, plan: Plan, options: RunOptions, display: Display
) -> Scaled:
    """Train what is missing of a plan, and say what all of it shows; asked again, it goes on.

    Args:
        stored: The study, where it is there.
        definition: Of the study.
        url: The storage.
        plan: What to run.
        options: How to train, and where.
        display: Shows how it goes.

    Raises:
        InputError: This process may not train it.
        InterruptedRunError: A signal came; asked again, it goes on.
        LrsearchError: Trials or workers failed.
    """
    if stored is not None:
        stored.remember(SCALE, plan.question())
    runs: list[ScaleRun] = []
    epochs = 0.0
    for at in plan.rungs:
        rung = _opened(definition, url, plan, at)
        logger.info("Training %s.", rung.name)
        ladders = {own.scheduler: plan.rates(own, at) for own in plan.entrants}
        wanted = [own.at(plan.ratio(at), lr) for own in plan.entrants for lr in ladders[own.scheduler]]
        while wanted:
            rung = _trained(rung, wanted, options, display)
            found = short_runs.of(rung, at)
            wanted = [
                own.at(plan.ratio(at), lr)
                for own in plan.entrants
                for lr in _further([run for run in found if run.scheduler == own.scheduler], ladders[own.scheduler])
            ]
        runs += found
        epochs += plan.epochs(at) * len(found)
    return scaled(runs, plan.axis, plan.to, plan.fixed, (epochs, plan.full_runs(epochs)))


def check(
    definition: Definition, url: str, plan: Plan, found: Scaled, options: RunOptions, display: Display
) -> list[dict[str, Any]]:
    """Train three rates around a prediction at the target, on two seeds.

    Args:
        definition: Of the study.
        url: The storage.
        plan: What the prediction was made from.
        found: The prediction.
        options: How to train, and where.
        display: Shows how it goes.

    Returns:
        Rate, mean value and seeds of each.

    Raises:
        InputError: There is no prediction.
    """
    best = found.recommended
    if best is None or best.prediction is None:
        raise input_error("scale", "there is no prediction to test: every type was refused", key="--check")
    entrant = next(own for own in plan.entrants if own.scheduler == best.scheduler)
    two = replace(plan, seeds=2)
    rung = _opened(definition, url, two, plan.to)
    rates = [float(f"{best.prediction.lr * by:.4g}") for by in (0.5, 1.0, 2.0)]
    rung = _trained(rung, [entrant.at(plan.ratio(plan.to), lr) for lr in rates], options, display)
    sign = -1.0 if rung.maximises else 1.0
    own = [run for run in short_runs.of(rung, plan.to) if run.lr in rates]
    return [
        {"lr": lr, "value": sign * float(np.mean([run.value for run in own if run.lr == lr])), "seeds": 2}
        for lr in rates
    ]


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


def _opened(definition: Definition, url: str, plan: Plan, at: float) -> StoredStudy:
    """The linked study of a rung, made if it is not there."""
    search, axis = definition.study.name, plan.axis
    name = f"{search}/scale {axis}={at:g}, {plan.seeds} seeds"
    if axis == "batch_size":
        name += f", {plan.fixed} fixed"
    seeds = confirmation.fresh_seeds(definition, plan.seeds)
    parts = {
        "study": definition.study.model_copy(update={"name": name, "trials": 1}),
        "training": definition.training.model_copy(update={**plan.changed(at), "seeds": seeds}),
        "search": definition.search.model_copy(
            update={"lr": WIDE, "schedulers": [own.scheduler for own in plan.entrants]}
        ),
        "sampler": PluginSection(name="random"),
        "pruner": PluginSection(name="none"),
        "tries": [],
        "confirm": linked_study.NEVER,
    }
    own = definition.model_copy(update=parts)
    task = opening.build_task(own)
    storage = open_storage(url, create=True)
    if name not in studies.names(storage):
        with suppress(StudyExistsError):
            made = opening.store(storage, own, task)
            made.remember(ORIGIN, {"study": search, "role": "scale"})
    made = studies.load(storage, name)
    _check_same(made, own)
    return made


def _check_same(made: StoredStudy, wanted: Definition) -> None:
    """A rung of a study that was deleted and made anew must not be gone on with."""
    there = made.definition
    alike = there is not None and (there.training, there.task, there.command) == (
        wanted.training, wanted.task, wanted.command,
    )  # fmt: skip
    if not alike:
        rule = f"was trained otherwise than the study would be now: delete it with lrsearch study delete '{made.name}'"
        raise input_error(f"study {made.name}", rule)


def _trained(rung: StoredStudy, wanted: list[dict[str, Any]], options: RunOptions, display: Display) -> StoredStudy:
    total = linked_study.enqueue(rung, wanted)
    assert rung.definition is not None
    grown = rung.definition.study.model_copy(update={"trials": total})
    rung = studies.redefine(rung, rung.definition.model_copy(update={"study": grown}))
    return run(rung, replace(options, confirm=False), display=display)


def _further(runs: Sequence[ScaleRun], ladder: Sequence[float]) -> list[float]:
    """Rates that a type's rung still needs."""
    rates = sorted({run.lr for run in runs})
    means = [float(np.mean([run.value for run in runs if run.lr == rate])) for rate in rates]
    return refined(rates, means, len(ladder)) if rates else []


def opened(study: str, url: str, modules: Sequence[str]) -> tuple[StoredStudy | None, Definition]:
    """A study of the storage, or what a file says of one that need not be there.

    Args:
        study: A name, or a path ending in ``.toml``.
        url: The storage.
        modules: Files or modules with own tasks and schedules.

    Raises:
        InputError: There is no such study or file, or it cannot be trained.
    """
    if study.endswith(".toml"):
        file = Path(study)
        definition = opening.define(load.read(file), study, folder=file.parent, modules=modules)
        try:
            stored = opening.find(definition.study.name, url)
        except InputError:
            return None, definition
        compatibility.check_same(stored, definition, study)
        return stored, definition
    opening.bring_in(modules)
    stored = opening.find(study, url)
    opening.task_of(stored)
    assert stored.definition is not None
    if stored.origin is not None:
        raise input_error(f"study {study}", f"belongs to study {stored.origin}: scale that one")
    return stored, stored.definition


def code_of(study: str, modules: Sequence[str] | None, definition: Definition) -> tuple[str, ...]:
    """The files and modules that every process must import.

    Args:
        study: A name, or a path ending in ``.toml``.
        modules: Those that a person named.
        definition: Of the study, which names those of its file.
    """
    own = definition.study.load if study.endswith(".toml") else []
    found = [str((Path(study).parent / one).resolve()) if one.endswith(".py") else one for one in own]
    return (*(modules or ()), *found)


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
