"""What pruning cost and saved, in sentences that follow from the numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from lrsearch.pruning import pruners
from lrsearch.report import audits, standings, tables, wording
from lrsearch.report.audits import Mark, PruningCost
from lrsearch.report.escaping import code_block, code_span, inline
from lrsearch.report.frames import StudyFrames
from lrsearch.report.wording import number, percent, plural
from lrsearch.study_file.faults import show
from lrsearch.study_file.meaning import completed
from lrsearch.study_file.model import Definition

WIDE = 0.1
"""Where pruning may lose more than this share of what it ends, as far as an audit shows, more should be audited."""
BEST = "tenth"
"""`audits.BEST` in words."""
MORE = 1.5
"""By how much `keep` is raised."""


def pruning_cost(frames: StudyFrames) -> list[str]:
    """The paragraphs of the report's section.

    Args:
        frames: The study.

    Returns:
        Markdown, everything escaped; empty if nothing was pruned, or nothing is known of the study's definition.
    """
    definition = frames.definition
    if definition is None or not len(audits.pruned(frames)):
        return []
    last = round(definition.training.epochs * frames.evaluations_per_epoch)
    costs = audits.by_scheduler(frames, last)
    cost, held = audits.total(costs), audits.mark(frames)
    saved = _saved(frames, cost)
    if not cost.audited:
        return [f"{saved} {_unknown(frames, definition)}"]
    if held is None:
        return [f"{saved} What it cost cannot be said: no trial that was not pruned reached the last epoch."]
    blocks = [saved, _rule(frames, held), _table(frames, costs, cost)]
    if not cost.lost:
        return [*blocks, _nothing_lost(cost)]
    worst = max(costs, key=lambda own: own.interval[0])
    gone = audits.lost(frames)
    epochs = sorted({int(epoch) for epoch in standings.of_type(gone, worst.scheduler)["epochs"]})
    blocks.append(f"{_lost(frames, cost, gone, held)} {_worst(worst, epochs, frames.unit, only=len(costs) == 1)}")
    if remedy := _remedy(definition, epochs, last):
        blocks += ["If that is too many, this ends fewer of them:", code_block(remedy, "toml")]
    return blocks


def _saved(frames: StudyFrames, cost: PruningCost) -> str:
    trials = standings.counted(frames)
    ended = trials[trials["state"].isin(["complete", "pruned"])]
    steps = int(ended[["epochs", "audit_epochs"]].sum().sum()) + cost.saved
    whole, saved, audit = (_in_epochs(frames, own) for own in (steps, cost.saved, ended["audit_epochs"].sum()))
    seconds = ""
    if (found := frames.savings) is not None and found.seconds_unpruned:
        share = found.seconds_saved / found.seconds_unpruned
        seconds = f" That is about {wording.brief(found.seconds_saved)} s ({percent(share)}) of training."
    less = f", less the {plural(audit, 'epoch')} of its audit" if audit else ""
    return (
        f"Pruning ended {cost.pruned} of {plural(len(ended), 'trial')} early, and saved {saved} "
        f"({percent(cost.saved / steps)}) of the {plural(whole, 'epoch')} that all of them would have taken{less}."
        f"{seconds}"
    )


def _in_epochs(frames: StudyFrames, steps: float) -> int:
    return round(steps / frames.evaluations_per_epoch)


def _unknown(frames: StudyFrames, definition: Definition) -> str:
    if failed := int(audits.pruned(frames)["audit_epochs"].notna().sum()):
        return f"What it cost is not known: training failed in {plural(failed, 'audit')}."
    if share := pruners.audit_share(definition):
        key = code_span(f"audit = {show(share)}")
        return f"What it cost is not known: with {key}, none of these trials was drawn for the audit."
    key, section = code_span("audit = 0.05"), code_span("[pruner]")
    return (
        f"What it cost is not known: {key} in the {section} section of a study file has that share of the pruned "
        "trials trained on, so that the report can say."
    )


def _rule(frames: StudyFrames, held: Mark) -> str:
    trials, ends = audits.pruned(frames), audits.audited(frames)
    best = "the best" if held.place == 1 else f"number {held.place}"
    whom = f"{best} of the {held.of} trials that were" if held.of > 1 else "the one trial that was"
    side = "above" if frames.maximise else "below"
    said = [
        f"The audit trained {len(ends)} of the pruned trials, drawn at random, to the end. Among the best is who "
        f"ends better than {whom} neither pruned nor diverged: {inline(wording.test_metric(frames.metric))} {side} "
        f"{number(held.value)}."
    ]
    if diverged := int(ends["audit_value"].isna().sum()):
        count = "counts" if diverged == 1 else "count"
        said.append(f"{_of(diverged, len(ends))} diverged after all and {count} as not among the best.")
    if failed := int(trials["audit_epochs"].notna().sum()) - len(ends):
        said.append(f"Training failed in {plural(failed, 'further audit')}, left out here.")
    return " ".join(said)


def _table(frames: StudyFrames, costs: Sequence[PruningCost], cost: PruningCost) -> str:
    headers = ["scheduler", "pruned", "epochs saved", "audited", "of them among the best", "95 % interval"]
    rows = [[wording.scheduler(own.scheduler), *_cells(frames, own)] for own in costs if own.audited]
    return tables.table(headers, [*rows, ["all types", *_cells(frames, cost)]] if len(costs) > 1 else rows)


def _cells(frames: StudyFrames, cost: PruningCost) -> list[object]:
    low, high = cost.interval
    outwards = f"{math.floor(100 * low)} % to {math.ceil(100 * high)} %"
    known = [cost.lost, outwards] if cost.audited else [None, None]
    return [cost.pruned, _in_epochs(frames, cost.saved), cost.audited, *known]


def _nothing_lost(cost: PruningCost) -> str:
    _, high = cost.interval
    few = f" A larger {code_span('audit')} says more." if high > WIDE else ""
    return (
        f"**Pruned trials would have ended among the best {BEST} in {_cases(cost)}**: with 95 % confidence that holds "
        f"for fewer than {math.ceil(100 * high)} % of the {plural(cost.pruned, 'pruned trial')}.{few}"
    )


def _lost(frames: StudyFrames, cost: PruningCost, gone: pd.DataFrame, held: Mark) -> str:
    low, high = cost.interval
    between = f"{max(cost.lost, math.floor(low * cost.pruned))} to {math.ceil(high * cost.pruned)}"
    said = (
        f"**Pruned trials would have ended among the best {BEST} in {_cases(cost)}**: so would about "
        f"{round(cost.lost / cost.audited * cost.pruned)} of the {plural(cost.pruned, 'pruned trial')} (95 % interval "
        f"{between})."
    )
    if beaten := len(audits.better(gone, held.best, frames)):
        said += f" {beaten} would have been better than the best that the search found."
    return said


def _worst(worst: PruningCost, epochs: Sequence[int], unit: str, *, only: bool) -> str:
    """The type for which it is most certain that it suffers, and where."""
    after = f"after {unit}{'s' if len(epochs) > 1 else ''} {' and '.join(map(str, epochs))}"
    if only:
        return f"Pruning had ended them {after}."
    name = inline(wording.scheduler(worst.scheduler))
    return f"Of the types {name} suffers most: {worst.lost} of {worst.audited} audited, which were ended {after}."


def _remedy(definition: Definition, epochs: Sequence[int], last: int) -> str:
    """The key of the study file that spares trials which were ended after some epochs; empty if none is known."""
    pruner = completed(definition).pruner
    name, key, value = pruner.name, "", ""
    if name == "extrapolation":
        return f"[pruner]\nname = {show('none')}"
    if name == "halving":
        rungs, keep = list(pruners.rungs(definition, last)), float(pruner.options["keep"])
        key, value = "keep", show(round(min(MORE * keep, (1 + keep) / 2), 3))
        if len(rungs) > 1 and list(epochs) == rungs[:1]:
            later = [share for share in pruner.options["rungs"] if round(share * last) > rungs[0]]
            key, value = "rungs", show(later)
    elif name in ("median", "percentile"):
        key, value = "warmup_epochs", str(max(epochs))
    elif name == "hyperband":
        key, value = "min_epochs", str(max(epochs) + 1)
    return f"[pruner]\nname = {show(name)}\n{key} = {value}" if key else ""


def _cases(cost: PruningCost) -> str:
    return f"{cost.lost} of {plural(cost.audited, 'audited case')}"


def _of(some: int, trials: int) -> str:
    """Such as ``None of the 12 audited trials`` and ``1 of the 12 audited trials``."""
    if trials == 1:
        return "The one audited trial" if some else "Not even the one audited trial"
    return f"{some or 'None'} of the {trials} audited trials"
