"""What people do without a search: settings that need none, each as its authors recommend it.

Sources: Smith and Topin, "Super-Convergence" (2018), for one cycle at the rate of a range test; the READMEs of the
packages prodigyopt (a rate of 1, cosine annealing, ``safeguard_warmup`` and ``use_bias_correction``) and schedulefree
(its own default rates, and no schedule) for optimizers that need no tuned rate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lrsearch import registry
from lrsearch.sampling.space import parameter_name
from lrsearch.study_file.contestants import NAMES
from lrsearch.study_file.model import TrainingSection
from lrsearch.study_file.optimizer_keys import FIELDS
from lrsearch.study_file.searched_options import OPTIMIZER


@dataclass(frozen=True)
class Contestant:
    """One of them.

    Attributes:
        scheduler: Its schedule, with the family's own defaults.
        lr: Its rate; None where something has to say it first.
        optimizer: Another optimizer than the study's; None for the study's own.
        arguments: Of that optimizer.
    """

    scheduler: str
    lr: float | None = None
    optimizer: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)


CONTESTANTS = {
    "default_rate": Contestant("constant"),
    "lr_find": Contestant("constant"),
    "one_cycle": Contestant("one_cycle"),
    "prodigy": Contestant("cosine", 1.0, "prodigy", {"safeguard_warmup": True, "use_bias_correction": True}),
    "schedule_free_adamw": Contestant("constant", 0.0025, "schedule_free_adamw"),
    "schedule_free_sgd": Contestant("constant", 1.0, "schedule_free_sgd"),
}
"""Name in ``[confirm] contestants`` -> what that is."""
assert tuple(CONTESTANTS) == NAMES
FOUND_RATE = ("lr_find", "one_cycle")
"""Those whose rate a range test says."""
_ARGUMENTS = {own.optimizer: own.arguments for own in CONTESTANTS.values() if own.optimizer is not None}


def own_params(name: str, rate: float | None) -> dict[str, Any]:
    """The Optuna parameters of a contestant's runs, complete; the study that trains them says the optimizer.

    Args:
        name: One of `CONTESTANTS`.
        rate: What something has said, where the contestant has no rate of its own.
    """
    one = CONTESTANTS[name]
    lr = rate if one.lr is None else one.lr
    assert lr is not None
    own = {parameter_name(one.scheduler, key): value for key, value in defaults(one.scheduler).items()}
    return {"lr": lr, "scheduler": one.scheduler, **own}


def defaults(scheduler: str) -> dict[str, float]:
    """The parameters of a scheduler type that a search looks at, with their defaults.

    Args:
        scheduler: The type.
    """
    family = registry.schedules.get(scheduler)
    values = family().values()
    return {key: values[key] for key, declared in family.parameters().items() if declared.search is not None}


def params(name: str, rate: float | None) -> dict[str, Any]:
    """The settings of a contestant, by Optuna's names, with its optimizer if that is not the study's.

    Args:
        name: One of `CONTESTANTS`.
        rate: See `own_params`.
    """
    optimizer = CONTESTANTS[name].optimizer
    return {**({} if optimizer is None else {OPTIMIZER: optimizer}), **own_params(name, rate)}


def training_of(training: TrainingSection, params: Mapping[str, Any]) -> TrainingSection:
    """The training section that settings belong to: the study's, or with the optimizer of a contestant.

    The study's weight decay stays, for it belongs to the problem; other arguments of its optimizer do not.

    Args:
        training: The study's.
        params: Settings, by Optuna's names.
    """
    name = params.get(OPTIMIZER)
    if name not in _ARGUMENTS or f"{name}.lr" in params:  # one that the study searches has a rate under its own name
        return training
    decay = training.options.get("weight_decay", training.weight_decay)
    own = {**_ARGUMENTS[name], **({"weight_decay": decay} if decay else {})}
    fresh = TrainingSection(optimizer=name, options=own)
    kept = training.model_dump(exclude={*fresh.model_fields_set, *FIELDS})
    return fresh.model_copy(update=kept)


def is_other_optimizer(role: str, params: Mapping[str, Any]) -> bool:
    """Whether a finalist is a contestant with another optimizer, whose rates are not those of the others.

    Args:
        role: Where it comes from.
        params: Its settings, by Optuna's names.
    """
    return role in CONTESTANTS and OPTIMIZER in params
