"""Which studies `auto` gives to the compiled engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lrsearch.search import paying
from lrsearch.study import open as opening
from lrsearch.study_file.load import parse
from lrsearch.study_file.model import Definition
from lrsearch.training.probe import ProbeOutcome


def study(trials: int, **search: object) -> Definition:
    return parse(
        {
            "study": {"name": "s", "trials": trials},
            "task": {"name": "polynomial"},
            "search": {"schedulers": ["classical"], **search},
            "pruner": {"name": "none"},
        },
        "test",
    )


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., str]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def choose(definition: Definition, outcome: ProbeOutcome = ProbeOutcome(True), faster: float = 8.0) -> str:  # noqa: B008
        monkeypatch.setattr(paying, "compiled", lambda *_: outcome)
        monkeypatch.setattr(paying, "_times_as_fast", lambda *_: faster)
        return paying.weighed(definition, opening.build_task(definition), "cpu", "a task").line

    return choose


def test_a_study_of_a_million_updates_is_compiled_and_a_smaller_one_is_not(chosen: Callable[..., str]) -> None:
    small, large = study(100), study(2000)
    task = opening.build_task(large)
    assert paying.updates(small, task) < paying.PAYS < paying.updates(large, task)
    assert chosen(small) == "engine: batched"
    assert chosen(large) == "engine: compiled"


def test_where_there_is_no_compiler_one_line_says_so(chosen: Callable[..., str]) -> None:
    line = chosen(study(2000), ProbeOutcome(False, "there is no C++ compiler"))
    assert line == "engine: batched; not compiled: there is no C++ compiler"


def test_code_that_is_hardly_faster_is_not_worth_it(chosen: Callable[..., str]) -> None:
    assert chosen(study(2000), faster=1.2) == "engine: batched"


def test_a_study_that_searches_options_stays_with_batches(chosen: Callable[..., str]) -> None:
    assert chosen(study(2000, training={"batch_size": {"low": 16, "high": 64}})) == "engine: batched"
