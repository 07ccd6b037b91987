"""An exponential moving average of a network's weights, as torch's own class keeps it."""

from __future__ import annotations

from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from lrsearch.errors import input_error
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.error_location import sentence


def average_of(model: nn.Module, training: TrainingSection) -> AveragedModel | None:
    """The average of a network's weights, before its first update; None if none is wanted.

    After the first update it is the weights; after each further one ``ema * average + (1 - ema) * weights``. Buffers,
    such as those of BatchNorm, are copied.

    Args:
        model: The network.
        training: It says how much the past weighs.

    Raises:
        InputError: The network cannot be copied.
    """
    if training.ema is None:
        return None
    try:
        return AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(training.ema))  # type: ignore[no-untyped-call]
    except Exception as error:
        rule = f"the network cannot be copied: {sentence(error)}"
        raise input_error("[training]", rule, key="ema", received=repr(training.ema)) from error
