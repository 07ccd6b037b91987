"""Whether a metric should fall or grow: known, said, or asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from sklearn import metrics as reference
from torch import Tensor, nn
from torchmetrics.classification import BinaryRecall
from torchmetrics.regression import MeanSquaredError

import lrsearch
from lrsearch.errors import InputError
from lrsearch.tasks.metrics import LOSSES, MAXIMISED, METRICS

CLASSES, ROWS = 3, 40
GENERATOR = torch.Generator().manual_seed(0)
LOGITS = torch.randn(ROWS, CLASSES, generator=GENERATOR)
LABELS = torch.randint(0, CLASSES, (ROWS,), generator=GENERATOR)


def task(**parts: Any) -> lrsearch.Task:
    data = (torch.zeros(ROWS, 2), LABELS)
    return lrsearch.Task(lambda: nn.Linear(2, CLASSES), data, data, loss="cross_entropy", **parts)


def named(name: str, doc: str = "") -> Callable[[Tensor, Tensor], Tensor]:
    def metric(outputs: Tensor, targets: Tensor) -> Tensor:
        return outputs.mean()

    metric.__name__, metric.__doc__ = name, doc
    return metric


@pytest.mark.parametrize("name", METRICS)
def test_a_name_knows_its_direction(name: str) -> None:
    assert task(metric=name).direction == ("minimize" if name in LOSSES else "maximize")
    wrong = "maximize" if name in LOSSES else "minimize"
    with pytest.raises(InputError, match="leave it out"):
        task(metric=name, direction=wrong)


def test_an_object_of_torchmetrics_knows_it_too() -> None:
    assert task(metric=BinaryRecall()).direction == "maximize"
    assert task(metric=MeanSquaredError()).direction == "minimize"


@pytest.mark.parametrize(
    ("name", "doc"),
    [("auc", ""), ("val_accuracy", ""), ("MyF1", ""), ("dice_score", ""), ("r2", ""), ("mine", "Area under the ROC.")],
)
def test_a_metric_that_seems_to_grow_has_to_say_so(name: str, doc: str) -> None:
    with pytest.raises(InputError, match='Write direction="maximize"'):
        task(metric=named(name, doc))
    for direction in ("minimize", "maximize"):
        assert task(metric=named(name, doc), direction=direction).direction == direction


@pytest.mark.parametrize(
    ("name", "doc"),
    [("rmse", ""), ("accuracy_loss", ""), ("one_minus_f1", ""), ("mine", "1 - F1 score"), ("mapped", "")],
)
def test_other_callables_are_minimised(name: str, doc: str) -> None:
    assert task(metric=named(name, doc)).direction == "minimize"


def test_a_misspelled_direction_is_refused() -> None:
    with pytest.raises(InputError, match='must be "minimize" or "maximize"'):
        task(metric="accuracy", direction="max")


def scores(name: str) -> float:
    """What scikit-learn says."""
    chances, guesses = LOGITS.softmax(dim=1).numpy(), LOGITS.argmax(dim=1).numpy()
    labels, one_hot = LABELS.numpy(), nn.functional.one_hot(LABELS).numpy()
    known: dict[str, Callable[[], float]] = {
        "accuracy": lambda: reference.accuracy_score(labels, guesses),
        "f1": lambda: reference.f1_score(labels, guesses, average="macro"),
        "auroc": lambda: reference.roc_auc_score(labels, chances, multi_class="ovr", average="macro"),
        "average_precision": lambda: reference.average_precision_score(one_hot, chances, average="macro"),
        "iou": lambda: reference.jaccard_score(labels, guesses, average="macro"),
        "r2": lambda: reference.r2_score(one_hot.ravel(), LOGITS.numpy().ravel()),
    }
    return float(known[name]())


@pytest.mark.parametrize("name", MAXIMISED)
def test_names_mean_what_they_mean_elsewhere(name: str) -> None:
    targets = nn.functional.one_hot(LABELS).float() if name == "r2" else LABELS
    assert float(METRICS[name](LOGITS, targets)) == pytest.approx(scores(name), rel=1e-5)


@pytest.mark.parametrize("name", ["f1", "auroc", "average_precision", "iou"])
@pytest.mark.parametrize("shape", [(ROWS,), (ROWS, 1)])
def test_one_logit_a_row_means_two_classes(name: str, shape: tuple[int, ...]) -> None:
    logits, labels = LOGITS[:, 0], (LABELS > 0).long()
    two = torch.stack([torch.zeros(ROWS), logits], dim=1).softmax(dim=1)[:, 1].numpy()
    known = {
        "f1": reference.f1_score(labels, two > 0.5),
        "auroc": reference.roc_auc_score(labels, two),
        "average_precision": reference.average_precision_score(labels, two),
        "iou": reference.jaccard_score(labels, two > 0.5),
    }
    assert float(METRICS[name](logits.reshape(shape), labels)) == pytest.approx(known[name], abs=1e-6)


def test_an_object_keeps_nothing_from_one_look_to_the_next() -> None:
    recall = BinaryRecall()
    metric = task(metric=recall).metric_function
    outputs, targets = torch.tensor([0.9, 0.2, 0.8]), torch.tensor([1, 1, 0])
    assert [float(metric(outputs, targets)) for _ in range(2)] == [0.5, 0.5]
    assert float(metric(outputs[:1], targets[:1])) == 1.0
    assert recall.update_count == 0
