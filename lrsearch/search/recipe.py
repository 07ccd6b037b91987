"""How another process makes the task of a study: by importing the same code, never by taking over objects."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lrsearch import registry
from lrsearch.storage import address, rdb
from lrsearch.storage.counts import engine_of
from lrsearch.study.stored import StoredStudy
from lrsearch.tasks.loading import PREFIX, loaded_files


@dataclass(frozen=True)
class Recipe:
    """What a training process needs to make a study's task.

    Attributes:
        sources: Files, and names of modules, to import first.
        task: Name of the task.
        options: Its options.
        is_confirmation: Whether it is scored as a confirmation is.
        score: Which further metric is a trial's value then; see `StoredStudy.score`.
        data: The fingerprint that the study has of its data.
        device: Where it is trained.
        threads: CPU threads of torch.
        study: What tells its checkpoints from others; None for no checkpoints.
        halves: See `study.holdout.scored`.
        each_epoch: The same.
    """

    sources: tuple[str, ...]
    task: str
    options: dict[str, Any]
    is_confirmation: bool
    score: str | None
    data: dict[str, Any] | None
    device: str
    threads: int
    study: str | None
    halves: bool = False
    each_epoch: bool = False


def recipe_of(stored: StoredStudy, sources: Sequence[str], device: str, threads: int) -> Recipe:
    """The recipe of a study whose task this process has, and others can have, too (`only_here`).

    Args:
        stored: The study.
        sources: Files and modules that were named to this process.
        device: Where it is trained.
        threads: CPU threads of torch.
    """
    assert stored.definition is not None
    task = stored.definition.task
    modules = [source for source in sources if not source.endswith(".py")]
    own = _module_of(stored)
    if own not in sys.modules or not own.startswith(("lrsearch.", PREFIX)):
        modules.append(own)
    return Recipe(
        sources=tuple(dict.fromkeys([*map(str, loaded_files()), *modules])),
        task=task.name,
        options=task.options,
        is_confirmation=stored.is_confirmation,
        score=stored.score,
        data=stored.data,
        device=device,
        threads=threads,
        study=identity(stored),
        halves=stored.is_halved,
        each_epoch=stored.may_end_anywhere,
    )


def only_here(stored: StoredStudy) -> str | None:
    """Why no other process could make the study's task; None if one can.

    Args:
        stored: The study.
    """
    assert stored.definition is not None
    where = "in this program only (a script or a notebook), where no other process finds it"
    kinds = {"scheduler": registry.schedules, "task": registry.tasks, "optimizer": registry.optimizers}
    definition = stored.definition
    named = {
        "scheduler": definition.search.schedulers,
        "task": [definition.task.name],
        "optimizer": [
            name
            for name in [definition.training.optimizer, *definition.search.options.optimizers]
            if name in registry.optimizers
        ],
    }
    for kind, known in kinds.items():
        for name in named[kind]:
            made = known.get(name)
            made = getattr(made, "function", made)
            module, path = getattr(made, "__module__", ""), getattr(made, "__qualname__", "")
            # `runpy` calls a script <run_path>.
            importable = module != "__main__" and all(part.isidentifier() for part in module.split("."))
            if not importable or "<locals>" in path or not getattr(sys.modules.get(module), "__file__", None):
                return f"{kind} {name} is defined {where}"
    return None


def identity(stored: StoredStudy) -> str | None:
    """What tells a study's checkpoints from those of others; None for a study that no later process can go on with.

    Args:
        stored: The study.
    """
    engine = engine_of(stored.storage)
    if engine is None or stored.url is None or stored.definition is None or address.keeps_nothing(engine.url):
        return None
    file = getattr(sys.modules.get(_module_of(stored)), "__file__", None)
    code = Path(file).read_bytes() if file is not None and Path(file).is_file() else b""
    task = stored.definition.task
    parts = [
        rdb.absolute(stored.url),
        stored.name,
        task.name,
        repr(sorted(task.options.items())),
        hashlib.sha256(code).hexdigest(),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _module_of(stored: StoredStudy) -> str:
    assert stored.definition is not None
    made = registry.tasks.get(stored.definition.task.name)
    return str(getattr(made.function, "__module__", "__main__"))
