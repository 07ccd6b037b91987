"""What stands where a task stands in a study that runs a command: there is nothing in it to be trained here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from lrsearch.errors import LrsearchError
from lrsearch.study_file.command import CommandSection
from lrsearch.study_file.model import Definition
from lrsearch.tasks.task import Task


@dataclass(frozen=True, init=False)
class CommandTask(Task):
    """A command, with the metric's name and direction, which is all that a search asks a task for.

    Attributes:
        study: Name of the study.
        command: What is run.
        folder: Where the files of its runs are kept; None where nothing is to be run.
        rows: So many that an epoch has the updates that the command says, or one.
    """

    study: str
    command: CommandSection
    folder: Path | None
    rows: int

    def __init__(self, study: str, definition: Definition, folder: Path | None) -> None:
        command = definition.command
        assert command is not None
        none = torch.empty(1, 1)
        super().__init__(_nothing, (none, none), (none, none), loss="mse", metric=_unknown, direction=command.direction)
        updates, training = command.updates_per_epoch or 1, definition.training
        values = {
            "study": study,
            "command": command,
            "folder": folder,
            "rows": updates * training.batch_size * training.accumulate,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def train_rows(self) -> int:
        return self.rows

    @property
    def metric_name(self) -> str:
        return self.command.metric


def _nothing() -> nn.Module:
    raise LrsearchError("this study runs a command, so it has no model that could be trained here")


def _unknown(_outputs: Tensor, _targets: Tensor) -> Tensor:
    raise LrsearchError("this study runs a command, which alone knows its metric")
