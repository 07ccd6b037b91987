"""The compiled engine gives what the sequential loop gives, and a lane's numbers do not depend on its neighbours."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from compiler import needs_compiler
from test_batched import OPTIMIZERS, curves, schedule, settings, train, train_keeping
from torch import nn
from workloads import TASKS, in_float64, regression

from lrsearch.errors import InputError
from lrsearch.study_file.model import TrainingSection
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.compiled import library
from lrsearch.training.compiled.engine import CompiledEngine
from lrsearch.training.engine import Lane, SequentialEngine

FAMILIES = [schedule("constant"), schedule("one_cycle"), schedule("plateau", patience=0, threshold=0.5, factor=0.5)]


QUICKLY = tuple("-O0" if flag == "-O2" else flag for flag in library.FLAGS)
"""Compiles a tenth as long, to the same bits."""


@pytest.fixture(autouse=True)
def _quickly_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    needs_compiler()
    monkeypatch.setattr(library, "FLAGS", QUICKLY)


@pytest.mark.parametrize(
    ("task", "optimizer", "batch_size"),
    [
        ("batch_norm_pre", "adamw", 30),  # and a short batch
        ("convolution", "nesterov", 25),
        pytest.param("batch_norm_post", "sgd", 16, marks=pytest.mark.soak),
        pytest.param("layer_norm", "adam", 16, marks=pytest.mark.soak),
        pytest.param("transformer", "momentum", 16, marks=pytest.mark.soak),
    ],
)
def test_equals_the_sequential_engine(task: str, optimizer: str, batch_size: int) -> None:
    """In float64, at rates where training is not chaotic."""
    training = TrainingSection(epochs=3, batch_size=batch_size, **OPTIMIZERS[optimizer])
    lanes = [Lane(0.003 * (1 + index % 3), FAMILIES[index % 3], index % 2) for index in range(5)]
    double = in_float64(TASKS[task])
    expected = train(SequentialEngine(), double, lanes, training)
    found = train(CompiledEngine(), double, lanes, training)
    for lane in range(len(lanes)):
        np.testing.assert_allclose(curves(found, lane), curves(expected, lane), rtol=1e-9)


@pytest.mark.parametrize(
    ("task", "optimizer"),
    [("layer_norm", "nesterov"), pytest.param("batch_norm_pre", "adam", marks=pytest.mark.soak)],
)
def test_last_bits_are_the_same_in_any_company(task: str, optimizer: str) -> None:
    """Beside 4 or 100 lanes of other seeds, at any place, and before and after others leave."""
    training = TrainingSection(epochs=4, batch_size=25, **OPTIMIZERS[optimizer])
    lanes = [settings(number) for number in range(100)]
    whole = train(CompiledEngine(), TASKS[task], lanes, training)
    few = train(CompiledEngine(), TASKS[task], lanes[40:44], training)
    assert [repr(curves(few, lane)) for lane in range(4)] == [repr(curves(whole, lane)) for lane in range(40, 44)]
    left = list(range(3, 100, 7))
    fewer = train_keeping(
        TASKS[task], lanes, training, lambda epoch: left if epoch > 1 else range(100), CompiledEngine()
    )
    assert [repr(curves(fewer, lane)) for lane in left] == [repr(curves(whole, lane)) for lane in left]


def test_lanes_with_sections_of_their_own_keep_their_bits_beside_others() -> None:
    """Weight decay and momentum of 0 are the same beside lanes that have some, in a program that computes with them."""
    common = TrainingSection(epochs=3, batch_size=25)
    own = [common.model_copy(update={"momentum": value, "weight_decay": value / 10}) for value in (0.0, 0.5, 0.9)]
    lanes = [Lane(0.003, schedule("linear"), index % 2, training=own[index % 3]) for index in range(6)]
    together = train(CompiledEngine(), TASKS["layer_norm"], lanes, common)
    alone = train(CompiledEngine(), TASKS["layer_norm"], [lanes[0], lanes[3]], common)
    assert [repr(curves(alone, lane)) for lane in (0, 1)] == [repr(curves(together, lane)) for lane in (0, 3)]
    expected = train(SequentialEngine(), TASKS["layer_norm"], lanes, common)
    for lane in range(6):
        np.testing.assert_allclose(curves(together, lane), curves(expected, lane), rtol=1e-4)


def test_how_well_the_compiler_optimises_changes_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    training, lanes = TrainingSection(epochs=2, batch_size=25), [settings(number) for number in range(5)]

    def once() -> list[str]:  # of a new task, for programs are kept with theirs
        records = train(CompiledEngine(), regression(TASKS["layer_norm"].model), lanes, training)
        return [repr(curves(records, lane)) for lane in range(5)]

    quickly = once()
    monkeypatch.undo()
    assert once() == quickly


def test_dropout_is_drawn_as_each_run_draws_it_alone() -> None:
    task = in_float64(regression(lambda: nn.Sequential(nn.Linear(8, 6), nn.Dropout(0.3), nn.Tanh(), nn.Linear(6, 1))))
    training = TrainingSection(epochs=3, batch_size=25)
    lanes = [Lane(0.01, schedule("constant"), seed) for seed in (1, 2, 1)]
    expected = train(SequentialEngine(), task, lanes, training)
    found = train(CompiledEngine(), task, lanes, training)
    for lane in range(3):
        np.testing.assert_allclose(curves(found, lane), curves(expected, lane), rtol=1e-9)


def test_exploding_lanes_leave_and_disturb_nobody() -> None:
    training = TrainingSection(epochs=4, batch_size=25, **OPTIMIZERS["nesterov"])
    task = TASKS["layer_norm"]
    calm = [Lane(0.003, schedule("constant"), seed) for seed in range(3)]
    wild = [Lane(1e30, schedule("constant"), 1), Lane(1e5, schedule("lambda", decay=1e-9), 2)]
    expected = train(CompiledEngine(), task, calm, training)
    found = train(CompiledEngine(), task, calm + wild, training)
    one_by_one = train(SequentialEngine(), task, calm + wild, training)
    for lane in range(3):
        assert repr(curves(found, lane)) == repr(curves(expected, lane))
    for lane in range(5):
        assert len(curves(found, lane)) == len(curves(one_by_one, lane))


def test_what_has_no_rule_is_refused_in_words() -> None:
    class Sorts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.last = nn.Linear(8, 1)

        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            out: torch.Tensor = self.last(rows.sort(dim=1).values)
            return out

    lanes, training = [Lane(0.01, schedule("constant"), 1)], TrainingSection(epochs=1)
    assert len(train(BatchedEngine(), regression(Sorts), lanes, training)) == 2
    with pytest.raises(InputError, match="compiled code cannot train this task: calls aten::sort"):
        train(CompiledEngine(), regression(Sorts), lanes, training)
