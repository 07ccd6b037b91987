"""Train the short runs of a study, as linked studies of its own, and say what they mean for the long one."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from lrsearch.errors import InputError, input_error
from lrsearch.operations.display import Display
from lrsearch.operations.run import run
from lrsearch.operations.run_options import RunOptions
from lrsearch.operations.scale_plan import placed
from lrsearch.storage.attributes import ORIGIN
from lrsearch.storage.new_study import StudyExistsError
from lrsearch.storage.rdb import open_storage
from lrsearch.study import compatibility, confirmation, linked_study, scale_record, short_runs
from lrsearch.study import open as opening
from lrsearch.study import stored as studies
from lrsearch.study.scale_record import AtTarget
from lrsearch.study.scaling.plan import Known, Plan, best_rate, refined
from lrsearch.study.scaling.runs import ScaleRun, rungs_by_type
from lrsearch.study.scaling.scaled import Scaled, scaled
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file import load
from lrsearch.study_file.axes import Range
from lrsearch.study_file.model import Definition, PluginSection

WIDE = Range(low=1e-9, high=1e3, log=True)
"""Rates that a rung may have: the ladder says which it has."""
ANY_DECAY = Range(low=1e-12, high=1.0)
"""Short runs decay as much in all, so further in each epoch than the study searched."""
TESTING_SEEDS = 2
"""Of a test at the target, which is expensive."""
logger = logging.getLogger(__name__)


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
        places = {at: name_of(definition, plan, at) for at in plan.rungs}
        scale_record.remember(stored, plan, places | {plan.to: name_of(definition, _test_of(plan), plan.to)})
    runs: list[ScaleRun] = []
    trained: dict[float, int] = {}
    known: dict[str, Known] = {}
    for at in plan.rungs:
        rung = _opened(definition, url, plan, at)
        logger.info("Training %s.", rung.name)
        found = _ladders(rung, plan, at, known, options, display)
        best = {kind: best_rate(own) for kind, (own,) in rungs_by_type(found).items()}
        known |= {kind: (at, lr) for kind, lr in best.items() if lr is not None}
        runs += found
        trained[at] = len(found)
    return scaled(runs, plan.axis, plan.to, plan.fixed, plan.cost(trained), best=plan.best)


def _ladders(
    rung: StoredStudy, plan: Plan, at: float, known: Mapping[str, Known], options: RunOptions, display: Display
) -> list[ScaleRun]:
    """Train a rung: the ladder of each type, then the rates that refine it."""
    ladders = {own.scheduler: plan.rates(own, at, known.get(own.scheduler)) for own in plan.entrants}
    wanted = [own.at(plan.ratio(at), lr) for own in plan.entrants for lr in ladders[own.scheduler]]
    while True:
        rung = _trained(rung, wanted, options, display)
        found = short_runs.of(rung, at)
        by_type = rungs_by_type(found)
        wanted = [
            own.at(plan.ratio(at), lr)
            for own in plan.entrants
            for of_type in by_type.get(own.scheduler, [])
            for lr in refined(of_type, len(ladders[own.scheduler]))
        ]
        if not wanted:
            return found


def check(
    definition: Definition, url: str, plan: Plan, found: Scaled, options: RunOptions, display: Display
) -> list[AtTarget]:
    """Train three rates around a prediction at the target, on two seeds.

    Args:
        definition: Of the study.
        url: The storage.
        plan: What the prediction was made from.
        found: The prediction.
        options: How to train, and where.
        display: Shows how it goes.

    Raises:
        InputError: There is no prediction.
    """
    best = found.recommended
    if best is None or best.prediction is None:
        raise input_error("scale", "there is no prediction to test: every type was refused", key="--check")
    entrant = next(own for own in plan.entrants if own.scheduler == best.scheduler)
    rung = _opened(definition, url, _test_of(plan), plan.to)
    rates = [float(f"{best.prediction.lr * by:.4g}") for by in (0.5, 1.0, 2.0)]
    rung = _trained(rung, [entrant.at(plan.ratio(plan.to), lr) for lr in rates], options, display)
    return scale_record.at_target(rung, plan.to, rates)


def _test_of(plan: Plan) -> Plan:
    """The plan with the seeds of a test at the target."""
    return replace(plan, seeds=TESTING_SEEDS)


def name_of(definition: Definition, plan: Plan, at: float) -> str:
    """The name of the linked study at a place of the axis.

    Args:
        definition: Of the study.
        plan: What grows, and on how many seeds.
        at: The place.
    """
    fixed = "" if plan.axis == "epochs" else f", {plan.fixed} fixed"
    return f"{definition.study.name}/scale {plan.axis}={at:g}, {plan.seeds} seeds{fixed}"


def _opened(definition: Definition, url: str, plan: Plan, at: float) -> StoredStudy:
    """The linked study of a rung, made if it is not there."""
    search, name = definition.study.name, name_of(definition, plan, at)
    seeds = confirmation.fresh_seeds(definition, plan.seeds)
    definition = placed(definition, plan, at)
    parts = {
        "study": definition.study.model_copy(update={"name": name, "trials": 1}),
        "training": definition.training.model_copy(update={"seeds": seeds}),
        "search": definition.search.model_copy(
            update={
                "lr": WIDE,
                "schedulers": [own.scheduler for own in plan.entrants],
                "parameters": {**definition.search.parameters, "lambda": {"decay": ANY_DECAY}},
            }
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
