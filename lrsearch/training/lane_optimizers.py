"""torch's optimizers with a learning rate per lane, and with a momentum, betas and weight decay per lane.

All parameters of a lane that are trained are one row of a matrix [lanes, numbers], so that an update is a handful of
operations however many layers there are. Each operation is the one that torch.optim does, in its order and with its
roundings: `addcmul` rounds once, as ``add(alpha=...)`` does there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from lrsearch.study_file.model import TrainingSection
from lrsearch.training.seats import filled

PER_LANE = ("momentum", "weight_decay", "betas")
"""Keys of the training section that lanes of one optimizer have for themselves."""
OF_OPTIMIZER = ("optimizer", "nesterov", "eps")
"""Keys that say which optimizer it is: lanes that differ in them are updated one kind after the other."""
Setting = float | Tensor
"""One number for all lanes, or one for each: float64 [lanes, 1]."""


class LaneOptimizer(Protocol):
    """Updates all lanes at once, each with its own rate."""

    def step(self, parameters: Tensor, gradients: Tensor, rates: Tensor) -> None:
        """Update in place.

        Args:
            parameters: [lanes, numbers].
            gradients: [lanes, numbers].
            rates: Learning rate of each lane, float64; [lanes, 1].
        """

    def take(self, slots: Tensor) -> None:
        """Go on with these lanes only.

        Args:
            slots: Positions of lanes, [new lanes].
        """


class LaneSGD:
    """`torch.optim.SGD`: momentum, Nesterov's form of it, and an L2 penalty.

    Args:
        sections: What each lane is trained with; or one section for all of them.
    """

    def __init__(self, sections: Sequence[TrainingSection]) -> None:
        self.momentum = _setting([own.momentum for own in sections])
        self.nesterov = sections[0].nesterov
        self.weight_decay = _setting([own.weight_decay for own in sections])
        self.velocity: Tensor | None = None

    def step(self, parameters: Tensor, gradients: Tensor, rates: Tensor) -> None:
        """See `LaneOptimizer.step`."""
        if matters(self.weight_decay):
            gradients = _plus(gradients, parameters, self.weight_decay)
        if matters(self.momentum):
            if self.velocity is None:
                self.velocity = gradients.clone()
            else:
                self.velocity.mul_(_like(self.momentum, gradients)).add_(gradients)
            gradients = _plus(gradients, self.velocity, self.momentum) if self.nesterov else self.velocity
        parameters.addcmul_(gradients, (-rates).to(parameters.dtype))

    def take(self, slots: Tensor) -> None:
        """See `LaneOptimizer.take`."""
        self.momentum, self.weight_decay = _taken(self.momentum, slots), _taken(self.weight_decay, slots)
        if self.velocity is not None:
            self.velocity = self.velocity[slots]


class LaneAdam:
    """`torch.optim.Adam` (an L2 penalty) and `torch.optim.AdamW` (weights decay by themselves).

    Args:
        sections: What each lane is trained with; or one section for all of them.
    """

    def __init__(self, sections: Sequence[TrainingSection]) -> None:
        self.beta1 = _setting([own.betas[0] for own in sections])
        self.beta2 = _setting([own.betas[1] for own in sections])
        self.eps = sections[0].eps
        self.weight_decay = _setting([own.weight_decay for own in sections])
        self.decoupled = sections[0].optimizer == "adamw"
        self.steps = 0
        self.mean: Tensor | None = None
        self.square: Tensor | None = None

    def step(self, parameters: Tensor, gradients: Tensor, rates: Tensor) -> None:
        """See `LaneOptimizer.step`."""
        if self.mean is None or self.square is None:
            self.mean, self.square = torch.zeros_like(parameters), torch.zeros_like(parameters)
        self.steps += 1
        if matters(self.weight_decay) and self.decoupled:
            parameters.mul_((1 - rates * _on(self.weight_decay, rates)).to(parameters.dtype))
        elif matters(self.weight_decay):
            gradients = _plus(gradients, parameters, self.weight_decay)
        self.mean.lerp_(gradients, _like(1 - self.beta1, gradients))
        self._add_square(gradients)
        # In float64, as torch.optim computes what it hands to its tensors as numbers.
        step_size = rates / (1 - _on(self.beta1, rates) ** self.steps)
        bias = _like((1 - self.beta2**self.steps) ** 0.5, gradients)
        spread = (self.square.sqrt() / bias).add_(self.eps)
        parameters.addcdiv_(self.mean * (-step_size).to(parameters.dtype), spread)

    def _add_square(self, gradients: Tensor) -> None:
        assert self.square is not None
        self.square.mul_(_like(self.beta2, gradients))
        if isinstance(self.beta2, Tensor):  # value * first * second, rounded as `value=` rounds it
            self.square.addcmul_(gradients * _like(1 - self.beta2, gradients), gradients)
        else:
            self.square.addcmul_(gradients, gradients, value=1 - self.beta2)

    def take(self, slots: Tensor) -> None:
        """See `LaneOptimizer.take`."""
        self.beta1, self.beta2 = _taken(self.beta1, slots), _taken(self.beta2, slots)
        self.weight_decay = _taken(self.weight_decay, slots)
        if self.mean is not None and self.square is not None:
            self.mean, self.square = self.mean[slots], self.square[slots]


class LaneMixture:
    """Lanes of several optimizers: those of each kind are updated together.

    Each kind is filled up with copies of its last lane (see `seats`), which nobody looks at.

    Args:
        sections: What each lane is trained with.
    """

    def __init__(self, sections: Sequence[TrainingSection]) -> None:
        self._parts: list[tuple[Tensor, LaneOptimizer]] = []
        for kind in dict.fromkeys(map(_kind, sections)):
            lanes = _filled([lane for lane, own in enumerate(sections) if _kind(own) == kind])
            self._parts.append((torch.tensor(lanes), build([sections[lane] for lane in lanes])))

    def step(self, parameters: Tensor, gradients: Tensor, rates: Tensor) -> None:
        """See `LaneOptimizer.step`."""
        for lanes, optimizer in self._parts:
            there = lanes.to(parameters.device)
            own = parameters[there]
            optimizer.step(own, gradients[there], rates[there])
            parameters[there] = own

    def take(self, slots: Tensor) -> None:
        """See `LaneOptimizer.take`."""
        wanted, parts = slots.tolist(), []
        for lanes, optimizer in self._parts:
            place = {lane: index for index, lane in enumerate(lanes.tolist())}
            left = _filled([new for new, old in enumerate(wanted) if old in place])
            if left:
                optimizer.take(torch.tensor([place[wanted[new]] for new in left], device=slots.device))
                parts.append((torch.tensor(left), optimizer))
        self._parts = parts


def build(sections: Sequence[TrainingSection]) -> LaneOptimizer:
    """The optimizer that a study file names.

    Args:
        sections: What each lane is trained with. Or one section for all of them.
    """
    if len(set(map(_kind, sections))) > 1:
        return LaneMixture(sections)
    return LaneSGD(sections) if sections[0].optimizer == "sgd" else LaneAdam(sections)


def _kind(section: TrainingSection) -> tuple[object, ...]:
    return tuple(getattr(section, key) for key in OF_OPTIMIZER)


def _filled(lanes: list[int]) -> list[int]:
    return lanes + lanes[-1:] * (filled(len(lanes)) - len(lanes))


def _setting(values: Sequence[float]) -> Setting:
    """One number where all lanes have the same: then each operation is the one that it has always been."""
    return values[0] if len(set(values)) == 1 else torch.tensor(values, dtype=torch.float64)[:, None]


def _taken(setting: Setting, slots: Tensor) -> Setting:
    return setting[slots.to(setting.device)] if isinstance(setting, Tensor) else setting


def matters(setting: Setting) -> bool:
    """Whether a setting changes anything.

    Args:
        setting: Of all lanes.
    """
    return isinstance(setting, Tensor) or bool(setting)


def _on(setting: Setting, rates: Tensor) -> Setting:
    """In float64, where the rates are."""
    return setting.to(rates.device) if isinstance(setting, Tensor) else setting


def _like(setting: Setting, numbers: Tensor) -> Setting:
    """In the kind of the numbers that it is multiplied with."""
    return setting.to(numbers.device, numbers.dtype) if isinstance(setting, Tensor) else setting


def _plus(numbers: Tensor, others: Tensor, setting: Setting) -> Tensor:
    """``numbers + setting * others``, rounded once."""
    if isinstance(setting, Tensor):
        return torch.addcmul(numbers, others, _like(setting, numbers))  # type: ignore[arg-type]
    return numbers.add(others, alpha=setting)
