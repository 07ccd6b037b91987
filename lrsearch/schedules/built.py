"""The torch schedulers that `Schedule.build` returns; the one file of this folder that imports torch at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from lrsearch.errors import Fault, InputError

WRITTEN = "scheduled_lr"
"""Key of a parameter group: the rate that a scheduler of ours wrote last. Another rate was set by hand."""


class BuiltScheduler(LRScheduler):
    """A schedule as a torch scheduler.

    The rate of a group is its initial one times the schedule's factor, so that a rate set by hand holds until the next
    step. A group added later goes on from its own rate, in proportion.

    Args:
        schedule: What it does.
        optimizer: Whom it steers; the rates of its groups are the initial ones, unless a checkpoint was loaded into
            it: then nothing is written before `load_state_dict`.
        horizon: Steps that the schedule spans.
        updates: Updates that a step has, as for `Schedule.factor`.
    """

    def __init__(self, schedule: Any, optimizer: Optimizer, horizon: int, updates: int = 1) -> None:
        self.schedule = schedule
        self.horizon = horizon
        self.updates = updates
        self.memory = schedule.initial_state(horizon, updates)
        # In a new process no scheduler has touched the optimizer, only what was loaded into it.
        used = hasattr(getattr(optimizer, "step", None), "_wrapped_by_lr_sched")
        groups = getattr(optimizer, "param_groups", [])
        scheduled = [WRITTEN in group and float(group["lr"]) == group[WRITTEN] for group in groups]
        self._loaded = bool(groups) and all(scheduled) and not used
        for group, known in zip(groups, scheduled, strict=True):
            if not known or "initial_lr" not in group:
                group["initial_lr"] = float(group["lr"])
            group["initial_lr"] = float(group["initial_lr"])
        LRScheduler.__init__(self, optimizer)

    def get_lr(self) -> list[float | Tensor]:
        """The rates that belong to the present step."""
        return [self._rate(base, self.last_epoch) for base in self.base_lrs]

    def step(self, epoch: int | None = None) -> None:
        """Go on by one step; to be called after the optimizer's."""
        self._welcome()
        LRScheduler.step(self, epoch)
        self._note()

    def state_dict(self) -> dict[str, Any]:
        """All that a later process needs: plain numbers and texts."""
        return {
            **self._identity(),
            "last_epoch": self.last_epoch,
            "step_count": self._step_count,
            "base_lrs": [float(base) for base in self.base_lrs],
            "rates": [float(group["lr"]) for group in self.optimizer.param_groups],
            "written": [group.get(WRITTEN) for group in self.optimizer.param_groups],
            "memory": None if self.memory is None else asdict(self.memory),
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on where another scheduler of the same schedule was; the optimizer gets its rates.

        Args:
            state_dict: What `state_dict` returned.

        Raises:
            InputError: It belongs to another scheduler type, other parameters, another horizon or other groups.
        """
        faults = self._faults(state_dict)
        if faults:
            raise InputError("load_state_dict", faults)
        self.last_epoch, self._step_count = state_dict["last_epoch"], state_dict["step_count"]
        if state_dict["memory"] is not None:
            self.memory = type(self.memory)(**state_dict["memory"])
        saved = zip(state_dict["base_lrs"], state_dict["rates"], state_dict["written"], strict=True)
        for group, (base, rate, written) in zip(self.optimizer.param_groups, saved, strict=False):
            group["initial_lr"] = base
            _write(group, rate)
            group[WRITTEN] = written
        self.base_lrs = list(state_dict["base_lrs"])
        self._welcome()
        self._last_lr = _rates(self.optimizer)

    def _initial_step(self) -> None:
        self._step_count, self.last_epoch = 1, 0
        if not self._loaded:
            for group, rate in zip(self.optimizer.param_groups, self.get_lr(), strict=True):
                _write(group, rate)
        self._note()

    def _rate(self, base: float | Tensor, count: int) -> float:
        t, update = self._place(count)
        return float(self.schedule.rate(float(base), t, self.horizon, self.memory, update=update, updates=self.updates))

    def _factor(self) -> float:
        t, update = self._place(self.last_epoch)
        return float(self.schedule.factor(t, self.horizon, self.memory, update=update, updates=self.updates))

    def _place(self, count: int) -> tuple[int, int]:
        """Step of the schedule, and update within it, after so many calls of `step`."""
        rising = self._rising()
        if count < rising:
            return divmod(count, self.updates)
        return rising // self.updates + count - rising, rising % self.updates

    def _rising(self) -> int:
        return int(self.schedule.warmup_steps(self.horizon * self.updates))

    def _welcome(self) -> None:
        """Groups that were added since: the present rate of each is what the schedule has come to."""
        for group in self.optimizer.param_groups[len(self.base_lrs) :]:
            now, rate = self._factor(), float(group["lr"])
            group["initial_lr"] = float(group.get("initial_lr", rate / now if now > 0 else rate))
            group[WRITTEN] = rate
            self.base_lrs.append(group["initial_lr"])

    def _note(self) -> None:
        for group in self.optimizer.param_groups:
            group[WRITTEN] = float(group["lr"])
        self._last_lr = _rates(self.optimizer)

    def _identity(self) -> dict[str, Any]:
        return {
            "family": self.schedule.name,
            "parameters": self.schedule.values(),
            "horizon": self.horizon,
            "updates": self.updates,
        }

    def _faults(self, state: Mapping[str, Any]) -> list[Fault]:
        faults = []
        for key, own in self._identity().items():
            if key not in state:
                rule = f"is missing: not the state of a scheduler that lrsearch built; this one is {self.schedule.name}"
                return [Fault(key, rule, ", ".join(map(str, state)) or "an empty state")]
            if state[key] != own:
                faults.append(Fault(key, f"must be {own!r}, that of the scheduler it is loaded into", repr(state[key])))
        groups = len(self.optimizer.param_groups)
        if not faults and len(state["base_lrs"]) > groups:
            rule = f"must be at most {groups}, the optimizer's; add its later parameter groups first"
            faults.append(Fault("groups", rule, str(len(state["base_lrs"]))))
        return faults


class BuiltPlateau(BuiltScheduler, ReduceLROnPlateau):
    """The schedule with memory: `step` takes the test metric, but for the updates of a warm-up.

    It is a `ReduceLROnPlateau`, because training libraries hand the metric to that class alone. As there, a rate set
    by hand is kept, and a drop begins from it.
    """

    def __init__(self, schedule: Any, optimizer: Optimizer, horizon: int, updates: int = 1) -> None:
        super().__init__(schedule, optimizer, horizon, updates)
        # Evaluations of a warm-up are not counted down here: they are not shown to the schedule at all.
        self.memory = replace(self.memory, ignored=0)

    def step(self, metrics: Any = None, epoch: int | None = None) -> None:  # type: ignore[override]
        """Go on by one evaluation, or by one update of a warm-up.

        Args:
            metrics: Test metric, a number or a scalar tensor; not looked at while the rate rises.
            epoch: Not used; torch's own class has it.

        Raises:
            InputError: The rate does not rise any more, and there is no metric.
        """
        self._welcome()
        self._take_over()
        if self.last_epoch >= self._rising():
            if metrics is None:
                rule = "must be given after a warm-up: scheduler.step(test_metric)"
                raise InputError(f"scheduler {self.schedule.name}", [Fault("metrics", rule, "None")])
            self.memory = self.schedule.update(self.memory, float(metrics))
        self.last_epoch += 1
        self._step_count += 1
        for group, rate in zip(self.optimizer.param_groups, self.get_lr(), strict=True):
            _write(group, rate)
        self._note()

    def _take_over(self) -> None:
        """A rate set by hand is what the schedule has come to."""
        now = self._factor()
        for place, group in enumerate(self.optimizer.param_groups):
            if float(group["lr"]) != group[WRITTEN] and now > 0:
                self.base_lrs[place] = group["initial_lr"] = float(group["lr"]) / now


def _write(group: dict[str, Any], rate: float | Tensor) -> None:
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(float(rate))
    else:
        group["lr"] = float(rate)


def _rates(optimizer: Optimizer) -> list[float | Tensor]:
    return [group["lr"].clone() if isinstance(group["lr"], Tensor) else group["lr"] for group in optimizer.param_groups]
