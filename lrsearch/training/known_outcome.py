"""What trying a task out has shown on this machine before: kept, so that the next run need not try again.

Only a batch that came out right is kept, and how much faster it was. It decides which engine `auto` takes for a study
that has none yet; it is no part of any number. Whatever may change it is part of the question: the rows, the network,
all code that the process has loaded for the task, the training section, the versions, and the machine.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable
from functools import partial
from types import FunctionType
from typing import Any

import numpy as np
import torch
from torch import nn

from lrsearch import found_out
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.attempt import attempt
from lrsearch.tasks.data import same_random_numbers
from lrsearch.tasks.fingerprint import fingerprint
from lrsearch.tasks.loaded_code import loaded_code, root_of
from lrsearch.tasks.task import Task
from lrsearch.training import random_streams
from lrsearch.version import __version__

OWN_ROOTS = frozenset({"", "builtins", "lrsearch", "numpy", "torch"})
"""Packages whose code is known by a version."""
PLAIN = (bool, int, float, str, type(None))


class KnownOutcome:
    """The outcome for one task, training section and machine.

    Args:
        name: The task's name and options, as text; None where nothing is to be recalled or kept.
        task: What would be trained.
        training: Batch size, optimizer, seeds.
        device: Where.
    """

    def __init__(self, name: str | None, task: Task, training: TrainingSection, device: str) -> None:
        self._question: str | None = None
        if name is not None and not task.streamed:
            # A task that fails here fails when it is tried, too, where it is said.
            self._question = attempt(lambda: _question(name, task, training, device), "what identifies a task")

    @property
    def question(self) -> str | None:
        """All that the outcome depends on; None where that cannot be said."""
        return self._question

    def is_right(self) -> bool:
        """Whether a batch is known to be right."""
        return self._kept() is not None

    def gain(self) -> float | None:
        """How many times as many trials a batch trains, if it was right; None where that is not known."""
        return self._kept() or None

    def keep(self, gain: float | None = None) -> None:
        """Keep that a batch is right.

        Args:
            gain: How many times as many trials it trains; None where that was not measured, or not clear.
        """
        if self._question is not None:
            found_out.keep(self._question, gain or 0.0)

    def _kept(self) -> float | None:
        known = None if self._question is None else found_out.recall(self._question)
        return float(known) if isinstance(known, (int, float)) and known >= 0 else None


def _question(name: str, task: Task, training: TrainingSection, device: str) -> str | None:
    with same_random_numbers():
        random_streams.begin(training.seeds[0])
        network = task.model()
    calls = [task.model, task.loss_function, task.metric_function, task.call, *task.extra.values()]
    code = loaded_code(_libraries(network, calls))
    if code is None:
        return None
    machine = [platform.node(), platform.machine(), torch.backends.cpu.get_cpu_capability(), torch.get_num_threads()]
    if torch.device(device).type == "cuda":
        machine.append(torch.cuda.get_device_name(device))
    parts = [
        "probe", __version__, platform.python_version(), torch.__version__, np.__version__, machine, device, name,
        training.model_dump(mode="json"), code, fingerprint(task), list(_network(network)), list(map(_call, calls)),
    ]  # fmt: skip
    return json.dumps(parts, sort_keys=True, default=repr)


def _libraries(network: nn.Module, calls: Iterable[Any]) -> frozenset[str]:
    """Installed packages that the task's parts come from."""
    roots = {root_of(type(part).__module__) for part in network.modules()}
    roots |= {root_of(getattr(_bare(call), "__module__", None) or type(call).__module__) for call in calls}
    return frozenset(roots - OWN_ROOTS)


def _network(network: nn.Module) -> Iterable[list[Any]]:
    """Each module's class and settings, and what its tensors look like."""
    for name, part in network.named_modules():
        settings = {key: value for key, value in vars(part).items() if isinstance(value, PLAIN)}
        yield [name, type(part).__module__, type(part).__qualname__, settings]
    for name, tensor in (*network.named_parameters(), *network.named_buffers()):
        yield [name, list(tensor.shape), str(tensor.dtype), tensor.requires_grad]


def _call(call: Any) -> list[Any]:
    """What a function is, and the plain values that it holds."""
    bare = _bare(call)
    held = [*call.args, call.keywords] if isinstance(call, partial) else []
    if isinstance(bare, FunctionType):
        cells = [cell.cell_contents for cell in bare.__closure__ or ()]
        held += [value for value in (*cells, *(bare.__defaults__ or ())) if isinstance(value, PLAIN)]
    named = [getattr(bare, "__module__", ""), getattr(bare, "__qualname__", type(bare).__qualname__)]
    return [*named, [value for value in held if isinstance(value, (*PLAIN, dict))]]


def _bare(call: Any) -> Any:
    return _bare(call.func) if isinstance(call, partial) else call
