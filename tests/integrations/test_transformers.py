"""The Trainer itself trains: the rates are those of the schedule, over what it does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
import pytest
import torch

import lrsearch
from lrsearch.errors import InputError
from lrsearch.integrations import transformers as integration
from lrsearch.registry import schedules
from lrsearch.sampling.suggest import SuggestedSchedule

pytest.importorskip("accelerate")
transformers = pytest.importorskip("transformers")
pytestmark = pytest.mark.filterwarnings("ignore")
EPOCHS, ROWS = 2, 6


class Line(torch.nn.Module):
    """A straight line with a loss that is its own."""

    def __init__(self) -> None:
        super().__init__()
        self.line = torch.nn.Linear(1, 1)

    def forward(self, x: torch.Tensor, labels: torch.Tensor | None = None) -> dict[str, torch.Tensor]:
        out = self.line(x)
        return {"loss": torch.nn.functional.mse_loss(out, x), "logits": out}


class Rates(transformers.TrainerCallback):  # type: ignore[misc, name-defined]
    """Notes the rate of every update."""

    def __init__(self) -> None:
        self.seen: list[float] = []

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        self.seen.append(given["optimizer"].param_groups[0]["lr"])


def trainer_of(folder: Path, callbacks: Any = (), **options: Any) -> Any:
    rows = [{"x": torch.ones(1), "labels": torch.ones(1)}] * ROWS
    arguments = transformers.TrainingArguments(
        **{"num_train_epochs": EPOCHS, "learning_rate": 0.1, "gradient_accumulation_steps": 2, **options},
        output_dir=str(folder), per_device_train_batch_size=1, report_to=[], use_cpu=True, save_strategy="no",
        disable_tqdm=True, logging_strategy="no",
    )  # fmt: skip
    return transformers.Trainer(
        model_init=lambda *_: Line(), args=arguments, train_dataset=rows, eval_dataset=rows, callbacks=list(callbacks)
    )


def suggested(name: str, horizon: int = EPOCHS, **values: float) -> SuggestedSchedule:
    return SuggestedSchedule(0.1, schedules.get(name).of(values), horizon)


@pytest.mark.parametrize(("name", "values"), [("cosine", {"final": 0.1}), ("lambda", {"decay": 0.5})])
def test_the_rates_are_those_of_the_schedule(tmp_path: Path, name: str, values: dict[str, float]) -> None:
    """Three updates per epoch: each is a step of a cosine, and an epoch is one of a decay."""
    rates, schedule = Rates(), suggested(name, **values)
    trainer = trainer_of(tmp_path, [rates])
    integration.use(trainer, schedule)
    trainer.train()
    by_update = [schedule.schedule.rate(0.1, t, 6) for t in range(6)]
    by_epoch = [schedule.schedule.rate(0.1, t, EPOCHS) for t in range(EPOCHS) for _ in range(3)]
    assert rates.seen == pytest.approx(by_update if name == "cosine" else by_epoch)


def test_plateau_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        integration.use(trainer_of(tmp_path), suggested("plateau"))
    assert {fault.key for fault in refused.value.faults} == {"metric_for_best_model", "eval_strategy"}
    rates = Rates()
    trainer = trainer_of(tmp_path, [rates], metric_for_best_model="eval_loss", eval_strategy="steps", eval_steps=1,
                         greater_is_better=False)  # fmt: skip
    integration.use(trainer, suggested("plateau", factor=0.5, patience=1, threshold=0.9))
    trainer.train()
    assert rates.seen[-1] < 0.1


def test_another_learning_rate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must be the suggested one"):
        integration.use(trainer_of(tmp_path, learning_rate=0.2), suggested("cosine"))


def test_each_evaluation_is_reported_and_the_worst_end(tmp_path: Path) -> None:
    study = optuna.create_study()
    for _ in range(3):
        trial = study.ask()
        trial.report(-1.0, 3)
        study.tell(trial, -1.0)
    trial = study.ask()
    trainer = trainer_of(tmp_path, [integration.report(trial)], eval_strategy="epoch")
    integration.use(trainer, suggested("constant"), trial)
    with pytest.raises(optuna.TrialPruned):
        trainer.train()
    assert list(study.trials[3].intermediate_values) == [3]


def test_its_own_search_asks_for_schedules(tmp_path: Path) -> None:
    trainer = trainer_of(tmp_path, eval_strategy="epoch", num_train_epochs=1)
    space = integration.hp_space(trainer, ["constant", "cosine"])
    best = trainer.hyperparameter_search(
        hp_space=space, backend="optuna", n_trials=2, direction="minimize",
        pruner=lrsearch.StratifiedHalving([1], 0.333), storage=f"sqlite:///{tmp_path}/s.db", study_name="theirs",
    )  # fmt: skip
    stored = optuna.load_study(storage=f"sqlite:///{tmp_path}/s.db", study_name="theirs")
    assert best.hyperparameters == stored.best_params
    assert all({"lr", "scheduler"} <= trial.params.keys() for trial in stored.trials)
    assert [trial.user_attrs["horizon"] for trial in stored.trials] == [
        1 if trial.params["scheduler"] == "constant" else 3 for trial in stored.trials
    ]
