"""An error is located in a person's own file, not in the library that she called."""

from __future__ import annotations

import json
from pathlib import Path

from lrsearch.tasks.error_location import sentence


def test_the_line_is_that_of_the_call_into_a_library() -> None:
    try:
        json.loads("{")
    except ValueError as error:
        said = sentence(error)
    assert said.endswith(f"(line 13 of {Path(__file__).name})")
    assert said.startswith("JSONDecodeError: Expecting property name")


def test_an_error_without_a_place_is_said_without_one() -> None:
    assert sentence(KeyError()) == "KeyError"
    assert sentence(ValueError("two\nlines")) == "ValueError: two lines"
