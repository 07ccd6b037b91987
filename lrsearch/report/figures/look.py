"""What every figure has in common: the look, whatever machine it is drawn on, and the file it becomes."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from lrsearch.report.figures import letters
from lrsearch.report.figures.letters import plain
from lrsearch.report.frames import StudyFrames

__all__ = ["IMAGES", "Draw", "Drawing", "drawn", "image", "plain", "png", "small_png"]

DOTS_PER_INCH = 150
COLOURS = 128
"""Of a small PNG: the types' colours on white, and what lies between them at the edges of lines."""
FAINT = "#8c8c8c"
BEHIND = "#d9d9d9"
BAND = "#efefef"
IMAGES: dict[str, dict[str, None]] = {
    ".png": {"Software": None},
    ".svg": {"Date": None},
    ".pdf": {"CreationDate": None},
}
"""Endings of the image files a figure can become, and which notes of time or software are left out of each."""
SHORT_DASHES = (0, (2.5, 1.5))
DOTS = (0, (1, 1))

Draw = Callable[[StudyFrames], Figure]
Arguments = ParamSpec("Arguments")


class Drawing(Figure):
    """A figure that a notebook shows when it is the value of a cell, as the file that a report would have."""

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        width, height = self.get_size_inches()
        return png(self), {"width": round(100 * width), "height": round(100 * height)}

    def __repr__(self) -> str:
        """The size; Python's own has an address in it, which differs from run to run."""
        return str(self)


@contextmanager
def _our_settings() -> Iterator[None]:
    """Our settings, whatever matplotlibrc this machine has."""
    # A fallback font without a bold face is no news for who reads a report.
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(
            {
                "font.size": 9,
                "font.family": letters.families(),
                "axes.spines.top": False,
                "axes.spines.right": False,
                "axes.grid": True,
                "axes.axisbelow": True,
                "axes.titlesize": 9,
                "grid.color": "#e3e3e3",
                "grid.linewidth": 0.6,
                "legend.frameon": False,
                "svg.hashsalt": "lrsearch",  # the same figure is the same file
                "text.parse_math": False,  # names come from a database: a dollar sign is a dollar sign
            }
        )
        yield


def drawn(draw: Callable[Arguments, Figure]) -> Callable[Arguments, Figure]:
    """Decorator: draw with our settings."""

    @wraps(draw)
    def styled(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Figure:
        with _our_settings():
            return draw(*args, **kwargs)

    return styled


def png(figure: Figure) -> bytes:
    """A figure as a PNG file, without the time and the software that made it.

    Args:
        figure: One of this package's.
    """
    file = io.BytesIO()
    with _at_our_resolution(figure) as canvas:
        canvas.print_png(file, metadata=IMAGES[".png"])
    return file.getvalue()


def small_png(figure: Figure) -> bytes:
    """A figure as a PNG file of few colours, a quarter of the size, which eyes do not tell from the other.

    Args:
        figure: One of this package's.
    """
    file = io.BytesIO()
    with _at_our_resolution(figure) as canvas:
        canvas.draw()
        whole = Image.fromarray(np.asarray(canvas.buffer_rgba()))
    whole.convert("RGB").quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(file, "PNG")
    return file.getvalue()


@contextmanager
def _at_our_resolution(figure: Figure) -> Iterator[Any]:
    """What draws a figure once, and lays it out while it does: `Figure.savefig` draws it twice."""
    own = figure.dpi
    figure.dpi = DOTS_PER_INCH
    try:
        with _our_settings():
            yield FigureCanvasAgg(figure)
    finally:
        figure.dpi = own


def image(figure: Figure, suffix: str) -> bytes:
    """A figure as an image file, without the time at which it was made.

    Args:
        figure: One of this package's.
        suffix: One of `IMAGES`.
    """
    if suffix == ".png":
        return png(figure)
    file = io.BytesIO()
    with _our_settings():
        figure.savefig(file, format=suffix.removeprefix("."), dpi=DOTS_PER_INCH, metadata=IMAGES[suffix])
    return file.getvalue()
