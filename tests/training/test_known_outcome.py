"""What an earlier process found out about a task: used for the same task, and tried again for any other."""

from __future__ import annotations

import os
import sys
import time
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import nn
from workloads import TASKS, polynomial, regression

from lrsearch.schedules.classical import Constant
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks import loaded_code
from lrsearch.training import choice
from lrsearch.training.compiled import one_lane
from lrsearch.training.compiled.engine import CompiledEngine
from lrsearch.training.engine import Lane
from lrsearch.training.known_outcome import KnownOutcome
from lrsearch.training.probe import ProbeOutcome

TRAINING = TrainingSection(batch_size=16)


@pytest.fixture(autouse=True)
def _empty(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    # A worker of pytest-xdist runs what was typed to it, as a notebook does.
    monkeypatch.setattr(sys.modules["__main__"], "__file__", __file__, raising=False)
    for name, module in list(sys.modules.items()):  # what other tests have imported, and changed since
        if str(getattr(module, "__file__", None)).startswith(str(tmp_path_factory.getbasetemp())):
            monkeypatch.delitem(sys.modules, name)
    began = time.time()  # somebody may have written these tests a moment ago
    monkeypatch.setattr(loaded_code, "_began", lambda: began)


def known(name: str | None = "one", width: int = 3, slope: float = 0.1, training: TrainingSection = TRAINING) -> bool:
    def network() -> nn.Module:
        return nn.Sequential(nn.Linear(8, width), nn.LeakyReLU(slope), nn.Linear(width, 1))

    outcome = KnownOutcome(name, regression(network), training, "cpu")
    before = outcome.gain()
    outcome.keep(4.0)
    assert outcome.gain() == (None if name is None else 4.0)
    return before is not None


def test_what_may_change_the_outcome_is_part_of_the_question(monkeypatch: pytest.MonkeyPatch) -> None:
    changes = [{}, {"name": "two"}, {"width": 4}, {"slope": 0.2}, {"training": TrainingSection(batch_size=8)}]
    assert not any(known(**change) for change in changes)  # type: ignore[arg-type]
    assert all(known(**change) for change in changes)  # type: ignore[arg-type]
    assert not known(None)
    monkeypatch.setattr(torch, "__version__", "9.9")
    assert not known()


def test_other_rows_are_another_question() -> None:
    one, two = polynomial(), TASKS["layer_norm"]
    KnownOutcome("same name", one, TRAINING, "cpu").keep(3.0)
    assert KnownOutcome("same name", one, TRAINING, "cpu").gain() == 3.0
    assert KnownOutcome("same name", two, TRAINING, "cpu").gain() is None


def test_a_kept_outcome_saves_the_trial_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """That it is right is kept, and a clear gain: one near the limit is measured anew, a fault is looked for again."""
    tried: list[str] = []
    gains, outcomes = [1.0, 5.0], [ProbeOutcome(False, "once"), ProbeOutcome(True), ProbeOutcome(True)]
    monkeypatch.setattr(choice, "probe", lambda *_: tried.append("probe") or outcomes.pop(0))  # type: ignore[func-returns-value]
    monkeypatch.setattr(choice, "gain", lambda *_: tried.append("gain") or gains.pop(0))  # type: ignore[func-returns-value]
    choose = partial(choice.choose, "auto", polynomial(), TRAINING, "cpu", known_as="polynomial")
    assert [choose().engine for _ in range(5)] == ["sequential", *["batched"] * 4]
    assert tried == ["probe", "probe", "gain", "gain"]
    assert choice.choose("batched", polynomial(), TRAINING, "cpu", known_as="polynomial").engine == "batched"


def test_what_was_tried_for_an_engine_by_name_is_known_to_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """`--engine batched` measures no gain, so that `auto` does, without trying the task out again."""
    tried: list[str] = []
    monkeypatch.setattr(choice, "probe", lambda *_: tried.append("probe") or ProbeOutcome(True))  # type: ignore[func-returns-value]
    monkeypatch.setattr(choice, "gain", lambda *_: tried.append("gain") or 5.0)  # type: ignore[func-returns-value]
    for name in ("batched", "batched", "auto", "batched", "auto"):
        assert choice.choose(name, polynomial(), TRAINING, "cpu", known_as="polynomial").engine == "batched"
    assert tried == ["probe", "gain"]


def test_code_that_has_changed_since_it_was_loaded_is_not_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "own_layers.py"
    file.write_text("SIZE = 3")
    os.utime(file, (1e9, 1e9))
    monkeypatch.syspath_prepend(tmp_path)
    module = __import__("own_layers")
    first = loaded_code.loaded_code()
    assert first is not None
    file.write_text("SIZE = 4")
    assert loaded_code.loaded_code() is None
    os.utime(file, (1e9, 1e9 + 1))
    assert loaded_code.loaded_code() not in (None, first)
    monkeypatch.delitem(sys.modules, module.__name__)


def test_our_own_code_counts_whole_whatever_of_it_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What writes compiled code is loaded late, and by some commands only."""
    first = loaded_code.loaded_code()
    assert first is not None
    for name in [name for name in sys.modules if name.startswith("lrsearch.training.compiled.")]:
        monkeypatch.delitem(sys.modules, name)
    assert loaded_code.loaded_code() == first
    content = loaded_code._content
    monkeypatch.setattr(
        loaded_code, "_content", lambda file, *of: content(file, *of) + file.endswith("prelude.hpp") * "!"
    )
    assert loaded_code.loaded_code() != first


def test_programs_that_an_earlier_process_compiled_are_found_without_tracing(monkeypatch: pytest.MonkeyPatch) -> None:
    training = TrainingSection(epochs=2, batch_size=25)
    lanes = [Lane(0.01, Constant(), seed) for seed in range(2)]

    def once() -> list[list[float]]:  # of a new task, for this process keeps programs with theirs
        task = regression(TASKS["layer_norm"].model)
        return [list(record.test_metric) for record in CompiledEngine(known_as="layers").train(task, lanes, training)]

    first = once()
    monkeypatch.setattr(one_lane, "traced", None)
    assert once() == first
