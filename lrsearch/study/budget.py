"""The study's budget: its trials in all, however many runs share them."""

from __future__ import annotations

from lrsearch.errors import InputError, input_error
from lrsearch.registry import samplers
from lrsearch.sampling.ask import chosen, trials_to_train
from lrsearch.storage.attributes import BUDGET
from lrsearch.storage.choice import trial_store
from lrsearch.storage.past_trials import key_of
from lrsearch.storage.store import settings_key
from lrsearch.study.status import count
from lrsearch.study.stored import StoredStudy, load, redefine


def set_budget(stored: StoredStudy, trials: int) -> StoredStudy:
    """The study with another number of trials in all.

    Args:
        stored: The study.
        trials: Its new total.

    Raises:
        InputError: More trials are claimed already.
    """
    assert stored.definition is not None
    if (origin := stored.origin) is not None:
        rule = f"belongs to study {origin}; for more seeds or finalists: lrsearch study confirm"
        raise input_error(f"study {stored.name}", rule, key="--trials", received=str(trials))
    if trials == stored.definition.trials:
        return stored
    done = count(stored).claimed
    if trials < done:
        rule = f"is the study's total and cannot be below the {done} trials that it has"
        raise input_error("command line", rule, key="--trials", received=str(trials))
    if faults := samplers.get(stored.definition.sampler.name).faults(
        stored.definition.search, trials - len(stored.definition.tries)
    ):
        raise InputError("command line", faults)
    there = stored.trials()
    known = {key_of(trial) for trial in there}  # a process that did the same may have been ended in the middle
    added = chosen(stored.definition, stored.definition.trials, trials)
    more = [params for params in added if settings_key(params) not in known]
    if more and not trial_store(stored.study, stored.storage, patience=stored.patience).enqueue(more, there=len(there)):
        return set_budget(load(stored.storage, stored.name), trials)  # somebody else may have done the same
    section = stored.definition.study.model_copy(update={"trials": trials})
    definition = stored.definition.model_copy(update={"study": section})
    stored.remember(BUDGET, trials_to_train(definition))  # first: a study that is ended here is only larger
    return redefine(stored, definition)
