"""What searching gained over what people do without a search, in words."""

from __future__ import annotations

from collections.abc import Iterator

from lrsearch.report.wording import OPTIMIZERS, brief, percent
from lrsearch.study.evidence import Evidence
from lrsearch.study.gained import Gain, gains
from lrsearch.study_file.model import Definition
from lrsearch.training.optimizers import TORCH_CLASSES

LEAST_SHARE = 0.005
"""A smaller share is written as a number: it would be rounded to nothing."""


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
    """One sentence, such as *The search gained 9 % over Adam's default rate*, or none.

    Args:
        evidence: What a confirmation shows.
        definition: See `label`.
    """
    found = gains(evidence)
    shown = [one for one in found if one.difference is not None and one.difference.low > 0]
    gained = [f"{_much(one)} over {label(one.name, definition)}" for one in shown]
    parts = [f"the search gained {_listed(gained)}"] if gained else []
    parts += [part for one in found if one not in shown for part in _others(one, label(one.name, definition))]
    if not parts:
        return []
    text = "; ".join(parts)
    return [f"{text[:1].upper()}{text[1:]}."]


def introduction(evidence: Evidence) -> list[str]:
    """What the table of gains compares.

    Args:
        evidence: What a confirmation shows.
    """
    left_out = "; ".join(f"{name}: {reason}" for name, reason in evidence.left_out.items())
    return [
        "What people do without a search was trained on the same seeds. *Gained* says how much worse that is than the "
        "best settings of the search, and the luck of having been picked is taken out. Each 95 % interval is for "
        "itself.",
        *([f"Not trained: {left_out}."] if left_out else []),
    ]


def _others(gain: Gain, name: str) -> Iterator[str]:
    """Of a contestant over which no gain is shown."""
    difference = gain.difference
    if difference is None:
        lost = "diverged" if gain.contender.diverged else "failed"
        yield f"{name} {lost} on {gain.contender.diverged or gain.contender.failed} of the seeds"
    elif difference.mean == 0:
        yield f"{name} is what it found"
    elif gain.is_shown:
        yield f"{name} was better by {_much(gain)}"
    elif difference.mean > 0:
        yield f"{name} came within {_much(gain)}, which is not told apart"
    else:
        yield f"{name} was better by {_much(gain)}, which is not told apart"


def _much(gain: Gain) -> str:
    assert gain.difference is not None
    if gain.share is not None and abs(gain.share) >= LEAST_SHARE:
        return percent(abs(gain.share))
    return brief(abs(gain.difference.mean))


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
