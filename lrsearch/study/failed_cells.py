"""Settings that a person asked for, in a grid or ``[[try]]``, and that have only failed: nothing is known of them."""

from __future__ import annotations

from collections.abc import Hashable

from optuna.trial import TrialState

from lrsearch.errors import LrsearchError
from lrsearch.sampling.ask import chosen
from lrsearch.storage.attributes import RETRIED
from lrsearch.storage.past_trials import key_of
from lrsearch.storage.store import settings_key
from lrsearch.study.stored import StoredStudy


def only_failed(stored: StoredStudy) -> list[int]:
    """Numbers of the failed trials whose settings no other trial has trained, or is to train.

    One that a person excluded does not count: she does without it.

    Args:
        stored: The study.
    """
    wanted = _wanted(stored)
    if not wanted:
        return []
    trials = stored.trials()
    failed = {key_of(trial): trial.number for trial in trials if trial.state == TrialState.FAIL}
    done = {key_of(trial) for trial in trials if trial.state != TrialState.FAIL}
    excluded = stored.excluded()
    retried = {trial.number for trial in trials if RETRIED in trial.user_attrs}
    numbers = [number for key, number in failed.items() if key in wanted and key not in done]
    return sorted(number for number in numbers if number not in excluded and number not in retried)


def check(stored: StoredStudy) -> None:
    """Say that a study is not finished because asked-for settings have only failed.

    Args:
        stored: The study; nobody trains it.

    Raises:
        LrsearchError: Which trials those are, and what can be done.
    """
    if not (numbers := only_failed(stored)):
        return
    assert stored.definition is not None
    what = "cells of the grid" if stored.definition.sampler.name == "grid" else "settings of [[try]]"
    trials = f"trial{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"
    raise LrsearchError(
        f"the study is not finished: {len(numbers)} of its {len(_wanted(stored))} {what} only failed ({trials}). Run "
        f"them again with: lrsearch trial retry {stored.name} --failed; do without one with: lrsearch trial exclude"
    )


def _wanted(stored: StoredStudy) -> set[Hashable]:
    if stored.definition is None or stored.origin is not None or stored.budget is None:
        return set()
    return {settings_key(params) for params in chosen(stored.definition, 0, stored.budget)}
