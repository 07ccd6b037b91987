"""Every shipped study file: it loads, it says what question it answers, and it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from lrsearch import registry
from lrsearch.search.runner import Runner
from lrsearch.signals import Interruption
from lrsearch.storage.rdb import open_storage
from lrsearch.study import status
from lrsearch.study import stored as studies
from lrsearch.study_file import templates
from lrsearch.study_file.load import override, parse, read
from lrsearch.training.engine import SequentialEngine

FILES = sorted((Path(__file__).parent.parent / "studies").glob("*.toml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_runs_with_a_tiny_budget(file: Path, tmp_path: Path) -> None:
    definition = parse(override(read(file), ["study.trials=3", "training.epochs=2"]), str(file))
    task = registry.tasks.get(definition.task.name).build(definition.task.options)
    stored = studies.create(open_storage(f"sqlite:///{tmp_path}/s.db", create=True), definition, task.metric_name)
    list(Runner(stored, task, SequentialEngine(), Interruption()).events())
    counts = status.count(stored)
    assert counts.complete + counts.pruned == stored.budget
    assert counts.failed == 0


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_first_line_is_the_question_and_the_name_is_the_files(file: Path) -> None:
    first = file.read_text().splitlines()[0]
    assert first.startswith("# ")
    assert first.endswith("?")
    assert read(file)["study"]["name"] == file.stem


def test_they_travel_with_the_package() -> None:
    assert templates.names() == [file.stem for file in FILES]
