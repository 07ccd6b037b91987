"""Which studies `auto` gives to the compiled engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lrsearch.search import paying
from lrsearch.study import open as opening
from lrsearch.study_file.load import parse
from lrsearch.study_file.model import Definition
from lrsearch.training.choice import Choice
from lrsearch.training.probe import ProbeOutcome
from lrsearch.training.update_cost import BARE

BATCHED = Choice("batched", right_in_batches=True)


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

    def choose(
        definition: Definition,
        outcome: ProbeOutcome = ProbeOutcome(True),  # noqa: B008
        faster: float = 8.0,
        without: Choice = BATCHED,
        update: float = BARE,
    ) -> str:
        monkeypatch.setattr(paying, "compiled", lambda *_: outcome)
        monkeypatch.setattr(paying, "_times_as_fast", lambda *_: faster)
        monkeypatch.setattr(paying, "update_seconds", lambda *_: update)
        return paying.weighed(without, definition, opening.build_task(definition), "cpu", "a task").line

    return choose


def test_a_study_of_a_million_updates_is_compiled_and_a_smaller_one_is_not(chosen: Callable[..., str]) -> None:
    small, large = study(100), study(2000)
    task = opening.build_task(large)
    assert paying.updates(small, task, BATCHED) < paying.PAYS / BARE < paying.updates(large, task, BATCHED)
    assert paying.PAYS / BARE == 1e6
    assert chosen(small) == "engine: batched"
    assert chosen(large) == "engine: compiled"


def test_where_there_is_no_compiler_one_line_says_so(chosen: Callable[..., str]) -> None:
    line = chosen(study(2000), ProbeOutcome(False, "there is no C++ compiler"))
    assert line == "engine: batched; not compiled: there is no C++ compiler"


def test_code_that_is_hardly_faster_is_not_worth_it(chosen: Callable[..., str]) -> None:
    assert chosen(study(2000), faster=1.2) == "engine: batched"


def test_a_study_that_searches_options_stays_with_batches(chosen: Callable[..., str]) -> None:
    assert chosen(study(2000, training={"batch_size": {"low": 16, "high": 64}})) == "engine: batched"


@pytest.mark.parametrize("without", [BATCHED, Choice("parallel", "batches would be slow", right_in_batches=True)])
def test_a_larger_network_is_worth_it_for_fewer_trials_but_not_a_large_one(
    chosen: Callable[..., str], without: Choice
) -> None:
    own = study(100)
    enough = paying.PAYS / paying.updates(own, opening.build_task(own), without)
    assert enough < paying.LARGEST
    lines = [chosen(own, without=without, update=own_update) for own_update in (0.99 * enough, 1.01 * enough, 0.011)]
    assert lines == [without.line, "engine: compiled", without.line]


def test_compiled_code_must_be_faster_than_all_processes_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds of an epoch: 32 lanes take 4 compiled, one takes 1 by itself; so code is as fast as eight processes."""
    seconds = {"compiled": 4.0, "sequential": 1.0}
    monkeypatch.setattr(paying, "epoch_seconds", lambda engine, *_: seconds[engine.name])
    task = opening.build_task(study(1))
    alone, beside = (paying._times_as_fast(Choice("parallel"), task, study(1).training, own) for own in (1, 4))
    assert (alone, beside) == (8.0, 2.0)


@pytest.mark.parametrize(("first", "kept"), [(8.0, True), (0.5, True), (1.2, False)])
def test_what_is_clear_is_weighed_once_and_what_is_not_is_weighed_again(
    chosen: Callable[..., str], monkeypatch: pytest.MonkeyPatch, first: float, *, kept: bool
) -> None:
    gains: list[float] = []

    class Known:
        def __init__(self, *_: object) -> None:
            pass

        def gain(self) -> float | None:
            return gains[-1] if gains else None

        keep = staticmethod(gains.append)

    monkeypatch.setattr(paying, "KnownOutcome", Known)
    lines = {own: chosen(study(2000), faster=own) for own in (first, 8.0 if first < 1.5 else 0.5)}
    assert (len(set(lines.values())) == 1) is kept
    assert gains == [first if kept else 8.0]
