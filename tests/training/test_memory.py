"""How many lanes are computed at once never changes a result."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from workloads import TASKS, regression

from lrsearch import registry
from lrsearch.study_file.model import TrainingSection
from lrsearch.training import networks
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.choice import choose_engine
from lrsearch.training.engine import Lane
from lrsearch.training.loop import start, train
from lrsearch.training.memory import Width, footprint, lane_bytes, width
from lrsearch.training.seats import BLOCK, filled, seats

TRAINING = TrainingSection(epochs=2, batch_size=16)


def test_running_out_of_memory_halves_and_repeats_nothing() -> None:
    asked: list[tuple[int, int]] = []

    def compute(part: slice) -> list[int]:
        asked.append((part.start, part.stop))
        if part.stop - part.start > 2 * BLOCK:
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")
        return list(range(part.start, part.stop))

    tried = Width(8 * BLOCK)
    parts = tried.parts(5 * BLOCK, compute)
    assert [lane for part in parts for lane in part] == list(range(5 * BLOCK))
    assert tried.lanes == 2 * BLOCK
    assert len(asked) == len(parts) + 2


@pytest.mark.parametrize("error", [RuntimeError("shapes"), MemoryError()])
def test_other_errors_and_the_last_block_are_not_tried_again(error: Exception) -> None:
    def compute(part: slice) -> None:
        raise error

    with pytest.raises(type(error)):
        Width(BLOCK).parts(BLOCK, compute)


def test_results_are_the_same_after_running_out_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in the middle of a step, where BatchNorm has moved its statistics already."""
    lanes = [Lane(0.01, registry.schedules.get("cosine")(), seed) for seed in range(3)] * 30
    expected = list(BatchedEngine().train(TASKS["convolution"], lanes, TRAINING))
    whole = networks.StackedNetworks._loss
    failures = 0

    def scarce(self: networks.StackedNetworks, *arguments: object) -> object:
        nonlocal failures
        result = whole(self, *arguments)  # type: ignore[arg-type]
        if failures < 2:
            failures += 1
            raise torch.OutOfMemoryError("CUDA out of memory")
        return result

    monkeypatch.setattr(networks.StackedNetworks, "_loss", scarce)
    found = list(BatchedEngine().train(TASKS["convolution"], lanes, TRAINING))
    assert failures == 2
    for ours, theirs in zip(found, expected, strict=True):
        assert np.array_equal(ours.test_metric, theirs.test_metric)
        assert np.array_equal(ours.train_metric, theirs.train_metric)


def test_the_estimate_grows_with_what_needs_memory() -> None:
    small, large = (registry.tasks.get("digits").build({"hidden": [width]}) for width in (8, 512))
    adam = TrainingSection(optimizer="adam")
    assert lane_bytes(large, adam) > lane_bytes(large, TrainingSection()) > lane_bytes(small, TrainingSection())
    assert footprint(large, adam).state > 5 * 4 * 512 * 64
    assert footprint(small, TrainingSection(batch_size=100)).update > footprint(small, TrainingSection()).update


def test_at_least_one_block_goes_on_however_little_there_is() -> None:
    assert width(10**12, 1).lanes == BLOCK
    assert width(1, 10 * BLOCK + 5).lanes == 10 * BLOCK


def test_seats_keep_their_class() -> None:
    kept = [1, 5, 6, 8, 13, 300]
    given = seats(kept)
    assert len(set(given)) == len(kept)
    assert [seat % 4 for seat in given] == [position % 4 for position in kept]
    assert seats(range(9)) == list(range(9))
    assert (filled(1), filled(32), filled(33)) == (32, 32, 64)


class Graph(torch.nn.Module):
    """Mixes rows' features by a sparse matrix that is a buffer."""

    def __init__(self, layout: torch.layout) -> None:
        super().__init__()
        matrix = torch.eye(8)
        self.register_buffer("mix", matrix.to_sparse() if layout == torch.sparse_coo else matrix.to_sparse_csr())
        self.last = torch.nn.Linear(8, 1)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.last((self.get_buffer("mix") @ rows.T).T)
        return out


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support")
@pytest.mark.parametrize("layout", [torch.sparse_coo, torch.sparse_csr])
def test_sparse_buffers_are_counted_by_what_lies_in_memory(layout: torch.layout) -> None:
    task = regression(lambda: Graph(layout))
    pointers = 2 * 8 * 8 if layout == torch.sparse_coo else (9 + 8) * 8
    assert footprint(task, TRAINING).state == 3 * 9 * 4 + 2 * (8 * 4 + pointers)
    engine, note = choose_engine("auto", task, TRAINING, "cpu")
    assert engine.name == "sequential"
    assert "\n" not in note
    run = start(task, registry.schedules.get("constant")(), 0.01, TRAINING, 1)
    assert list(train(run))[-1].test_metric == pytest.approx(run.records[-1].test_metric)
