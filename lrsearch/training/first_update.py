"""One update tried out: an optimizer that does not fit a network says so before anything is stored."""

from __future__ import annotations

import torch

from lrsearch.errors import input_error
from lrsearch.study_file.faults import show
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.data import first_batch, same_random_numbers
from lrsearch.tasks.error_location import sentence
from lrsearch.tasks.parameter_groups import groups_of
from lrsearch.tasks.task import Task
from lrsearch.training import optimizer_modes, optimizers

LR = 1e-6


def check_first_update(task: Task, training: TrainingSection) -> None:
    """Take one update of a fresh network with an optimizer that is none of sgd, adam and adamw; draws nothing.

    Args:
        task: What would be trained.
        training: It names the optimizer.

    Raises:
        InputError: The optimizer refuses the network's parameters or gradients (SparseAdam wants sparse ones, Muon
            matrices).
    """
    if optimizers.batched(training) and task.parameters is None:
        return
    inputs, targets = first_batch(task.train, training.batch_size)
    with same_random_numbers():
        torch.manual_seed(0)
        model = task.model().train()
        made = optimizers.build(training, groups_of(task.parameters, model), LR)
        loss = task.loss_function(task.call(model, inputs), targets)
        loss.backward()  # type: ignore[no-untyped-call]
        try:
            with optimizer_modes.training(made):
                made.step()
        except Exception as error:
            rule = f"cannot train this network: {sentence(error)}"
            raise input_error("[training]", rule, key="optimizer", received=show(training.optimizer)) from error
