"""What every registered scheduler type must do. A new family is covered as soon as it is registered."""

from __future__ import annotations

import dataclasses
import itertools
import math
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lrsearch.errors import InputError
from lrsearch.registry import schedules
from lrsearch.schedules import Parameter, Schedule

LR = 0.05
STALLING = (3.0, 2.0, *[1.9999] * 4, 1.0, *[1.0] * 30, math.nan, 0.5, *[0.6] * 40)
FAMILIES = [schedules.get(name) for name in schedules]
PARAMETERS = [
    pytest.param(family, name, declared, id=f"{family.name}.{name}")
    for family in FAMILIES
    for name, declared in family.parameters().items()
]

every_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
every_parameter = pytest.mark.parametrize(("family", "name", "declared"), PARAMETERS)
deterministic = settings(derandomize=True, deadline=None, max_examples=25)
HORIZONS = st.integers(1, 500)
METRICS = st.lists(st.floats(0.0, 10.0) | st.sampled_from([1.0, math.nan, math.inf]), min_size=1, max_size=40)


def right_values(declared: Parameter) -> st.SearchStrategy[float]:
    """Values that keep a parameter's rule; an end that is open or infinite is drawn close to it, or cut."""
    low = max(declared.minimum, declared.above)
    high = min(declared.maximum, declared.below)
    low, high = (
        (low if math.isfinite(low) else -20.0),
        (high if math.isfinite(high) else max(low, 0.0) + 20.0),
    )
    if declared.integer:
        low, high = low + (low == declared.above), high - (high == declared.below)
        return st.integers(math.ceil(low), min(math.floor(high), math.ceil(low) + 20))
    margin = 1e-6 * (high - low)
    low, high = low + margin * (low == declared.above), high - margin * (high == declared.below)
    return st.floats(low, high, allow_subnormal=False)


def wrong_values(declared: Parameter) -> list[object]:
    """Values that break a parameter's rule."""
    wrong: list[object] = [math.nan, math.inf, -math.inf, True, "0.5", None, 10**400]
    if math.isfinite(declared.above):
        wrong += [declared.above, declared.above - 1]
    if math.isfinite(declared.minimum):
        wrong.append(declared.minimum - 1)
    if math.isfinite(declared.below):
        wrong += [declared.below, declared.below + 1]
    if math.isfinite(declared.maximum):
        wrong.append(declared.maximum + 1)
    if declared.integer:
        wrong.append(max(declared.minimum, 0) + 0.5)
    return wrong


def draw_schedule(data: st.DataObject, family: type[Schedule]) -> Schedule:
    strategies = {name: right_values(declared) for name, declared in family.parameters().items()}
    return family.of(data.draw(st.fixed_dictionaries(strategies), label=family.name))


def sgd(*rates: float) -> torch.optim.Optimizer:
    groups = [{"params": [torch.zeros(1, requires_grad=True)], "lr": rate} for rate in rates]
    return torch.optim.SGD(groups, lr=LR, momentum=0.9)


def adam(rate: float) -> torch.optim.Optimizer:
    return torch.optim.Adam([torch.zeros(1, requires_grad=True)], lr=rate, betas=(0.8, 0.9))


def pasted(code: str, optimizer: torch.optim.Optimizer) -> torch.optim.lr_scheduler.LRScheduler:
    """The scheduler that generated code makes, in a namespace that holds what the code says it needs."""
    namespace = {"torch": torch, "optimizer": optimizer}
    exec(code, namespace)
    return namespace["scheduler"]


def close(found: float, expected: float) -> bool:
    """Equal to nine digits; what is smaller than any rate that could change a weight counts as 0."""
    return math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-200)


def step(scheduler: Any, schedule: Schedule, metric: float) -> None:
    """What a training loop does after a step; only families with memory are shown the metric."""
    scheduler.optimizer.step()
    scheduler.step(*([] if schedule.initial_state(1) is None else [metric]))


def assert_follows(
    scheduler: torch.optim.lr_scheduler.LRScheduler,
    schedule: Schedule,
    horizon: int,
    rates: tuple[float, ...] = (LR,),
    metrics: Sequence[float] = STALLING,
) -> None:
    """Every group's learning rate is its initial one times `factor`, at every step of the horizon."""
    state = schedule.initial_state(horizon)
    for t, metric in zip(range(horizon), itertools.cycle(metrics), strict=False):
        for group, rate in zip(scheduler.optimizer.param_groups, rates, strict=True):
            expected = schedule.rate(rate, t, horizon, state)
            assert close(group["lr"], expected), f"{schedule} at step {t} of {horizon}"
        step(scheduler, schedule, metric)
        state = schedule.update(state, metric)


@every_family
def test_is_a_value(family: type[Schedule]) -> None:
    """A schedule is frozen, and two with the same parameters are one key."""
    schedule = family()
    assert schedule == family()
    assert hash(schedule) == hash(family())
    assert schedule == family.of(schedule.values())
    with pytest.raises(dataclasses.FrozenInstanceError):
        schedule.name = "other"  # type: ignore[misc]


@every_parameter
def test_equality_is_by_value(family: type[Schedule], name: str, declared: Parameter) -> None:
    """Another parameter value is another schedule, and a whole number equals the same float."""
    changed = next(
        edge for edge in (declared.minimum, declared.maximum, 0.01, 3)
        if declared.holds(edge) and edge != getattr(family(), name)
    )  # fmt: skip
    schedule = family.of({name: changed})
    assert schedule != family()
    assert schedule == family.of({name: float(changed)})
    assert type(schedule.values()[name]) is (int if declared.integer else float)


@every_family
def test_tells_what_it_is(family: type[Schedule]) -> None:
    """Lists can print a family's texts, and a schedule in one line."""
    assert schedules.get(family.name) is family
    assert family.unit in ("epoch", "batch", "evaluation")
    assert family.formula
    assert family.summary().endswith(".")
    assert hasattr(torch.optim.lr_scheduler, family.torch_class)
    assert family().describe().startswith(family.name)
    assert "\n" not in family().describe()
    assert family().steps(epochs=7, batches_per_epoch=5) == (35 if family.unit == "batch" else 7)


@every_parameter
def test_search_axis_keeps_the_rule(family: type[Schedule], name: str, declared: Parameter) -> None:
    """Whatever a sampler draws from the default axis is a right value."""
    axis = declared.search
    ends = () if axis is None else (axis,) if isinstance(axis, float) else axis.bounds()
    assert declared.meaning
    assert all(declared.holds(end) for end in ends)


@every_parameter
def test_wrong_value_is_refused(family: type[Schedule], name: str, declared: Parameter) -> None:
    """Out of the rule, not finite, a truth value or a text: the message has family, name, value and rule."""
    for value in wrong_values(declared):
        with pytest.raises(InputError) as refused:
            family.of({name: value})
        message = str(refused.value)
        for part in (family.name, name, repr(value), declared.rule(name)):
            assert part in message


@every_family
def test_all_faults_are_reported_at_once(family: type[Schedule]) -> None:
    wrong = dict.fromkeys(family.parameters(), math.nan)
    assert [fault.key for fault in family.faults(wrong)] == list(wrong)
    if wrong:
        with pytest.raises(InputError) as refused:
            family.of(wrong)
        assert len(refused.value.faults) == len(wrong)


@every_parameter
def test_mistyped_parameter_names_the_nearest(
    family: type[Schedule], name: str, declared: Parameter
) -> None:  # fmt: skip
    (fault,) = family.faults({name + "x": 0.5})
    assert fault.key == name + "x"
    assert name in fault.nearest


@every_family
def test_unknown_parameter_is_a_fault(family: type[Schedule]) -> None:
    """Nothing is near, so the message lists what there is."""
    (fault,) = family.faults({"zzzzzz": 1.0})
    assert family.name in fault.rule
    assert all(name in fault.rule for name in family.parameters())


@every_family
@given(data=st.data(), horizon=HORIZONS)
@deterministic
def test_factor_is_pure_and_finite(family: type[Schedule], data: st.DataObject, horizon: int) -> None:
    """A float, finite, not negative, and the same when asked again, within the horizon and beyond it."""
    schedule = draw_schedule(data, family)
    steps = [*range(horizon), horizon, horizon + 1, 3 * horizon + 7]
    factors = [schedule.factor(t, horizon) for t in steps]
    assert all(type(factor) is float and math.isfinite(factor) and factor >= 0 for factor in factors)
    assert factors == [schedule.factor(t, horizon) for t in steps]
    assert factors == [dataclasses.replace(schedule).factor(t, horizon) for t in steps]


@every_family
@given(data=st.data(), horizon=HORIZONS)
@deterministic
def test_warmup_precedes_the_shape(family: type[Schedule], data: st.DataObject, horizon: int) -> None:
    """It rises by equal steps up to the initial rate; the rest is the schedule of the remaining horizon."""
    schedule = draw_schedule(data, family)
    warmup = schedule.warmup_steps(horizon)
    assert 0 <= warmup < horizon
    for t in range(warmup):
        assert schedule.factor(t, horizon) == (t + 1) / (warmup + 1)
    for t in range(warmup, horizon):
        assert schedule.factor(t, horizon) == schedule.shape(t - warmup, horizon - warmup)


@every_family
def test_has_one_warmup(family: type[Schedule]) -> None:
    """Every family takes `warmup_fraction`; unless it is part of the shape, it is off and not searched."""
    declared = family.parameters()["warmup_fraction"]
    assert (family().warmup_fraction == 0) == (declared.search is None)
    assert ("warmup_fraction" in family().describe()) == (family().warmup_fraction > 0)
    if declared.search is None:
        assert list(family.parameters())[-1] == "warmup_fraction"
        assert dataclasses.replace(family(), warmup_fraction=0.3).warmup_steps(10) == 3
        assert dataclasses.replace(family(), warmup_fraction=0.99).warmup_steps(10) == 9
        assert dataclasses.replace(family(), warmup_fraction=0.99).warmup_steps(1) == 0
    else:
        assert family().warmup_steps(10) == 0


@every_family
@given(data=st.data(), horizon=HORIZONS, metrics=METRICS)
@deterministic
def test_update_is_pure(family: type[Schedule], data: st.DataObject, horizon: int, metrics: list[float]) -> None:
    """The state is a value, and a schedule asked again from the same state answers the same."""
    schedule = draw_schedule(data, family)
    state = schedule.initial_state(horizon)
    for t, metric in enumerate(metrics):
        before = repr(state)
        updated = schedule.update(state, metric)
        assert repr(state) == before
        assert schedule.update(state, metric) == updated
        if state is None:
            assert updated is None
        else:
            assert hash(updated) == hash(schedule.update(state, metric))
            assert all(type(number) in (int, float) for number in dataclasses.asdict(updated).values())
        factor = schedule.factor(t, horizon, updated)
        assert math.isfinite(factor)
        assert factor >= 0
        state = updated


@every_family
@pytest.mark.parametrize("warmup", [None, 0.1, 0.6])
@pytest.mark.parametrize("horizon", [1, 2, 3, 60, 500])
def test_code_of_the_defaults_follows_factor(family: type[Schedule], horizon: int, warmup: float | None) -> None:
    schedule = family() if warmup is None else family(warmup_fraction=warmup)
    assert_follows(pasted(schedule.code(LR, horizon), sgd(LR)), schedule, horizon)


@every_family
@given(data=st.data(), horizon=HORIZONS, metrics=METRICS)
@settings(deterministic, max_examples=12)
def test_code_follows_factor(family: type[Schedule], data: st.DataObject, horizon: int, metrics: list[float]) -> None:
    """Whatever the parameters, the generated torch lines give the factor at every step."""
    schedule = draw_schedule(data, family)
    assert_follows(pasted(schedule.code(LR, horizon), sgd(LR)), schedule, horizon, metrics=metrics)


@every_family
@pytest.mark.parametrize("make", [sgd, adam], ids=["momentum", "betas"])
def test_code_leaves_momentum_alone(family: type[Schedule], make: Any) -> None:
    """A learning rate schedule changes learning rates only."""
    optimizer = make(LR)
    before = {key: optimizer.param_groups[0].get(key) for key in ("momentum", "betas", "weight_decay")}
    assert_follows(pasted(family().code(LR, 20), optimizer), family(), 20)
    assert {key: optimizer.param_groups[0].get(key) for key in before} == before


@every_family
def test_code_ends_with_where_to_step(family: type[Schedule]) -> None:
    assert family().code(LR, 20).splitlines()[-1] == family().step_comment()
    assert family.torch_class in family().code(LR, 20)
    assert family.unit in family().step_comment()


@every_family
@given(data=st.data(), horizon=HORIZONS, metrics=METRICS)
@settings(deterministic, max_examples=6)
def test_build_follows_factor_in_every_group(
    family: type[Schedule], data: st.DataObject, horizon: int, metrics: list[float]
) -> None:
    """The built scheduler is torch's, and each parameter group keeps its own initial rate."""
    schedule = draw_schedule(data, family)
    scheduler = schedule.build(sgd(LR, 0.003), horizon)
    assert isinstance(scheduler, torch.optim.lr_scheduler.LRScheduler)
    assert_follows(scheduler, schedule, horizon, (LR, 0.003), metrics)


@every_family
@pytest.mark.parametrize("warmup", [None, 0.2, 0.7])
def test_build_resumes_in_the_middle(family: type[Schedule], warmup: float | None) -> None:
    """Saved and loaded into new objects, a scheduler goes on as if it had never stopped."""
    schedule = family() if warmup is None else family(warmup_fraction=warmup)
    whole, first, second = sgd(LR), sgd(LR), sgd(LR)
    uninterrupted, scheduler = schedule.build(whole, 50), schedule.build(first, 50)
    for t in range(23):
        step(uninterrupted, schedule, STALLING[t])
        step(scheduler, schedule, STALLING[t])
    resumed = schedule.build(second, 50)
    second.load_state_dict(first.state_dict())
    resumed.load_state_dict(scheduler.state_dict())
    for t in range(23, 50):
        assert second.param_groups[0]["lr"] == whole.param_groups[0]["lr"]
        step(uninterrupted, schedule, STALLING[t])
        step(resumed, schedule, STALLING[t])


@every_family
def test_is_found_by_its_aliases_and_groups(family: type[Schedule]) -> None:
    """An alias is understood wherever a name is; every family is in `all` and one more group."""
    assert all(schedules.get(alias) is family for alias in family.aliases)
    assert family.name in schedules.groups()["all"]
    assert schedules.expand(family.aliases) == ([family.name] if family.aliases else [])


def test_torch_is_not_imported() -> None:
    """Reports and study files read schedules without waiting for torch."""
    program = (
        "import sys; from lrsearch.registry import schedules\n"
        "for name in schedules: schedules.get(name)().factor(3, 10); schedules.get(name)().code(0.1, 10)\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
