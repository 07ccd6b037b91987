"""Is there room to train a task on this machine? Asked before a whole batch goes through its network."""

from __future__ import annotations

import torch
from torch import Tensor

from lrsearch.errors import input_error
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks import nest
from lrsearch.tasks.attempt import attempt
from lrsearch.tasks.data import count, first_batch, same_random_numbers
from lrsearch.tasks.memory_limit import in_words, machine_memory
from lrsearch.tasks.task import Task
from lrsearch.training.batches import epoch_rows
from lrsearch.training.evaluation import EVALUATION_ROWS
from lrsearch.training.memory import dense_parts, state_bytes

TRIED_ROWS = 4
"""So many rows show what one needs; a task that `tasks.check` let through takes as many."""


def check_room(task: Task, training: TrainingSection) -> None:
    """Refuse to train what would not fit into the memory of this machine, from one pass of a few rows.

    Args:
        task: What would be trained, on the CPU.
        training: Batch size and optimizer.

    Raises:
        InputError: It would not fit.
    """
    needed = attempt(lambda: _needed(task, training), "the memory of a network")
    limit = machine_memory()
    if needed is None or max(needed) <= limit:
        return
    update, evaluation = needed
    rows = min(training.batch_size, epoch_rows(task, training))
    what = f"an update of {rows} rows" if update >= evaluation else "an evaluation"
    rule = f"{what} would take about {in_words(max(needed))}, and this machine has {in_words(limit)}"
    raise input_error("training", rule, key="training.batch_size", received=str(training.batch_size))


def _needed(task: Task, training: TrainingSection) -> tuple[int, int]:
    """Bytes while a network is trained on a batch, and while it is evaluated."""
    inputs, targets = first_batch(task.train, TRIED_ROWS)
    saved: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        saved.update({part.data_ptr(): part.numel() * part.element_size() for part in dense_parts(tensor)})
        return tensor

    with same_random_numbers():
        torch.manual_seed(0)
        model = task.model().eval()
        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            task.loss_function(task.call(model, inputs), targets)
    own = {own.data_ptr() for part in (*model.parameters(), *model.buffers()) for own in dense_parts(part)}
    passing = [size / (nest.rows(targets) or TRIED_ROWS) for place, size in saved.items() if place not in own]
    kept = state_bytes(model, training.optimizer)
    in_all = epoch_rows(task, training)
    rows = min(training.batch_size, in_all)
    evaluated = min(max(in_all, count(task.test)), EVALUATION_ROWS)
    # A backward pass makes gradients of the sizes that it saved; an evaluation holds two layers at a time.
    return int(kept + 2 * sum(passing) * rows), int(kept + 2 * max(passing, default=0) * evaluated)
