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


def test_every_public_name_is_there_and_says_what_it_is() -> None:
    assert [name for name in NAMES if not inspect.getdoc(getattr(lrsearch, name))] == []


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        lrsearch.trian  # noqa: B018


def test_names_can_be_completed_before_they_are_imported() -> None:
    assert set(lrsearch.__all__) <= set(dir(lrsearch))


def test_every_function_shows_an_example() -> None:
    shown = {name: getattr(lrsearch, name) for name in NAMES if name != "task"}
    functions_of_it = {name: public for name, public in shown.items() if inspect.isfunction(public)}
    assert functions_of_it
    assert [name for name, own in functions_of_it.items() if "Example:" not in (inspect.getdoc(own) or "")] == []


INTERNAL = {
    "AtRung", "BothAnswers", "Decision", "EpochMetrics", "Patience", "PluginSection", "Run", "Savings",
    "ScaleRecord", "Segment", "SmallRates", "Streamed", "StudyReader", "TrainingSection",
}  # fmt: skip
"""Types that the documentation does not offer: what a whole generation asks the rule with, what a study reads its
storage with, the loop's own state, rows that a Dataset reads, and the sections of a definition, which are those of a
study file."""


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


def types_of(name: str) -> set[type]:
    """The types of this package that a public thing takes or gives."""
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
    return {found for annotation in annotations for found in own_types(annotation)}


def test_every_type_that_a_public_thing_takes_or_gives_is_public() -> None:
    there = [
        *(getattr(lrsearch, own) for own in NAMES),
        *(getattr(lrsearch.schedules, own) for own in lrsearch.schedules.__all__),
    ]
    hidden = {(name, found.__name__) for name in NAMES for found in types_of(name) if found not in there}
    assert {(name, found) for name, found in hidden if found not in INTERNAL} == set()
