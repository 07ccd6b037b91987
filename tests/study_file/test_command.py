"""`[command]`: what may stand in it, and what is said where it cannot work."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from lrsearch.errors import InputError, LrsearchWarning
from lrsearch.study_file.command import filled, placeholders
from lrsearch.study_file.load import parse, parse_stored
from lrsearch.study_file.toml import document
from lrsearch.study_file.write import to_toml

RUN = "python train.py --lr {lr} --settings {settings}"


def file(run: str = RUN, **sections: Any) -> dict[str, Any]:
    return {"study": {"name": "s"}, "command": {"run": run}, **sections}


def faults(found: dict[str, Any]) -> str:
    with pytest.raises(InputError) as refused:
        parse(found, "file")
    return str(refused.value)


def test_a_definition_is_written_and_read_again() -> None:
    whole = parse(file(training={"epochs": 7, "seeds": [1, 2]}), "file")
    assert whole.command is not None
    assert (whole.command.direction, whole.task.name) == ("minimize", "command")
    assert whole.document()["training"] == {"epochs": 7, "seeds": [1, 2]}
    assert "task" not in whole.document()
    assert parse_stored(whole.document(), "storage") == whole
    assert parse(document(to_toml(whole).encode(), "page"), "page") == whole


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (file("run {lrr}"), "did you mean {lr}"),
        (file("run {}"), "{} is no placeholder"),
        (file("run {lr:.3f}"), "{lr:.3f} is no placeholder"),
        (file("run '{lr}"), "cannot be split into arguments: no closing quotation"),
        (file("run {lr"), "cannot be split into arguments"),
        (file("  "), "must not be empty"),
        (file("run {seed}"), "does not tell the learning rate"),
        (file(task={"name": "polynomial"}), "choose one"),
        (file(training={"optimizer": "adam"}), "training.optimizer: means nothing to a command"),
        ({"study": {"name": "s"}, "command": {"run": RUN, "metrics": "f1"}}, "did you mean metric?"),
        ({"study": {"name": "s"}, "command": {"run": RUN, "metric": "two words"}}, "must be one word"),
        ({"study": {"name": "s"}, "command": {"run": RUN, "direction": "up"}}, "minimize, maximize"),
        ({"study": {"name": "s"}, "command": "python"}, "must be a table"),
        ({"study": {"name": "s"}}, "task.name: is required"),
    ],
)
@pytest.mark.filterwarnings("ignore::lrsearch.errors.LrsearchWarning")
def test_what_is_wrong_is_said(found: dict[str, Any], words: str) -> None:
    assert words in faults(found)


@pytest.mark.parametrize(
    ("run", "schedulers", "words"),
    [
        ("run {lr}", ["constant", "cosine"], "not told which scheduler type"),
        ("run {lr} {schedule}", ["constant", "cosine"], "not told the parameters of cosine"),
    ],
)
def test_what_the_command_is_not_told_is_said(run: str, schedulers: list[str], words: str) -> None:
    with pytest.warns(LrsearchWarning, match=words):
        parse(file(run, search={"schedulers": schedulers}), "file")


@pytest.mark.parametrize("run", ["run {lr}", RUN])
def test_a_command_that_is_told_all_is_not_warned_of(run: str) -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = parse(file(run, search={"schedulers": ["constant"]}), "file")
    assert [str(warning.message) for warning in told] == []
    assert found.command is not None
    assert found.command.run == run


@given(some.text(), some.text(alphabet="{}lr x"))
def test_arguments_are_filled_and_nothing_else(value: str, word: str) -> None:
    """The reference is str.format, for words that it understands."""
    try:
        names = placeholders(word)
    except ValueError:
        return
    if set(names) <= {"lr"}:
        assert filled(word, {"lr": value}) == word.format(lr=value)


def test_names_with_dots_are_names() -> None:
    assert filled("--lr={optim.lr}{{}}", {"optim.lr": "0.1"}) == "--lr=0.1{}"
