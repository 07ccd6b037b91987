"""Each family against numbers from its paper, torch's own class or Hugging Face's formula."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lrsearch.errors import LrsearchError
from lrsearch.registry import schedules
from lrsearch.schedules import Schedule, parameter, register
from lrsearch.schedules.annealing import (
    Cosine,
    CosineRestarts,
    InverseSqrt,
    Linear,
    Polynomial,
    WarmupStableDecay,
)
from lrsearch.schedules.classical import Constant, Exponential, Lambda, Piecewise, Power
from lrsearch.schedules.cyclical import Cyclic, OneCycle
from lrsearch.schedules.plateau import Plateau, PlateauState


def factors(schedule: Schedule, horizon: int) -> list[float]:
    return [schedule.factor(t, horizon) for t in range(horizon)]


def plateau_factors(schedule: Plateau, metrics: list[float]) -> list[float]:
    """The factor before each evaluation and after the last."""
    state = schedule.initial_state(len(metrics))
    found = [schedule.factor(0, len(metrics), state)]
    for t, metric in enumerate(metrics, 1):
        state = schedule.update(state, metric)
        found.append(schedule.factor(t, len(metrics), state))
    return found


@pytest.mark.parametrize(
    ("group", "members"),
    [
        ("classical", ["constant", "lambda", "power", "exponential", "piecewise", "plateau", "cyclic"]),
        (
            "modern",
            ["one_cycle", "cosine", "cosine_restarts", "linear", "polynomial", "wsd", "inverse_sqrt"],
        ),
    ],
)
def test_groups_hold_their_families(group: str, members: list[str]) -> None:
    """The tutorial's families are the classical ones, in the order in which lists show them."""
    assert schedules.expand([group]) == members


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("ConstantLR", "constant"),
        ("LambdaLR", "lambda"),
        ("ExponentialLR", "exponential"),
        ("MultiStepLR", "piecewise"),
        ("ReduceLROnPlateau", "plateau"),
        ("CyclicLR", "cyclic"),
        ("OneCycleLR", "one_cycle"),
        ("CosineAnnealingLR", "cosine"),
        ("LinearLR", "linear"),
        ("PolynomialLR", "polynomial"),
        ("cosine_with_restarts", "cosine_restarts"),
        ("cosine_with_min_lr", "cosine"),
        ("reduce_lr_on_plateau", "plateau"),
    ],
)
def test_names_of_torch_and_hugging_face_are_understood(alias: str, name: str) -> None:
    assert schedules.resolve(alias) == name


def test_constant_stays() -> None:
    assert factors(Constant(), 5) == [1.0] * 5


def test_lambda_is_the_tutorials_decay() -> None:
    """0.95 to the power of the epoch, as in the tutorial's 60 epochs."""
    assert factors(Lambda(0.95), 60) == [0.95**epoch for epoch in range(60)]


def test_power_halves_after_the_scale() -> None:
    """With exponent 1: a half after s epochs, a third after 2 s."""
    found = factors(Power(scale=0.25, exponent=1.0), 80)
    assert (found[0], found[20], found[40]) == pytest.approx((1.0, 1 / 2, 1 / 3))
    assert Power(scale=0.25, exponent=2.0).factor(20, 80) == pytest.approx(1 / 4)


def test_exponential_falls_by_its_decades() -> None:
    assert Exponential(decades=3.0).factor(1000, 1000) == pytest.approx(1e-3)
    assert Exponential(decades=2.0).factor(500, 1000) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("schedule", "horizon", "places"),
    [
        (Piecewise(milestones=2, first=1 / 3), 90, [30, 60]),
        (Piecewise(milestones=2, first=0.5), 300, [150, 225]),
        (Piecewise(milestones=3, first=0.25), 80, [20, 40, 60]),
        (Piecewise(milestones=1, first=0.5), 1, [1]),
    ],
    ids=["ImageNet", "CIFAR", "StepLR", "one epoch"],
)
def test_piecewise_expresses_the_usual_recipes(schedule: Piecewise, horizon: int, places: list[int]) -> None:
    """ImageNet's thirds, CIFAR's half and three quarters, equal steps; never before the first epoch."""
    assert schedule.places(horizon) == places
    for t in range(horizon):
        assert schedule.factor(t, horizon) == schedule.drop ** sum(place <= t for place in places)


def test_plateau_waits_out_its_patience() -> None:
    """More than `patience` evaluations without improvement, one after another, bring one drop."""
    schedule = Plateau(drop=0.5, patience=2, threshold=0.1)
    found = plateau_factors(schedule, [1.0, 0.95, 0.8, 0.8, 0.79, 0.78, 0.77, 0.77, 0.77, 0.1])
    assert found == [1, 1, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25]


def test_plateau_ignores_the_evaluations_of_its_warmup() -> None:
    """A rising rate may well bring no improvement; neither that nor its best metric is remembered."""
    schedule = Plateau(drop=0.5, patience=0, warmup_fraction=0.3)
    found = plateau_factors(schedule, [0.1, 7.0, math.nan, 5.0, 4.0, 4.0, 3.0, 2.0, 1.0, 1.0])
    assert found == [0.25, 0.5, 0.75, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25]


def test_plateau_without_a_state_has_not_dropped() -> None:
    assert factors(Plateau(), 4) == [1.0] * 4
    assert Plateau().initial_state(10) == PlateauState()


@given(
    metrics=st.lists(st.floats(0.0, 2.0) | st.sampled_from([1.0, 0.999, math.nan, math.inf]), max_size=120),
    drop=st.floats(0.05, 0.99),
    patience=st.integers(0, 6),
    threshold=st.floats(0, 0.9),
    cooldown=st.integers(0, 4),
    min_lr=st.floats(0, 2.0),
    maximise=st.booleans(),
)
@settings(derandomize=True, deadline=None, max_examples=200)
def test_plateau_equals_torch(
    metrics: list[float], drop: float, patience: int, threshold: float, cooldown: int, min_lr: float, maximise: bool
) -> None:
    """For any metrics of at least 0, NaN and infinity among them, it drops when torch's class does."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer,
        mode="max" if maximise else "min",
        factor=drop,
        patience=patience,
        threshold=threshold,
        cooldown=cooldown,
        min_lr=min_lr,
        eps=0.0,
    )
    schedule = Plateau(drop=drop, patience=patience, threshold=threshold, cooldown=cooldown, min_lr=min_lr)
    schedule = schedule.directed(maximise)
    state = schedule.initial_state(len(metrics))
    for t, metric in enumerate(metrics):
        scheduler.step(metric)
        state = schedule.update(state, metric)
        assert schedule.rate(1.0, t + 1, len(metrics), state) == optimizer.param_groups[0]["lr"]
        assert (state.best, state.waited) == (scheduler.best, scheduler.num_bad_epochs)


@pytest.mark.parametrize("threshold", [1e-3, 0.01, 0.03])
@pytest.mark.parametrize("maximise", [False, True])
def test_plateau_judges_metrics_of_both_signs(threshold: float, maximise: bool) -> None:
    """A metric below 0 that stands still or gets worse slowly brings drops; one that improves brings none."""
    sign = -1.0 if maximise else 1.0
    schedule = Plateau(drop=0.5, patience=1, threshold=threshold).directed(maximise)
    for start in (-5.0, 5.0):
        worse = [start + sign * threshold * i / 4 for i in range(12)]
        better = [start - sign * 2 * threshold * abs(start) * i for i in range(12)]
        assert plateau_factors(schedule, worse)[-1] < 1
        assert plateau_factors(schedule, better)[-1] == 1


def test_plateau_factor_does_not_depend_on_the_rate() -> None:
    """With its default eps, torch would skip drops of a rate this small."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1e-9)
    scheduler = Plateau(drop=0.5, patience=0).build(optimizer, 10)
    scheduler.step(1.0)  # type: ignore[arg-type]
    scheduler.step(1.0)  # type: ignore[arg-type]
    assert optimizer.param_groups[0]["lr"] == 0.5e-9
    assert "eps=0.0" in Plateau().code(1e-9, 10)
    assert "eps=0.0" in Plateau(warmup_fraction=0.5).code(1e-9, 10)


def test_cyclic_rises_and_falls_between_floor_and_peak() -> None:
    """Two triangles in 8 batches; the second is half as high above the floor."""
    assert factors(Cyclic(cycles=2, floor=0.2, shrink=1.0), 8) == pytest.approx([0.2, 0.6, 1, 0.6] * 2)
    shrunk = factors(Cyclic(cycles=2, floor=0.2, shrink=0.5), 8)
    assert shrunk == pytest.approx([0.2, 0.6, 1, 0.6, 0.2, 0.4, 0.6, 0.4])


@pytest.mark.parametrize(("shrink", "mode"), [(1.0, "triangular"), (0.5, "triangular2")])
def test_cyclic_code_names_torchs_mode(shrink: float, mode: str) -> None:
    assert f'mode="{mode}"' in Cyclic(shrink=shrink).code(0.1, 100)
    assert "scale_fn" in Cyclic(shrink=0.7).code(0.1, 100)


def test_one_cycle_peaks_where_the_rise_ends() -> None:
    schedule = OneCycle(warmup_fraction=0.3, start=0.04, final=0.001)
    found = factors(schedule, 100)
    assert (found[0], found[29], found[99]) == pytest.approx((0.04, 1.0, 0.001))
    assert max(found) == found[29]


@pytest.mark.parametrize("horizon", [2, 3, 6, 17, 49, 100])
@pytest.mark.parametrize("towards", [0.0, 1.0])
def test_one_cycle_may_rise_for_a_single_step(horizon: int, towards: float) -> None:
    """A rise of one step has length 0 in torch, which divides by it; rounding makes several such rises."""
    fraction = math.nextafter(1 / horizon, towards)
    for rise in (1 / horizon, fraction):
        schedule = OneCycle(warmup_fraction=rise)
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
        exec(schedule.code(0.1, horizon), {"torch": torch, "optimizer": optimizer})
        assert optimizer.param_groups[0]["lr"] == pytest.approx(0.1 * schedule.factor(0, horizon), rel=1e-9)


def test_cosine_is_halfway_in_the_middle() -> None:
    assert Cosine(final=0.2).factor(50, 100) == pytest.approx(0.6)
    assert Cosine(final=0.2).factor(100, 100) == Cosine(final=0.2).factor(150, 100) == 0.2


def test_cosine_restarts_at_the_initial_rate() -> None:
    """Three equal cycles, or three each twice as long as the one before."""
    equal = factors(CosineRestarts(cycles=3, growth=1), 30)
    doubling = factors(CosineRestarts(cycles=3, growth=2), 70)
    assert [t for t, factor in enumerate(equal) if factor == 1] == [0, 10, 20]
    assert [t for t, factor in enumerate(doubling) if factor == 1] == [0, 10, 30]


@given(cycles=st.integers(1, 8), growth=st.integers(1, 3), horizon=st.integers(1, 500))
@settings(derandomize=True, deadline=None, max_examples=100)
def test_cosine_restarts_end_at_the_final_rate(cycles: int, growth: int, horizon: int) -> None:
    """The cycles fill the horizon: no short one is left at its end, and `final` holds from there on."""
    schedule = CosineRestarts(cycles=cycles, growth=growth, final=0.01)
    found = factors(schedule, horizon)
    assert sum(factor == 1 for factor in found) <= cycles
    assert schedule.factor(horizon, horizon) == schedule.factor(2 * horizon + 1, horizon) == 0.01
    parts = sum(growth**i for i in range(cycles))
    last = growth ** (cycles - 1) * horizon / parts
    if last >= 1:
        share = 1 - 1 / last
        assert found[-1] == pytest.approx(0.01 + 0.99 * (1 + math.cos(math.pi * share)) / 2)


def test_linear_is_a_line() -> None:
    assert factors(Linear(), 4) == [1.0, 0.75, 0.5, 0.25]
    assert factors(Linear(final=0.2), 4) == pytest.approx([1.0, 0.8, 0.6, 0.4])


def test_polynomial_of_exponent_one_is_linear() -> None:
    assert factors(Polynomial(exponent=1.0, final=0.1), 50) == pytest.approx(factors(Linear(final=0.1), 50))
    assert Polynomial(exponent=2.0).factor(50, 100) == 0.25


def test_polynomial_code_is_native_where_torch_can_say_it() -> None:
    """`PolynomialLR` always falls to 0."""
    assert "PolynomialLR" in Polynomial().code(0.1, 10)
    assert "LambdaLR" in Polynomial(final=0.1).code(0.1, 10)


def test_wsd_stays_and_decays_at_the_end() -> None:
    found = factors(WarmupStableDecay(decay_fraction=0.4, final=0.0, warmup_fraction=0.0), 10)
    assert found == pytest.approx([1, 1, 1, 1, 1, 1, 1, 0.75, 0.5, 0.25])


@pytest.mark.parametrize("warmup", [0.0, 0.1])
def test_wsd_has_hugging_faces_linear_decay(warmup: float) -> None:
    """Hugging Face: min_lr_ratio + (1 - min_lr_ratio) * (1 - progress), after warm-up and the stable part."""
    horizon, decay_steps, final = 100, 18 if warmup else 20, 0.05
    schedule = WarmupStableDecay(decay_fraction=0.2, final=final, warmup_fraction=warmup)
    for t in range(horizon - decay_steps, horizon):
        progress = (t - (horizon - decay_steps)) / decay_steps
        assert schedule.factor(t, horizon) == pytest.approx(final + (1 - final) * (1 - progress))


def test_inverse_sqrt_has_hugging_faces_formula() -> None:
    """Hugging Face: 1 / sqrt((t + timescale - warmup) / timescale), here after 50 of 550 steps of warm-up."""
    schedule = InverseSqrt(scale=0.1, warmup_fraction=50 / 550)
    for t in range(50, 550):
        assert schedule.factor(t, 550) == pytest.approx(1 / math.sqrt((t + 50 - 50) / 50))


def test_warmup_is_shown_only_where_there_is_one() -> None:
    assert Lambda(0.9).describe() == "lambda (decay 0.9)"
    assert Lambda(0.9, warmup_fraction=0.1).describe() == "lambda (decay 0.9, warmup_fraction 0.1)"
    assert Constant().describe() == "constant"


def test_parameter_that_hides_a_method_is_refused() -> None:
    """A parameter called factor would replace the method of that name."""

    @dataclass(frozen=True)
    class Hiding(Constant):
        """Hides a method."""

        name = "hiding"
        aliases = ()
        factor: float = parameter(0.5, "hides")  # type: ignore[assignment]

    with pytest.raises(LrsearchError, match=r"hiding: attribute 'factor' hides a method"):
        register(Hiding)
    assert "hiding" not in schedules


def test_incomplete_family_is_refused() -> None:
    """What is missing is said at registration, not at the first use."""

    @dataclass(frozen=True)
    class Incomplete(Schedule):
        """Has no shape."""

        name = "incomplete"
        unit = "epoch"
        formula = "?"
        torch_class = "LambdaLR"

    with pytest.raises(LrsearchError, match="incomplete: must define shape, shape_code"):
        register(Incomplete)


def test_default_that_breaks_its_rule_is_refused() -> None:
    @dataclass(frozen=True)
    class Broken(Constant):
        """Has a wrong default."""

        name = "broken"
        aliases = ()
        share: float = parameter(2.0, "a share", minimum=0, maximum=1)

    with pytest.raises(LrsearchError, match=r"broken: default share = 2.0: must be a finite number"):
        register(Broken)


def test_missing_text_is_refused() -> None:
    @dataclass(frozen=True)
    class Nameless(Schedule):
        """Has no name."""

    with pytest.raises(LrsearchError, match="Nameless: class attribute 'name' must be a text"):
        register(Nameless)


def test_taken_name_is_refused() -> None:
    with pytest.raises(LrsearchError, match="'constant' is registered already"):
        register(Constant)


@pytest.mark.parametrize(
    ("one", "other", "horizon"),
    [
        (Piecewise(drop=0.3, milestones=2, first=0.5), Piecewise(drop=0.3, milestones=1, first=0.5), 2),
        (Lambda(0.9), Constant(), 1),
        (Power(), Constant(), 1),
        (Piecewise(), Constant(), 1),
        (Plateau(patience=3), Constant(), 5),
        (Exponential(decades=0.0), Constant(), 40),
        (Linear(final=0.1), Polynomial(exponent=1.0, final=0.1), 40),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_what_is_the_same_schedule_has_the_same_signature(one: Schedule, other: Schedule, horizon: int) -> None:
    assert one.signature(0.1, horizon) == other.signature(0.1, horizon) is not None
    assert one.signature(0.1, 60) != Cosine().signature(0.1, 60)


def test_a_drop_that_may_come_has_no_signature() -> None:
    """With patience 3 the fifth evaluation may bring a drop, and the sixth would train with it."""
    assert Plateau(patience=3).signature(0.1, 6) is None
    assert plateau_factors(Plateau(patience=3), [1.0] * 6)[5] < 1
    assert plateau_factors(Plateau(patience=3), [1.0] * 5)[4] == 1
