"""Which settings of a search are trained again on fresh seeds."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from optuna.trial import FrozenTrial

from lrsearch.errors import InputError
from lrsearch.sampling.space import Space, rate_name, rate_of, settings_from
from lrsearch.storage.attributes import LR_CURVE
from lrsearch.storage.store import settings_key
from lrsearch.study import ladder, ranking
from lrsearch.study.snippet import Steps
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file.axes import short

CLOSE = 2
"""Settings among the best `top` times this many are close: there another scheduler type goes before a better value."""
SAME_RATE = 1e-4
"""Rates that differ by a smaller share are one."""
Role = Literal["search", "try", "constant", "middle", "beside"]


@dataclass(frozen=True)
class Finalist:
    """Settings that are trained again.

    Attributes:
        params: Their Optuna parameters, without a seed.
        role: ``search``: among its best; ``try``: a tried setting of the study file; ``constant``: a constant rate that
            is none of those, from the search or from the ladder around its best; ``middle``: the recommended settings
            with the rate in the middle of those that are as good (`middle`); ``beside``: no finalist, but the
            recommended settings with another rate (`flanks`).
        number: The trial of the search that was trained with them; None if none was.
        value: What that trial came to; None if it was not trained to the end.
        seeds: On how many of the fresh seeds it is to be trained; None for all.
    """

    params: dict[str, Any]
    role: Role
    number: int | None
    value: float | None
    seeds: int | None = None

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Finalist:
        """A finalist as it was stored."""
        return cls(**entry)

    def entry(self) -> dict[str, Any]:
        """The finalist as it is stored."""
        return asdict(self)

    @property
    def key(self) -> frozenset[tuple[str, Any]]:
        """Equal for equal settings."""
        return frozenset(self.params.items())

    @property
    def is_constant(self) -> bool:
        return self.params.get("scheduler") == "constant"

    @property
    def lr(self) -> float:
        return float(rate_of(self.params))

    @property
    def options(self) -> frozenset[tuple[str, Any]]:
        """What else was searched of it, beside rate and schedule; equal for equal optimizers, batch sizes and so on."""
        return frozenset(options_of(self.params).items())


def finalists(stored: StoredStudy, top: int) -> list[Finalist]:
    """The settings to train again: the search's best, the tried ones, and constant rates; each once.

    Args:
        stored: The search; it has a trial that was trained to the end.
        top: How many of the search's best.
    """
    ranked = _ranked(stored)
    chosen = [_finalist(trial, "search") for trial in _spread(ranked, top)]
    chosen += _tried(stored)
    constant = next((trial for trial in ranked if trial.params.get("scheduler") == "constant"), None)
    if constant is not None:
        chosen.append(_finalist(constant, "constant"))
    like = _like(constant, ranked)
    rates = _ladder(stored, constant, ranked, like)
    first: dict[frozenset[tuple[str, Any]], Finalist] = {}
    for finalist in (*chosen, *(constant_rate(rate, like) for rate in rates)):
        first.setdefault(finalist.key, finalist)
    if stored.definition is None:  # an objective of a person's own may take more than a rate and a schedule
        return list(first.values())
    steps = {trial.number: Steps.of(trial.user_attrs) for trial in ranked}
    return _each_rate_once(list(first.values()), steps)


def _each_rate_once(chosen: Sequence[Finalist], steps: Mapping[int, Steps]) -> list[Finalist]:
    """Those with other rates than the rest: of settings with the same rates the simplest goes, tried ones stay.

    Args:
        chosen: Finalists with different settings.
        steps: Number of a trial -> how its scheduler was stepped.
    """
    simplest: dict[object, Finalist] = {}
    for finalist in sorted(chosen, key=lambda one: (not one.is_constant, len(one.params))):
        known = None if finalist.number is None else steps.get(finalist.number)
        simplest.setdefault(_rates_of(finalist, known), finalist)
    kept = [finalist.key for finalist in simplest.values()]
    return [finalist for finalist in chosen if finalist.key in kept or finalist.role == "try"]


def _rates_of(finalist: Finalist, steps: Steps | None) -> object:
    """Equal for settings that train at the same rates; where those are not known, for equal settings."""
    settings = settings_from(finalist.params)
    if finalist.is_constant and not settings.schedule.warmup_fraction:
        return settings.lr, finalist.options
    if steps is None or steps.horizon is None:
        return finalist.key
    rates = settings.schedule.signature(settings.lr, steps.horizon, steps.updates)
    return finalist.key if rates is None else (rates, finalist.options)


def _like(constant: FrozenTrial | None, ranked: Sequence[FrozenTrial]) -> Mapping[str, Any]:
    """The settings whose options the ladder has: rates of one optimizer say nothing about those of another."""
    if constant is not None and not options_of(ranked[0].params):
        return constant.params
    return ranked[0].params if ranked else {}


def _ladder(
    stored: StoredStudy, constant: FrozenTrial | None, ranked: Sequence[FrozenTrial], like: Mapping[str, Any]
) -> list[float]:
    """Further constant rates; none where an objective of a person's own takes more than a rate and a scheduler."""
    if stored.definition is None and (constant is None or constant.params.keys() != {"lr", "scheduler"}):
        return []
    alike = [trial for trial in ranked if trial.params.get("optimizer") == like.get("optimizer")]
    constants = [trial for trial in alike if trial.params.get("scheduler") == "constant"]
    best = None if not constants else float(rate_of(constants[0].params))
    rates = ladder.rates(best, _rates_of_schedule(alike))
    # Other samplers leave all digits, and the ladder would have the same rate again without the last ones.
    there = [float(rate_of(trial.params)) for trial in constants if options_of(trial.params) == options_of(like)]
    return [rate for rate in rates if rate in there or all(abs(rate / one - 1) > SAME_RATE for one in there)]


def constant_rate(rate: float, like: Mapping[str, Any]) -> Finalist:
    """A constant rate of the ladder.

    Args:
        rate: The rate.
        like: Settings whose optimizer, batch size and so on it has.
    """
    return Finalist({rate_name(like): rate, "scheduler": "constant", **options_of(like)}, "constant", None, None)


def options_of(params: Mapping[str, Any]) -> dict[str, Any]:
    """What else was searched of some settings, beside rate and schedule; nothing where they are no settings of ours.

    Args:
        params: Their Optuna parameters.
    """
    try:
        return dict(settings_from(params).further)
    except (KeyError, TypeError, ValueError, InputError):
        return {}


def merged(before: Sequence[Finalist], chosen: Sequence[Finalist]) -> list[Finalist]:
    """What was chosen earlier, and behind it what is new.

    Args:
        before: As they are stored.
        chosen: As they are chosen now.
    """
    known = {finalist.key: finalist for finalist in before}
    new = [finalist for finalist in chosen if finalist.key not in known]
    return [*before, *new]


def lr_range(chosen: Sequence[Finalist]) -> tuple[float, float]:
    """Between which initial rates all rounds stay, however far the ladder is extended.

    Args:
        chosen: The finalists; at least one.
    """
    # A little more: every rung of the ladder is rounded.
    rates, further = [finalist.lr for finalist in chosen], 1.01 * ladder.FACTOR**ladder.EXTENSIONS
    return short(min(rates) / further), short(max(rates) * further)


def _tried(stored: StoredStudy) -> list[Finalist]:
    if stored.definition is None:
        return []
    space, trials, excluded = Space.of(stored.definition), stored.trials(), stored.excluded()
    chosen = []
    for entry in stored.definition.tries:
        params = space.params_of(entry)
        alike = (trial for trial in trials if trial.params == params)
        trained = next((trial for trial in alike if ranking.may_be_best(trial, excluded)), None)
        chosen.append(_finalist(trained, "try") if trained else Finalist(params, "try", None, None))
    return chosen


def _ranked(stored: StoredStudy) -> list[FrozenTrial]:
    """The trials that may be finalists, best first, each setting once."""
    best: dict[Hashable, FrozenTrial] = {}
    for trial in ranking.ranked(stored.trials(), stored.excluded(), maximise=stored.maximises):
        if stored.definition is None or _can_be_trained(trial):
            best.setdefault(settings_key(trial.params), trial)
    return list(best.values())


def _can_be_trained(trial: FrozenTrial) -> bool:
    """Whether its parameters are settings: another tool may have added trials of its own to the study."""
    try:
        return bool(settings_from(trial.params))
    except (KeyError, TypeError, ValueError, InputError):
        return False


def _spread(ranked: Sequence[FrozenTrial], top: int) -> list[FrozenTrial]:
    """The best, spread over scheduler types: among those that are close each type's best goes first."""
    close = ranked[: CLOSE * top]
    first = list({trial.params.get("scheduler"): trial for trial in reversed(close)}.values())
    first.sort(key=close.index)
    rest = [trial for trial in ranked if trial not in first]
    return sorted([*first, *rest][:top], key=ranked.index)


def _rates_of_schedule(ranked: Sequence[FrozenTrial]) -> list[float]:
    """Initial and mean rate of the best schedule; empty if the search trained none to the end."""
    best = next((trial for trial in ranked if trial.params.get("scheduler") != "constant"), None)
    if best is None:
        return []
    found = [float(rate_of(best.params))]
    curve = [rate for rate in best.user_attrs.get(LR_CURVE) or [] if rate > 0 and math.isfinite(rate)]
    return [*found, float(np.mean(curve))] if curve else found


def _finalist(trial: FrozenTrial, role: Role) -> Finalist:
    return Finalist(dict(trial.params), role, trial.number, trial.values[0])
