"""What `lrsearch tasks new` writes runs as it is, for every kind of data."""

from __future__ import annotations

import sys
import tomllib
import warnings
from pathlib import Path

import pytest

from lrsearch import registry
from lrsearch.errors import InputError
from lrsearch.registry import Registry
from lrsearch.study_file import load
from lrsearch.tasks import loading, starts, template
from lrsearch.training.ramp import Plan, climb
from lrsearch.training.range_test import analyse


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is gone after it."""
    monkeypatch.setattr(registry, "tasks", Registry("task", []))
    monkeypatch.setattr(sys, "path", list(sys.path))


ENGINES = {"regression": "batched", "classification": "batched"}


@pytest.mark.parametrize("kind", starts.KINDS)
def test_a_start_is_a_task_that_can_be_checked(kind: str, tmp_path: Path) -> None:
    from lrsearch.operations.try_task import try_out

    file, study = tmp_path / f"my_{kind}.py", tmp_path / f"my_{kind}.toml"
    name = template.write(file, study, kind)
    document = tomllib.loads(study.read_text(encoding="utf-8"))
    loading.load(load.sources(document), tmp_path)
    definition = load.parse(document, str(study))
    with warnings.catch_warnings(action="error"):
        task = registry.tasks.get(name).build({"rows": 60})
    tried = try_out(task, definition, "cpu")
    assert tried.engine == ENGINES.get(kind, "sequential")
    assert tried.holdout_rows > 0
    ramp = Plan(updates=150, seeds=1)
    climbed = analyse(list(climb(task, definition.training, ramp)), ramp.low, ramp.high, ramp.updates)
    assert climbed.finding.range is not None, "lr-find finds a range on what tasks new writes"


def test_an_unknown_kind_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r'--kind = "image": must be one of .*did you mean images'):
        template.write(tmp_path / "mine.py", None, "image")
    assert not list(tmp_path.iterdir())
