"""What every schedule is: checked numbers and one pure function of the step.

Nothing here imports torch before `Schedule.build` is called: reports, study files and both engines
read schedules as plain float64 arithmetic.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from lrsearch.errors import Fault, InputError, LrsearchError, nearest
from lrsearch.registry import schedules
from lrsearch.schedules.parameter import Parameter, check_horizon, parameter
from lrsearch.study_file.names import RESERVED

if TYPE_CHECKING:
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler

__all__ = ["Parameter", "Schedule", "Unit", "check_horizon", "parameter", "register"]

Unit = Literal["epoch", "batch", "evaluation"]


@dataclass(frozen=True)
class Schedule(ABC):
    """A scheduler type with its parameters filled in.

    The learning rate of step t is the initial learning rate times `factor`. Steps are counted from 0 in the
    family's own `unit`; the horizon is how many of them the schedule spans. A family is its `shape` and the
    torch lines that do the same; the linear warm-up that may precede it is added here. It rises with every
    update, also where the family's steps are epochs: then a step has several `updates`.

    Attributes:
        aliases: Names that torch or Hugging Face have for the same rates.
        retired: Names that look as if they were -> what to write instead.
        warmup_fraction: Share of the horizon that rises linearly before the shape begins.

    Raises:
        InputError: At construction, naming every parameter that breaks its rule.
    """

    name: ClassVar[str]
    unit: ClassVar[Unit]
    formula: ClassVar[str]
    torch_class: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    retired: ClassVar[dict[str, str]] = {}
    groups: ClassVar[tuple[str, ...]] = ()

    warmup_fraction: float = field(
        default=0.0,
        kw_only=True,
        metadata={"parameter": Parameter("share of the run that first rises linearly", minimum=0, below=1)},
    )

    def __post_init__(self) -> None:
        given = self.values()
        faults = self.faults(given)
        if faults:
            raise InputError(f"scheduler {self.name}", faults)
        for name, declared in self.parameters().items():
            number = int(given[name]) if declared.integer else float(given[name])
            object.__setattr__(self, self._attributes()[name], number)

    @classmethod
    def of(cls, values: Mapping[str, float]) -> Self:
        """The schedule with these parameters.

        Args:
            values: Parameter name -> value; missing ones take their defaults.

        Raises:
            InputError: A name is unknown or a value breaks its rule.
        """
        faults = cls.faults(values)
        if faults:
            raise InputError(f"scheduler {cls.name}", faults)
        return cls(**{cls._attributes()[name]: value for name, value in values.items()})

    @classmethod
    def parameters(cls) -> dict[str, Parameter]:
        """Parameter name -> declaration, in the order of the class; the warm-up comes last."""
        own_first = sorted(fields(cls), key=lambda f: f.kw_only is True)
        declared = [(f.name, f.metadata["parameter"]) for f in own_first if "parameter" in f.metadata]
        return {known.called or name: known for name, known in declared}

    @classmethod
    def _attributes(cls) -> dict[str, str]:
        """Parameter name -> attribute that holds its value; they differ where a method has the name."""
        return {f.metadata["parameter"].called or f.name: f.name for f in fields(cls) if "parameter" in f.metadata}

    @classmethod
    def summary(cls) -> str:
        """The first line of the family's docstring, for lists."""
        return (cls.__doc__ or cls.formula).strip().splitlines()[0]

    @classmethod
    def faults(cls, values: Mapping[str, Any]) -> list[Fault]:
        """What is wrong with some parameter values.

        Args:
            values: Parameter name -> value; missing ones take their defaults.
        """
        declared = cls.parameters()
        found = []
        for name, value in values.items():
            if name not in declared:
                rule = f"unknown parameter; {cls.name} has {', '.join(declared)}"
                found.append(Fault(name, rule, repr(value), nearest(name, declared)))
            elif not declared[name].holds(value):
                found.append(Fault(name, declared[name].rule(name), repr(value)))
        return found

    def values(self) -> dict[str, float]:
        """Parameter name -> value."""
        attributes = self._attributes()
        return {name: getattr(self, attributes[name]) for name in self.parameters()}

    @abstractmethod
    def shape(self, t: int, horizon: int) -> float:
        """The family's own formula, as if there were no warm-up.

        Args:
            t: Step after the warm-up, from 0, in the family's unit.
            horizon: Number of steps that remain after the warm-up, at least 1.

        Returns:
            Multiplier of the initial learning rate, in float64. From the horizon on it stays finite.
        """

    @abstractmethod
    def shape_code(self, lr: float, horizon: int) -> str:
        """Lines of torch code that do what `shape` does and name the result ``scheduler``.

        Args:
            lr: Initial learning rate.
            horizon: Number of steps that remain after the warm-up.
        """

    def warmup_steps(self, horizon: int) -> int:
        """How many of the horizon's steps are warm-up; at least one step remains for the shape.

        Args:
            horizon: Number of steps the schedule spans; count updates to get updates.
        """
        return min(round(self.warmup_fraction * horizon), horizon - 1)

    def factor(self, t: int, horizon: int, state: Any = None, *, update: int = 0, updates: int = 1) -> float:
        """Multiplier of the initial learning rate at a step.

        It is ``(n + 1) / (w + 1)`` in update n of the w updates of a warm-up, and `shape` after them. The shape's
        first step is the one in which the warm-up ends.

        Args:
            t: Step, from 0, in the family's unit.
            horizon: Number of steps the schedule spans.
            state: What `update` returned last, or `initial_state`; only a family with memory looks at it.
            update: Update within the step, from 0.
            updates: Updates that a step has: those of an epoch, where the family's steps are epochs.

        Returns:
            The factor, in float64. From the horizon on it keeps a finite value.
        """
        rising, done = self.warmup_steps(horizon * updates), t * updates + update
        if done < rising:
            return (done + 1) / (rising + 1)
        whole = rising // updates
        return self.shape(t - whole, horizon - whole)

    def rate(
        self, lr: float, t: int, horizon: int, state: Any = None, *, update: int = 0, updates: int = 1
    ) -> float:  # fmt: skip
        """The learning rate at a step: ``lr * factor(...)``.

        Args:
            lr: Initial learning rate.
            t: As for `factor`.
            horizon: As for `factor`.
            state: As for `factor`.
            update: As for `factor`.
            updates: As for `factor`.
        """
        return lr * self.factor(t, horizon, state, update=update, updates=updates)

    def signature(self, lr: float, horizon: int, updates: int = 1) -> float | tuple[object, ...] | None:
        """Equal for schedules that are the same one at this horizon, whatever their type and parameters.

        Args:
            lr: Initial learning rate.
            horizon: Number of steps the schedule spans.
            updates: Updates that a step has, as for `factor`.

        Returns:
            The rate, where it never changes; the rates, where they do; None where they hang on the metric.
        """
        rising = -(-self.warmup_steps(horizon * updates) // updates)
        places = [(t, update) for t in range(horizon) for update in (range(updates) if t < rising else (0,))]
        rates = [self.rate(lr, t, horizon, update=update, updates=updates) for t, update in places]
        if all(rate == rates[0] for rate in rates):
            return rates[0]
        # Updates of an own loop and epochs are not told apart by their number.
        return (self.unit, updates, *(float(f"{rate:.12g}") for rate in rates))

    def directed(self, maximise: bool) -> Self:
        """The same schedule for a metric that is to rise; only a family that watches the metric cares.

        Args:
            maximise: Whether a larger metric is better.
        """
        return self

    def initial_state(self, horizon: int, updates: int = 1) -> Any:
        """What the family remembers before the first evaluation; None if only the step matters to it.

        Args:
            horizon: Number of steps the schedule spans, in the family's unit.
            updates: Updates that a step has, as for `factor`.
        """
        return None

    def update(self, state: Any, metric: float) -> Any:
        """The state after one more evaluation; a pure function. To be called once after every evaluation.

        Args:
            state: What `update` returned last, or `initial_state`.
            metric: The test metric of that evaluation; it may be NaN or infinite.
        """
        return state

    def code(self, lr: float, horizon: int, *, updates: int = 1, where: str | None = None) -> str:
        """Lines of torch code that do the same to an ``optimizer`` whose learning rate is `lr`.

        Args:
            lr: Initial learning rate (the peak for families that rise to one).
            horizon: Number of steps the schedule spans, in the family's unit.
            updates: Updates that a step has, as for `factor`.
            where: When to step it, such as ``after every update``; by default what the family's unit says.

        Returns:
            Code that names its result ``scheduler`` and ends with where to step it.

        Raises:
            InputError: The horizon is no whole number above 0.
        """
        check_horizon(horizon, f"scheduler {self.name}")
        rising = self.warmup_steps(horizon * updates)
        lines = [self.shape_code(lr, horizon - rising // updates)]
        if rising:
            # The warm-up comes first: it notes the initial rate before CyclicLR, say, sets another.
            rise = f"optimizer, start_factor=1 / {rising + 1}, total_iters={rising}"
            lines.insert(0, f"warmup = torch.optim.lr_scheduler.LinearLR({rise})")
            joined = f"optimizer, [warmup, scheduler], milestones=[{rising}]"
            lines.append(f"scheduler = torch.optim.lr_scheduler.SequentialLR({joined})")
        return "\n".join([*lines, self._where_to_step(rising, updates, where)])

    def build(self, optimizer: Optimizer, horizon: int, updates: int = 1) -> LRScheduler:
        """A torch scheduler for an optimizer whose learning rates are the initial ones.

        Every parameter group keeps its own initial learning rate. It may be stepped past the horizon, resumed,
        copied and pickled, and agrees with the engines to the last bit. See `lrsearch.schedules.built`.

        Args:
            optimizer: The optimizer to steer.
            horizon: Number of steps the schedule spans, in the family's unit.
            updates: Updates that a step has, as for `factor`. With more than one, step it after each update of a
                warm-up, and once per `unit` from then on.

        Returns:
            The scheduler, to be stepped once per `unit`.

        Raises:
            InputError: The horizon is no whole number above 0.
        """
        from lrsearch.schedules.built import BuiltScheduler

        check_horizon(horizon, f"scheduler {self.name}")
        return BuiltScheduler(self, optimizer, horizon, updates)

    def steps(self, epochs: int, batches_per_epoch: int, evaluate_every: int | None = None) -> int:
        """The horizon of a run, in the family's unit.

        Args:
            epochs: Epochs of the run.
            batches_per_epoch: Updates in each of them.
            evaluate_every: Updates from one evaluation to the next; None for an epoch.
        """
        if self.unit == "evaluation" and evaluate_every is not None:
            return -(-epochs * batches_per_epoch // evaluate_every)
        return epochs * batches_per_epoch if self.unit == "batch" else epochs

    def updates_per_step(self, updates_per_epoch: int, evaluate_every: int | None = None) -> int:
        """Updates that one step of the family has.

        Args:
            updates_per_epoch: Of the run.
            evaluate_every: As for `steps`.
        """
        if self.unit == "evaluation" and evaluate_every is not None:
            return evaluate_every
        return 1 if self.unit == "batch" else updates_per_epoch

    def describe(self) -> str:
        """One line, such as ``lambda (decay 0.95)``; a warm-up only where there is one."""
        declared = self.parameters()
        shown = {name: value for name, value in self.values().items() if value or declared[name].search is not None}
        given = ", ".join(f"{name} {value:.4g}" for name, value in shown.items())
        return f"{self.name} ({given})" if given else self.name

    def step_comment(self, where: str | None = None) -> str:
        """The last line of `code`: where the scheduler is stepped.

        Args:
            where: As for `code`.
        """
        return f"# call scheduler.step() {where or f'after every {self.unit}'}"

    def _where_to_step(self, rising: int, updates: int, where: str | None) -> str:
        """The last line, where a warm-up counts updates and the shape counts epochs, too."""
        if not rising or updates == 1:
            return self.step_comment(where)
        return (
            f"# after update number n of the run, counted from 1: if n <= {rising} or n % {updates} == 0:"
            f" scheduler.step()\n# that is, after each of the first {rising} updates, and then after every {self.unit}"
        )


def register(family: type[Schedule]) -> type[Schedule]:
    """Class decorator: check a family and make it known under its name, aliases and groups.

    Raises:
        LrsearchError: A class attribute or method is missing, a parameter has the name of a method, a default
            breaks its own rule, or a name is taken or reserved.
    """
    for attribute in ("name", "unit", "formula", "torch_class"):
        if not isinstance(getattr(family, attribute, None), str):
            raise LrsearchError(f"schedule {family.__name__}: class attribute {attribute!r} must be a text")
    for own in fields(family):
        if callable(getattr(Schedule, own.name, None)):
            rule = f"attribute {own.name!r} hides a method; rename it and say called={own.name!r}"
            raise LrsearchError(f"schedule {family.name}: {rule}")
    if inspect.isabstract(family):
        missing = ", ".join(sorted(family.__abstractmethods__))
        raise LrsearchError(f"schedule {family.name}: must define {missing}")
    for name in (family.name, *family.aliases, *family.groups):
        if name in RESERVED:
            rule = f"{name!r} means something else in [search]; choose another name than {', '.join(RESERVED)}"
            raise LrsearchError(f"schedule {family.name}: {rule}")
    defaults = {f.name: f.default for f in fields(family)}
    faults = family.faults({name: defaults[attribute] for name, attribute in family._attributes().items()})
    if faults:
        raise LrsearchError(f"schedule {family.name}: default {faults[0]}")
    schedules.add(
        family.name, family, aliases=family.aliases, groups=(*family.groups, "all"), retired=family.retired
    )  # fmt: skip
    return family
