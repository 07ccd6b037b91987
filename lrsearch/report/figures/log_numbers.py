"""The numbers that are written along a logarithmic axis: as many as have room beside each other."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import matplotlib as mpl
import numpy as np
from matplotlib import ticker
from matplotlib.axis import Axis, XAxis
from matplotlib.font_manager import FontProperties

MULTIPLES = (
    (0.7, (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0)),
    (1.2, (1.0, 2.0, 3.0, 5.0, 7.0)),
    (2.5, (1.0, 2.0, 5.0)),
    (math.inf, (1.0,)),
)
"""Which multiples of the powers of ten are written, at most, on an axis of fewer decades than the first number."""
FEWER = ((1.0, 2.0, 5.0), (1.0, 3.0), (1.0,))
"""Which are written instead where those have no room."""
LETTER = 0.64
"""Width of a digit, as a share of the size of the font."""
GAP = 0.8
"""Between two numbers, as a share of that."""
LINE = 1.5
"""Height of a number with its gap, as a share of that."""

ROUNDING = 1e-9
"""A number at an end of the axis belongs to it."""


class LogNumbers(ticker.Locator):
    """Where numbers stand; it is asked when the figure is drawn, for only then it is known how long the axis is.

    Args:
        decades: Powers of ten that the axis shows.
        written: How a number is written.
    """

    def __init__(self, decades: float, written: Callable[[float], str]) -> None:
        first = next(multiples for most, multiples in MULTIPLES if decades < most)
        self._choices = [first, *(fewer for fewer in FEWER if len(fewer) < len(first))]
        self._written = written

    def __call__(self) -> Sequence[float]:
        """The numbers within the axis."""
        assert isinstance(self.axis, Axis)
        return self.tick_values(*self.axis.get_view_interval())

    def tick_values(self, vmin: float, vmax: float) -> Sequence[float]:
        """See `matplotlib.ticker.Locator.tick_values`.

        Args:
            vmin: The lower end of the axis.
            vmax: Its upper end.
        """
        low, high = sorted((vmin, vmax))
        if not 0 < low < high < math.inf:
            return []
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        low, high = low * (1 - ROUNDING), high * (1 + ROUNDING)
        for multiples in self._choices:
            numbers = [own for power in powers for one in multiples if low <= (own := one * 10.0**power) <= high]
            if self._fit(numbers, low, high):
                return numbers
        whole = [10.0**power for power in powers if low <= 10.0**power <= high]
        apart = next((step for step in range(2, len(whole)) if self._fit(whole[::step], low, high)), len(whole) or 1)
        return whole[::apart]

    def _fit(self, numbers: Sequence[float], low: float, high: float) -> bool:
        assert isinstance(self.axis, Axis)
        horizontal = isinstance(self.axis, XAxis)
        box, figure = self.axis.axes.bbox, self.axis.axes.figure
        size = FontProperties(size=mpl.rcParams["xtick.labelsize" if horizontal else "ytick.labelsize"])
        pixels = size.get_size_in_points() * figure.get_dpi() / 72
        length = box.width if horizontal else box.height
        places = length * np.log(np.array(numbers) / low) / math.log(high / low)
        if not horizontal:
            return bool((np.diff(places) >= LINE * pixels).all())
        widths = [LETTER * pixels * len(self._written(own)) for own in numbers]
        needed = [(one + other) / 2 + GAP * pixels for one, other in pairwise(widths)]
        return bool((np.diff(places) >= needed).all())
