"""Schedules for training loops that are not ours, suggested by any Optuna trial."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

import lrsearch
from lrsearch import registry
from lrsearch.errors import InputError
from lrsearch.report import frames

HORIZON = 20


def optimizer(*rates: float) -> torch.optim.Optimizer:
    return torch.optim.SGD([{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": rate} for rate in rates])


def ask(space: Any = ("classical",), horizon: Any = HORIZON, seed: int = 0) -> lrsearch.SuggestedSchedule:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    return lrsearch.suggest_schedule(study.ask(), space, horizon=horizon)


@settings(max_examples=25, deadline=None)
@given(name=st.sampled_from(sorted(registry.schedules)), seed=st.integers(0, 1000))
def test_what_is_built_is_a_torch_scheduler_with_the_rates_of_the_schedule(name: str, seed: int) -> None:
    suggested = ask([name], seed=seed)
    steered = optimizer(suggested.lr, suggested.lr / 10)
    scheduler = suggested.build(steered)
    assert isinstance(scheduler, LRScheduler)
    assert suggested.needs_metric == isinstance(scheduler, ReduceLROnPlateau)
    for step in range(HORIZON):
        factor = suggested.schedule.factor(step, HORIZON)
        rates = [group["lr"] for group in steered.param_groups]
        assert rates == pytest.approx([suggested.lr * factor, suggested.lr / 10 * factor], rel=1e-9)
        # A metric that falls steeply never makes the plateau family drop its rate.
        steered.step()
        scheduler.step(1.0 / 2**step) if suggested.needs_metric else scheduler.step()


def test_the_space_is_the_search_section_of_a_study_file() -> None:
    space = {"lr": {"choices": [0.1, 0.2]}, "schedulers": ["lambda"], "lambda": {"decay": 0.9}}
    suggested = ask(space)
    assert suggested.lr in (0.1, 0.2)
    assert suggested.schedule.values()["decay"] == 0.9
    assert ask("cosine").schedule.name == ask(["CosineAnnealingLR"]).schedule.name == "cosine"


@pytest.mark.parametrize(
    ("space", "horizon", "words"),
    [
        (["cosin"], 5, "search.schedulers\\[0\\].*did you mean cosine"),
        ({"schedulers": ["lambda"], "lambda": {"decai": 0.5}}, 5, "did you mean decay"),
        ({"lr": {"low": 0.1, "high": 0.01}}, 5, "low must not be larger than high"),
        ({"scheduler": ["lambda"]}, 5, "did you mean schedulers"),
        ({"lr": -1.0, "schedulers": ["x1"]}, 5, "2 faults"),
        (["cosine"], 0, "horizon = 0: must be a whole number of at least 1"),
        (["cosine"], 2.5, "horizon = 2.5"),
    ],
)
def test_a_wrong_space_is_answered_like_a_wrong_study_file(space: Any, horizon: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        ask(space, horizon)


def test_an_optimizer_with_another_rate_is_refused() -> None:
    """Else every trial would train at the same rate, and nobody would notice."""
    suggested = ask(["cosine"])
    with pytest.raises(InputError, match=r"lr = 0\.5: make the optimizer with the suggested learning rate"):
        suggested.build(optimizer(0.5))


def test_fixed_trials_take_it_too_and_the_code_builds_the_same() -> None:
    fixed = optuna.trial.FixedTrial({"lr": 0.05, "scheduler": "lambda", "decay": 0.9})
    suggested = lrsearch.suggest_schedule(fixed, ["lambda"], horizon=HORIZON)
    assert (suggested.lr, suggested.schedule.values()["decay"]) == (0.05, 0.9)
    steered = optimizer(0.05)
    names: dict[str, Any] = {"torch": torch, "optimizer": steered}
    exec(suggested.code, names)
    steered.step()
    names["scheduler"].step()
    assert steered.param_groups[0]["lr"] == pytest.approx(0.045)


def test_reports_know_its_settings(tmp_path: Path) -> None:
    study = optuna.create_study(study_name="own", storage=f"sqlite:///{tmp_path}/own.db")
    study.optimize(lambda trial: lrsearch.suggest_schedule(trial, ["cosine"], horizon=7).lr, n_trials=3)
    read = frames.read(study)
    assert set(read.trials["scheduler"]) == {"cosine"}
    assert list(read.trials["horizon"]) == [7.0] * 3
    assert list(read.trials["lr"]) == list(read.trials["value"])
    study._storage.remove_session()
    study._storage._backend.engine.dispose()  # type: ignore[attr-defined]
