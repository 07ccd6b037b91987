"""The weights that a run keeps of its best epoch by the test metric: looked at, saved, and restored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

from torch import nn

from lrsearch.training.run import BestWeights, Run, State


def best_model(run: Run) -> nn.Module | None:
    """A copy of the network, with the weights of the best epoch, or with their average; None if they were not kept.

    Args:
        run: Any.
    """
    if run.best is None:
        return None
    with in_place(run):
        return deepcopy(run.model if run.average is None else run.average.module)


@contextmanager
def in_place(run: Run) -> Iterator[None]:
    """Within the block the run's network has the weights of the best epoch, if they were kept.

    Args:
        run: Any.
    """
    if run.best is None:
        yield
        return
    last = deepcopy(run.model.state_dict())
    average = None if run.average is None else deepcopy(run.average.state_dict())
    _load(run, run.best.model, run.best.average)
    try:
        yield
    finally:
        _load(run, last, average)


def document(run: Run) -> dict[str, Any] | None:
    """The kept weights as a checkpoint has them.

    Args:
        run: Any.
    """
    return None if run.best is None else dict(vars(run.best))


def restore(run: Run, stored: Mapping[str, Any] | None) -> None:
    """Take back what `document` gave.

    Args:
        run: Which has the records of the checkpoint.
        stored: As in the checkpoint.

    Raises:
        KeyError: A part is missing.
        TypeError: It is none.
        ValueError: It is not the best epoch that the records have.
        RuntimeError: These are weights of another network.
    """
    if stored is None:
        return
    best, found = run.best_record, BestWeights(**stored)
    if best is None or best.epoch != found.epoch:
        raise ValueError("the epoch of the best weights")
    run.keep, run.best = "best", found
    with in_place(run):  # whether they fit
        pass


def _load(run: Run, model: State, average: State | None) -> None:
    run.model.load_state_dict(model)
    if run.average is not None and average is not None:
        run.average.load_state_dict(average)
