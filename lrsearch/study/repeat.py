"""A trial of a study, as a single run that does the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from optuna.trial import TrialState

from lrsearch.errors import InputError, input_error
from lrsearch.sampling.space import settings_from
from lrsearch.storage.attributes import DEVICE, ENGINE, PLACE, SEED_VALUES, THREADS
from lrsearch.study import compatibility, status
from lrsearch.study.ranking import is_diverged
from lrsearch.study.stored import StoredStudy


@dataclass(frozen=True)
class Repeatable:
    """What is needed to do a trial again.

    Attributes:
        number: The trial's number.
        document: For `training.definition.parse`: the study's task and training section with the first of its
            seeds, the trial's learning rate, scheduler and parameters.
        value: Last test metric that the study stored for that seed; None if the trial did not get that far.
        engine: Which engine trained it; only the same one repeats it to the last bit.
        threads: torch's thread count then.
        device: What it was trained on.
        place: Where it stood in its generation.
    """

    number: int
    document: dict[str, Any]
    value: float | None
    engine: str
    threads: int
    device: str
    place: int


def repeatable(stored: StoredStudy, number: int | None) -> Repeatable:
    """A trial of a study, ready to be done again.

    Args:
        stored: The study.
        number: Which trial; by default the best.

    Raises:
        InputError: There is no such trial, what is stored does not say how it was trained, or this lrsearch trains
            differently (`compatibility.check_version`).
    """
    source = f"study {stored.name}"
    if stored.definition is None:
        raise input_error(source, "was not created by lrsearch, so it does not say how to train")
    compatibility.check_version(stored)
    trial = status.best(stored) if number is None else stored.trial(number)
    if trial is None:
        raise input_error(source, "has no complete trial yet that did not diverge; name one with --trial")
    try:
        settings = settings_from(trial.params)
    except KeyError:
        raise input_error(source, f"trial {trial.number} has no settings yet") from None
    except InputError as error:
        raise InputError(f"{source}, trial {trial.number}", error.faults) from None
    sections = stored.definition.document()
    # The seeds of a trial end together, so one that diverged may have cut the first one short.
    whole = trial.state == TrialState.COMPLETE and not is_diverged(trial)
    values = trial.user_attrs.get(SEED_VALUES) if whole else None
    if whole and stored.score:
        values = [trial.intermediate_values[max(trial.intermediate_values)]]  # it has one seed, and is valued elsewhere
    return Repeatable(
        number=trial.number,
        document={
            "task": sections["task"],
            "training": {**sections["training"], "seeds": list(settings.seeds(stored.definition.training.seeds)[:1])},
            "lr": settings.lr,
            "scheduler": settings.schedule.name,
            "parameters": settings.schedule.values(),
        },
        value=values[0] if values else None,
        engine=str(trial.user_attrs.get(ENGINE, "sequential")),
        threads=int(trial.user_attrs.get(THREADS, 1)),
        device=str(trial.user_attrs.get(DEVICE, "cpu")),
        place=int(trial.user_attrs.get(PLACE, 0)),
    )
