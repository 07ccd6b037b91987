"""A task to start from, and the study file that names it."""

from __future__ import annotations

import keyword
import os
from pathlib import Path

from lrsearch import atomic_file, registry
from lrsearch.errors import InputError, input_error
from lrsearch.tasks.error_location import sentence

_TASK = '''\
"""A task for lrsearch: data, model, loss and metric. Try it with `lrsearch tasks check {file}:{name}`."""

import lrsearch
import torch
from torch import nn


@lrsearch.task
def {name}(*, rows: int = 500, hidden: int = 16) -> lrsearch.Task:
    """The product of three numbers, learned by a small network."""
    inputs = torch.randn(rows, 3, generator=torch.Generator().manual_seed(0))
    data = torch.utils.data.TensorDataset(inputs, inputs.prod(dim=1, keepdim=True))
    train, test, holdout = torch.utils.data.random_split(data, [0.6, 0.2, 0.2], torch.Generator().manual_seed(0))
    return lrsearch.Task(
        model=lambda: nn.Sequential(nn.Linear(3, hidden), nn.Tanh(), nn.Linear(hidden, 1)),
        train=train,  # a Dataset, or a pair of tensors: inputs and targets
        test=test,  # what the search judges by
        holdout=holdout,  # what the search never sees; may be left out
        loss="mse",  # mse, mae, cross_entropy, error, or a callable(outputs, targets)
        metric="mse",  # the same, accuracy, r2, f1, auroc, ...; of your own: direction="minimize" or "maximize"
    )
'''
_STUDY = """\
# Which learning rate and which schedule train {name} best?
[study]
name = "{name}"
trials = 50
load = ["{file}"]

[task]
name = "{name}"

[training]
epochs = 30
"""


def write(target: Path, study: Path | None = None) -> str:
    """Write a task file, and a study file that names it if one is wanted; neither may exist.

    Args:
        target: The task file, ending in ``.py``; its stem becomes the task's name.
        study: The study file.

    Returns:
        The task's name.

    Raises:
        InputError: The stem cannot be a task's name, or a file exists or cannot be written.
    """
    name = target.stem
    if target.suffix != ".py" or not name.isidentifier() or keyword.iskeyword(name):
        rule = "must be a Python file whose name is a valid function name, such as my_task.py"
        raise input_error("tasks new", rule, received=str(target))
    if name in registry.tasks:
        rule = f'there is a task "{name}" already; choose another name'
        raise input_error("tasks new", rule, received=str(target))
    for file in (target, study):
        if file is not None and file.exists():
            raise input_error(str(file), "exists already; nothing was written")
    if study is not None:
        beside = Path(os.path.relpath(target.resolve(), study.resolve().parent)).as_posix()
        _create(study, _STUDY.format(name=name, file=beside))
    try:
        _create(target, _TASK.format(name=name, file=target.name))
    except InputError:
        if study is not None:
            study.unlink()
        raise
    return name


def _create(file: Path, text: str) -> None:
    try:
        atomic_file.create(file, text.encode())
    except OSError as error:
        raise input_error(str(file), f"cannot be written: {error.strerror or sentence(error)}") from None
