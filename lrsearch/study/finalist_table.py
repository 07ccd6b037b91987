"""The runs of a confirmation as a table, and the confirmation that such a table holds: nothing that counts is lost."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from optuna.distributions import CategoricalDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from lrsearch.sampling.space import SEED
from lrsearch.storage.attributes import BEFORE, BLOCK_VALUES, BLOCKS_BEFORE, CONSTRAINT, HORIZON, RETRIED
from lrsearch.study import rounds
from lrsearch.study.confirmed_runs import Confirmation
from lrsearch.study.finalists import Finalist
from lrsearch.study.plan import Plan
from lrsearch.study.ranking import is_diverged

PREFIX = "params."
PREDICTION_BLOCKS = "prediction_blocks"
Row = dict[str, Any]
COLUMNS = (
    "seed", "value", "look", "state", "test", "horizon", "block_values", "before", "before_blocks", "from", "trial",
    "search_value", "planned", "today", "metric", "direction", "looks", "scored_on", "row_count", "reason", "margin",
    "prediction", "prediction_value", PREDICTION_BLOCKS,
)  # fmt: skip
"""Beside the settings: of the run, of its finalist, and of the confirmation, in this order. A look is the round that a
run was made for, 0 for those that everybody had and where the number of seeds was settled beforehand."""
ESSENTIAL = {"seed", "value", "look", "state", "from", "planned", "looks", "scored_on", "direction"}
"""By these such a table is known."""


def rows(confirmation: Confirmation, metric: str) -> list[Row]:
    """One row per run of a finalist on a fresh seed, in the order of finalists and seeds.

    Args:
        confirmation: As the storage has it.
        metric: Name of the study's metric.
    """
    of_all = _of_confirmation(confirmation, metric)
    found = [{**row, **of_all} for row in _runs(confirmation)]
    for row in found[1:]:  # long, and the same for all
        row[PREDICTION_BLOCKS] = None
    names = list(dict.fromkeys(name for row in found for name in row if name.startswith(PREFIX)))
    return [{name: row.get(name) for name in (*names, *COLUMNS)} for row in found]


def is_table(found: Sequence[Row]) -> bool:
    """Whether a file's rows are those of `table`.

    Args:
        found: Column -> value, where it is not blank.
    """
    return {name for row in found for name in row} >= ESSENTIAL


def confirmation(found: Sequence[Row]) -> tuple[Confirmation, str]:
    """The confirmation that a table holds, and the name of its metric.

    Args:
        found: See `is_table`.
    """
    first = found[0]
    finalists: dict[frozenset[tuple[str, Any]], Finalist] = {}
    for row in found:
        params = _params(row)
        one = Finalist(params, row["from"], row.get("trial"), row.get("search_value"), row["planned"])
        finalists.setdefault(one.key, one)
    looks = int(first["looks"])
    prediction = None
    if "prediction_value" in first:
        blocks = _numbers(next((row[PREDICTION_BLOCKS] for row in found if PREDICTION_BLOCKS in row), None))
        prediction = {"name": first["prediction"], "value": first["prediction_value"], "blocks": blocks}
    longest = max(finalists.values(), key=lambda one: one.seeds or 0)
    seeds = [row["seed"] for row in found if frozenset(_params(row).items()) == longest.key]
    return Confirmation(
        rows=first["scored_on"],
        row_count=int(first.get("row_count", 0)),
        reason=str(first.get("reason", "")),
        seeds=list(dict.fromkeys([*seeds, *(row["seed"] for row in found)])),
        finalists=list(finalists.values()),
        plan=Plan(None if looks else len(seeds), 0, None, True, (0,) * looks, True),
        trials=[_trial(row) for row in found],
        maximise=first["direction"] == "maximize",
        margin=first.get("margin"),
        wanted_today=next((_params(row) for row in found if row.get("today")), None),
        prediction=prediction,
    ), str(first.get("metric", "value"))


def _of_confirmation(confirmation: Confirmation, metric: str) -> dict[str, Any]:
    plan, prediction = confirmation.plan, confirmation.prediction or {}
    return {
        "metric": metric,
        "direction": "maximize" if confirmation.maximise else "minimize",
        "looks": len(_rounds(plan)),
        "scored_on": confirmation.rows,
        "row_count": confirmation.row_count,
        "reason": confirmation.reason or None,
        "margin": confirmation.margin,
        "prediction": prediction.get("name"),
        "prediction_value": prediction.get("value"),
        PREDICTION_BLOCKS: _text(prediction.get("blocks")),
    }


def _runs(confirmation: Confirmation) -> Iterator[dict[str, Any]]:
    place = {seed: number for number, seed in enumerate(confirmation.seeds)}
    of_finalist: dict[frozenset[tuple[str, Any]], dict[int, FrozenTrial]] = {}
    for trial in confirmation.trials:
        if trial.state in (TrialState.COMPLETE, TrialState.FAIL) and RETRIED not in trial.user_attrs:
            params = frozenset((name, value) for name, value in trial.params.items() if name != SEED)
            of_finalist.setdefault(params, {}).setdefault(int(trial.params.get(SEED, -1)), trial)
    for finalist in confirmation.finalists:
        found = of_finalist.get(finalist.key, {})
        own = confirmation.seeds[: finalist.seeds]  # runs with the same settings on further seeds are a flank's
        for seed in sorted(found.keys() & set(own), key=place.__getitem__):
            look = _look(place[seed], confirmation.plan)
            yield {**_of_finalist(finalist, confirmation), **_of_run(found[seed], seed, look)}


def _of_finalist(finalist: Finalist, confirmation: Confirmation) -> dict[str, Any]:
    return {
        **{f"{PREFIX}{name}": value for name, value in finalist.params.items()},
        "from": finalist.role,
        "trial": finalist.number,
        "search_value": finalist.value,
        "planned": finalist.seeds or len(confirmation.seeds),
        "today": finalist.params == confirmation.wanted_today,
    }


def _of_run(trial: FrozenTrial, seed: int, look: int) -> dict[str, Any]:
    reported = trial.intermediate_values
    state = "failed" if trial.state == TrialState.FAIL else "diverged" if is_diverged(trial) else "complete"
    return {
        "seed": seed,
        "value": trial.values[0] if trial.values else None,
        "look": look,
        "state": state,
        "test": reported[max(reported)] if reported else None,
        "horizon": trial.user_attrs.get(HORIZON),
        "block_values": _text(trial.user_attrs.get(BLOCK_VALUES)),
        "before": trial.user_attrs.get(BEFORE),
        "before_blocks": _text(trial.user_attrs.get(BLOCKS_BEFORE)),
    }


def _rounds(plan: Plan | None) -> tuple[int, ...]:
    return plan.rounds if plan is not None and plan.seeds is None else ()


def _look(place: int, plan: Plan | None) -> int:
    """The round that a seed was added in; the seeds of the screening are those of no round."""
    if place < rounds.SCREENING:
        return 0
    ends = _rounds(plan)
    return next((number for number, end in enumerate(ends, start=1) if place < end), len(ends))


def _trial(row: Row) -> FrozenTrial:
    """A run as the storage would give it."""
    failed, diverged = row["state"] == "failed", row["state"] == "diverged"
    attributes = {
        HORIZON: row.get("horizon"),
        BLOCK_VALUES: _numbers(row.get("block_values")),
        BEFORE: row.get("before"),
        BLOCKS_BEFORE: _numbers(row.get("before_blocks")),
    }
    params = {**_params(row), SEED: row["seed"]}
    trial = create_trial(
        state=TrialState.FAIL if failed else TrialState.COMPLETE,
        value=None if failed else float(row.get("value", math.inf)),
        params=params,
        distributions={name: CategoricalDistribution([value]) for name, value in params.items()},
        user_attrs={name: value for name, value in attributes.items() if value is not None and value != []},
        intermediate_values={1: float(row["test"])} if "test" in row else {},
    )
    if diverged:
        trial.set_constraint(CONSTRAINT, 1.0)
    return trial


def _params(row: Row) -> dict[str, Any]:
    return {name.removeprefix(PREFIX): value for name, value in row.items() if name.startswith(PREFIX)}


def _text(values: Sequence[float] | None) -> str | None:
    """Several numbers as one text, with all digits; blank where one of them is missing."""
    if not values or any(value is None for value in values):
        return None
    return " ".join(map(repr, values))


def _numbers(text: Any) -> list[float]:
    return [] if text is None else [float(value) for value in str(text).split()]
