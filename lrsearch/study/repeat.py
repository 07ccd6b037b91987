"""A trial of a study, or what the study recommends, as a single run that does the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from optuna.trial import FrozenTrial, TrialState

from lrsearch.errors import InputError, input_error
from lrsearch.sampling.space import Settings, settings_from
from lrsearch.storage.attributes import DEVICE, ENGINE, PLACE, SEED_VALUES, THREADS
from lrsearch.study import compatibility
from lrsearch.study.confirmed_runs import last_test
from lrsearch.study.contestants import training_of
from lrsearch.study.ranking import is_diverged
from lrsearch.study.recommendation import best_settings
from lrsearch.study.recommended_settings import Recommendation
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file.applied import applied
from lrsearch.study_file.model import MOST_THREADS


@dataclass(frozen=True)
class Repeatable:
    """What is needed to do a trial again.

    Attributes:
        number: The trial's number; None for the recommended settings on the study's first seed.
        document: For `training.definition.parse`: the study's task and training section with the first of its
            seeds, the trial's learning rate, scheduler and parameters.
        value: Last test metric that the study stored for that seed; None if the trial did not get that far.
        engine: Which engine trained it; only the same one repeats it to the last bit.
        threads: torch's thread count then.
        device: What it was trained on.
        place: Where it stood in its generation.
        recommended: What the study recommends, if that is what is trained.
        keep: Which epoch's weights are kept, as the study judges.
    """

    number: int | None
    document: dict[str, Any]
    value: float | None
    engine: str
    threads: int
    device: str
    place: int
    recommended: Recommendation | None = None
    keep: Literal["last", "best"] = "last"


def repeatable(stored: StoredStudy, number: int | None) -> Repeatable:
    """A trial of a study, or its recommended settings, ready to be trained.

    Args:
        stored: The study.
        number: Which trial; by default none, but the recommended settings.

    Raises:
        InputError: There is no such trial, what is stored does not say how it was trained, or this lrsearch trains
            differently (`compatibility.check_version`).
    """
    source = f"study {stored.name}"
    if stored.definition is None:
        raise input_error(source, "was not created by lrsearch, so it does not say how to train")
    if stored.definition.command is not None:
        rule = "runs a command, so it has no task to train here; run the command with what lrsearch study best says"
        raise input_error(source, rule)
    compatibility.check_version(stored)
    return _recommended(stored) if number is None else _trial(stored, stored.trial(number))


def _recommended(stored: StoredStudy) -> Repeatable:
    found = best_settings(stored)
    settings = settings_from(found.params)
    document = _document(stored, settings, found.params)
    return Repeatable(None, document, None, "sequential", 1, "cpu", 0, found, _keep(stored))


def _trial(stored: StoredStudy, trial: FrozenTrial) -> Repeatable:
    source = f"study {stored.name}"
    try:
        settings = settings_from(trial.params)
    except KeyError:
        raise input_error(source, f"trial {trial.number} has no settings yet") from None
    except InputError as error:
        raise InputError(f"{source}, trial {trial.number}", error.faults) from None
    # The seeds of a trial end together, so one that diverged may have cut the first one short.
    whole = trial.state == TrialState.COMPLETE and not is_diverged(trial)
    values = trial.user_attrs.get(SEED_VALUES) if whole else None
    if whole and stored.score:
        # It has one seed, and is valued on other rows. Where half of the test rows chose, nothing here looks at those.
        values = None if stored.is_halved else [last_test(trial)]
    return Repeatable(
        number=trial.number,
        document=_document(stored, settings, trial.params),
        value=values[0] if values else None,
        engine=_loop_of(str(trial.user_attrs.get(ENGINE, "sequential"))),
        threads=_stored(trial, THREADS, 1, 1, MOST_THREADS),
        device=str(trial.user_attrs.get(DEVICE, "cpu")),
        place=_stored(trial, PLACE, 0, 0, 2**31),
        keep=_keep(stored),
    )


def _keep(stored: StoredStudy) -> Literal["last", "best"]:
    assert stored.definition is not None
    return stored.definition.study.value


def _loop_of(engine: str) -> str:
    """What repeats a trial to the last bit: the parallel engine's processes train with the sequential loop."""
    return "sequential" if engine == "parallel" else engine


def _stored(trial: FrozenTrial, key: str, default: int, low: int, high: int) -> int:
    """A whole number that a trial stores."""
    value = trial.user_attrs.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise input_error(f"trial {trial.number}", f"must be from {low} to {high}", key=key, received=repr(value))
    return value


def _document(stored: StoredStudy, settings: Settings, params: Mapping[str, Any]) -> dict[str, Any]:
    assert stored.definition is not None
    own = applied(stored.definition, settings.further)
    sections = own.model_copy(update={"training": training_of(own.training, params)}).document()
    return {
        "task": sections["task"],
        "training": {**sections["training"], "seeds": list(settings.seeds(stored.definition.training.seeds)[:1])},
        "lr": settings.lr,
        "scheduler": settings.schedule.name,
        "parameters": settings.schedule.values(),
    }
