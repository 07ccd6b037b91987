"""Accelerate's own prepared scheduler, stepped after every batch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from lrsearch.integrations import accelerate as integration
from lrsearch.registry import schedules
from lrsearch.sampling.suggest import SuggestedSchedule

accelerate = pytest.importorskip("accelerate")
pytestmark = pytest.mark.filterwarnings("ignore")
EPOCHS, BATCHES, ACCUMULATE = 3, 5, 2


@pytest.mark.parametrize("processes", [1, 4])
@pytest.mark.parametrize(
    ("name", "values"), [("cosine", {"final": 0.1}), ("lambda", {"decay": 0.5}), ("one_cycle", {})]
)
def test_an_update_is_one_step_however_many_processes_there_are(
    monkeypatch: pytest.MonkeyPatch, processes: int, name: str, values: dict[str, float]
) -> None:
    """The last batch of an epoch is an update of its own: three in each."""
    accelerator = accelerate.Accelerator(cpu=True, gradient_accumulation_steps=ACCUMULATE)
    model = torch.nn.Linear(1, 1)
    rows = DataLoader(TensorDataset(torch.ones(BATCHES, 1)))
    model, optimizer, rows = accelerator.prepare(model, torch.optim.SGD(model.parameters(), lr=0.1), rows)
    # The scheduler of Accelerate asks for this number at every step.
    for state in (accelerate.state.AcceleratorState, accelerate.state.PartialState):
        monkeypatch.setitem(state._shared_state, "num_processes", processes)
    assert accelerator.num_processes == processes
    schedule = SuggestedSchedule(0.1, schedules.get(name).of(values), EPOCHS)
    scheduler = integration.prepared(accelerator, optimizer, schedule, loader=rows, epochs=EPOCHS)
    rates: list[float] = []
    for _ in range(EPOCHS):
        for (inputs,) in rows:
            with accelerator.accumulate(model):
                accelerator.backward(model(inputs).mean())
                if accelerator.sync_gradients:
                    rates.append(optimizer.param_groups[0]["lr"])
                optimizer.step()
                scheduler.step()
                optimizer.zero_grad()
    by_update = [schedule.schedule.rate(0.1, t, 9) for t in range(9)]
    by_epoch = [schedule.schedule.rate(0.1, t, EPOCHS) for t in range(EPOCHS) for _ in range(3)]
    assert rates == pytest.approx(by_update if schedule.schedule.unit == "batch" else by_epoch)


def test_a_strided_scheduler_goes_on_where_another_was() -> None:
    from lrsearch.integrations.strided import strided

    def made() -> Any:
        optimizer = torch.optim.SGD(torch.nn.Linear(1, 1).parameters(), lr=1.0)
        return strided(schedules.get("lambda")(decay=0.5).build(optimizer, 10), 3)

    whole, other = made(), made()
    for _ in range(4):
        whole.step()
    other.load_state_dict(whole.state_dict())
    for _ in range(2):
        whole.step()
        other.step()
    assert whole.get_last_lr() == other.get_last_lr() == [0.25]
