"""What searching gained over each thing that people do without a search. No words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lrsearch.study.contender import Contender
from lrsearch.study.contestants import CONTESTANTS
from lrsearch.study.crossed import Interval
from lrsearch.study.evidence import Evidence

NOTHING = Interval(0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Gain:
    """The best that the search has found beside a contestant.

    Attributes:
        name: The contestant; see `study.contestants`.
        contender: What it came to.
        difference: How much worse it is than what the search has found; None if it diverged or failed on a seed. The
            luck of having been picked is taken out, and each interval is for itself.
        share: The same as a share of what the contestant came to; None where that means nothing.
    """

    name: str
    contender: Contender
    difference: Interval | None
    share: float | None

    @property
    def mean(self) -> float:
        """How much worse it is than what the search has found, on average; 0 where that is not known."""
        return 0.0 if self.difference is None else self.difference.mean

    @property
    def is_shown(self) -> bool:
        """Whether the difference is told apart from nothing."""
        return self.difference is not None and self.difference.excludes_zero


def by_reason(left_out: Mapping[str, str]) -> dict[str, list[str]]:
    """Why contestants were not trained -> which.

    Args:
        left_out: Contestant -> why.
    """
    found: dict[str, list[str]] = {}
    for name, reason in left_out.items():
        found.setdefault(reason, []).append(name)
    return found


def searched(evidence: Evidence) -> Contender | None:
    """What the search has found: the recommended settings or, where that is a contestant, the best of the others.

    Args:
        evidence: What a confirmation shows.
    """
    if not evidence.complete:
        return None
    if evidence.recommended.role not in CONTESTANTS:
        return evidence.recommended
    return next((one for one in evidence.complete if one.role not in CONTESTANTS), None)


def gains(evidence: Evidence) -> list[Gain]:
    """What the search gained over each contestant, in the order of `CONTESTANTS`; none where none took part.

    Args:
        evidence: What a confirmation shows.
    """
    found = searched(evidence)
    if found is None:
        return []
    named = ((name, evidence.contestants[name]) for name in CONTESTANTS if name in evidence.contestants)
    return [_gain(evidence, found, name, _contender(evidence, params)) for name, params in named]


def _contender(evidence: Evidence, params: dict[str, Any]) -> Contender:
    return next(one for one in evidence.contenders if one.params == params)


def _gain(evidence: Evidence, found: Contender, name: str, contender: Contender) -> Gain:
    if not contender.is_complete:
        return Gain(name, contender, None, None)
    difference = NOTHING if contender is found else evidence.behind(contender, found)
    # Of a score that should grow, a share of what is there says little.
    share = difference.mean / contender.mean if not evidence.maximise and contender.mean > 0 else None
    return Gain(name, contender, difference, share)
