"""The families every tutorial begins with: the rate falls, or stays, by a simple formula."""

from __future__ import annotations

from dataclasses import dataclass

from lrsearch.schedules.base import Schedule, parameter, register
from lrsearch.study_file.axes import Range


@register
@dataclass(frozen=True)
class Constant(Schedule):
    """The learning rate never changes: ``factor(t) = 1``. torch: `ConstantLR` with factor 1."""

    name = "constant"
    unit = "epoch"
    formula = "1"
    torch_class = "ConstantLR"
    aliases = ("ConstantLR",)
    groups = ("classical",)

    def factor(self, t: int, horizon: int) -> float:  # noqa: ARG002
        return 1.0

    def code(self, lr: float, horizon: int) -> str:  # noqa: ARG002
        return (
            "scheduler = torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0, total_iters=0)\n"
            + self.step_comment()
        )


@register
@dataclass(frozen=True)
class Lambda(Schedule):
    """A constant share of the rate is kept at every epoch: ``factor(t) = decay ** t``.

    torch: `LambdaLR` with ``lambda epoch: decay ** epoch``.
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

    def factor(self, t: int, horizon: int) -> float:  # noqa: ARG002
        return float(self.decay**t)

    def code(self, lr: float, horizon: int) -> str:  # noqa: ARG002
        return (
            "scheduler = torch.optim.lr_scheduler.LambdaLR(\n"
            f"    optimizer, lambda epoch: {self.decay!r} ** epoch\n)\n" + self.step_comment()
        )


@register
@dataclass(frozen=True)
class Exponential(Schedule):
    """The rate falls tenfold every s batches: ``factor(t) = 0.1 ** (t / s)`` with ``s = horizon / decades``.

    torch: `ExponentialLR` with ``gamma = 0.1 ** (1 / s)``, stepped after every batch.
    """

    name = "exponential"
    unit = "batch"
    formula = "0.1^(decades * t / horizon)"
    torch_class = "ExponentialLR"
    aliases = ("ExponentialLR",)
    groups = ("classical",)

    decades: float = parameter(
        1.0, "powers of ten lost over the whole run", search=Range(low=0.1, high=4.0), minimum=0
    )

    def factor(self, t: int, horizon: int) -> float:
        return float(0.1 ** (self.decades * t / horizon))

    def code(self, lr: float, horizon: int) -> str:  # noqa: ARG002
        gamma = 0.1 ** (self.decades / horizon)
        return (
            f"scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma={gamma!r})\n"
            + self.step_comment()
        )
