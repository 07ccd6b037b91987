"""The page about training: its script equals lrsearch bit for bit, and its examples work."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from lrsearch import registry
from lrsearch.schedules.classical import Constant, Lambda
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.task import Task
from lrsearch.training.engine import threads_of
from lrsearch.training.free_optimizers import PACKAGED
from lrsearch.training.loop import start, train

PAGE = (Path(__file__).parents[2] / "lrsearch/training/README.md").read_text(encoding="utf-8")
BLOCKS = [re.sub(rf"^{indent}", "", block, flags=re.M)
          for indent, block in re.findall(r"^( *)```python\n(.*?)^\1```", PAGE, flags=re.S | re.M)]  # fmt: skip
INPUTS = torch.randn(90, 4, generator=torch.Generator().manual_seed(2))
CLASSES = INPUTS[:, :3].argmax(dim=1)


def names_of(sign: str) -> dict[str, Any]:
    """What the example defines that has this text in it."""
    scope: dict[str, Any] = {}
    exec(next(block for block in BLOCKS if sign in block), scope)
    return scope


def test_the_script_does_what_the_loop_does_to_the_last_bit() -> None:
    with threads_of(1), torch.random.fork_rng():
        script = names_of("def number()")
        training = TrainingSection(
            epochs=script["EPOCHS"], batch_size=script["BATCH_SIZE"], momentum=script["MOMENTUM"]
        )
        task = Task(script["network"], script["train"], script["test"], "mse", "mse")
        records = train(start(task, Lambda(decay=script["DECAY"]), script["LR"], training, script["SEED"]))
        assert [record.test_metric for record in records] == script["curve"]


def test_the_defaults_that_are_named_are_the_defaults() -> None:
    shown = dict(re.findall(r"`(\w+) = ([^`]+)`", PAGE[PAGE.index("**Defaults**") : PAGE.index("**Stored**")]))
    fields = TrainingSection.model_fields
    assert set(shown) == set(fields) - {"options", "clip_norm", "ema", "patience", "evaluate_every"}
    for name, text in shown.items():
        assert str(fields[name].default).lower() == text.strip('"').lower().replace("1e-8", "1e-08")
    assert [fields[name].default for name in ("clip_norm", "ema", "patience", "evaluate_every")] == [None] * 4


def test_every_optimizer_is_named() -> None:
    names = {*registry.optimizers, *PACKAGED} - {"signdescent"}
    assert all(f"`{name}`" in PAGE or f'"{name}"`' in PAGE for name in names if ":" not in name)


@pytest.fixture
def descent() -> Iterator[None]:
    names_of("@lrsearch.optimizer")
    yield
    registry.optimizers._things.pop("signdescent")


@pytest.mark.usefixtures("descent")
def test_the_optimizer_and_the_groups_that_are_shown_work() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.head = nn.Linear(4, 5), nn.Linear(5, 3)

        def forward(self, rows: Tensor) -> Tensor:
            out: Tensor = self.head(torch.tanh(self.body(rows)))
            return out

    rows = INPUTS, CLASSES
    task = Task(Net, rows, rows, nn.CrossEntropyLoss(label_smoothing=0.1), "cross_entropy")
    groups = Task(
        Net, rows, rows, "cross_entropy", "cross_entropy", parameters=names_of("def parameters")["parameters"]
    )
    for made, section in (
        (task, TrainingSection(epochs=3, optimizer="signdescent", options={"decay": 0.01})),
        (groups, TrainingSection(epochs=3)),
    ):
        run = start(made, Constant(), 0.01, section, 1)
        assert list(train(run))[-1].test_metric < run.before.test_metric


class Rows(Dataset[Any]):
    """Rows that say whether they are mixed."""

    def __init__(self, part: slice, *, mixed: bool) -> None:
        self.inputs, self.classes, self.mixed = INPUTS[part], CLASSES[part], mixed

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, row: int) -> Any:
        return self.inputs[row], int(self.classes[row]), self.mixed


def test_mixup_as_it_is_shown_mixes_training_rows_only() -> None:
    collate = names_of("def collate")["collate"]
    train_rows, test_rows = Rows(slice(60), mixed=True), Rows(slice(60, 90), mixed=False)
    _, targets = collate([train_rows[row] for row in range(20)])
    assert targets.sum(dim=1).tolist() == pytest.approx([1.0] * 20)
    assert ((targets > 0) & (targets < 1)).any()
    inputs, targets = collate([test_rows[row] for row in range(20)])
    assert torch.equal(inputs, INPUTS[60:80])
    assert torch.equal(targets.argmax(dim=1), CLASSES[60:80])
    task = Task(lambda: nn.Linear(4, 3), train_rows, test_rows, nn.functional.cross_entropy,
                nn.functional.cross_entropy, direction="minimize", collate=collate)  # fmt: skip
    run = start(task, Constant(), 0.1, TrainingSection(epochs=3, batch_size=20), 1)
    curve = [record.test_metric for record in train(run)]
    assert curve[-1] < run.before.test_metric
    again = start(task, Constant(), 0.1, TrainingSection(epochs=3, batch_size=20), 1)
    assert [record.test_metric for record in train(again)] == curve
