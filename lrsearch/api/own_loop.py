"""Being sure of a study whose training loop is a person's own."""

from __future__ import annotations

import optuna
from optuna.trial import BaseTrial

from lrsearch.errors import input_error
from lrsearch.operations.confirm_objective import LARGEST_SEED, Objective
from lrsearch.sampling.space import SEED
from lrsearch.study import stored as studies
from lrsearch.study.evidence import Evidence


def confirm(
    objective: Objective,
    study: optuna.Study,
    *,
    top: int | None = None,
    seeds: int | None = None,
    n_jobs: int = 1,
    valley: bool = True,
    lr_parameter: str | None = None,
) -> Evidence:
    """Call the function that a study has optimised again, with its best settings and fresh seeds.

    The runs are stored as the study ``NAME/confirm`` in the same storage. Interrupted or asked again with more seeds or
    finalists, it does only what is missing. Afterwards `best_settings`, ``lrsearch study best`` and ``lrsearch report``
    give the verdict.

    Args:
        objective: What was passed to ``study.optimize``. It must begin everything that draws numbers (weights, data
            order) with ``lrsearch.seed(trial)``.
        study: Optuna's study, with one objective. lrsearch did not create it (for those there is `confirm_study`).
        top: How many of its best settings are finalists; 5 by default.
        seeds: Exactly so many fresh seeds; by default as many as it takes to answer the question.
        n_jobs: Calls at the same time, each in a thread, as in ``study.optimize``.
        valley: Whether half and twice the recommended rate are run, too, when the question is answered, to say how
            wrong it may be. They may lie beyond the range that the study has searched. At most 20 calls. Where one of
            them is as good, the rate in the middle is a last finalist, with a call for each seed, and at most 20
            further ones if it wins.
        lr_parameter: The float parameter that plays the learning rate; by default the one that is called so.

    Returns:
        The finalists with what they came to on each seed, and which of them is recommended.

    Raises:
        InputError: The study has several objectives or nothing to confirm, or an argument is out of range.

    Example:
        >>> study.optimize(objective, n_trials=50)
        >>> evidence = lrsearch.confirm(objective, study)
        >>> evidence.recommended.params, evidence.expected.mean
    """
    from lrsearch.operations import confirm_objective

    for name, value, least in (("top", top, 1), ("seeds", seeds, 2), ("n_jobs", n_jobs, 1)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < least):
            raise input_error("confirm", f"must be a whole number of at least {least}", key=name, received=repr(value))
    stored = studies.load(study._storage, study.study_name)
    wanted = confirm_objective.Wanted(top, seeds, valley, lr_parameter)
    return confirm_objective.confirm(objective, stored, wanted, n_jobs)


def seed(trial: BaseTrial, default: int = 0) -> int:
    """The seed for a run of an objective: a fresh one in a confirmation, always the same one in a search.

    Args:
        trial: What the objective was called with.
        default: The seed in a search, from 0.

    Raises:
        InputError: The seed is out of range.

    Example:
        >>> torch.manual_seed(lrsearch.seed(trial))
    """
    if isinstance(default, bool) or not isinstance(default, int) or not 0 <= default <= LARGEST_SEED:
        rule = f"must be a whole number from 0 to {LARGEST_SEED}"
        raise input_error("seed", rule, key="default", received=repr(default))
    return int(trial.params.get(SEED, default))
