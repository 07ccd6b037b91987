"""The families every tutorial begins with: the rate falls, or stays, by a simple formula of the step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lrsearch.schedules.base import Schedule, parameter, register
from lrsearch.study_file.axes import Range


@register
@dataclass(frozen=True)
class Constant(Schedule):
    """The learning rate never changes.

    ``factor(t) = 1``. torch: `ConstantLR` with factor 1. Hugging Face's ``constant_with_warmup`` is this
    family with a `warmup_fraction`, which has to be named: it is 0 until a number is given.
    """

    name = "constant"
    unit = "epoch"
    formula = "1"
    torch_class = "ConstantLR"
    aliases = ("ConstantLR",)
    retired: ClassVar[dict[str, str]] = {
        "constant_with_warmup": 'write "constant" and give it a `warmup_fraction`, such as 0.06'
    }
    groups = ("classical",)

    def shape(self, t: int, horizon: int) -> float:
        return 1.0

    def shape_code(self, lr: float, horizon: int) -> str:
        return "scheduler = torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0, total_iters=0)"


@register
@dataclass(frozen=True)
class Lambda(Schedule):
    """A constant share of the rate is kept at every epoch.

    ``factor(t) = decay ** t``. torch: `LambdaLR` with ``lambda epoch: decay ** epoch``.
    """

    name = "lambda"
    unit = "epoch"
    formula = "decay^t"
    torch_class = "LambdaLR"
    aliases = ("LambdaLR",)
    groups = ("classical",)

    decay: float = parameter(
        0.95, "share of the rate kept at every epoch", search=Range(low=0.8, high=0.999), above=0, maximum=1
    )

    def shape(self, t: int, horizon: int) -> float:
        return float(self.decay**t)

    def shape_code(self, lr: float, horizon: int) -> str:
        return (
            f"scheduler = torch.optim.lr_scheduler.LambdaLR(\n    optimizer, lambda epoch: {self.decay!r} ** epoch\n)"
        )


@register
@dataclass(frozen=True)
class Power(Schedule):
    """The rate falls fast at first and ever more slowly.

    ``factor(t) = (1 + t / s) ** -exponent`` with ``s = scale * horizon``: with exponent 1 the rate is a half
    after s epochs, a third after 2 s. Source: "power scheduling" in Géron, "Hands-On Machine Learning"
    (2019), chapter 11; Robbins and Monro (1951) prove convergence for exponents above 1/2 and up to 1.
    """

    name = "power"
    unit = "epoch"
    formula = "(1 + t / (scale * horizon))^-exponent"
    torch_class = "LambdaLR"
    groups = ("classical",)

    scale: float = parameter(
        0.1, "share of the run after which the fall sets in",
        search=Range(low=0.01, high=1.0, log=True), minimum=1e-9,
    )  # fmt: skip
    exponent: float = parameter(1.0, "how steeply it falls", search=Range(low=0.25, high=2.0), above=0)

    def shape(self, t: int, horizon: int) -> float:
        return float((1 + t / (self.scale * horizon)) ** -self.exponent)

    def shape_code(self, lr: float, horizon: int) -> str:
        return (
            "scheduler = torch.optim.lr_scheduler.LambdaLR(\n"
            f"    optimizer, lambda epoch: (1 + epoch / {self.scale * horizon!r}) ** -{self.exponent!r}\n)"
        )


@register
@dataclass(frozen=True)
class Exponential(Schedule):
    """The rate falls tenfold every s batches.

    ``factor(t) = 0.1 ** (t / s)`` with ``s = horizon / decades``. torch: `ExponentialLR` with
    ``gamma = 0.1 ** (1 / s)``, stepped after every batch.
    """

    name = "exponential"
    unit = "batch"
    formula = "0.1^(decades * t / horizon)"
    torch_class = "ExponentialLR"
    aliases = ("ExponentialLR",)
    groups = ("classical",)

    decades: float = parameter(1.0, "powers of ten lost over the whole run", search=Range(low=0.1, high=4.0), minimum=0)

    def shape(self, t: int, horizon: int) -> float:
        return float(0.1 ** (self.decades * t / horizon))

    def shape_code(self, lr: float, horizon: int) -> str:
        gamma = 0.1 ** (self.decades / horizon)
        return f"scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma={gamma!r})"


@register
@dataclass(frozen=True)
class Piecewise(Schedule):
    """The rate stays, and drops at a few milestones.

    ``factor(t) = drop ** (milestones m with m <= t)``. The first milestone lies at `first`, the others at
    equal distances between it and the end of the run, in whole epochs: 2 milestones from 1/3 on are the
    thirds of ImageNet training (He et al. 2016), 2 from 1/2 on the half and three quarters of CIFAR training;
    ``first = 1 / (milestones + 1)`` is `StepLR` where its steps divide the run. Milestones that fall on one epoch are
    one milestone. torch: `MultiStepLR`.
    """

    name = "piecewise"
    unit = "epoch"
    formula = "drop^(milestones passed)"
    torch_class = "MultiStepLR"
    aliases = ("MultiStepLR",)
    retired: ClassVar[dict[str, str]] = {
        "StepLR": 'write "piecewise" with first = 1 / (milestones + 1), which has steps that divide the run'
    }
    groups = ("classical",)

    drop: float = parameter(
        0.1, "share of the rate kept at a milestone",
        search=Range(low=0.05, high=0.7, log=True), above=0, maximum=1,
    )  # fmt: skip
    milestones: int = parameter(2, "number of drops", search=Range(low=1, high=4), minimum=1, maximum=100, integer=True)
    first: float = parameter(
        0.5,
        "place of the first drop, as a share of the run",
        search=Range(low=0.2, high=0.8),
        above=0,
        below=1,
    )

    def places(self, horizon: int) -> list[int]:
        """The steps at which the rate drops, in rising order, each once; never before the initial rate was used.

        Args:
            horizon: Number of steps the milestones are spread over.
        """
        gap = (1 - self.first) / self.milestones
        return sorted({max(1, round((self.first + gap * i) * horizon)) for i in range(self.milestones)})

    def shape(self, t: int, horizon: int) -> float:
        return float(self.drop ** sum(place <= t for place in self.places(horizon)))

    def shape_code(self, lr: float, horizon: int) -> str:
        return (
            "scheduler = torch.optim.lr_scheduler.MultiStepLR(\n"
            f"    optimizer, milestones={self.places(horizon)}, gamma={self.drop!r}\n)"
        )
