"""What an update is reckoned to take."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from workloads import TASKS, polynomial, regression

from lrsearch.study_file.model import TrainingSection
from lrsearch.training.update_cost import BARE, SPEED, operations, update_seconds


def test_operations_of_a_network_are_those_of_its_matrix_products() -> None:
    """A product of [16, 8] and [8, 3] has 2 * 16 * 8 * 3 operations; backward has two such, but none for the inputs."""
    task = regression(lambda: nn.Sequential(nn.Linear(8, 3), nn.Tanh(), nn.Linear(3, 1)))
    first, second = 2 * 16 * 8 * 3, 2 * 16 * 3 * 1
    training = TrainingSection(batch_size=16)
    assert operations(task, training) == 2 * first + 3 * second
    assert update_seconds(task, training) == BARE + (2 * first + 3 * second) / SPEED


@pytest.mark.parametrize("name", list(TASKS))
def test_counting_draws_nothing_and_every_kind_of_network_can_be_counted(name: str) -> None:
    before = torch.get_rng_state()
    assert operations(TASKS[name], TrainingSection(batch_size=16)) >= 0
    assert torch.equal(torch.get_rng_state(), before)


def test_the_tutorials_network_costs_next_to_no_arithmetic() -> None:
    assert update_seconds(polynomial(), TrainingSection(batch_size=50)) < 1.1 * BARE
