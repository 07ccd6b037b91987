"""The search space: names, completeness, and the way back from Optuna's parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from optuna.trial import TrialState

from lrsearch import registry
from lrsearch.sampling import grid
from lrsearch.sampling.proposer import Sobol, Uniform
from lrsearch.sampling.space import Settings, Space, settings_from
from lrsearch.sampling.tpe import ParzenEstimator
from lrsearch.storage.past_trials import PastTrial
from lrsearch.study_file import load
from lrsearch.study_file.model import Definition


@pytest.mark.parametrize("name", list(registry.schedules))
def test_settings_survive_optuna(name: str) -> None:
    settings = Settings(0.02, registry.schedules.get(name)())
    assert settings_from(settings.params()) == settings


def test_names_are_those_of_the_contract(define: Callable[..., Definition]) -> None:
    space = Space.of(define(search={"schedulers": ["lambda", "one_cycle", "constant"]}))
    assert set(space.distributions("lambda")) == {"decay"}
    assert set(space.distributions("one_cycle")) == {
        "one_cycle.warmup_fraction", "one_cycle.start", "one_cycle.final",
    }  # fmt: skip
    assert space.distributions("constant") == {}


def test_a_fixed_number_is_still_a_parameter(define: Callable[..., Definition]) -> None:
    space = Space.of(define(search={"lr": 0.05, "schedulers": ["lambda"], "lambda": {"decay": 0.95}}))
    chosen = space.settle({}, Uniform(0).point(0))
    assert chosen.params == {"lr": 0.05, "scheduler": "lambda", "decay": 0.95}
    assert list(chosen.distributions) == list(chosen.params)


def test_every_suggestion_lies_in_the_space(define: Callable[..., Definition]) -> None:
    space = Space.of(
        define(
            search={
                "lr": {"choices": [0.1, 0.2]},
                "schedulers": ["all"],
                "lambda": {"decay": {"low": 0.9, "high": 0.91}},
            }
        )
    )
    drawn = [settings_from(space.settle({}, Uniform(0).point(number)).params) for number in range(100)]
    assert {settings.lr for settings in drawn} == {0.1, 0.2}
    assert {settings.schedule.name for settings in drawn} == set(registry.schedules)
    decays = [s.schedule.values()["decay"] for s in drawn if s.schedule.name == "lambda"]
    assert decays
    assert all(0.9 <= decay <= 0.91 for decay in decays)


def test_tried_settings_are_complete_and_in_range(define: Callable[..., Definition]) -> None:
    definition = define(
        search={"schedulers": ["lambda", "one_cycle"], "lambda": {"decay": {"low": 0.97, "high": 0.99}}},
        **{"try": [{"lr": 0.1, "scheduler": "lambda"}, {"lr": 0.2, "scheduler": "one_cycle", "start": 0.1}]},
    )
    first, second = (Space.of(definition).params_of(entry) for entry in definition.tries)
    assert first == {"lr": 0.1, "scheduler": "lambda", "decay": 0.97}
    assert second["one_cycle.start"] == 0.1
    assert second["one_cycle.warmup_fraction"] == 0.3


def searched(**search: Any) -> Space:
    document = {"study": {"name": "s"}, "task": {"name": "digits"}, "search": {"schedulers": ["constant"], **search}}
    return Space.of(load.parse(document, "f.toml"))


BOTH = {
    "optimizers": ["sgd", "adamw"],
    "schedulers": ["constant", "lambda"],
    "training": {
        "batch_size": {"low": 16, "high": 64},
        "weight_decay": {"low": 1e-6, "high": 1.0, "log": True},
        "sgd": {"momentum": {"choices": [0.0, 0.9]}},
        "adamw": {"lr": {"low": 1e-4, "high": 1e-2, "log": True}},
    },
    "task": {"hidden": {"choices": [[8], [16]]}},
}


@pytest.mark.parametrize(
    "sampler", [Uniform(3), Sobol(searched(**BOTH).names(), 3), ParzenEstimator(searched(**BOTH), 3)]
)
def test_no_parameter_has_two_distributions(sampler: Any) -> None:
    """What depends on the optimizer carries its name; a trial has no parameter of another one."""
    space = searched(**BOTH)
    seen: dict[str, Any] = {}
    told = []
    for number in range(40):
        sampler.learn(told)
        chosen = space.settle({}, sampler.propose([number], [])[0])
        for name, axis in chosen.distributions.items():
            assert seen.setdefault(name, axis) == axis
        own = {name for name in chosen.params if name.startswith(("sgd.", "adamw."))}
        kind = chosen.params["optimizer"]
        assert own == {f"{kind}.lr", f"{kind}.weight_decay", *(["sgd.momentum"] if kind == "sgd" else [])}
        settings = settings_from(chosen.params)
        assert chosen.params.items() <= settings.params().items()
        told.append(PastTrial(number, TrialState.COMPLETE, chosen.params, float(kind == "sgd")))
    assert {"batch_size", "optimizer", "scheduler", "task.hidden"} <= set(seen)
    assert "lr" not in seen
    assert type(chosen.params["batch_size"]) is int


def test_a_grid_counts_options_like_any_other_axis() -> None:
    """Each optimizer with its own keys."""
    space = searched(
        lr={"choices": [0.1, 0.2]}, optimizers=["sgd", "adamw"], task={"activation": "tanh"},
        training={"batch_size": {"low": 8, "high": 16, "steps": 2}, "sgd": {"momentum": {"choices": [0.0, 0.9]}}},
    )  # fmt: skip
    cells = list(grid.cells(space))
    assert len(cells) == grid.size(space) == 2 * 2 * 2 + 2 * 2
    assert {cell["batch_size"] for cell in cells} == {8, 16}
    assert all("sgd.momentum" in cell for cell in cells if cell["optimizer"] == "sgd")
    assert not grid.faults(space, 12)
