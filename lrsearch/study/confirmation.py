"""Confirmation: the finalists of a search, trained again on fresh seeds and scored on rows that it never saw.

It is two linked studies beside the search, each run like any other: ``NAME/constant``, a grid of constant rates where
the search had none, and ``NAME/confirm``, a trial for each finalist and seed. So kills, workers and budgets are theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import count, islice
from typing import Any, Literal

import optuna
from optuna.trial import FrozenTrial

from lrsearch.errors import input_error
from lrsearch.sampling.space import SEED, Space
from lrsearch.storage.attributes import (
    CHOSEN_FROM,
    CONSTANT_PREDICTION,
    DATA,
    FINALISTS,
    METRIC,
    ORIGIN,
    RETRIED,
    VERSION,
)
from lrsearch.storage.choice import trial_store
from lrsearch.storage.tables import FIXED_PARAMS
from lrsearch.study import linked, ranking, status
from lrsearch.study import open as opening
from lrsearch.study import stored as studies
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file.axes import Choices, Range
from lrsearch.study_file.model import ConfirmSection, Definition, PluginSection, SearchSection

FIRST_SEED = 1000
"""Fresh seeds count up from here, the same for all studies, so that two of them can be compared seed by seed."""
GRID_POINTS = 9
"""Constant rates that are tried where the search had none."""
DEFAULT_TOP = ConfirmSection().top
"""Where a person asks for a confirmation that her file does not want."""
NEVER = ConfirmSection(top=0)
"""What linked studies have: a confirmation is not confirmed."""
CLOSE = 2
"""Settings among the best `top` times this many are close: there another scheduler type goes before a better value."""


@dataclass(frozen=True)
class Finalist:
    """Settings that are trained again.

    Attributes:
        params: Their Optuna parameters, without a seed.
        role: ``search``: among its best; ``try``: a tried setting of the study file; ``constant``: the best constant
            rate, if it is none of those.
        number: The trial of the search that was trained with them; None if none was.
        value: What that trial came to; None if it was not trained to the end.
    """

    params: dict[str, Any]
    role: Literal["search", "try", "constant"]
    number: int | None
    value: float | None

    @property
    def key(self) -> frozenset[tuple[str, Any]]:
        """Equal for equal settings."""
        return frozenset(self.params.items())


def prepare(stored: StoredStudy, top: int | None = None, seeds: int | None = None) -> Iterator[StoredStudy]:
    """The linked studies to run, one after the other: the second one's trials depend on what the first came to.

    Asked again, it adds what is new: more seeds, more finalists, those of a search that has gone on. Nothing that is
    there is trained again.

    Args:
        stored: The search.
        top: How many of its best settings are finalists; by default what its ``[confirm]`` section says, or 5.
        seeds: How many fresh seeds each is trained on; the same default.

    Raises:
        InputError: The study cannot be confirmed: lrsearch did not create it, it is a linked study, no trial was
            trained to the end, or this process may not train it (`compatibility.check`).
    """
    own = _definition(stored).confirm
    if status.best(stored) is None:
        raise input_error(f"study {stored.name}", "has no complete trial yet that did not diverge: nothing to confirm")
    opening.task_of(stored)
    baseline = None
    if _best_constant(stored) is None:
        baseline = _grid_of_constants(stored)
        yield baseline
    yield _confirmation(stored, finalists(stored, baseline, top or own.top or DEFAULT_TOP), seeds or own.seeds)


def is_wanted(stored: StoredStudy) -> bool:
    """Whether a study is to be confirmed by whoever runs it, and is ready for that.

    Its file does not say no, its search is over and has found something, and the confirmation of what it has found is
    not there yet, or not finished.

    Args:
        stored: The study.
    """
    if stored.definition is None or not stored.definition.confirm.top or stored.origin is not None:
        return False
    if not status.count(stored).is_done:
        return False
    confirmed = studies.linked(stored, "confirm")
    if confirmed is None or confirmed.definition is None:
        return status.best(stored) is not None
    if len(confirmed.definition.training.seeds) < stored.definition.confirm.seeds:
        return True
    same = confirmed.reader.attributes().get(CHOSEN_FROM) == _search_of(stored)
    return not same or not status.count(confirmed).is_done


def advance(stored: StoredStudy) -> None:
    """Make what a wanted confirmation needs next, for those who train whatever a storage has.

    Args:
        stored: The search.

    Raises:
        InputError: See `prepare`.
    """
    for part in prepare(stored):
        if not status.count(part).is_done:
            return


def runs(definition: Definition) -> int:
    """How many runs a confirmation has at most: finalists times fresh seeds.

    Args:
        definition: Of the search.
    """
    section = definition.confirm
    return (section.top + len(definition.tries) + 1) * section.seeds if section.top else 0


def finalists(stored: StoredStudy, baseline: StoredStudy | None, top: int) -> list[Finalist]:
    """The settings to train again: the search's best, the tried ones, and the best constant rate; each once.

    Args:
        stored: The search.
        baseline: Its grid of constant rates; None if the search has a constant rate of its own.
        top: How many of the search's best.
    """
    chosen = [_finalist(trial, "search") for trial in _spread(_ranked(stored), top)]
    space, trials, excluded = Space.of(_definition(stored)), stored.trials(), stored.excluded()
    for entry in _definition(stored).tries:
        params = space.params_of(entry)
        alike = (trial for trial in trials if trial.params == params)
        trained = next((trial for trial in alike if ranking.may_be_best(trial, excluded)), None)
        chosen.append(_finalist(trained, "try") if trained else Finalist(params, "try", None, None))
    constant = _best_constant(baseline or stored)
    if constant is not None:
        number = None if baseline else constant.number
        chosen.append(replace(_finalist(constant, "constant"), number=number))
    first: dict[frozenset[tuple[str, Any]], Finalist] = {}
    for finalist in chosen:
        first.setdefault(finalist.key, finalist)
    return list(first.values())


def fresh_seeds(definition: Definition, number: int) -> list[int]:
    """Seeds that no trial of the search has seen; more of them begin with the same ones.

    Args:
        definition: Of the search.
        number: How many.
    """
    return list(islice((seed for seed in count(FIRST_SEED) if seed not in definition.training.seeds), number))


def _definition(stored: StoredStudy) -> Definition:
    if stored.definition is None:
        raise input_error(f"study {stored.name}", "was not created by lrsearch, so it does not say how to train")
    if (origin := stored.origin) is not None:
        raise input_error(f"study {stored.name}", f"belongs to study {origin}: confirm that one")
    return stored.definition


def _ranked(stored: StoredStudy) -> list[FrozenTrial]:
    """The trials that may be finalists, best first, each setting once."""
    best: dict[frozenset[tuple[str, Any]], FrozenTrial] = {}
    for trial in ranking.ranked(stored.trials(), stored.excluded(), maximise=stored.maximises):
        best.setdefault(frozenset(trial.params.items()), trial)
    return list(best.values())


def _spread(ranked: Sequence[FrozenTrial], top: int) -> list[FrozenTrial]:
    """The best, spread over scheduler types: among those that are close each type's best goes first."""
    close = ranked[: CLOSE * top]
    first = list({trial.params["scheduler"]: trial for trial in reversed(close)}.values())
    first.sort(key=close.index)
    rest = [trial for trial in ranked if trial not in first]
    return sorted([*first, *rest][:top], key=ranked.index)


def _best_constant(stored: StoredStudy) -> FrozenTrial | None:
    return next((trial for trial in _ranked(stored) if trial.params["scheduler"] == "constant"), None)


def _finalist(trial: FrozenTrial, role: Literal["search", "try", "constant"]) -> Finalist:
    return Finalist(dict(trial.params), role, trial.number, trial.values[0])


def _grid_of_constants(stored: StoredStudy) -> StoredStudy:
    """Constant rates over the range of the search, on its own seeds and test rows, as a study of its own."""
    definition = _definition(stored)
    lr = definition.search.lr
    if isinstance(lr, Range):
        lr = lr.model_copy(update={"steps": GRID_POINTS})
    points = lr.grid() if isinstance(lr, (Range, Choices)) else [lr]
    made = _opened(stored, "constant", {})
    total = _enqueue(made, [{"lr": point, "scheduler": "constant"} for point in points])
    grid = {"search": SearchSection(lr=lr, schedulers=["constant"]), "sampler": PluginSection(name="grid")}
    return studies.redefine(made, _linked(definition, total).model_copy(update=grid))


def _confirmation(stored: StoredStudy, chosen: Sequence[Finalist], seeds: int) -> StoredStudy:
    """A trial for each finalist and seed; what an earlier confirmation had is kept."""
    definition = _definition(stored)
    made = _opened(stored, "confirm", _scoring(definition))
    if CONSTANT_PREDICTION not in made.reader.attributes():
        made.remember(CONSTANT_PREDICTION, _constant_prediction(made, definition))
    before = [Finalist(**entry) for entry in made.reader.attributes().get(FINALISTS, [])]
    known = {finalist.key: finalist for finalist in (*before, *chosen)}
    there = made.definition.training.seeds if made.definition else []
    fresh = list(dict.fromkeys([*there, *fresh_seeds(definition, seeds)]))
    made.remember(FINALISTS, [asdict(finalist) for finalist in known.values()])
    total = _enqueue(made, [{**finalist.params, SEED: seed} for seed in fresh for finalist in known.values()])
    types = [*definition.search.schedulers, "constant"]
    trained = {
        "search": definition.search.model_copy(update={"schedulers": list(dict.fromkeys(types))}),
        "sampler": PluginSection(name="random"),
        "training": definition.training.model_copy(update={"seeds": fresh}),
    }
    made.remember(CHOSEN_FROM, _search_of(stored))
    return studies.redefine(made, _linked(definition, total).model_copy(update=trained))


def _search_of(stored: StoredStudy) -> list[Any]:
    """What the finalists depend on; cheap to read."""
    return [status.count(stored).finished, sorted(stored.excluded())]


def _scoring(definition: Definition) -> dict[str, Any]:
    """Which rows score a confirmation, how many those are, and why they are no holdout rows if they are not."""
    from lrsearch.tasks.data import Streamed
    from lrsearch.tasks.data import count as rows_of  # torch takes a while

    task = opening.build_task(definition)
    if task.holdout is None:
        return {"rows": "test", "row_count": rows_of(task.test), "reason": "the task has no holdout rows"}
    if isinstance(task.test, Streamed) or isinstance(task.holdout, Streamed):
        reason = "holdout rows that a DataLoader reads cannot be scored beside the test rows"
        return {"rows": "test", "row_count": rows_of(task.test), "reason": reason}
    return {"rows": "holdout", "row_count": rows_of(task.holdout)}


def _constant_prediction(made: StoredStudy, definition: Definition) -> dict[str, Any] | None:
    """What a network that has learned nothing would come to on the rows that score a confirmation."""
    from lrsearch.tasks.constant_prediction import constant_prediction  # torch takes a while

    task = opening.build_task(definition)
    rows = task.test if made.score is None or task.holdout is None else task.holdout
    found = constant_prediction(task, rows, maximise=made.maximises)
    return None if found is None else asdict(found)


def _linked(definition: Definition, trials: int) -> Definition:
    """The definition of a linked study: trained like the search, and nothing is pruned, tried or confirmed."""
    section = definition.study.model_copy(update={"trials": trials})
    return definition.model_copy(
        update={"study": section, "pruner": PluginSection(name="none"), "tries": [], "confirm": NEVER}
    )


def _opened(stored: StoredStudy, role: linked.Role, scoring: Mapping[str, Any]) -> StoredStudy:
    """A study's linked study, made if it is not there.

    Several processes may be at this at once, and each may be killed: so every step can be repeated, and the definition
    comes last (`studies.redefine`). Without it no worker takes trials.
    """
    name = linked.name_of(stored.name, role)
    direction, storage = stored.direction, stored.storage
    stored.patience(
        lambda: optuna.create_study(study_name=name, storage=storage, direction=direction, load_if_exists=True)
    )
    made = studies.load(storage, name)
    there = made.reader.attributes()
    link = {"study": stored.name, "role": role, **scoring}
    if there.get(ORIGIN, link)["study"] != stored.name or (ORIGIN not in there and (there or made.trials())):
        rule = f"this name is needed for a part of study {stored.name}: delete or rename what has it"
        raise input_error("study confirm", rule, received=f'"{name}"')
    for key, value in {ORIGIN: link, METRIC: stored.metric, VERSION: stored.version, DATA: stored.data}.items():
        if key not in there:
            made.remember(key, value)
    return made


def _enqueue(stored: StoredStudy, wanted: Sequence[dict[str, Any]]) -> int:
    """Let settings wait that no trial has.

    Returns:
        The study's trials in all, so that none is drawn beyond them.
    """
    while True:
        trials = stored.trials()
        there = [_key(trial) for trial in trials if RETRIED not in trial.user_attrs]
        missing = [params for params in wanted if frozenset(params.items()) not in there]
        if not missing or trial_store(stored.study, stored.storage).enqueue(missing, there=len(trials)):
            return len(there) + len(missing)


def _key(trial: FrozenTrial) -> frozenset[tuple[str, Any]]:
    fixed = trial.system_attrs.get(FIXED_PARAMS, {})
    return frozenset({**fixed, **trial.params}.items())
