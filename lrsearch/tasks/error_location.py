"""Where in a person's own code an error came from: one line that names it, instead of a stack."""

from __future__ import annotations

import sysconfig
import traceback
from collections.abc import Iterable
from pathlib import Path

import torch

_OTHERS = (str(Path(__file__).parents[1]), str(Path(torch.__file__).parent), "<frozen")
"""Where code that is not hers begins: lrsearch, torch, the import system."""
_LIBRARIES = tuple({sysconfig.get_path(kind) for kind in ("stdlib", "platstdlib", "purelib", "platlib")})
"""Where code that was installed lies; an error deep in a library is to be mended where it was called."""


def sentence(error: BaseException) -> str:
    """An error on one line, with the deepest place in a person's own files, or else in a library but torch.

    A stack of C++ is left out.

    Args:
        error: What was raised.
    """
    text = " ".join(str(error).partition("Exception raised from")[0].split())
    what = f"{type(error).__name__}: {text}" if text else type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    place = _deepest(frames, (*_OTHERS, *_LIBRARIES)) or _deepest(frames, _OTHERS)
    return f"{what} (line {place.lineno} of {Path(place.filename).name})" if place else what


def _deepest(frames: Iterable[traceback.FrameSummary], others: tuple[str, ...]) -> traceback.FrameSummary | None:
    own = [frame for frame in frames if not frame.filename.startswith(others)]
    return own[-1] if own else None
