"""Numbers, metrics and settings in words; nothing here knows markdown."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from lrsearch.sampling.space import LR_NAMES, rate_name, rate_of
from lrsearch.study_file.axes import DIGITS
from lrsearch.study_file.searched_options import OPTIMIZER

MISSING = "–"
"""What stands where there is no number."""

_METRICS = {"mse": "MSE", "mae": "MAE", "cross_entropy": "cross-entropy", "error": "error rate", "r2": "R²", "f1": "F1",
            "auroc": "AUROC", "average_precision": "average precision", "iou": "IoU"}  # fmt: skip
_ERRORS = ("mse", "mae", "error", "cross_entropy")
"""Metrics that a sentence for everybody may call an error."""
_USES = {
    "constant": "a constant rate of {lr}",
    "lambda": "a rate of {lr}, times {decay} every epoch",
    "power": "power-law decay from {lr}",
    "exponential": "exponential decay from {lr}",
    "piecewise": "step decay from {lr}",
    "plateau": "decay on plateaus from {lr}",
    "cyclic": "a cyclic rate with peak {lr}",
    "one_cycle": "one-cycle with peak {lr}",
    "cosine": "cosine decay from {lr}",
    "cosine_restarts": "cosine decay with restarts from {lr}",
    "linear": "linear decay from {lr}",
    "polynomial": "polynomial decay from {lr}",
    "wsd": "warm-up, stable phase and decay with peak {lr}",
    "inverse_sqrt": "inverse-square-root decay from {lr}",
}
OPTIMIZERS = {
    "prodigy": "Prodigy",
    "schedule_free_adamw": "schedule-free AdamW",
    "schedule_free_sgd": "schedule-free SGD",
}
"""What contestants with an optimizer of their own are called, by its name."""
_UNITS = {
    "mse": "squared units of the target",
    "mae": "units of the target",
    "cross_entropy": "nats per row",
    "error": "share of rows",
    "accuracy": "share of rows",
}


def number(value: object) -> str:
    """A number with four significant digits; a dash where there is none.

    Args:
        value: Anything; what is no number is written as it is.
    """
    if value is None:
        return MISSING
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if isinstance(value, int):
        return str(value)
    short = f"{value:.4g}"
    return f"{float(short):.0f}" if 1e4 <= abs(value) < 1e6 else short


def brief(value: float) -> str:
    """A number with three significant digits, for those who only want to know how large it is.

    Args:
        value: The number.
    """
    short = f"{value:.3g}"
    return short if "e" not in short or abs(value) >= 1e6 or abs(value) < 1e-4 else number(float(short))


def limits(low: float, high: float) -> str:
    """An interval in words, such as ``8.4 to 12.1``.

    Args:
        low: Its lower end.
        high: Its upper end.
    """
    return f"{number(low)} to {number(high)}"


def percent(share: float) -> str:
    """A share in percent, such as ``12 %``.

    Args:
        share: 1 is all.
    """
    return f"{100 * share:.0f} %"


def plural(count: int, noun: str) -> str:
    """A count with its noun, such as ``3 trials``.

    Args:
        count: How many.
        noun: In the singular; its plural ends in s.
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def metric(name: str) -> str:
    """A metric's name in a sentence, such as ``MSE``.

    Args:
        name: Its name in the storage.
    """
    return _METRICS.get(name, name)


def test_metric(name: str) -> str:
    """What the study's values are, in a sentence: ``test MSE``, or ``value`` where nothing says it.

    Args:
        name: The metric's name in the storage.
    """
    return "value" if name == "value" else f"test {metric(name)}"


def confirmed_metric(name: str, rows: str) -> str:
    """What the values of a confirmation are, in a sentence: ``holdout MSE``.

    Args:
        name: The metric's name in the storage.
        rows: What scored it: ``holdout`` or ``test``.
    """
    return f"{rows} {metric(name)}"


def axis(name: str, rows: str = "test") -> str:
    """An axis label with its unit.

    Args:
        name: The metric's name in the storage.
        rows: Which rows it is measured on; empty to leave that out.
    """
    words = metric(name) if name == "value" else f"{rows} {metric(name)}".strip()
    return f"{words} ({_UNITS[name]})" if name in _UNITS else words


def scheduler(name: object) -> str:
    """A scheduler type's name, for people.

    Args:
        name: The type; None where trials have none.
    """
    return "no scheduler" if name is None else str(name)


def settings(params: Mapping[str, Any]) -> str:
    """A scheduler's own parameters, such as ``warmup_fraction 0.3, start 0.04``.

    Args:
        params: A trial's Optuna parameters; the learning rate and the scheduler are left out.
    """
    prefix = f"{params.get('scheduler')}."
    left_out = (*LR_NAMES, "scheduler", rate_name(params), *([OPTIMIZER] if optimizer(params) else []))
    own = {name: value for name, value in params.items() if name not in left_out}
    of_optimizer = f"{params.get(OPTIMIZER)}."
    return ", ".join(
        f"{name.removeprefix(prefix).removeprefix(of_optimizer).removeprefix('task.')} {exact(value)}"
        for name, value in own.items()
    )


def describe(params: Mapping[str, Any]) -> str:
    """All settings of a trial in one line, such as ``lambda, lr 0.02, decay 0.95``.

    Args:
        params: The trial's Optuna parameters.
    """
    rate = rate_of(params)
    lr = "" if rate is None else f"lr {exact(rate)}"
    head = str(params["scheduler"]) if params.get("scheduler") else ""
    parts = (optimizer(params), head, lr, settings(params))
    return ", ".join(part for part in parts if part) or "no parameters"


def optimizer(params: Mapping[str, Any]) -> str:
    """The optimizer of a contestant, for people; empty for any other settings.

    Args:
        params: A trial's Optuna parameters.
    """
    return "" if rate_name(params) != LR_NAMES[0] else OPTIMIZERS.get(str(params.get(OPTIMIZER)), "")


def rate(params: Mapping[str, Any]) -> str:
    """The learning rate of some settings, with the digits that were trained.

    Args:
        params: A trial's Optuna parameters.
    """
    found = rate_of(params)
    return MISSING if found is None else exact(found)


def exact(value: object) -> str:
    """A setting with all digits that were chosen; see `axes.DIGITS`.

    Args:
        value: Anything; what is no number is written as it is.
    """
    return f"{value:.{DIGITS}g}" if isinstance(value, float) else str(value)


def use(params: Mapping[str, Any], *, short: bool = False) -> str:
    """Settings as the object of *use*: ``exponential decay from 0.175``, ``adamw and linear decay from 0.01``.

    Args:
        params: A trial's Optuna parameters.
        short: Write three digits, where there is little room.
    """
    scheduler, lr = params.get("scheduler"), rate(params)
    if lr == MISSING:
        return describe(params)
    lr = brief(float(lr)) if short else lr
    if rate_name(params) != LR_NAMES[0]:
        others = {name: value for name, value in params.items() if name not in (OPTIMIZER, rate_name(params))}
        schedule = use({LR_NAMES[0]: rate_of(params), **others}, short=short)
        return f"{params[OPTIMIZER]} and {schedule}"
    if scheduler is None:
        return f"a learning rate of {lr}"
    words = _USES.get(str(scheduler))
    if words is None:
        return f"{scheduler} from {lr}"
    words = words.format(lr=lr, decay=exact(params.get("decay", MISSING)))
    words = f"{named} with {words}" if (named := optimizer(params)) else words
    rises_anyway = scheduler in ("one_cycle", "wsd")
    return words if rises_anyway or not params.get(f"{scheduler}.warmup_fraction") else f"{words}, after a warm-up"


def error(name: str) -> str:
    """What to call a metric in a sentence for everybody: ``error``, or its name where larger may be better.

    Args:
        name: The metric's name in the storage.
    """
    return "error" if name in _ERRORS else metric(name)
