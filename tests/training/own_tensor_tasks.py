"""More tasks that people train, on plain tensors: several labels, uneven classes, masks, tied weights, group norms."""

from __future__ import annotations

from functools import partial

import torch
from own_tasks import GENERATOR, LABELS, ROWS, TEST, TESTS, TRAIN, Case, X
from torch import Tensor, nn
from torch.nn import functional

from lrsearch.tasks.task import Task

MANY = (X[:, :3] > 0.7).float()
RARE = torch.tensor([3.0, 3.0, 3.0])
WEIGHTS = torch.tensor([1.0, 4.0])
IMAGES = torch.rand(ROWS + TESTS, 1, 8, 8, generator=GENERATOR)
MASKS = (functional.avg_pool2d(IMAGES, 3, stride=1, padding=1) > 0.5).float()
WORDS = torch.randint(0, 12, (ROWS + TESTS, 5), generator=GENERATOR)
NEXT = (WORDS[:, -1] * 5 + 1) % 12


class SmallUNet(nn.Module):
    """One step down, one step up, and what was seen before the way down beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.middle = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.up, self.out = nn.ConvTranspose2d(4, 4, 2, stride=2), nn.Conv2d(8, 1, 1)

    def forward(self, images: Tensor) -> Tensor:
        before = functional.relu(self.down(images))
        below = functional.relu(self.middle(functional.max_pool2d(before, 2)))
        found: Tensor = self.out(torch.cat([before, self.up(below)], dim=1))
        return found


class TiedWords(nn.Module):
    """The weights that read a word are those that write one."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.out = nn.Embedding(12, 6), nn.Linear(6, 12, bias=False)
        self.out.weight = self.words.weight

    def forward(self, words: Tensor) -> Tensor:
        found: Tensor = self.out(self.words(words).mean(dim=1))
        return found


def grouped() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.GroupNorm(2, 4), nn.ReLU(), nn.Flatten(), nn.Linear(256, 2))


def autoencoder() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 3), nn.Tanh(), nn.Linear(3, 6))


def f1_error(outputs: Tensor, targets: Tensor) -> Tensor:
    """1 - F1 of the second class, over all rows at once."""
    said = outputs.argmax(dim=1)
    both = ((said == 1) & (targets == 1)).sum()
    return 1 - 2 * both / ((said == 1).sum() + (targets == 1).sum()).clamp(min=1)


def iou_error(outputs: Tensor, targets: Tensor) -> Tensor:
    """1 - intersection over union of the pixels, over all rows at once."""
    said = outputs > 0
    return 1 - (said & (targets > 0)).sum() / (said | (targets > 0)).sum().clamp(min=1)


def case(
    model: type[nn.Module] | partial[nn.Module] | object, inputs: Tensor, targets: Tensor, loss: object, metric: object
) -> Case:
    task = Task(model, (inputs[TRAIN], targets[TRAIN]), (inputs[TEST], targets[TEST]), loss, metric)  # type: ignore[arg-type]
    return Case(
        task,
        lambda numbers: (inputs[numbers], targets[numbers]),
        lambda made, batch: made(batch),
        loss=loss,  # type: ignore[arg-type]
        metric=metric,  # type: ignore[arg-type]
    )


rare = partial(functional.binary_cross_entropy_with_logits, pos_weight=RARE)
uneven = partial(functional.cross_entropy, weight=WEIGHTS)
plain = functional.cross_entropy
CASES = {
    "several labels with pos_weight": case(partial(nn.Linear, 6, 3), X, MANY, rare, rare),
    "class weights with F1": case(partial(nn.Linear, 6, 2), X, LABELS, uneven, f1_error),
    "U-Net with IoU": case(SmallUNet, IMAGES, MASKS, functional.binary_cross_entropy_with_logits, iou_error),
    "weight tying": case(TiedWords, WORDS, NEXT, plain, plain),
    "group norms": case(grouped, IMAGES, (IMAGES.mean(dim=(1, 2, 3)) > 0.5).long(), plain, plain),
    "autoencoder": case(autoencoder, X, X, functional.mse_loss, functional.mse_loss),
}
