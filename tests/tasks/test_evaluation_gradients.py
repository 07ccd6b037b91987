"""Models that need gradients inside forward, such as the force of an energy, and inputs that are not all there."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from lrsearch.errors import InputError
from lrsearch.schedules.classical import Constant
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.check import check
from lrsearch.tasks.task import Task
from lrsearch.training.choice import choose_engine
from lrsearch.training.loop import start, train

PLACES = torch.linspace(-1, 1, 60)[:, None]
FORCES = -2 * PLACES


class Force(nn.Module):
    """Minus the slope of an energy that it learns."""

    def __init__(self) -> None:
        super().__init__()
        self.energy = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))

    def forward(self, places: Tensor) -> Tensor:
        places = places.detach().requires_grad_()
        return -torch.autograd.grad(self.energy(places).sum(), places, create_graph=True)[0]


def forces(*, evaluation_gradients: bool) -> Task:
    rows = PLACES[::2], FORCES[::2]
    return Task(Force, rows, (PLACES[1::2], FORCES[1::2]), "mse", "mse", evaluation_gradients=evaluation_gradients)


def test_without_gradients_it_is_refused_with_the_way_out() -> None:
    with pytest.raises(
        InputError, match=r"evaluated, which is done without gradients: .*line .*evaluation_gradients=T"
    ):
        check(forces(evaluation_gradients=False), "forces")


def test_with_gradients_it_is_trained_as_by_a_plain_loop() -> None:
    task = forces(evaluation_gradients=True)
    check(task, "forces")
    training = TrainingSection(epochs=3, batch_size=30, optimizer="adam")
    engine, note = choose_engine("auto", task, training, "cpu")
    assert (engine.name, note) == ("sequential", "engine: sequential (the task evaluates with gradients)")
    records = list(train(start(task, Constant(), 0.01, training, 4)))

    torch.manual_seed(4)
    model = Force()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*task.train), batch_size=30, shuffle=True)  # type: ignore[misc]
    expected = []
    for _ in range(3):
        for inputs, targets in loader:
            optimizer.zero_grad()
            nn.functional.mse_loss(model(inputs), targets).backward()
            optimizer.step()
        expected.append(nn.functional.mse_loss(model(task.test[0]), task.test[1]).item())  # type: ignore[index]
    assert [record.test_metric for record in records] == expected


class Masked(nn.Module):
    """Takes a number that is missing for 0."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 1)

    def forward(self, rows: Tensor) -> Tensor:
        out: Tensor = self.linear(torch.nan_to_num(rows))
        return out


def test_nan_is_allowed_on_request_and_infinity_never() -> None:
    inputs = torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
    inputs[3, 1] = torch.nan
    targets = torch.nan_to_num(inputs).sum(dim=1, keepdim=True)

    def task(inputs: Tensor, *, allow_nan: bool) -> Task:
        return Task(Masked, (inputs[:30], targets[:30]), (inputs[30:], targets[30:]), "mse", "mse", allow_nan=allow_nan)

    with pytest.raises(InputError, match=r"say Task\(allow_nan=True\)"):
        check(task(inputs, allow_nan=False), "masked")
    check(task(inputs, allow_nan=True), "masked")
    run = start(task(inputs, allow_nan=True), Constant(), 0.1, TrainingSection(epochs=5), 1)
    assert list(train(run))[-1].test_metric < run.before.test_metric
    with pytest.raises(InputError, match="numbers are not finite, the first at"):
        check(task(inputs.nan_to_num(torch.inf), allow_nan=True), "masked")
