"""How a scheduler type looks: colour, marker and dash, the same in every figure of a report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Dash = Literal["solid", "dashed", "dotted", "dashdot"]

# Okabe and Ito's colours, which colour-blind readers tell apart, without the yellow that vanishes in print; then seven
# more that are at least as far (26, CIE76) from these and from each other as the two blues are.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000",
            "#4830A8", "#7CB800", "#C000B0", "#781818", "#606000", "#E8004F", "#9C6ADE")  # fmt: skip
_MARKERS = ("o", "s", "^", "D", "v", "P", "*", "<", ">", "p", "d", "h", "8", "H")
_SAME_DASH = 7
_DASHES: tuple[Dash, ...] = ("solid", "dashed", "dotted", "dashdot")


@dataclass(frozen=True)
class Style:
    """One look.

    Attributes:
        colour: ``#rrggbb``.
        marker: matplotlib's letter of it; no two of 14 looks share one.
        dash: matplotlib's name of it; it changes after seven looks, for lines without markers.
    """

    colour: str
    marker: str
    dash: Dash


def style(index: int) -> Style:
    """The look of the type, or trial, at a place in the list.

    Args:
        index: The place, from 0. Colours and markers repeat after 14, looks after 28.
    """
    return Style(
        colour=_COLOURS[index % len(_COLOURS)],
        marker=_MARKERS[index % len(_MARKERS)],
        dash=_DASHES[index // _SAME_DASH % len(_DASHES)],
    )


def styles(names: Iterable[str | None]) -> dict[str | None, Style]:
    """A look for every scheduler type of a study.

    Args:
        names: The types, always in the same order.
    """
    return {name: style(index) for index, name in enumerate(names)}
