"""Choose the settings of many trials at once, without a database in between."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import optuna
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from lrsearch.search.space import Space
from lrsearch.storage.store import Chosen, Claim
from lrsearch.study_file.model import Definition

SMALLEST, LARGEST = 64, 512
"""Bounds of a generation whose size a study file does not give."""


def generation_size(definition: Definition) -> int:
    """How many trials are asked before any of them is told: a quarter of the study's, within bounds.

    Args:
        definition: The study's definition.
    """
    own = definition.sampler.options.get("generation")
    return int(own) if own is not None else min(max(definition.trials // 4, SMALLEST), LARGEST)


def ask(
    study: optuna.Study, trials: Sequence[FrozenTrial], claims: Collection[Claim], space: Space
) -> dict[Claim, Chosen]:
    """Settings for claimed trials, from the study's own sampler.

    The study is mirrored in memory, for a sampler reads all trials at every question. Trials that were asked for just
    before are in the mirror as running ones, so that the sampler keeps away from them.

    Args:
        study: The study; its sampler is asked.
        trials: All its trials, by number.
        claims: Which of them need settings.
        space: What is searched.
    """
    storage = InMemoryStorage()
    optuna.create_study(storage=storage, study_name=study.study_name)
    study_id = storage.get_study_id_from_name(study.study_name)
    numbers = {claim.number: claim for claim in claims}
    ids = {}
    for trial in trials:
        trial_id = storage.create_new_trial(study_id, template_trial=_light(trial))
        if trial.number in numbers:
            ids[numbers[trial.number]] = trial_id
    chosen = {}
    for claim, trial_id in ids.items():
        # A study object keeps the trials it has read; a new one sees those that were chosen just before.
        mirror = optuna.load_study(study_name=study.study_name, storage=storage, sampler=study.sampler)
        space.suggest(Trial(mirror, trial_id))
        settled = storage.get_trial(trial_id)
        chosen[claim] = Chosen(settled.params, settled.distributions)
    return chosen


def _light(trial: FrozenTrial) -> FrozenTrial:
    """A trial with no more than a sampler looks at: of its curve, the last value."""
    last = trial.last_step
    finished = trial.state.is_finished()
    return create_trial(
        # A trial that waits is somebody else's by the time it is trained.
        state=trial.state if finished else TrialState.RUNNING,
        values=trial.values if trial.state in (TrialState.COMPLETE, TrialState.PRUNED) else None,
        params=trial.params,
        distributions=trial.distributions,
        system_attrs=trial.system_attrs,
        intermediate_values={} if last is None else {last: trial.intermediate_values[last]},
    )
