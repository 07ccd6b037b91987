"""Train on a share of the rows: every task has this option, so that runs on less data need no code of their own."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import torch
from pydantic import Field
from torch.utils.data import Subset

from lrsearch.errors import input_error
from lrsearch.study_file.model import TRAIN_SHARE
from lrsearch.tasks import nest
from lrsearch.tasks.data import Stream, Streamed, count
from lrsearch.tasks.task import Task

FIELD: tuple[Any, Any] = (Annotated[float, Field(gt=0, le=1)] | None, None)
"""Of the option `TRAIN_SHARE`. None is all rows; a stored study without the option does not change."""
FEWEST_ROWS = 2
"""BatchNorm needs two."""
SEED = 0
"""Of the order in which rows are taken: it is not a trial's seed, which never changes what is trained on."""


def reduced(task: Task, share: float) -> Task:
    """The task with some of its training rows, taken in a mixed order; a smaller share's are among a larger one's.

    Args:
        task: What is trained.
        share: Of the rows, above 0 and at most 1.

    Raises:
        InputError: The rows come from a stream, or the share is of too few.
    """
    if isinstance(task.train, Stream):
        rule = "cannot be taken of a stream, which has no count of rows"
        raise input_error("task", rule, key=TRAIN_SHARE, received=f"{share:g}")
    rows = count(task.train)
    number = round(share * rows)
    if number < FEWEST_ROWS:
        rule = f"leaves fewer than {FEWEST_ROWS} of {rows} training rows"
        raise input_error("task", rule, key=TRAIN_SHARE, received=f"{share:g}")
    order = torch.randperm(rows, generator=torch.Generator().manual_seed(SEED))
    kept = order[:number].sort().values
    if isinstance(task.train, Streamed):
        return replace(task, train=replace(task.train, dataset=Subset(task.train.dataset, kept.tolist())))
    inputs, targets = task.train
    return replace(task, train=(nest.taken(inputs, kept), nest.taken(targets, kept)))
