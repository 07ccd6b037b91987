"""A metric means what its name says, however its rows are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from own_tasks import (
    LABELS,
    LR,
    ROWS,
    SEED,
    SIZE,
    TEST,
    TESTS,
    Batch,
    Rows,
    X,
    as_they_are,
    classifier,
    f1_error,
    rows_of,
    section,
)
from sklearn.metrics import f1_score
from torch import Tensor, nn
from torch.nn import functional
from torchmetrics.classification import BinaryRecall

from lrsearch.errors import InputError
from lrsearch.schedules.classical import Constant
from lrsearch.tasks.task import Task
from lrsearch.training.loop import start


def numbers(task: Task) -> tuple[float, float]:
    """The metric on the test rows before training, and what an extra metric says there."""
    begun = start(task, Constant(), LR, section(), SEED)
    return begun.before.test_metric, next(iter(begun.before.extra.values()))


def f1_of_tests() -> float:
    torch.manual_seed(SEED)
    guesses = classifier()(X[TEST]).argmax(1)
    return float(f1_score(LABELS[TEST], guesses))


class OfTwo(BinaryRecall):
    """Recall of the second of two logits."""

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        super().update(outputs.argmax(1), targets)


@pytest.mark.parametrize("collate", [None, as_they_are])
def test_a_metric_of_the_whole_set_is_the_same_with_a_collate(collate: Any) -> None:
    """F1 as scikit-learn computes it of all rows, and an object of torchmetrics; 8 rows are a batch."""
    rows = rows_of(lambda n: (X[n], LABELS[n]))
    task = Task(
        classifier, **rows, loss="cross_entropy", metric=f1_error, extra={"recall": OfTwo()}, collate=collate
    )  # fmt: skip
    found, recall = numbers(task)
    torch.manual_seed(SEED)
    guessed, there = classifier()(X[TEST]).argmax(1) == 1, LABELS[TEST] == 1
    assert found == pytest.approx(1 - f1_of_tests())
    assert recall == pytest.approx(float((guessed & there).sum() / there.sum()))


def test_reduce_mean_is_the_mean_over_batches_weighted_by_rows() -> None:
    rows = rows_of(lambda n: (X[n], LABELS[n]))
    task = Task(
        classifier, **rows, loss="cross_entropy", metric=f1_error, collate=as_they_are, reduce="mean",
        extra={"error": "error"},
    )  # fmt: skip
    torch.manual_seed(SEED)
    outputs = classifier()(X[TEST])
    parts = [slice(begin, begin + SIZE) for begin in range(0, TESTS, SIZE)]
    values = [float(f1_error(outputs[part], LABELS[TEST][part])) for part in parts]
    sizes = [len(outputs[part]) for part in parts]
    assert numbers(task)[0] == pytest.approx(np.average(values, weights=sizes))
    assert numbers(task)[0] != pytest.approx(1 - f1_of_tests(), rel=1e-2)


def padded(rows: Sequence[Any]) -> Batch:
    """Sequences and the class of each place, padded to the longest of the batch; -100 does not count."""
    inputs = nn.utils.rnn.pad_sequence([row for row, _ in rows], batch_first=True).transpose(1, 2)
    targets = nn.utils.rnn.pad_sequence([label for _, label in rows], batch_first=True, padding_value=-100)
    return inputs, targets


def places(number: int) -> Batch:
    """A sequence that is longer in each batch of the test rows, and in a batch of two lengths."""
    length = 2 + (number - ROWS) // SIZE + number % 2
    return X[number, :length, None], LABELS[number].expand(length)


def own(outputs: Tensor, targets: Tensor) -> Tensor:
    return functional.cross_entropy(outputs, targets)


def of_places(**parts: Any) -> Task:
    rows = Rows(TEST, places)
    parts = {"loss": "cross_entropy", "metric": "cross_entropy", "collate": padded, **parts}
    return Task(lambda: nn.Conv1d(1, 2, 1), rows, rows, **parts)


def test_a_named_metric_of_padded_batches_is_the_mean_over_all_places() -> None:
    torch.manual_seed(SEED)
    model = nn.Conv1d(1, 2, 1)
    rows = [places(number) for number in range(ROWS, ROWS + TESTS)]
    logits = torch.cat([model(inputs.T)[..., : len(inputs)].T for inputs, _ in rows])
    expected = functional.cross_entropy(logits, torch.cat([targets for _, targets in rows]))
    assert start(of_places(), Constant(), LR, section(), SEED).before.test_metric == pytest.approx(expected.item())


def test_a_metric_of_the_whole_set_wants_batches_that_fit_together() -> None:
    with pytest.raises(InputError, match=r'pad all batches alike, or write Task\(reduce="mean"\)'):
        start(of_places(metric=own), Constant(), LR, section(), SEED)
    start(of_places(metric=own, reduce="mean"), Constant(), LR, section(), SEED)
