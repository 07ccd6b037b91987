"""Schedules for training loops that are not ours, suggested by any Optuna trial."""

from __future__ import annotations

from functools import partial
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
from lrsearch.study import snippet

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


@pytest.mark.parametrize("unit", ["epoch", "update", None])
@pytest.mark.parametrize("name", sorted(registry.schedules))
def test_pasted_code_repeats_a_trial_in_a_loop_of_either_kind(name: str, unit: Any) -> None:
    """Its rates and its value: the code is stepped as often as its last line says."""
    epochs, updates = 3, 4
    horizon = epochs * (1 if unit == "epoch" else updates)

    def trained(lr: float, make: Any, needs_metric: bool) -> tuple[list[float], float]:
        weight = torch.nn.Parameter(torch.tensor([2.0], dtype=torch.float64))
        steered = torch.optim.SGD([weight], lr=lr)
        scheduler, rates, value = make(steered), [], 0.0
        for n in range(epochs * updates):
            rates.append(steered.param_groups[0]["lr"])
            steered.zero_grad()
            (weight**2).sum().backward()
            steered.step()
            value = float(weight.detach() ** 2)
            if unit != "epoch" or (n + 1) % updates == 0:
                scheduler.step(*([value] if needs_metric else []))
        return rates, value

    def pasted(code: str, steered: torch.optim.Optimizer) -> Any:
        names = {"torch": torch, "optimizer": steered}
        exec(code, names)
        return names["scheduler"]

    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=3))
    trial = study.ask()
    suggested = lrsearch.suggest_schedule(trial, [name], horizon=horizon, unit=unit)
    rates, value = trained(suggested.lr, suggested.build, suggested.needs_metric)
    study.tell(trial, value)
    stored = study.trials[0]
    code = snippet.code(None, stored.params, snippet.Steps.of(stored.user_attrs))
    assert code is not None
    again, repeated = trained(suggested.lr, partial(pasted, code), suggested.needs_metric)
    assert again == pytest.approx(rates, rel=1e-9)
    assert repeated == pytest.approx(stored.value, rel=1e-9)
    when = f"after every {unit}" if unit else "as often as in your loop"
    for text in (code, suggested.code):
        assert text.splitlines()[-1].endswith(f"{when}: {horizon} times per run")


@pytest.mark.parametrize("unit", ["batch", 3, ""])
def test_unknown_unit_is_refused(unit: Any) -> None:
    with pytest.raises(InputError, match=r'unit.*"epoch" or "update"'):
        lrsearch.suggest_schedule(optuna.create_study().ask(), ["cosine"], horizon=3, unit=unit)


def test_plateau_follows_the_studys_direction() -> None:
    """An accuracy that improves at every evaluation leaves the rate alone."""
    study = optuna.create_study(direction="maximize")
    space = {"lr": 0.1, "schedulers": ["plateau"], "plateau": {"patience": 1}}
    suggested = lrsearch.suggest_schedule(study.ask(), space, horizon=12)
    scheduler = suggested.build(steered := optimizer(0.1))
    for accuracy in range(12):
        scheduler.step(accuracy / 12)  # type: ignore[arg-type]
    assert steered.param_groups[0]["lr"] == 0.1
    assert 'mode="max"' in suggested.code


def test_groups_may_all_have_rates_of_their_own() -> None:
    """And an optimizer into which a checkpoint was loaded has the rate of its step."""
    suggested = ask(["cosine"])
    suggested.build(optimizer(suggested.lr / 10, suggested.lr / 2))
    used = optimizer(suggested.lr)
    scheduler = suggested.build(used)
    for _ in range(5):
        used.step()
        scheduler.step()
    loaded = optimizer(suggested.lr)
    loaded.load_state_dict(used.state_dict())
    suggested.build(loaded).load_state_dict(scheduler.state_dict())
    assert loaded.param_groups[0]["lr"] == used.param_groups[0]["lr"] < suggested.lr
