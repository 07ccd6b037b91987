"""BatchNorm for many lanes: the same arithmetic as torch's, in operations that are fast with a lane axis in front.

Under `vmap` torch's kernel sees [rows, lanes * channels], for which it copies its input and takes a slow path: with 512
small networks that was more than half of an update's time. Sums and products over [lanes, rows, channels] have no such
path. Source of the formulas: Ioffe and Szegedy, "Batch Normalization" (2015), with torch's conventions: the variance
that normalises is divided by n, the one that is remembered by n - 1.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor


def batch_norm(
    input: Tensor,  # noqa: A002 (torch's name: modules may pass it by keyword)
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Same as `torch.nn.functional.batch_norm`; running statistics are changed in place while training.

    Args:
        input: [rows, channels, ...].
        running_mean: [channels].
        running_var: [channels].
        weight: [channels].
        bias: [channels].
        training: Normalise by the statistics of these rows.
        momentum: Weight of these rows in the running statistics.
        eps: Added to the variance.
    """
    axes = [axis for axis in range(input.dim()) if axis != 1]
    shape = [-1 if axis == 1 else 1 for axis in range(input.dim())]
    if training or running_mean is None or running_var is None:
        number = input.numel() // input.shape[1]
        if training and number == 1:
            raise ValueError(f"Expected more than 1 value per channel when training, got input size {input.shape}")
        mean = input.mean(axes)
        centred = input - mean.view(shape)
        variance = centred.square().mean(axes)
        if running_mean is not None and running_var is not None:
            running_mean.mul_(1 - momentum).add_(mean.detach(), alpha=momentum)
            running_var.mul_(1 - momentum).add_(variance.detach(), alpha=momentum * number / (number - 1))
        return _scaled(centred, _scale(variance, weight, eps), bias, shape)
    # As torch does it: one product and one sum for every number.
    scale = _scale(running_var, weight, eps)
    shift = -running_mean * scale
    return _scaled(input, scale, shift if bias is None else bias + shift, shape)


def _scale(variance: Tensor, weight: Tensor | None, eps: float) -> Tensor:
    scale = (variance + eps).rsqrt()
    return scale if weight is None else scale * weight


def _scaled(values: Tensor, scale: Tensor, shift: Tensor | None, shape: Sequence[int]) -> Tensor:
    # Not addcmul, whose last bits depend on where in an array a number lies.
    product = values * scale.view(shape)
    return product if shift is None else product + shift.view(shape)
