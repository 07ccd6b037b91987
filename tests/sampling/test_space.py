"""The search space: names, completeness, and the way back from Optuna's parameters."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lrsearch import registry
from lrsearch.sampling.proposer import Uniform
from lrsearch.sampling.space import Settings, Space, settings_from
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
