"""The short runs of `lrsearch scale` as its fit takes them, from the trials of a linked study."""

from __future__ import annotations

import math

from optuna.trial import FrozenTrial, TrialState

from lrsearch.storage.attributes import SEED_VALUES
from lrsearch.study.ranking import is_diverged
from lrsearch.study.scaling.runs import ScaleRun
from lrsearch.study.stored import StoredStudy


def of(rung: StoredStudy, at: float) -> list[ScaleRun]:
    """What a rung's trials came to, seed by seed.

    Args:
        rung: The linked study of a rung.
        at: Its place on the axis.
    """
    assert rung.definition is not None
    seeds, sign, excluded = rung.definition.training.seeds, -1.0 if rung.maximises else 1.0, rung.excluded()
    found = []
    for trial in rung.trials():
        if trial.state != TrialState.COMPLETE or trial.number in excluded:
            continue
        for seed, value in zip(seeds, _values(trial, len(seeds)), strict=True):
            found.append(ScaleRun(at, float(trial.params["lr"]), seed, sign * value, str(trial.params["scheduler"])))
    return found


def _values(trial: FrozenTrial, seeds: int) -> list[float]:
    """A trial's value on each seed; not finite on any if it diverged."""
    if is_diverged(trial):
        return [math.nan] * seeds
    return [math.nan if value is None else float(value) for value in trial.user_attrs.get(SEED_VALUES, trial.values)]
