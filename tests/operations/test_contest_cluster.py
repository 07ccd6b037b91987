"""Contestants on a cluster: trained by its workers as finalists are, and the cluster is joined once at a time.

A worker of this cluster is the real one (`study run --one-of`), in this process and without Ray.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import lrsearch
from lrsearch.launch.ray import cluster
from lrsearch.launch.ray.actor import Assignment
from lrsearch.operations.run import run
from lrsearch.operations.run_options import RunOptions
from lrsearch.study import contest, status
from lrsearch.study.stored import StoredStudy

STUDY = """
[study]
name = "small"
[task]
name = "polynomial"
rows = 100
holdout_rows = 40
[training]
epochs = 2
batch_size = 50
[search]
lr = { choices = [1e-6, 2e-6] }
schedulers = ["constant"]
[sampler]
name = "grid"
[confirm]
top = 1
seeds = 2
contestants = ["default_rate", "prodigy"]
"""


class FakeCluster:
    """Trains with one worker, which ends before anybody watches."""

    def __init__(self) -> None:
        self.trained: list[str] = []

    def start_workers(self, assignment: Callable[[int], Assignment], *_: Any) -> FakeCluster:
        given = assignment(1)
        self.trained.append(given.study)
        run(given.study, RunOptions("sequential", "cpu", one_of=1), url=given.storage)
        return self

    def watch(self) -> Iterator[None]:
        yield


@pytest.fixture
def joined(monkeypatch: pytest.MonkeyPatch) -> list[FakeCluster]:
    """Every cluster that was joined; like Ray, a second one at the same time is an error."""
    all_of_them: list[FakeCluster] = []
    inside: list[FakeCluster] = []

    @contextmanager
    def join(*_: str) -> Iterator[FakeCluster]:
        assert not inside, "Maybe you called ray.init twice by accident?"
        inside.append(FakeCluster())
        all_of_them.append(inside[0])
        yield inside[0]
        inside.clear()

    monkeypatch.setattr(cluster, "joined", join)
    return all_of_them


def searched(tmp_path: Path, **options: Any) -> StoredStudy:
    made = lrsearch.create_study(tomllib.loads(STUDY), storage=f"sqlite:///{tmp_path}/a.db")
    return lrsearch.run_study(made, cluster="local", workers=1, **options)


def assert_contested(stored: StoredStudy) -> None:
    made = contest.linked_studies(stored)
    assert [own.name for own in made] == ["small/contestants", "small/contestants/prodigy"]
    assert all(status.count(own).is_done for own in made)


def test_they_are_trained_with_the_confirmation(joined: list[FakeCluster], tmp_path: Path) -> None:
    assert_contested(searched(tmp_path))
    assert [own.trained for own in joined] == [
        ["small"],
        ["small/confirm", "small/contestants", "small/contestants/prodigy"],
    ]


def test_they_are_trained_where_only_they_are_missing(
    joined: list[FakeCluster], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("lrsearch.operations.confirm.train_contestants", lambda *_: None)
        stored = searched(tmp_path)
    assert not contest.linked_studies(stored)
    assert_contested(lrsearch.run_study(stored, cluster="local", workers=1))
    assert joined[-1].trained == ["small/contestants", "small/contestants/prodigy"]
