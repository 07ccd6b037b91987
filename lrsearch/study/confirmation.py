"""Confirmation: the finalists of a search, trained again on fresh seeds and scored on rows that it never saw.

It is a linked study beside the search, ``NAME/confirm``, with a trial for each finalist and seed, run like any other.
So kills, workers and budgets are its own. It goes on in rounds (`rounds`) until its question is answered
(`confirmed_runs.Confirmation`): when all its trials have ended, whoever trained them lets it `go_on`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import count, islice
from typing import Any

from lrsearch.errors import input_error
from lrsearch.sampling.ask import trials_to_train
from lrsearch.sampling.space import SEED
from lrsearch.storage.attributes import (
    CHOSEN_FROM,
    CONSTANT_PREDICTION,
    FINALISTS,
    PLAN,
    RETRIES_ASKED_FOR,
)
from lrsearch.study import closing, failed_cells, flanks, linked, linked_study, middle, rounds, status
from lrsearch.study import open as opening
from lrsearch.study import stored as studies
from lrsearch.study.confirmed_runs import confirmation_of
from lrsearch.study.finalists import Finalist, finalists, lr_range, merged
from lrsearch.study.plan import Plan, begun, exactly, joined
from lrsearch.study.scoring import constant_prediction_of, scoring
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file.axes import Range
from lrsearch.study_file.model import ConfirmSection, Definition, PluginSection

FIRST_SEED = 1000
"""Fresh seeds count up from here, the same for all studies, so that two of them can be compared seed by seed."""
DEFAULT_TOP = ConfirmSection().top
"""Where a person asks for a confirmation that her file does not want."""


def prepare(stored: StoredStudy, top: int | None = None, seeds: int | None = None) -> StoredStudy:
    """The linked study to run.

    Asked again, it adds what is new: more seeds, more finalists, those of a search that has gone on. Nothing that is
    there is trained again.

    Args:
        stored: The search.
        top: How many of its best settings are finalists; by default what its ``[confirm]`` section says, or 5.
        seeds: On exactly how many fresh seeds they are trained; by default what the section says, or as many as it
            takes.

    Raises:
        InputError: The study cannot be confirmed: lrsearch did not create it, it is a linked study, no trial was
            trained to the end, or this process may not train it (`compatibility.check`).
    """
    own = _definition(stored).confirm
    if status.best(stored) is None:
        raise input_error(f"study {stored.name}", "has no complete trial yet that did not diverge: nothing to confirm")
    opening.task_of(stored)
    made = _opened(stored)
    there = made.reader.attributes()
    exact = seeds or own.seeds
    before = [Finalist.of(entry) for entry in there.get(FINALISTS, [])]
    chosen = merged(before, finalists(stored, top or own.top or DEFAULT_TOP))
    if PLAN in there:
        entries, plan = joined(before, chosen, Plan.of(there[PLAN]))
        if exact is not None and exact != plan.seeds:
            entries, plan = exactly(entries, plan, exact)
    else:
        entries, plan = begun(chosen, exact, _searched(stored))
    made.remember(CHOSEN_FROM, _search_of(stored))
    return _planned(stored, made, entries, plan)


def go_on(stored: StoredStudy) -> StoredStudy | None:
    """Plan the next round, if all that was planned is there.

    Args:
        stored: The search.

    Returns:
        The linked study, if there is something to train; None if its question is answered.
    """
    made = studies.linked(stored, "confirm")
    found = confirmation_of(stored)
    if made is None or found is None or found.plan is None:
        return None
    after = closing.advanced(found, partial(_seeds, stored, made))
    entries = after.entries
    if _definition(stored).confirm.valley:
        entries = closing.close(made, found, after, _seeds(stored, made, entries))
    made = _planned(stored, made, entries, after.plan)
    return None if after.plan.done and status.count(made).is_done else made


def next_of(linked: StoredStudy) -> StoredStudy | None:
    """What comes when all trials of a study have ended: the next round of a confirmation, of any other study nothing.

    Args:
        linked: Any study.

    Returns:
        The same study, if there is something to train.
    """
    if not linked.is_confirmation or linked.trains_contestants or linked.origin is None:
        return None
    return go_on(studies.load(linked.storage, linked.origin, linked.patience))


def is_wanted(stored: StoredStudy) -> bool:
    """Whether a study is to be confirmed by whoever runs it, and is ready for that.

    Its file does not say no, its search is over and has found something, and the confirmation of what it has found is
    not there yet, or not finished.

    Args:
        stored: The study.
    """
    if stored.definition is None or not stored.definition.confirm.top or stored.origin is not None:
        return False
    if not status.count(stored).is_done or failed_cells.only_failed(stored):
        return False
    confirmed = studies.linked(stored, "confirm")
    if confirmed is None or confirmed.definition is None:
        return status.best(stored) is not None
    there, wanted = confirmed.reader.attributes(), stored.definition.confirm.seeds
    if wanted is not None and len(confirmed.definition.training.seeds) < wanted:
        return True
    done = Plan.of(there[PLAN]).done if PLAN in there else True
    return not done or there.get(CHOSEN_FROM) != _search_of(stored) or not status.count(confirmed).is_done


def advance(stored: StoredStudy) -> None:
    """Make what a wanted confirmation needs next, for those who train whatever a storage has.

    Args:
        stored: The search.

    Raises:
        InputError: See `prepare`.
    """
    prepare(stored)
    go_on(stored)


def runs(definition: Definition) -> int:
    """How many runs a confirmation takes about: the ladder's other constant rates come on top, two runs each.

    The rates beside the recommended one (`flanks`, `middle`) are among them.

    Args:
        definition: Of the search.
    """
    section = definition.confirm
    if not section.top:
        return 0
    entrants = section.top + len(definition.tries)
    beside = flanks.cost(section.seeds) + middle.cost(section.seeds) if section.valley else 0
    if section.seeds is not None:
        return (entrants + rounds.CONSTANTS) * section.seeds + beside
    searched = 0.0 if definition.is_pruned else trials_to_train(definition) * len(definition.training.seeds)
    return rounds.budget(searched, entrants) + beside


def fresh_seeds(definition: Definition, number: int) -> list[int]:
    """Seeds that no trial of the search has seen; more of them begin with the same ones.

    Args:
        definition: Of the search.
        number: How many.
    """
    return list(islice((seed for seed in count(FIRST_SEED) if seed not in definition.training.seeds), number))


def _definition(stored: StoredStudy) -> Definition:
    if stored.definition is None:
        rule = (
            "was not created by lrsearch, so it does not say how to train; it can be confirmed with --command, or with "
        )
        raise input_error(f"study {stored.name}", rule + "its objective in Python: lrsearch.confirm(objective, study)")
    if (origin := stored.origin) is not None:
        raise input_error(f"study {stored.name}", f"belongs to study {origin}: confirm that one")
    return stored.definition


def _searched(stored: StoredStudy) -> float:
    """What a search has cost, in runs of all epochs on one seed."""
    training = _definition(stored).training
    epochs = status.epochs_trained(stored.trials(), stored.evaluations_per_epoch)
    return epochs * len(training.seeds) / training.epochs


def _planned(stored: StoredStudy, made: StoredStudy, entries: Sequence[Finalist], plan: Plan) -> StoredStudy:
    """Store a plan, and let what it needs wait to be trained; what is there stays.

    Several processes may be at this at once, and each may be killed: so every step can be repeated, and the definition
    comes last. Without it no worker takes trials.
    """
    definition = _definition(stored)
    made.remember(FINALISTS, [finalist.entry() for finalist in entries])
    made.remember(PLAN, plan.document())
    fresh = _seeds(stored, made, entries)
    wanted = [
        {**finalist.params, SEED: seed}
        for place, seed in enumerate(fresh)
        for finalist in entries
        if finalist.seeds is None or place < finalist.seeds
    ]
    total = linked_study.enqueue(made, wanted)
    types = [*definition.search.schedulers, "constant"]
    low, high = lr_range(entries)
    search = {
        "schedulers": list(dict.fromkeys(types)),
        "lr": Range(low=low, high=high, log=True),
        "options": definition.search.options.with_rates(low, high),
    }
    trained = {
        "search": definition.search.model_copy(update=search),
        "sampler": PluginSection(name="random"),
        "training": definition.training.model_copy(update={"seeds": fresh}),
    }
    return studies.redefine(made, linked_study.like(definition, total).model_copy(update=trained))


def _seeds(stored: StoredStudy, made: StoredStudy, entries: Sequence[Finalist]) -> list[int]:
    """The fresh seeds that some finalists need, behind those that are there."""
    there = made.definition.training.seeds if made.definition else []
    most = max(finalist.seeds or len(there) for finalist in entries)
    return list(dict.fromkeys([*there, *fresh_seeds(_definition(stored), most)]))


def _search_of(stored: StoredStudy) -> list[Any]:
    """What the finalists depend on; cheap to read."""
    again = stored.reader.attributes().get(RETRIES_ASKED_FOR)
    return [status.count(stored).finished, sorted(stored.excluded()), *([again] if again else [])]


def _opened(stored: StoredStudy) -> StoredStudy:
    """The study that confirms another one, made if it is not there; see `_planned` for why in these steps."""
    definition = _definition(stored)
    made = linked_study.opened(stored, linked.name_of(stored.name, "confirm"), "confirm", scoring(definition))
    if CONSTANT_PREDICTION not in made.reader.attributes():
        made.remember(CONSTANT_PREDICTION, constant_prediction_of(made, definition))
    return made
