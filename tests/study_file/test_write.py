"""Definitions written as study files."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from lrsearch.study_file.load import parse_stored
from lrsearch.study_file.write import to_toml

SMALL: dict[str, Any] = {"study": {"name": "small", "trials": 3}, "task": {"name": "polynomial"}}


@pytest.mark.parametrize(
    "sections",
    [
        {},
        {"search": {"lr": {"choices": [0.1, 0.01]}, "schedulers": ["lambda"], "lambda": {"decay": 0.9}}},
        {"search": {"lr": 0.01, "one_cycle": {"start": {"low": 1e-5, "high": 0.5, "log": True, "steps": 3}}}},
        {"try": [{"lr": 0.1, "scheduler": "lambda", "decay": 0.9}, {"lr": 1e-7, "scheduler": "constant"}]},
        {"confirm": {"top": 3, "seeds": 20}},
        {
            "task": {
                "name": "mine",
                "nothing": None,
                "sizes": [1, 2],
                "inner": {"a": {"b": 'quote " and\nline'}},
            }
        },
        {"study": {"name": 'a|b<script>"', "trials": 3, "load": ["my task.py"]}},
    ],
)
def test_what_is_written_is_what_is_read(sections: dict[str, Any]) -> None:
    definition = parse_stored({**SMALL, **sections}, "test")
    again = parse_stored(tomllib.loads(to_toml(definition)), "written")
    written = again.document()
    given = definition.document()
    given["task"] = {key: value for key, value in given["task"].items() if value is not None}
    assert written == given


def test_ranges_are_one_line_and_types_are_tables() -> None:
    search = {
        "lr": {"low": 0.1, "high": 0.3},
        "schedulers": ["lambda"],
        "lambda": {"decay": {"low": 0.8, "high": 0.9}},
    }
    lines = to_toml(parse_stored({**SMALL, "search": search}, "test")).split("\n")
    assert "lr = {low = 0.1, high = 0.3, log = false}" in lines
    assert "[search.lambda]" in lines
    assert "decay = {low = 0.8, high = 0.9, log = false}" in lines
