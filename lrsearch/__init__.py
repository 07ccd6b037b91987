"""lrsearch: which learning rate, and which schedule, should I use, and how sure can I be?"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

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
