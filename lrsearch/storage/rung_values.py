"""What a study's trials had come to at its rungs, read as far as it has changed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from optuna.distributions import json_to_distribution
from optuna.trial import TrialState
from sqlalchemy import Engine, select

from lrsearch.storage import tables
from lrsearch.storage.tables import INTERMEDIATE, PARAMS, TRIALS


@dataclass
class RungTrial:
    """A trial at the rungs.

    Attributes:
        state: Its state when it was read.
        scheduler: Its scheduler type; None before its settings are chosen.
        values: Rung -> intermediate value; NaN is infinity.
    """

    state: TrialState
    scheduler: str | None = None
    values: dict[int, float] = field(default_factory=dict)


class RungValues:
    """The trials of one study at its rungs; one that has ended is read once.

    Optuna's own way is to read every trial whole, with its curves: among many workers everybody reads what all the
    others have trained.

    Args:
        engine: Of Optuna's RDB storage.
        study_id: Optuna's id of the study.
        rungs: Epochs after which trials are compared.
    """

    def __init__(self, engine: Engine, study_id: int, rungs: Iterable[int]) -> None:
        self._engine, self._study_id, self._rungs = engine, study_id, list(rungs)
        self._first_id = 0
        self._trials: dict[int, RungTrial] = {}

    def read(self) -> Mapping[int, RungTrial]:
        """Number -> trial, of all trials as they are now."""
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(TRIALS.c.trial_id, TRIALS.c.number, TRIALS.c.state)
                .where(TRIALS.c.study_id == self._study_id, TRIALS.c.trial_id >= self._first_id)
                .order_by(TRIALS.c.trial_id)
            )
            found = {int(trial_id): (int(number), RungTrial(state)) for trial_id, number, state in rows}
            own = (TRIALS.c.study_id == self._study_id, TRIALS.c.trial_id >= self._first_id)
            joined = PARAMS.join(TRIALS, TRIALS.c.trial_id == PARAMS.c.trial_id)
            types = select(PARAMS.c.trial_id, PARAMS.c.param_value, PARAMS.c.distribution_json).select_from(joined)
            for trial_id, value, text in connection.execute(types.where(PARAMS.c.param_name == "scheduler", *own)):
                if trial_id in found:
                    found[trial_id][1].scheduler = str(json_to_distribution(text).to_external_repr(value))
            joined = INTERMEDIATE.join(TRIALS, TRIALS.c.trial_id == INTERMEDIATE.c.trial_id)
            columns = (INTERMEDIATE.c.step, INTERMEDIATE.c.intermediate_value, INTERMEDIATE.c.intermediate_value_type)
            values = select(INTERMEDIATE.c.trial_id, *columns).select_from(joined)
            for trial_id, step, stored, kind in connection.execute(
                values.where(INTERMEDIATE.c.step.in_(self._rungs), *own)
            ):
                value = tables.intermediate_of(stored, kind)
                if trial_id in found:
                    found[trial_id][1].values[int(step)] = math.inf if math.isnan(value) else value
        self._trials.update(found.values())
        unfinished = (trial_id for trial_id, (_, trial) in found.items() if not trial.state.is_finished())
        self._first_id = next(unfinished, max(found, default=self._first_id - 1) + 1)
        return self._trials
