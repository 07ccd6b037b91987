"""The public names: all there, documented, and torch waits until one of them needs it."""

from __future__ import annotations

import inspect

import pytest

import lrsearch

NAMES = [name for name in lrsearch.__all__ if name != "__version__"]


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_is_there_and_says_what_it_is(name: str) -> None:
    assert inspect.getdoc(getattr(lrsearch, name))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        lrsearch.trian  # noqa: B018


def test_names_can_be_completed_before_they_are_imported() -> None:
    assert set(lrsearch.__all__) <= set(dir(lrsearch))


@pytest.mark.parametrize(
    "name", [name for name in NAMES if inspect.isfunction(getattr(lrsearch, name)) and name != "task"]
)
def test_every_function_shows_an_example(name: str) -> None:
    assert "Example:" in (inspect.getdoc(getattr(lrsearch, name)) or "")
