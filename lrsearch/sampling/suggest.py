"""Learning rate and schedule for a training loop of your own, inside any Optuna objective."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.study import StudyDirection
from optuna.trial import BaseTrial, Trial

from lrsearch.errors import input_error
from lrsearch.sampling.space import Space, settings_from
from lrsearch.schedules.base import Schedule, check_horizon
from lrsearch.storage.attributes import HORIZON, HORIZON_UNIT
from lrsearch.study_file import load

if TYPE_CHECKING:
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler

Unit = Literal["epoch", "update"]


@dataclass(frozen=True)
class SuggestedSchedule:
    """An initial learning rate and how it goes on.

    Attributes:
        lr: Initial learning rate; make the optimizer with it.
        schedule: The scheduler type with its parameters.
        horizon: How often the scheduler will be stepped.
        unit: After what: ``epoch`` or ``update``; None if the loop did not say.
        updates: Updates that a step has, where a warm-up counts those; in an own loop a step is a step.
    """

    lr: float
    schedule: Schedule
    horizon: int
    unit: Unit | None = None
    updates: int = 1

    @property
    def needs_metric(self) -> bool:
        """Whether to call ``scheduler.step(test_metric)``, as plateau wants it, instead of ``scheduler.step()``."""
        return self.schedule.unit == "evaluation"

    @property
    def code(self) -> str:
        """Lines of torch code that build the same scheduler for an ``optimizer``."""
        return self.schedule.code(self.lr, self.horizon, where=stepped(self.unit, self.horizon))

    def build(self, optimizer: Optimizer) -> LRScheduler:
        """A real torch scheduler; every parameter group keeps its own initial learning rate.

        Args:
            optimizer: Made with ``lr``; with several parameter groups, each may have a rate of its own made from it.
                A checkpoint may have been loaded into it.

        Returns:
            The scheduler, to be stepped `horizon` times.

        Raises:
            InputError: All parameter groups have one rate, and it is not the suggested one: then the search would be
                in vain.
        """
        groups = optimizer.param_groups
        rates = [float(group["lr"]) for group in groups]
        first = [float(group.get("initial_lr", rate)) for group, rate in zip(groups, rates, strict=True)]
        # A tensor of float32 has fewer digits.
        made = any(math.isclose(rate, self.lr, rel_tol=1e-6) for rate in (*rates, *first))
        if not made and len(set(rates)) <= 1:
            rule = f"make the optimizer with the suggested learning rate: lr=schedule.lr, which is {self.lr!r}"
            raise input_error("suggest_schedule", rule, key="lr", received=", ".join(map(repr, rates)))
        return self.schedule.build(optimizer, self.horizon, self.updates)


def stepped(unit: str | None, horizon: int) -> str:
    """When a training loop of one's own steps its scheduler, in words.

    Args:
        unit: ``epoch`` or ``update``; None if the loop did not say.
        horizon: How often in all.
    """
    return f"{f'after every {unit}' if unit else 'as often as in your loop'}: {horizon} times per run"


def suggest_schedule(
    trial: BaseTrial,
    space: Mapping[str, Any] | Sequence[str] = ("classical",),
    *,
    horizon: int,
    unit: Unit | None = None,
) -> SuggestedSchedule:
    """Ask an Optuna trial for a learning rate and a schedule, under the names that reports of lrsearch know.

    Args:
        trial: What the objective was called with.
        space: The content of a study file's ``[search]`` section, such as
            ``{"lr": {"low": 1e-4, "high": 0.1, "log": True}, "schedulers": ["cosine", "wsd"]}``, or scheduler types,
            groups or aliases alone.
        horizon: How often ``scheduler.step()`` will be called: the number of epochs, or of updates. The default ranges
            of `lambda` and `plateau` are meant for epochs.
        unit: What the horizon counts, ``"epoch"`` or ``"update"``: code to paste then says after what to step.

    Returns:
        The suggestion. Its parameters are parameters of the trial, and horizon and unit attributes of it. `plateau`
        follows the study's direction.

    Raises:
        InputError: With everything that is wrong with the space, the horizon is no whole number above 0, or the
            unit is another.

    Example:
        >>> schedule = lrsearch.suggest_schedule(trial, ["constant", "cosine"], horizon=epochs)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=schedule.lr)
        >>> scheduler = schedule.build(optimizer)
    """
    check_horizon(horizon, "suggest_schedule")
    if unit not in (None, "epoch", "update"):
        rule = 'must be "epoch" or "update": what the horizon counts'
        raise input_error("suggest_schedule", rule, key="unit", received=repr(unit))
    if isinstance(space, str):
        space = [space]
    section = dict(space) if isinstance(space, Mapping) else {"schedulers": list(space)}
    searched = Space.of_section(load.parse_search(section, "suggest_schedule"))
    settings = settings_from(searched.settle({}, partial(_suggest, trial)).params)
    if isinstance(trial, Trial):
        trial.set_user_attr(HORIZON, horizon)  # trials that are done or fixed take no attributes
        if unit is not None:
            trial.set_user_attr(HORIZON_UNIT, unit)
    return SuggestedSchedule(settings.lr, settings.schedule.directed(_maximises(trial)), horizon, unit)


def _maximises(trial: BaseTrial) -> bool:
    """Whether a trial's study is to rise; one that belongs to no study, or to several objectives, is not."""
    study = getattr(trial, "study", None)
    return study is not None and study.directions == [StudyDirection.MAXIMIZE]


def _suggest(trial: BaseTrial, name: str, axis: BaseDistribution) -> Any:
    if isinstance(axis, FloatDistribution):
        return trial.suggest_float(name, axis.low, axis.high, log=axis.log)
    if isinstance(axis, IntDistribution):
        return trial.suggest_int(name, axis.low, axis.high, log=axis.log)
    assert isinstance(axis, CategoricalDistribution)
    return trial.suggest_categorical(name, axis.choices)
