"""Confirmation of a study that lrsearch did not create: its objective is called again, with finalists and fresh seeds.

The same rounds as in `confirmation`, and the same linked study ``NAME/confirm``; only what calls for a definition is
done in another way: nobody but who has the objective can train, so the plan alone says what waits.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import optuna
from optuna.trial import FrozenTrial, TrialState

from lrsearch.errors import input_error
from lrsearch.sampling.space import SEED
from lrsearch.storage.attributes import FINALISTS, METRIC, ORIGIN, PLAN, RATE_PARAMETER, SEEDS
from lrsearch.study import closing, linked, linked_study, status
from lrsearch.study import stored as studies
from lrsearch.study.confirmation import DEFAULT_TOP, FIRST_SEED
from lrsearch.study.confirmed_runs import confirmation_of
from lrsearch.study.finalists import Finalist, finalists, merged
from lrsearch.study.plan import Plan, begun, exactly, joined
from lrsearch.study.stored import StoredStudy


def prepare(
    stored: StoredStudy, top: int | None = None, seeds: int | None = None, rate: str | None = None
) -> StoredStudy:
    """The linked study, with the first runs waiting; asked again, it adds what is new.

    Args:
        stored: The study to confirm.
        top: How many of its best settings are finalists; 5 by default.
        seeds: On exactly how many fresh seeds; by default as many as it takes.
        rate: Its parameter that plays the learning rate; None where that is not known.

    Raises:
        InputError: The study cannot be confirmed in this way.
    """
    _check(stored)
    made = _opened(stored)
    there = made.reader.attributes()
    if rate is not None and there.get(RATE_PARAMETER) != rate:
        made.remember(RATE_PARAMETER, rate)
    before = [Finalist.of(entry) for entry in there.get(FINALISTS, [])]
    chosen = merged(before, finalists(stored, top or DEFAULT_TOP))
    if PLAN in there:
        entries, plan = joined(before, chosen, Plan.of(there[PLAN]))
        if seeds is not None and seeds != plan.seeds:
            entries, plan = exactly(entries, plan, seeds)
    else:
        entries, plan = begun(chosen, seeds, _searched(stored.trials()))
    _store(made, entries, plan)
    return made


def named_rate(stored: StoredStudy) -> str | None:
    """The parameter that plays the learning rate, as it was said or found when the study was confirmed.

    Args:
        stored: The study that is confirmed.
    """
    made = studies.linked(stored, "confirm")
    return None if made is None else made.reader.attributes().get(RATE_PARAMETER)


def go_on(stored: StoredStudy, *, valley: bool) -> StoredStudy | None:
    """Plan the next round, if all that was planned is there.

    Args:
        stored: The study that is confirmed.
        valley: Whether other rates are run, too, when the question is answered; see `closing`.

    Returns:
        The linked study, if something waits; None if the question is answered.
    """
    made, found = studies.linked(stored, "confirm"), confirmation_of(stored)
    if made is None or found is None or found.plan is None:
        return None
    after = closing.advanced(found, partial(_seeds, made))
    entries = closing.close(made, found, after, _seeds(made, after.entries)) if valley else after.entries
    _store(made, entries, after.plan)
    return None if after.plan.done and not status.count(made).waiting else made


def _check(stored: StoredStudy) -> None:
    source = f"study {stored.name}"
    if stored.definition is not None:
        raise input_error(source, "was created by lrsearch, which knows how to train it: use lrsearch.confirm_study")
    if (origin := stored.origin) is not None:
        raise input_error(source, f"belongs to study {origin}: confirm that one")
    if status.best(stored) is None:
        raise input_error(source, "has no complete trial yet that did not diverge: nothing to confirm")
    if any(SEED in trial.params for trial in stored.trials()):
        rule = "is a parameter of the objective, so that the luckiest seed was searched for; take lrsearch.seed(trial)"
        raise input_error(source, rule, key=SEED)


def _opened(stored: StoredStudy) -> StoredStudy:
    """The study that confirms another one, made if it is not there."""
    name, storage = linked.name_of(stored.name, "confirm"), stored.storage
    stored.patience(
        lambda: optuna.create_study(study_name=name, storage=storage, direction=stored.direction, load_if_exists=True)
    )
    made = studies.load(storage, name, stored.patience)
    trials = made.trials()  # before the attributes: who makes this study stores them first
    there = made.reader.attributes()
    link = {"study": stored.name, "role": "confirm", "rows": "test", "row_count": 0}
    if there.get(ORIGIN, link)["study"] != stored.name or (ORIGIN not in there and (there or trials)):
        rule = f"this name is needed for a part of study {stored.name}: delete or rename what has it"
        raise input_error("confirm", rule, received=f'"{name}"')
    for key, value in {ORIGIN: link, METRIC: stored.metric}.items():
        if key not in there:
            made.remember(key, value)
    return made


def _store(made: StoredStudy, entries: Sequence[Finalist], plan: Plan) -> None:
    """Store a plan, and let what it needs wait. Every step can be repeated."""
    fresh = _seeds(made, entries)
    made.remember(SEEDS, fresh)
    made.remember(FINALISTS, [finalist.entry() for finalist in entries])
    made.remember(PLAN, plan.document())
    wanted = [
        {**finalist.params, SEED: seed}
        for place, seed in enumerate(fresh)
        for finalist in entries
        if place < (finalist.seeds or len(fresh))
    ]
    linked_study.enqueue(made, wanted)


def _seeds(made: StoredStudy, entries: Sequence[Finalist]) -> list[int]:
    there: list[int] = made.reader.attributes().get(SEEDS, [])
    most = max([len(there), *(finalist.seeds or 0 for finalist in entries)])
    return list(range(FIRST_SEED, FIRST_SEED + most))


def _searched(trials: Sequence[FrozenTrial]) -> float:
    """What a search has cost, in runs to the end; a trial that was pruned counts by the steps that it reported."""
    longest = max((max(trial.intermediate_values, default=0) for trial in trials), default=0)
    pruned = [max(trial.intermediate_values, default=0) for trial in trials if trial.state == TrialState.PRUNED]
    complete = sum(trial.state == TrialState.COMPLETE for trial in trials)
    return complete + (sum(pruned) / longest if longest else 0.0)
