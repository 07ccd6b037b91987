"""What the search itself looks like: too narrow, too short, too noisy, or done."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lrsearch import registry
from lrsearch.report import standings
from lrsearch.report.frames import StudyFrames
from lrsearch.report.importance import LEAST_TRIALS, importance
from lrsearch.report.wording import number, percent, plural, test_metric
from lrsearch.sampling.space import Space, parameter_name, rate_of
from lrsearch.study.evidence import Evidence
from lrsearch.study_file.axes import Range
from lrsearch.study_file.meaning import show_axis
from lrsearch.study_file.searched_options import OPTIMIZER

if TYPE_CHECKING:
    from lrsearch.schedules.base import Schedule

EDGE = 0.05
"""Share of a range, at either end, in which a best value suggests that the range ends too early."""
PER_TYPE = 10
"""Trials of a scheduler type below which its best says little: so many the TPE sampler draws at random."""
ENOUGH_COMPLETE = 3
"""So many complete trials of a type say how good it can be."""
NEAR_BEST = 10
"""Trials whose differences are compared with what a seed changes."""
WIDER = (0.25, 0.1)
"""By how much a range is widened, as shares of it: the first that gives a right value."""
DIGITS = 3
"""Significant digits of a suggested limit."""


@dataclass(frozen=True)
class Remark:
    """Something that a person should know about a search.

    Attributes:
        words: A sentence or two.
        toml: Lines of the study file that would change it; empty if there are none.
    """

    words: str
    toml: str = ""


def findings(frames: StudyFrames, evidence: Evidence | None) -> list[Remark]:
    """Everything that there is to say about a search that has a trial trained to the end.

    Args:
        frames: The study.
        evidence: What its confirmation shows, if there is one.
    """
    if not len(standings.ranked(frames)):
        return []
    found = [*_edges(frames, evidence), *_budget(frames), *_cut_short(frames), *_noise(frames, evidence)]
    return [*found, *_convergence(frames), *_importance(frames)]


def _edges(frames: StudyFrames, evidence: Evidence | None) -> list[Remark]:
    """The settings to take that lie where their range ends."""
    if frames.definition is None:
        return []
    params = standings.ranked(frames).iloc[0]["params"]
    whose = "best"
    if evidence is not None and evidence.complete:
        params, whose = evidence.recommended.params, "recommended"
    scheduler = params.get("scheduler")
    if scheduler not in registry.schedules:
        return []
    space, family = Space.of(frames.definition), registry.schedules.get(scheduler)
    found = []
    optimizer = params.get("optimizer") if space.options.optimizers else None
    rates = space.rate(optimizer)
    if isinstance(rates.axis, Range) and (wider := _widened(rates.axis, rate_of(params), lambda value: value > 0)):
        table = rates.place.removesuffix(".lr")
        found.append(_edge(f"The {whose} lr", rate_of(params), rates.axis, wider, f"[{table}]\nlr"))
    for key, axis in space.parameters.get(scheduler, {}).items():
        value = params.get(parameter_name(scheduler, key))
        if value is None or not isinstance(axis, Range):
            continue
        is_valid = partial(_is_valid, family, key)
        if wider := _widened(axis, value, is_valid, integer=family.parameters()[key].integer):
            name = f"The {whose} {key} of {scheduler}"
            found.append(_edge(name, value, axis, wider, f"[search.{scheduler}]\n{key}"))
    return found


def _is_valid(family: type[Schedule], key: str, value: float) -> bool:
    return not family.faults({key: value})


def _widened(axis: Range, value: float, is_valid: Callable[[float], bool], *, integer: bool = False) -> Range | None:
    """The axis with its limit moved past a value that lies at it; None if it does not, or nothing lies beyond."""
    if axis.low == axis.high:
        return None
    low, high, at = (math.log(part) if axis.log else part for part in (axis.low, axis.high, value))
    place = (at - low) / (high - low)
    if EDGE < place < 1 - EDGE:
        return None
    for share in WIDER:
        reach = share * (high - low)
        limit = low - reach if place <= EDGE else high + reach
        limit = float(f"{math.exp(limit) if axis.log else limit:.{DIGITS}g}")
        limit = math.floor(limit) if integer and place <= EDGE else math.ceil(limit) if integer else limit
        if is_valid(limit):
            return axis.model_copy(update={"low": limit} if place <= EDGE else {"high": limit})
    return None


def _edge(name: str, value: float, axis: Range, wider: Range, key: str) -> Remark:
    downwards = wider.low < axis.low
    end, way = ("lower", "downwards") if downwards else ("upper", "upwards")
    words = f"{name}, {number(value)}, lies at the {end} end of its range: widen that {way}."
    return Remark(words, f"{key} = {show_axis(wider)}")


def _budget(frames: StudyFrames) -> list[Remark]:
    """Scheduler types that had too few trials."""
    trials = standings.counted(frames)
    begun = trials[trials["state"] != "waiting"]
    types = [name for name in standings.schedulers(frames) if name is not None]
    planned = frames.definition.search.schedulers if frames.definition else types
    few = {name: int((begun["scheduler"] == name).sum()) for name in planned}
    few = {name: trials for name, trials in few.items() if trials < PER_TYPE}
    if len(planned) < 2 or not few:
        return []
    named = ", ".join(f"{name} {trials}" for name, trials in few.items())
    return [
        Remark(
            f"The budget is small for {plural(len(planned), 'scheduler type')}: fewer than {PER_TYPE} trials had "
            f"{named}. At least {2 * PER_TYPE * len(planned)} trials in all would be fair to each."
        )
    ]


def _cut_short(frames: StudyFrames) -> list[Remark]:
    """Scheduler types with few complete trials, of which a pruned one had already come further than these."""
    trials, finished, sign = standings.counted(frames), standings.ranked(frames), _sign(frames)
    pruned = trials[(trials["state"] == "pruned") & trials["last"].notna()]
    named = []
    for name in standings.schedulers(frames):
        ended, complete = standings.of_type(pruned, name), standings.of_type(finished, name)
        if name is None or not len(ended) or not 0 < len(complete) < ENOUGH_COMPLETE:
            continue
        furthest = ended.iloc[int((sign * ended["last"]).to_numpy().argmin())]
        best = sign * float((sign * complete["value"]).min())
        if sign * furthest["last"] < sign * best:
            after = plural(int(furthest["epochs"]), frames.unit)
            named.append(f"{name} (pruned {number(furthest['last'])} after {after}, to the end {number(best)})")
    if not named:
        return []
    words = (
        f"Few trials were trained to the end, and a pruned one was already better than these, of {', '.join(named)}. "
        "How good such a type can be is not known. Without a pruner all of its trials are trained on."
    )
    return [Remark(words, '[pruner]\nname = "none"')]


def _noise(frames: StudyFrames, evidence: Evidence | None) -> list[Remark]:
    """Whether what a seed changes is as large as what settings change."""
    if evidence is not None and len(evidence.complete) > 1:
        within = math.sqrt(float(np.mean([np.var(c.values, ddof=1) for c in evidence.complete])))
        between = float(np.std([contender.mean for contender in evidence.complete], ddof=1))
        whose = f"Among the {plural(len(evidence.complete), 'finalist')}"
    else:
        best = standings.ranked(frames).head(NEAR_BEST)
        seeds = [np.array(values) for values in best["seed_values"] if len(values) > 1]
        if len(seeds) < 2:
            return []
        within = math.sqrt(float(np.mean([np.var(values, ddof=1) for values in seeds])))
        between = float(np.std(best["value"], ddof=1))
        whose = f"Among the {len(best)} best trials"
    words = f"{whose} the seed changes the {test_metric(frames.metric)} by {number(within)}, the settings by "
    words += f"{number(between)} (standard deviations)"
    if within <= between:
        return [Remark(f"{words}.")]
    return [Remark(f"{words}: a value from one seed says little about which of them is better.")]


def _convergence(frames: StudyFrames) -> list[Remark]:
    """What the last third of the budget brought."""
    finished = standings.ranked(frames).sort_values("number")
    trials = standings.counted(frames)
    begun = trials[trials["state"] != "waiting"]["number"]
    last_third = begun.iloc[len(begun) * 2 // 3 :]
    if len(begun) < 3 * PER_TYPE or not len(finished):
        return []
    before, after = finished[finished["number"] < last_third.iloc[0]], finished
    if not len(before):
        return []
    pick = "max" if frames.maximise else "min"
    first, last = float(getattr(before["value"], pick)()), float(getattr(after["value"], pick)())
    third = f"The last third of the trials (from {last_third.iloc[0]} on)"
    if first == last:
        return [Remark(f"{third} brought nothing better than {number(last)}: the search has converged, or is stuck.")]
    by = percent(abs(last - first) / abs(first)) if first else ""
    if by == percent(0):
        return [Remark(f"{third} brought nearly nothing: from {number(first)} to {number(last)}.")]
    share = f" ({by})" if by else ""
    words = f"{third} still improved the best from {number(first)} to {number(last)}{share}: more trials may help."
    return [Remark(words)]


def _importance(frames: StudyFrames) -> list[Remark]:
    """Which parameters matter: over all trials, then those that only trials of the best optimizer or type have."""
    if frames.definition is None:
        return []
    finished = standings.ranked(frames)
    found = []
    best_type, best_optimizer = finished.iloc[0]["scheduler"], finished.iloc[0]["params"].get(OPTIMIZER)
    groups = {"": finished}
    if frames.definition.search.options.optimizers:
        alike = finished["params"].map(lambda params: params.get(OPTIMIZER) == best_optimizer)
        groups[f" among those of {best_optimizer}"] = finished[alike.astype(bool)]
    groups[f" among those of {best_type}"] = standings.of_type(finished, best_type)
    for whose, trials in groups.items():
        if whose and len(trials) == len(finished):  # all trials are of this kind
            continue
        shares = _shares(frames, trials)
        if shares:
            said = ", ".join(f"{name} {percent(share)}" for name, share in shares.items())
            many = f"{len(trials)} trials that were trained to the end"
            found.append(Remark(f"What separates the best tenth from the rest{whose}: {said} (PED-ANOVA, {many})."))
    if not found and len(finished) < LEAST_TRIALS:
        many = plural(len(finished), "trial")
        return [Remark(f"Which parameters matter cannot be said: {many} trained to the end, {LEAST_TRIALS} needed.")]
    return found


def _sign(frames: StudyFrames) -> int:
    """What makes smaller values the better ones."""
    return -1 if frames.maximise else 1


def _shares(frames: StudyFrames, trials: pd.DataFrame) -> Mapping[str, float]:
    assert frames.definition is not None
    if any(name not in registry.schedules for name in frames.definition.search.schedulers):
        return {}
    params, values = list(trials["params"]), [_sign(frames) * float(value) for value in trials["value"]]
    try:
        return importance(params, values, Space.of(frames.definition))
    except (KeyError, ValueError):  # trials that somebody else added have parameters of their own
        return {}
