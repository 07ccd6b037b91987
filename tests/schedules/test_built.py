"""A built scheduler in anybody's loop: resumed in any order, copied, with several groups."""

from __future__ import annotations

import copy
import io
import pickle
from typing import Any

import pytest
import torch

from lrsearch.errors import InputError
from lrsearch.registry import schedules
from lrsearch.schedules import Cosine, Plateau, Schedule

FAMILIES = [schedules.get(name) for name in schedules]
every_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
every_warmup = pytest.mark.parametrize("warmup", [None, 0.06, 0.5])
METRICS = [5.0, 4.0, *[4.0] * 200]


def made(family: type[Schedule], warmup: float | None) -> Schedule:
    values = {} if warmup is None else {"warmup_fraction": warmup}
    return family.of({**values, **({"patience": 1, "factor": 0.5} if family is Plateau else {})})


def sgd(*rates: float) -> torch.optim.Optimizer:
    groups = [{"params": [torch.zeros(1, requires_grad=True)], "lr": rate} for rate in rates]
    return torch.optim.SGD(groups, lr=0.1, momentum=0.9)


def advance(scheduler: Any, schedule: Schedule, first: int, last: int) -> list[list[float]]:
    """Rates of each step's groups."""
    found = []
    for t in range(first, last):
        found.append([float(group["lr"]) for group in scheduler.optimizer.param_groups])
        scheduler.optimizer.step()
        scheduler.step(*([METRICS[t]] if isinstance(schedule, Plateau) else []))
    return found


@every_family
@every_warmup
@pytest.mark.parametrize("horizon", [1, 2, 3, 10, 31, 64, 100])
@pytest.mark.parametrize("order", ["optimizer, build", "build, optimizer", "build, scheduler, optimizer"])
def test_resumes_in_any_order(family: type[Schedule], warmup: float | None, horizon: int, order: str) -> None:
    """In a new process, with a rate changed by hand on the way; the checkpoint is read with `weights_only`."""
    schedule, at = made(family, warmup), (horizon + 1) // 2
    first = schedule.build(sgd(0.1, 0.02), horizon)
    advance(first, schedule, 0, at)
    first.optimizer.param_groups[1]["lr"] = 0.0123
    file = io.BytesIO()
    torch.save({"optimizer": first.optimizer.state_dict(), "scheduler": first.state_dict()}, file)
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    expected = advance(first, schedule, at, horizon + 2)

    optimizer = sgd(0.1, 0.02)
    if order == "optimizer, build":
        optimizer.load_state_dict(saved["optimizer"])
    resumed = schedule.build(optimizer, horizon)
    if order == "build, optimizer":
        optimizer.load_state_dict(saved["optimizer"])
    resumed.load_state_dict(saved["scheduler"])
    if order == "build, scheduler, optimizer":
        optimizer.load_state_dict(saved["optimizer"])
    assert advance(resumed, schedule, at, horizon + 2) == expected


@every_family
@every_warmup
def test_loaded_rates_stay_until_the_scheduler_is_loaded(family: type[Schedule], warmup: float | None) -> None:
    """The constructor writes into an optimizer that is new, or whose rate was set anew, and into no other."""
    schedule = made(family, warmup)
    used = schedule.build(sgd(0.1), 10)
    advance(used, schedule, 0, 4)
    loaded = sgd(0.1)
    loaded.load_state_dict(used.optimizer.state_dict())
    before = loaded.param_groups[0]["lr"]
    schedule.build(loaded, 10)
    assert loaded.param_groups[0]["lr"] == before
    again = sgd(0.1)
    again.load_state_dict(used.optimizer.state_dict())
    again.param_groups[0]["lr"] = 0.7
    schedule.build(again, 10)
    assert again.param_groups[0]["lr"] == schedule.rate(0.7, 0, 10)


@every_family
def test_old_initial_rate_is_not_the_initial_rate(family: type[Schedule]) -> None:
    optimizer = sgd(0.1)
    optimizer.param_groups[0]["initial_lr"] = 0.5
    assert advance(family().build(optimizer, 10), family(), 0, 10) == advance(
        family().build(sgd(0.1), 10), family(), 0, 10
    )


@every_family
def test_state_of_another_schedule_is_refused(family: type[Schedule]) -> None:
    """Another type, other parameters, another horizon, a native class: the message has what was received."""
    scheduler = family().build(sgd(0.1), 20)
    native = torch.optim.lr_scheduler.StepLR(sgd(0.1), 3)
    other = next(one for one in FAMILIES if one is not family)
    for foreign, word in (
        (family().build(sgd(0.1), 21), "21"),
        (family(warmup_fraction=0.4).build(sgd(0.1), 20), "0.4"),
        (other().build(sgd(0.1), 20), other.name),
        (family().build(sgd(0.1, 0.2), 20), "groups"),
        (native, "step_size"),
    ):
        with pytest.raises(InputError) as refused:
            scheduler.load_state_dict(foreign.state_dict())
        assert word in str(refused.value)


@every_family
@pytest.mark.parametrize("way", ["pickle", "deepcopy", "torch.save"])
def test_is_an_ordinary_object(family: type[Schedule], way: str) -> None:
    """A copy goes on as the original does, with an optimizer of its own."""
    schedule = made(family, 0.2)
    scheduler = schedule.build(sgd(0.1, 0.03), 20)
    advance(scheduler, schedule, 0, 7)
    if way == "pickle":
        copied = pickle.loads(pickle.dumps(scheduler))
    elif way == "deepcopy":
        copied = copy.deepcopy(scheduler)
    else:
        file = io.BytesIO()
        torch.save(scheduler, file)
        file.seek(0)
        copied = torch.load(file, weights_only=False)
    assert copied.optimizer is not scheduler.optimizer
    assert advance(copied, schedule, 7, 20) == advance(scheduler, schedule, 7, 20)


@every_family
def test_tensor_rate_stays_the_same_tensor(family: type[Schedule]) -> None:
    rate = torch.tensor(0.1, dtype=torch.float64)
    parameters = [torch.zeros(1, requires_grad=True)]
    optimizer = torch.optim.Adam(parameters, lr=rate, capturable=False, foreach=False)
    schedule = made(family, 0.2)
    scheduler = schedule.build(optimizer, 20)
    assert advance(scheduler, schedule, 0, 20) == advance(schedule.build(sgd(0.1), 20), schedule, 0, 20)
    assert optimizer.param_groups[0]["lr"] is rate


@every_family
def test_group_added_later_goes_on_from_its_rate(family: type[Schedule]) -> None:
    """Unfrozen layers: their rate holds until the next step, and keeps its proportion to the others from then on."""
    schedule = made(family, None)
    scheduler = schedule.build(sgd(0.1), 20)
    advance(scheduler, schedule, 0, 8)
    ratio = 0.25
    rate = ratio * float(scheduler.optimizer.param_groups[0]["lr"])
    scheduler.optimizer.add_param_group({"params": [torch.zeros(1, requires_grad=True)], "lr": rate})
    for first, second in advance(scheduler, schedule, 8, 20):
        assert second == pytest.approx(ratio * first, rel=1e-12)
    assert len(scheduler.get_last_lr()) == 2


@every_family
@pytest.mark.parametrize("horizon", [0, -3, 2.5, "10", True, None])
def test_horizon_is_checked(family: type[Schedule], horizon: Any) -> None:
    for use in (lambda: family().build(sgd(0.1), horizon), lambda: family().code(0.1, horizon)):
        with pytest.raises(InputError, match=r"horizon.*whole number of at least 1"):
            use()


@every_family
@every_warmup
@pytest.mark.parametrize("horizon", [1, 2, 3, 10])
@pytest.mark.parametrize("updates", [1, 4, 50])
def test_warmup_rises_with_every_update(
    family: type[Schedule], warmup: float | None, horizon: int, updates: int
) -> None:
    """Also where steps are epochs; code and built scheduler, stepped as the code says, have the same rates."""
    schedule = made(family, warmup)
    per_step = schedule.updates_per_step(updates)
    steps = schedule.steps(horizon, updates)
    rising = schedule.warmup_steps(steps * per_step)
    if warmup and family.name != "one_cycle":
        assert rising == min(round(warmup * horizon * updates), horizon * updates - 1)
    code, names = schedule.code(0.1, steps, updates=per_step), {"torch": torch, "optimizer": sgd(0.1)}
    exec(code, names)
    assert ("n % " in code or "updates of the run" in code) == (rising > 0 and per_step > 1)
    state = schedule.initial_state(steps, per_step)
    for scheduler in (names["scheduler"], schedule.build(sgd(0.1), steps, per_step)):
        state = schedule.initial_state(steps, per_step)
        for n in range(1, horizon * updates + 1):
            t, update = divmod(n - 1, per_step)
            expected = schedule.rate(0.1, t, steps, state, update=update, updates=per_step)
            assert scheduler.optimizer.param_groups[0]["lr"] == pytest.approx(expected, rel=1e-9)
            scheduler.optimizer.step()
            ends = n % per_step == 0
            if isinstance(schedule, Plateau):
                if n <= rising:
                    scheduler.step()
                elif n % updates == 0:
                    scheduler.step(METRICS[n // updates])
            elif n <= rising or ends:
                scheduler.step()
            if n % updates == 0:
                state = schedule.update(state, METRICS[n // updates])


def test_plateau_keeps_a_rate_set_by_hand() -> None:
    """As torch's class does: a drop begins from it."""
    scheduler = Plateau(drop=0.5, patience=0).build(sgd(0.1), 10)
    scheduler.step(1.0)
    scheduler.optimizer.param_groups[0]["lr"] = 0.3
    scheduler.step(0.5)
    assert scheduler.optimizer.param_groups[0]["lr"] == pytest.approx(0.3)
    scheduler.step(0.5)
    assert scheduler.optimizer.param_groups[0]["lr"] == pytest.approx(0.15)


def test_plateau_wants_its_metric() -> None:
    with pytest.raises(InputError, match="test_metric"):
        Plateau().build(sgd(0.1), 10).step()


def test_cosine_holds_its_final_rate() -> None:
    scheduler = Cosine(final=0.1).build(sgd(1.0), 5)
    assert advance(scheduler, Cosine(final=0.1), 0, 9)[5:] == [[0.1]] * 4
