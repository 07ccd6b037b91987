"""The public names: all there, documented, and torch waits until one of them needs it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from typing import get_args, get_type_hints

import pytest
import torch

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


INTERNAL = {"AtRung", "Decision", "Run", "Streamed", "Numbers", "Segment", "PluginSection", "TrainingSection"}
"""Types that the documentation does not offer: what a whole generation asks the rule with, the loop's own state, rows
that a Dataset reads, and the sections of a definition, which are those of a study file."""


def own_types(annotation: object) -> Iterator[type]:
    """The types of this package that an annotation names, however deep."""
    if isinstance(annotation, type) and annotation.__module__.startswith("lrsearch"):
        yield annotation
    for part in (*get_args(annotation), *(annotation if isinstance(annotation, list) else ())):
        yield from own_types(part)


def functions(public: object) -> Iterator[Callable[..., object]]:
    """A function, or the public methods and properties of a class."""
    if inspect.isfunction(public):
        yield public
    elif inspect.isclass(public):
        for name, member in vars(public).items():
            found = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
            if inspect.isfunction(found) and (not name.startswith("_") or name == "__init__"):
                yield found


@pytest.mark.parametrize("name", NAMES)
def test_every_type_that_a_public_thing_takes_or_gives_is_public(name: str) -> None:
    public = getattr(lrsearch, name)
    known = {
        "nn": torch.nn,
        "Optimizer": torch.optim.Optimizer,
        "LRScheduler": object,
        "Figure": object,
        "TrainingRun": lrsearch.TrainingRun,
    }
    annotations = [hint for own in functions(public) for hint in get_type_hints(own, localns=known).values()]
    if is_dataclass(public):
        annotations += get_type_hints(public, localns=known).values()
    wanted = {found for annotation in annotations for found in own_types(annotation)}
    there = [
        *(getattr(lrsearch, own) for own in NAMES),
        *(getattr(lrsearch.schedules, own) for own in lrsearch.schedules.__all__),
    ]
    assert {found.__name__ for found in wanted if found not in there} <= INTERNAL
