"""Networks that draw while they train: a batch gives what the sequential loop gives, and lanes disturb nobody."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_batched import curves, schedule, train, train_keeping
from torch import Tensor, nn
from torch.nn import functional
from workloads import CLASSES, IMAGES, Transformer, in_float64, regression

from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.task import Task
from lrsearch.training import batched
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.engine import Lane, SequentialEngine
from lrsearch.training.graph_replay import Recordings
from lrsearch.training.one_by_one import OneByOneError
from lrsearch.training.probe import probe
from lrsearch.training.random_draws import GivenDraws, SeedStreams, rehearsed, stream_from

TRAINING = TrainingSection(epochs=3, batch_size=16, momentum=0.5)
"""50 training rows: the last batch of an epoch has two rows."""
LANES = [Lane(0.002 * (1 + place % 5), schedule("linear"), place % 3) for place in range(72)]


class Noisy(nn.Module):
    """As in a variational autoencoder: noise while it trains, and while it is evaluated."""

    def __init__(self) -> None:
        super().__init__()
        self.encode = nn.Linear(8, 6)
        self.decode = nn.Linear(3, 1)

    def forward(self, rows: Tensor) -> Tensor:
        mean, spread = self.encode(rows).chunk(2, 1)
        return self.decode(mean + torch.randn_like(mean) * (spread / 2).exp())  # type: ignore[no-any-return]


class Language(nn.Module):
    """A small decoder: tied embeddings, a causal mask, dropout in attention and after it."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(5, 8)
        self.block = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.2, batch_first=True, norm_first=True)
        self.head = nn.Linear(8, 5, bias=False)
        self.head.weight = self.embedding.weight
        self.register_buffer("mask", torch.triu(torch.full((6, 6), float("-inf")), 1))

    def forward(self, tokens: Tensor) -> Tensor:
        hidden = self.block(self.embedding(tokens), src_mask=self.mask)
        return self.head(hidden).transpose(1, 2)  # type: ignore[no-any-return]


class Sparse(nn.Module):
    """A random gate for each row, drawn in place, and numbers of its own choice."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(8, 4)
        self.last = nn.Linear(4, 1)

    def forward(self, rows: Tensor) -> Tensor:
        hidden = self.first(rows)
        if self.training:
            hidden = hidden * hidden.new_empty(len(rows), 1).bernoulli_(0.8)
            hidden = hidden + functional.gumbel_softmax(hidden) * torch.randint(1, 3, (4,)) * torch.rand(1)
        return self.last(hidden)  # type: ignore[no-any-return]


def perceptron(rate: float = 0.2) -> nn.Module:
    return nn.Sequential(nn.Linear(8, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Dropout(rate), nn.Linear(4, 1))


def convolution() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.Dropout2d(0.3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 5))


def language() -> Task:
    tokens = (torch.arange(7) * torch.arange(1, 71)[:, None]) % 5
    inputs, targets = tokens[:, :-1], tokens[:, 1:]
    return Task(Language, (inputs[:50], targets[:50]), (inputs[50:], targets[50:]), "cross_entropy", "cross_entropy")


def images(model: Callable[[], nn.Module]) -> Task:
    return Task(model, (IMAGES[:50], CLASSES[:50]), (IMAGES[50:], CLASSES[50:]), "cross_entropy", "cross_entropy")


DRAWING: dict[str, Task] = {
    "dropout": regression(perceptron),
    "encoder": regression(lambda: Transformer(0.2)),
    "language": language(),
    "noise": regression(Noisy),
    "channels": images(convolution),
    "sparse": regression(Sparse),
}


@pytest.mark.parametrize("name", DRAWING)
def test_equals_the_sequential_engine(name: str) -> None:
    lanes = LANES[:6]
    task = in_float64(DRAWING[name])
    expected = train(SequentialEngine(), task, lanes, TRAINING)
    found = train(BatchedEngine(), task, lanes, TRAINING)
    for lane in range(len(lanes)):
        np.testing.assert_allclose(curves(found, lane), curves(expected, lane), rtol=1e-9)


def test_dropout_is_no_matter_of_rounding() -> None:
    """What the comparison above would miss if nothing were dropped, or the same for all seeds."""
    lanes = [Lane(0.01, schedule("constant"), 0)]
    without, with_it = (
        train(BatchedEngine(), in_float64(regression(lambda rate=rate: perceptron(rate))), lanes, TRAINING)
        for rate in (0.0, 0.2)
    )
    assert abs(without[-1].test_metric[0] / with_it[-1].test_metric[0] - 1) > 1e-4


@pytest.mark.parametrize("name", ["dropout", "encoder", "noise"])
def test_last_bits_are_the_same_in_any_company(name: str) -> None:
    """Beside others of the same seed and of other seeds, computed in parts, and when others leave."""
    task = DRAWING[name]
    alone = train(BatchedEngine(), task, LANES[:8], TRAINING)
    others = [Lane(0.01, schedule("linear"), seed) for seed in range(9, 30)]
    company = {
        "many": train(BatchedEngine(), task, LANES, TRAINING),
        "in parts": train(BatchedEngine(memory=1), task, LANES, TRAINING),
        "others leave": train_keeping(task, LANES, TRAINING, lambda epoch: [*range(8), *range(8, 72, 1 + 7 * epoch)]),
        "other seeds": train(BatchedEngine(), task, LANES[:8] + others, TRAINING),
    }
    for how, records in company.items():
        for lane in range(8):
            assert repr(curves(records, lane)) == repr(curves(alone, lane)), how


@pytest.mark.parametrize("name", ["dropout", "language", "noise"])
def test_replayed_training_has_the_bits_of_training(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Recordings] = []

    class Eager(Recordings):
        def __init__(self) -> None:
            super().__init__(after=1)
            made.append(self)

    task = DRAWING[name]
    called = train(BatchedEngine(), task, LANES[:5], TRAINING)
    monkeypatch.setattr(batched, "Recordings", Eager)
    replayed = train(BatchedEngine(), task, LANES[:5], TRAINING)
    for lane in range(5):
        assert repr(curves(replayed, lane)) == repr(curves(called, lane))
    rows = task.train[0].shape[1:]  # type: ignore[index]
    assert made[-1].is_replayed(("gradients", 32, (16, *rows)))


@pytest.mark.parametrize("name", DRAWING)
def test_the_probe_accepts_them(name: str) -> None:
    assert probe(DRAWING[name], TRAINING).reason == ""


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=3),
    st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=4, unique=True),
    st.floats(0.1, 0.9),
    st.booleans(),
)
def test_what_is_drawn_ahead_is_what_each_seed_would_draw(
    shape: list[int], seeds: list[int], rate: float, turned: bool
) -> None:
    """Dropout, then noise, of arrays that may lie in memory the other way round."""

    def forward() -> tuple[Tensor, Tensor]:
        ones = torch.ones(shape[::-1]).permute(*reversed(range(len(shape)))) if turned else torch.ones(shape)
        return functional.dropout(ones, rate) * (1 - rate), torch.randn_like(ones)

    draws = rehearsed(forward)
    states = [torch.Generator().manual_seed(seed).get_state() for seed in seeds]
    streams = SeedStreams([stream_from(state) for state in states], torch.arange(len(seeds)))
    kept, noise = streams.drawn(draws)
    for place, state in enumerate(states):
        with torch.random.fork_rng(devices=[]):
            torch.set_rng_state(state)
            dropped, expected = forward()
            assert torch.equal(kept[place], dropped.round())
            assert torch.equal(noise[place], expected)
            assert torch.equal(streams.generators[place].get_state(), torch.get_rng_state())


def test_copied_streams_leave_their_originals_alone() -> None:
    state = torch.Generator().manual_seed(1).get_state()
    streams = SeedStreams([stream_from(state)], torch.zeros(1, dtype=torch.int64))
    draws = rehearsed(lambda: torch.rand(3))
    (ahead,) = streams.copied().drawn(draws)
    (drawn,) = streams.drawn(draws)
    assert torch.equal(ahead, drawn)


@pytest.mark.parametrize(
    "other",
    [lambda: torch.rand(2, 3), lambda: torch.zeros(2, 4).normal_(), lambda: (torch.randn(2, 3), torch.rand(2))],
    ids=["another operation", "another shape", "one more"],
)
def test_what_was_not_rehearsed_is_refused(other: Callable[[], object]) -> None:
    draws = rehearsed(lambda: torch.randn(3))
    with pytest.raises(OneByOneError, match="one by one"), GivenDraws(draws, [torch.zeros(2, 3)]):
        other()


def test_rehearsing_draws_nothing_from_the_global_stream() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    rehearsed(lambda: torch.rand(5))
    assert torch.equal(torch.rand(3), expected)
