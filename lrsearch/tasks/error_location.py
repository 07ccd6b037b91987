"""Where in a person's own code an error came from: one line that names it, instead of a stack."""

from __future__ import annotations

import traceback
from pathlib import Path

import torch

_OTHERS = (str(Path(__file__).parents[1]), str(Path(torch.__file__).parent), "<frozen")
"""Where code that is not hers begins: lrsearch, torch, the import system."""


def sentence(error: BaseException) -> str:
    """An error on one line, with the deepest place in it that is neither ours nor torch's; a stack of C++ is left out.

    Args:
        error: What was raised.
    """
    text = " ".join(str(error).partition("Exception raised from")[0].split())
    what = f"{type(error).__name__}: {text}" if text else type(error).__name__
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(_OTHERS)]
    return f"{what} (line {frames[-1].lineno} of {Path(frames[-1].filename).name})" if frames else what
