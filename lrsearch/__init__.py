"""lrsearch: which learning rate, and which schedule, should I use, and how sure can I be?"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING

# Without it the last bits of MKL's products depend on where in memory a matrix begins, so a lane's on its neighbours.
# MKL looks when it is first used; a choice that is there already stays.
os.environ.setdefault("MKL_CBWR", "AUTO,STRICT")

if TYPE_CHECKING:
    from lrsearch.tasks.task import Task, task

__version__ = "0.1.0"
__all__ = ["Task", "__version__", "task"]

_PUBLIC = {"Task": "lrsearch.tasks.task", "task": "lrsearch.tasks.task"}


def __getattr__(name: str) -> object:
    """Import a public name at its first use: `import lrsearch` must not wait for torch."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'lrsearch' has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)
