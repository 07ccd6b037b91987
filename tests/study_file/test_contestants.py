"""``[confirm] contestants``: everything that is wrong is said at once, and a stored list needs no package."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest

from lrsearch.errors import InputError
from lrsearch.study_file.contestants import NAMES
from lrsearch.study_file.load import parse, parse_stored


def document(confirm: dict[str, Any], **sections: Any) -> dict[str, Any]:
    return {"study": {"name": "s"}, "task": {"name": "polynomial"}, "confirm": confirm, **sections}


def faults(confirm: dict[str, Any], **sections: Any) -> list[str]:
    with pytest.raises(InputError) as caught:
        parse(document(confirm, **sections), "f.toml")
    return [str(fault) for fault in caught.value.faults]


def test_who_is_unknown_named_twice_or_without_a_package_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert faults({"contestants": ["lr_fnd", "prodigy", "default_rate", "default_rate", "zzz"]}) == [
        'confirm.contestants[0] = "lr_fnd": unknown contestant; did you mean lr_find?',
        'confirm.contestants[1] = "prodigy": needs the package prodigyopt, which is not installed; in the folder of '
        'the lrsearch checkout: pip install ".[contestants]"',
        'confirm.contestants[3] = "default_rate": stands there twice',
        f'confirm.contestants[4] = "zzz": unknown contestant; there are {", ".join(NAMES)}',
    ]
    stored = parse_stored(document({"contestants": ["prodigy"]}), "stored")
    assert stored.confirm.contestants == ["prodigy"]


def test_who_cannot_be_compared_is_told() -> None:
    assert "top = 0 wants none" in faults({"top": 0, "contestants": ["lr_find"]})[0]
    assert "must be a list" in faults({"contestants": "lr_find"})[0]
    command = {"run": "true {settings} {seed}", "metric": "loss"}
    with pytest.raises(InputError, match=r"confirm\.contestants.*a study with a command has none"):
        parse({"study": {"name": "s"}, "command": command, "confirm": {"contestants": ["lr_find"]}}, "f.toml")


def test_what_a_file_says_is_stored_as_it_stands() -> None:
    """Nothing, none and some are three things."""
    for confirm in ({}, {"contestants": []}, {"contestants": ["one_cycle"]}):
        definition = parse(document(confirm), "f.toml")
        assert definition.confirm.contestants == confirm.get("contestants")
        assert parse_stored(definition.document(), "stored") == definition
