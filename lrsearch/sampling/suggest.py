"""Learning rate and schedule for a training loop of your own, inside any Optuna objective."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.study import StudyDirection
from optuna.trial import BaseTrial, Trial

from lrsearch.errors import input_error
from lrsearch.sampling.space import Space, settings_from
from lrsearch.schedules.base import Schedule
from lrsearch.storage.attributes import HORIZON
from lrsearch.study_file import load

if TYPE_CHECKING:
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler


@dataclass(frozen=True)
class SuggestedSchedule:
    """An initial learning rate and how it goes on.

    Attributes:
        lr: Initial learning rate; make the optimizer with it.
        schedule: The scheduler type with its parameters.
        horizon: How often the scheduler will be stepped.
    """

    lr: float
    schedule: Schedule
    horizon: int

    @property
    def needs_metric(self) -> bool:
        """Whether to call ``scheduler.step(test_metric)``, as plateau wants it, instead of ``scheduler.step()``."""
        return self.schedule.unit == "evaluation"

    @property
    def code(self) -> str:
        """Lines of torch code that build the same scheduler for an ``optimizer``."""
        return self.schedule.code(self.lr, self.horizon)

    def build(self, optimizer: Optimizer) -> LRScheduler:
        """A real torch scheduler; every parameter group keeps its own initial learning rate.

        Args:
            optimizer: Made with ``lr``, in at least one parameter group.

        Returns:
            The scheduler, to be stepped `horizon` times.

        Raises:
            InputError: No parameter group has the suggested learning rate: then the search would be in vain.
        """
        rates = [float(group["lr"]) for group in optimizer.param_groups]
        if self.lr not in rates:
            rule = f"make the optimizer with the suggested learning rate: lr=schedule.lr, which is {self.lr!r}"
            raise input_error("suggest_schedule", rule, key="lr", received=", ".join(map(repr, rates)))
        return self.schedule.build(optimizer, self.horizon)


def suggest_schedule(
    trial: BaseTrial, space: Mapping[str, Any] | Sequence[str] = ("classical",), *, horizon: int
) -> SuggestedSchedule:
    """Ask an Optuna trial for a learning rate and a schedule, under the names that reports of lrsearch know.

    Args:
        trial: What the objective was called with.
        space: The content of a study file's ``[search]`` section, such as
            ``{"lr": {"low": 1e-4, "high": 0.1, "log": True}, "schedulers": ["cosine", "wsd"]}``, or scheduler types,
            groups or aliases alone.
        horizon: How often ``scheduler.step()`` will be called: the number of epochs, or of updates. The default ranges
            of `lambda` and `plateau` are meant for epochs.

    Returns:
        The suggestion. Its parameters are parameters of the trial, and the horizon an attribute of it.

    Raises:
        InputError: With everything that is wrong with the space, or the horizon is no whole number above 0.

    Example:
        >>> schedule = lrsearch.suggest_schedule(trial, ["constant", "cosine"], horizon=epochs)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=schedule.lr)
        >>> scheduler = schedule.build(optimizer)
    """
    if isinstance(horizon, bool) or not isinstance(horizon, int) or horizon < 1:
        rule = "must be a whole number of at least 1: how often the scheduler will be stepped"
        raise input_error("suggest_schedule", rule, key="horizon", received=repr(horizon))
    if isinstance(space, str):
        space = [space]
    section = dict(space) if isinstance(space, Mapping) else {"schedulers": list(space)}
    searched = Space.of_section(load.parse_search(section, "suggest_schedule"))
    settings = settings_from(searched.settle({}, partial(_suggest, trial)).params)
    maximise = False
    if isinstance(trial, Trial):
        trial.set_user_attr(HORIZON, horizon)  # trials that are done or fixed take no attributes
        directions = trial.study.directions
        maximise = len(directions) == 1 and directions[0] == StudyDirection.MAXIMIZE
    return SuggestedSchedule(settings.lr, settings.schedule.directed(maximise), horizon)


def _suggest(trial: BaseTrial, name: str, axis: BaseDistribution) -> Any:
    if isinstance(axis, FloatDistribution):
        return trial.suggest_float(name, axis.low, axis.high, log=axis.log)
    if isinstance(axis, IntDistribution):
        return trial.suggest_int(name, axis.low, axis.high, log=axis.log)
    assert isinstance(axis, CategoricalDistribution)
    return trial.suggest_categorical(name, axis.choices)
