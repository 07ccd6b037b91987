"""What searching gained over what people do without a search, in words."""

from __future__ import annotations

from collections.abc import Callable

from lrsearch.report.wording import OPTIMIZERS, brief, percent, plural
from lrsearch.study.evidence import Evidence
from lrsearch.study.gained import Gain, by_reason, gains
from lrsearch.study_file.model import Definition
from lrsearch.training.optimizers import TORCH_CLASSES

LEAST_SHARE = 0.005
"""A smaller share would be rounded to nothing."""


def label(name: str, definition: Definition | None) -> str:
    """What a contestant is called.

    Args:
        name: See `study.contestants`.
        definition: Of the study, whose optimizer has a default rate.
    """
    own = "the optimizer" if definition is None else definition.training.optimizer
    words = {
        "default_rate": f"{TORCH_CLASSES.get(own, own)}'s default rate",
        "lr_find": "lr-find's rate",
        "one_cycle": "one cycle at lr-find's rate",
    }
    return words.get(name) or OPTIMIZERS[name]


def sentences(evidence: Evidence, definition: Definition | None) -> list[str]:
    """One sentence, such as *The search gained 9 % over Adam's default rate; Prodigy was better by 2 %*, or none.

    Args:
        evidence: What a confirmation shows.
        definition: See `label`.
    """
    found = {one.name: (label(one.name, definition), one) for one in gains(evidence)}
    gained = [f"{_much(one)} over {name}" for name, one in found.values() if one.is_shown and one.mean > 0]
    better = [f"{name} was better by {_much(one)}" for name, one in found.values() if one.is_shown and one.mean < 0]
    equal = [f"{name}{_aside(one)}" for name, one in found.values() if one.difference is not None and not one.is_shown]
    lost = [f"{name} {_lost(one)}" for name, one in found.values() if one.difference is None]
    parts = [
        *([f"the search gained {_listed(gained)}"] if gained else []),
        *better,
        *([f"not told apart from it: {_listed(equal)}"] if equal else []),
        *lost,
    ]
    text = "; ".join(parts)
    return [f"{text[:1].upper()}{text[1:]}."] if text else []


def introduction(evidence: Evidence, show: Callable[[str], str]) -> list[str]:
    """What the table of gains compares.

    Args:
        evidence: What a confirmation shows.
        show: What texts from the storage go through, an escape for markdown say.
    """
    left_out = [f"{', '.join(names)}: {show(reason)}" for reason, names in by_reason(evidence.left_out).items()]
    return [
        "What people do without a search was trained on the same seeds. *Gained* says how much worse that is than the "
        "best settings of the search, and the luck of having been picked is taken out. Each 95 % interval is for "
        "itself.",
        *(f"Not trained: {own}." for own in left_out),
    ]


def _aside(gain: Gain) -> str:
    """By how much one that is not told apart was worse or better, in brackets; nothing where it is the same."""
    if gain.mean == 0:
        return ""
    return f" ({_much(gain)} {'worse' if gain.mean > 0 else 'better'})"


def _lost(gain: Gain) -> str:
    diverged, failed = gain.contender.diverged, gain.contender.failed
    return f"diverged on {plural(diverged, 'seed')}" if diverged else f"failed on {plural(failed, 'seed')}"


def _much(gain: Gain) -> str:
    if gain.share is None:
        return brief(abs(gain.mean))
    return percent(abs(gain.share)) if abs(gain.share) >= LEAST_SHARE else "less than 1 %"


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
