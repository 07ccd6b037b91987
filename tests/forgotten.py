"""What a test registers and imports is unknown to the next one."""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lrsearch import registry


@contextmanager
def forgotten(folder: Path) -> Iterator[None]:
    """What is registered within the block, and imported from the folder, is unknown after it, as to a new process."""
    registries = (registry.schedules, registry.tasks, registry.samplers, registry.pruners)
    before = []
    for known in registries:
        list(known)  # the built-in ones come with the first look
        before.append([*copy.deepcopy([known._aliases, known._groups]), dict(known._things)])
    try:
        yield
    finally:
        for known, (aliases, groups, things) in zip(registries, before, strict=True):
            known._aliases, known._groups, known._things = aliases, groups, things
        for name, module in list(sys.modules.items()):
            if (getattr(module, "__file__", None) or "").startswith(str(folder)):
                del sys.modules[name]
