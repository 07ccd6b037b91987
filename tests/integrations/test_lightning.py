"""Lightning itself trains: the rates are those of the schedule, over what its trainer does."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import optuna
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from lrsearch.errors import InputError, LrsearchWarning
from lrsearch.integrations import lightning as integration
from lrsearch.registry import schedules
from lrsearch.sampling.suggest import SuggestedSchedule

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    lightning = pytest.importorskip("lightning.pytorch")
pytestmark = pytest.mark.filterwarnings("ignore")
EPOCHS, BATCHES, ACCUMULATE = 4, 6, 2


class Line(lightning.LightningModule):  # type: ignore[misc, name-defined]
    """A straight line; it notes the rate of every update."""

    def __init__(self, schedule: SuggestedSchedule, trial: Any = None) -> None:
        super().__init__()
        self.model, self.schedule, self.trial = torch.nn.Linear(1, 1), schedule, trial
        self.rates: list[float] = []

    def training_step(self, rows: Any) -> torch.Tensor:
        return torch.nn.functional.mse_loss(self.model(rows[0]), rows[0])

    def validation_step(self, rows: Any) -> None:
        self.log("val_loss", torch.tensor(1.0 + self.current_epoch))

    def on_before_optimizer_step(self, optimizer: Any) -> None:
        self.rates.append(optimizer.param_groups[0]["lr"])

    def configure_optimizers(self) -> dict[str, Any]:
        optimizer = torch.optim.SGD(self.parameters(), lr=self.schedule.lr)
        return integration.optimizers(self, optimizer, self.schedule, self.trial)


def fit(folder: Path, module: Line, callbacks: Any = (), **options: Any) -> Any:
    rows = DataLoader(TensorDataset(torch.ones(BATCHES, 1)))
    trainer = lightning.Trainer(
        **{"max_epochs": EPOCHS, "accumulate_grad_batches": ACCUMULATE, **options}, callbacks=list(callbacks),
        accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, default_root_dir=folder,
    )  # fmt: skip
    trainer.fit(module, rows, rows)
    return trainer


def suggested(name: str, horizon: int = EPOCHS, **values: float) -> SuggestedSchedule:
    return SuggestedSchedule(0.1, schedules.get(name).of(values), horizon)


def test_a_schedule_of_updates_spans_the_updates_that_are_made(tmp_path: Path) -> None:
    module = Line(suggested("cosine", final=0.1))
    fit(tmp_path, module)
    horizon = EPOCHS * BATCHES // ACCUMULATE
    assert module.rates == pytest.approx([module.schedule.schedule.rate(0.1, t, horizon) for t in range(horizon)])


def test_a_schedule_of_epochs_steps_once_per_epoch(tmp_path: Path) -> None:
    module = Line(suggested("lambda", decay=0.5))
    fit(tmp_path, module)
    assert module.rates == pytest.approx([0.1 * 0.5**epoch for epoch in range(EPOCHS) for _ in range(3)])


def test_plateau_looks_at_each_validation(tmp_path: Path) -> None:
    """The loss only rises: with no patience the rate falls after the second validation, and after each one then."""
    module = Line(suggested("plateau", factor=0.5, patience=1))
    fit(tmp_path, module)
    assert module.rates[-1] == pytest.approx(0.05)


def test_a_run_that_ends_earlier_has_a_shorter_schedule(tmp_path: Path) -> None:
    module = Line(suggested("linear", horizon=100, final=0.1))
    with pytest.warns(LrsearchWarning, match="over 100 steps, but the trainer will make 5 updates in 2 epochs"):
        fit(tmp_path, module, max_epochs=-1, max_steps=5)
    assert module.rates == pytest.approx([module.schedule.schedule.rate(0.1, t, 5) for t in range(5)])


def test_a_run_without_an_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the run has no end"):
        fit(tmp_path, Line(suggested("cosine")), max_epochs=-1)


def test_each_validation_is_reported_and_the_worst_end(tmp_path: Path) -> None:
    """Four trials of one type at the rung of two epochs: the fourth is the worst."""
    study = optuna.create_study()
    for _ in range(3):
        trial = study.ask()
        trial.report(0.0, 1)
        trial.report(0.0, 2)
        study.tell(trial, 0.0)
    trial = study.ask()
    with pytest.raises(optuna.TrialPruned):
        fit(tmp_path, Line(suggested("constant"), trial), [integration.report(trial)])
    assert study.trials[3].intermediate_values == {1: 1.0, 2: 2.0}
    assert study.trials[3].user_attrs["horizon"] == EPOCHS


def test_a_metric_that_is_not_logged_is_named(tmp_path: Path) -> None:
    trial = optuna.create_study().ask()
    with pytest.raises(InputError, match="did you mean val_loss"):
        fit(tmp_path, Line(suggested("constant"), trial), [integration.report(trial, "val_los")])
