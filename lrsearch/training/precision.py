"""What a network computes in: float32, or mixed precision as torch's autocast does it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from lrsearch.errors import input_error
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks import nest


def check_precision(training: TrainingSection, device: torch.device) -> None:
    """Refuse mixed precision where the processor has no arithmetic for it.

    Args:
        training: It names the precision.
        device: Where the network would be trained.

    Raises:
        InputError: The device is no CUDA device, and the precision is float16, or bfloat16 on a CPU without it.
    """
    if training.precision != "float32" and device.type != "cuda":
        if training.precision == "bfloat16" and cpu_has_bfloat16():
            return
        there = "float32 or bfloat16" if cpu_has_bfloat16() else "float32"
        rule = f"needs a CUDA device, and this trains on {device}; take {there}"
        raise input_error("training", rule, key="training.precision", received=f'"{training.precision}"')


def cpu_has_bfloat16() -> bool:
    """Whether torch's kernels for this processor compute in bfloat16; elsewhere autocast would only be slower."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


class Precision:
    """The arithmetic of one run.

    Weights, gradients and the optimizer's memory stay in the model's own type; forward passes compute in the lower
    one where that is safe. float16 has a narrow range, so its loss is multiplied before the backward pass and its
    gradients are divided after it (`torch.amp.GradScaler`); an update whose gradients overflowed is left out.

    Args:
        name: float32, bfloat16 or float16.
        device: Where the network is.
    """

    def __init__(self, name: str, device: torch.device) -> None:
        self.device = device
        self.type: torch.dtype | None = None if name == "float32" else getattr(torch, name)
        self.scaler = torch.amp.GradScaler(device.type) if self.type == torch.float16 else None

    def forward(self) -> AbstractContextManager[Any]:
        """Within the block forward passes compute in this precision."""
        return nullcontext() if self.type is None else torch.autocast(self.device.type, self.type)

    def result(self, outputs: Any) -> Any:
        """Outputs for metrics, which are computed in float32."""
        if self.type is None:
            return outputs
        return nest.mapped(lambda tensor: tensor.float() if tensor.is_floating_point() else tensor, outputs)

    def backward(self, loss: Tensor) -> None:
        """Add a loss's gradients to those that are there."""
        scaled = loss if self.scaler is None else self.scaler.scale(loss)
        scaled.backward()  # type: ignore[no-untyped-call]

    def step(self, optimizer: torch.optim.Optimizer, clip_norm: float | None) -> None:
        """Update the parameters.

        Args:
            optimizer: What updates them; all of one parameter group or several.
            clip_norm: Largest norm of all gradients together; None for no limit.
        """
        if clip_norm is not None:
            if self.scaler is not None:
                self.scaler.unscale_(optimizer)
            parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
            nn.utils.clip_grad_norm_(parameters, clip_norm)
        if self.scaler is None:
            optimizer.step()
        else:
            self.scaler.step(optimizer)
            self.scaler.update()

    def state(self) -> dict[str, Any]:
        """What a checkpoint must keep."""
        return {} if self.scaler is None else self.scaler.state_dict()

    def load(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        if self.scaler is not None:
            self.scaler.load_state_dict(state)
