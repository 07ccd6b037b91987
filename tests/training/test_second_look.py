"""The short runs of a second look are those of a plain script, and they find a rate where the ramp misleads."""

from __future__ import annotations

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset
from workloads import regression

from lrsearch import registry
from lrsearch.errors import InputError
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.task import Task
from lrsearch.training.second_look import check, epochs, look, tried


def polynomial(**options: object) -> Task:
    task: Task = registry.tasks.get("polynomial").build({"rows": 100, **options})
    return task


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_values_are_those_of_a_plain_script(optimizer: str) -> None:
    """So many updates, which end in the middle of an epoch, at every rate and on every seed."""
    task, training = polynomial(), TrainingSection(batch_size=16, optimizer=optimizer)  # type: ignore[arg-type]
    briefs = list(look(task, training, (1e-4, 1e-2), 52, (3, 4)))
    assert [(run.lr, run.seed) for run in briefs] == [(lr, seed) for lr in tried(1e-4, 1e-2) for seed in (3, 4)]
    for run in (briefs[0], briefs[-1]):
        torch.manual_seed(run.seed)
        model = task.model()
        loader = DataLoader(TensorDataset(*task.train), batch_size=16, shuffle=True)
        made = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[optimizer](model.parameters(), lr=run.lr)
        done = 0
        while done < 52:
            for inputs, targets in loader:
                made.zero_grad()
                torch.nn.functional.mse_loss(model(inputs), targets).backward()
                made.step()
                done += 1
                if done == 52:
                    break
        model.eval()
        with torch.no_grad():
            expected = torch.nn.functional.mse_loss(model(task.test[0]), task.test[1]).item()
        assert run.value == pytest.approx(expected, rel=1e-5)


def test_a_run_that_explodes_has_no_value_and_draws_from_no_stream_but_its_own() -> None:
    torch.manual_seed(1)
    expected = torch.rand(2)
    torch.manual_seed(1)
    task = regression(lambda: torch.nn.Linear(8, 1))
    briefs = list(look(task, TrainingSection(batch_size=10), (1e-3, 1e3), 50, (0,)))
    assert torch.equal(torch.rand(2), expected)
    assert briefs[0].value is not None
    assert briefs[-1].value is None
    assert briefs[-1].untrained > 0


def test_the_cost_is_counted_in_epochs() -> None:
    """70 rows in batches of 16 are five updates."""
    assert epochs(polynomial(), TrainingSection(batch_size=16), 50, 10) == 100.0


def test_too_few_updates_are_refused() -> None:
    check(0)
    check(50)
    with pytest.raises(InputError, match="at least 50"):
        check(49)
    with pytest.raises(InputError):
        check(-1)
