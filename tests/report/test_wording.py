"""Numbers and settings in words."""

from __future__ import annotations

import math

import pytest

from lrsearch.report import wording


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (7.22851, "7.229"), (0.0512345, "0.05123"), (1e-4, "0.0001"), (12345.6, "12350"), (3e9, "3e+09"), (12, "12"),
        (math.nan, "–"), (None, "–"), (math.inf, "∞"), (-math.inf, "−∞"), ("text", "text"), (True, "True"),
    ],
)  # fmt: skip
def test_numbers_have_four_digits(value: object, words: str) -> None:
    assert wording.number(value) == words


def test_settings_lose_the_prefix_of_their_type() -> None:
    params = {"lr": 0.02, "scheduler": "one_cycle", "one_cycle.start": 0.04, "other.start": 1.0}
    assert wording.describe(params) == "one_cycle, lr 0.02, start 0.04, other.start 1"


def test_settings_name_their_optimizer_and_lose_its_prefix() -> None:
    params = {
        "adamw.lr": 0.02,
        "optimizer": "adamw",
        "scheduler": "linear",
        "adamw.weight_decay": 0.1,
        "task.hidden": 8,
    }
    assert wording.describe(params) == "linear, lr 0.02, optimizer adamw, weight_decay 0.1, hidden 8"
    assert wording.use(params) == "adamw and linear decay from 0.02"


def test_no_parameters_are_said_to_be_none() -> None:
    assert wording.describe({}) == "no parameters"


@pytest.mark.parametrize(
    ("name", "label"),
    [("mse", "test MSE (squared units of the target)"), ("value", "value"), ("mine", "test mine")],
)
def test_axes_have_units_where_these_are_known(name: str, label: str) -> None:
    assert wording.axis(name) == label
