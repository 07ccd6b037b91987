"""What is recommended, and what to expect of it: the object that everybody is given; `recommendation` has the rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

from lrsearch.errors import input_error
from lrsearch.sampling.space import settings_from
from lrsearch.sampling.suggest import SuggestedSchedule
from lrsearch.study import snippet
from lrsearch.study.rate_valley import RateValley

if TYPE_CHECKING:
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler

Limits = tuple[float, float]


@dataclass(frozen=True)
class ConstantRate:
    """The best constant rate, and how far the recommended settings are from it.

    Attributes:
        params: Its settings, by Optuna's names.
        value: What it came to; a mean where the recommendation is confirmed.
        difference: By how much the recommended settings are better; negative where they are worse.
        interval: 95 % interval of the difference; None where no fresh seeds were trained.
        told_apart: Whether the interval leaves out zero.
    """

    params: dict[str, Any]
    value: float
    difference: float
    interval: Limits | None
    told_apart: bool


@dataclass(frozen=True)
class Recommendation:
    """Which settings to take, what to expect of them, and what that rests on.

    Attributes:
        study: Name of the study; of runs from elsewhere that of their file.
        metric: What the values are.
        direction: ``minimize`` or ``maximize``.
        basis: ``confirmed``: trained again on fresh seeds; ``search``: the best of single runs, which flatters it;
            ``runs``: runs from elsewhere.
        rows: What the values were measured on: ``holdout``, or ``test`` for the rows that the search was judged by;
            None where that is not known.
        params: The settings, by Optuna's names.
        value: Mean over the fresh seeds; of an unconfirmed study what the search saw.
        expected: What one new training will give: `value` without the flattery of having been picked for it.
        interval: 95 % interval of `expected`; None where there is no confirmation.
        seeds: Seeds that `value` is the mean of.
        number: The trial of the search that had these settings; None if none did.
        code: Lines of torch code that train with them; None where the storage does not say enough to write them.
        constant: The best constant rate; None where none was trained to the end.
        untrained: The value before training; None where it is not known.
        learned: Whether the settings are shown to be better than no training, and than the best constant prediction;
            None where neither is known.
        covers: What the intervals cover: ``seeds``, or ``seeds and rows``; None where there are none.
        steps: How the scheduler was stepped.
        valley: How wrong the rate may be; None where no other rates were trained beside it.
    """

    study: str
    metric: str
    direction: Literal["minimize", "maximize"]
    basis: Literal["confirmed", "search", "runs"]
    rows: Literal["holdout", "test"] | None
    params: dict[str, Any]
    value: float
    expected: float
    interval: Limits | None
    seeds: int
    number: int | None
    code: str | None
    constant: ConstantRate | None
    untrained: float | None
    learned: bool | None
    covers: Literal["seeds", "seeds and rows"] | None
    steps: snippet.Steps
    valley: RateValley | None = None

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Recommendation:
        """The recommendation that `asdict` has made a document of.

        Args:
            kept: The document; what an earlier version did not know is missing.
        """
        values: dict[str, Any] = {field.name: kept.get(field.name) for field in fields(cls)}
        constant, interval, valley = values["constant"], values["interval"], values["valley"]
        if constant is not None:
            limits = constant["interval"]
            values["constant"] = ConstantRate(**{**constant, "interval": None if limits is None else tuple(limits)})
        values["valley"] = None if valley is None else RateValley.of(valley)
        values["interval"] = None if interval is None else tuple(interval)
        values["steps"] = snippet.Steps(**(values["steps"] or {}))
        return cls(**values)

    @property
    def is_confirmed(self) -> bool:
        return self.basis == "confirmed"

    def as_dict(self) -> dict[str, Any]:
        """The recommendation for JSON; the keys are those of ``lrsearch study best --format json``."""
        values = asdict(self)
        del values["steps"]
        return values

    def build(self, optimizer: Optimizer) -> LRScheduler:
        """The recommended schedule, as a torch scheduler.

        Args:
            optimizer: Made with ``lr=params["lr"]``, in at least one parameter group.

        Raises:
            InputError: No parameter group has the recommended rate, or the storage does not say how long the schedule
                is.
        """
        steps = self.steps
        if steps.horizon is None:
            raise input_error(f"study {self.study}", "does not say how many steps the schedule spans")
        settings = settings_from(self.params)
        schedule = settings.schedule.directed(self.direction == "maximize")
        return SuggestedSchedule(settings.lr, schedule, steps.horizon, steps.unit, steps.updates).build(optimizer)


BestSettings = Recommendation
"""The name under which `lrsearch.best_settings` has always returned it."""
