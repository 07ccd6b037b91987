"""The code to paste: it says what was trained, and fits a terminal."""

from __future__ import annotations

import ast

import pytest

from lrsearch import registry
from lrsearch.sampling.space import Settings
from lrsearch.study import snippet
from lrsearch.study_file.load import parse

DEFINITION = parse(
    {
        "study": {"name": "s"},
        "task": {"name": "polynomial"},
        "training": {"optimizer": "adamw", "weight_decay": 0.0123456, "betas": [0.912345, 0.998765]},
    },
    "test",
)


@pytest.mark.parametrize("name", sorted(registry.schedules))
def test_every_line_fits_and_says_the_same(name: str) -> None:
    schedule = registry.schedules.get(name)()
    code = snippet.code(DEFINITION, Settings(0.0123456, schedule).params(), snippet.Steps(840))
    assert code is not None
    assert max(map(len, code.splitlines())) <= snippet.WIDTH
    written = schedule.code(0.0123456, 840)
    mine, theirs = (
        [ast.dump(node) for node in ast.parse(text).body if not isinstance(node, ast.Import)]
        for text in (code, written)
    )
    assert mine[-len(theirs) :] == theirs
    imported = [line for line in code.splitlines() if line.startswith("import ")]
    assert code.splitlines()[: len(imported)] == imported, "imports stand on top"


def test_a_line_that_cannot_be_folded_stays_as_it_is() -> None:
    line = "rate = " + "+".join(["factor"] * 20)
    assert snippet.folded(line) == [line]
    assert snippet.folded("# " + "word, " * 30) == ["# " + "word, " * 30]
