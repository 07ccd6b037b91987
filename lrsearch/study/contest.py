"""The contestants of a study as its storage has them: who takes part, what is trained of them, and their runs.

They are trained when the confirmation's question is answered, on its seeds, in linked studies of their own:
``NAME/contestants`` for those with the study's optimizer, ``NAME/contestants/prodigy`` for one with another. So they
change nothing about the confirmation: neither its seeds nor its looks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

from optuna.distributions import CategoricalDistribution
from optuna.trial import FrozenTrial, TrialState

from lrsearch.sampling.space import SEED
from lrsearch.storage.attributes import CONTESTANTS as DECISION
from lrsearch.storage.attributes import RETRIED
from lrsearch.study import linked
from lrsearch.study import stored as studies
from lrsearch.study.confirmed_runs import Confirmation, confirmation_of, gather
from lrsearch.study.contestants import CONTESTANTS, own_params, params
from lrsearch.study.finalists import Finalist, Role
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file.searched_options import OPTIMIZER

Runs = dict[int, FrozenTrial]
"""Seed -> trial, of one contestant."""


@dataclass(frozen=True)
class Decision:
    """Who takes part, as it was decided once.

    Attributes:
        asked: What the file said then; None where it left that to us.
        rates: Contestant -> its rate, of those that take part.
        left_out: Contestant -> why it does not.
        seconds: What training them was expected to take, about.
    """

    asked: list[str] | None
    rates: dict[str, float]
    left_out: dict[str, str]
    seconds: float

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Decision:
        """A decision as it was stored."""
        return cls(**document)

    def document(self) -> dict[str, Any]:
        """The decision as JSON gives it back."""
        return asdict(self)

    def groups(self) -> dict[str | None, list[str]]:
        """Optimizer, None for the study's own -> the contestants that are trained with it."""
        found: dict[str | None, list[str]] = {}
        for name in self.rates:
            found.setdefault(CONTESTANTS[name].optimizer, []).append(name)
        return found


def study_name(study: str, optimizer: str | None) -> str:
    """Name of the linked study that trains contestants.

    Args:
        study: Name of the study that they are compared with.
        optimizer: Theirs; None for the study's own.
    """
    return linked.name_of(study, "contestants") + ("" if optimizer is None else f"/{optimizer}")


def decision(stored: StoredStudy) -> Decision | None:
    """What was decided; None if nothing was, or the file has asked for something else since.

    Args:
        stored: The search.
    """
    confirmed = studies.linked(stored, "confirm")
    document = None if confirmed is None else confirmed.reader.attributes().get(DECISION)
    if document is None or stored.definition is None:
        return None
    found = Decision.of(document)
    return found if found.asked == stored.definition.confirm.contestants else None


def is_wanted(stored: StoredStudy) -> bool:
    """Whether contestants of a study are to be trained, and its confirmation is ready for that.

    Args:
        stored: The study.
    """
    own = stored.definition
    if own is None or own.command is not None or stored.origin is not None:
        return False
    if not own.confirm.top or own.confirm.contestants == []:
        return False
    answered = answered_confirmation(stored)
    if answered is None:
        return False
    found = decision(stored)
    if found is None:
        return True
    there = _studies(stored)
    return any(
        run not in _ended(there.get(study_name(stored.name, optimizer)))
        for optimizer, names in found.groups().items()
        for run in map(_key, missing_of(answered, found, names))
    )


def answered_confirmation(stored: StoredStudy) -> Confirmation | None:
    """The confirmation of a study whose question is answered; None otherwise.

    Args:
        stored: The study.
    """
    found = confirmation_of(stored)
    if found is None:
        return None
    evidence = gather(found)
    return found if evidence.is_finished and evidence.complete and evidence.uses_seeds else None


def missing_of(confirmation: Confirmation, decided: Decision, names: Sequence[str]) -> list[dict[str, Any]]:
    """The runs that some contestants need, with a seed each; finalists with the same settings have theirs.

    Args:
        confirmation: Its question is answered.
        decided: Who takes part.
        names: The contestants.
    """
    seeds = seeds_of(confirmation)
    whole = {one.key for one in confirmation.finalists if (one.seeds or len(seeds)) >= len(seeds)}
    return [
        {**own_params(name, decided.rates[name]), SEED: seed}
        for seed in seeds
        for name in names
        if frozenset(params(name, decided.rates[name]).items()) not in whole
    ]


def seeds_of(confirmation: Confirmation) -> list[int]:
    """The seeds of those finalists that stayed longest.

    Args:
        confirmation: Any.
    """
    planned = [one.seeds or len(confirmation.seeds) for one in confirmation.finalists]
    return confirmation.seeds[: max(planned, default=0)]


def joined(stored: StoredStudy, confirmation: Confirmation) -> Confirmation:
    """A confirmation with those contestants among its finalists whose runs have all ended.

    Args:
        stored: The study that is confirmed.
        confirmation: Its finalists alone.
    """
    decided = decision(stored)
    if decided is None:
        return confirmation
    seeds, there, known = seeds_of(confirmation), _studies(stored), {one.key for one in confirmation.finalists}
    finalists, trials, took_part = list(confirmation.finalists), list(confirmation.trials), {}
    for name, rate in decided.rates.items():
        optimizer = CONTESTANTS[name].optimizer
        runs = _runs_of(there.get(study_name(stored.name, optimizer)), own_params(name, rate))
        one = Finalist(params(name, rate), cast(Role, name), None, None, len(seeds))
        if one.key in known:
            finalists = [_completed(own, one, runs, seeds) for own in finalists]
        elif all(seed in runs for seed in seeds):
            finalists.append(one)
        else:
            continue
        took_part[name] = one.params
        trials += [_with_optimizer(runs[seed], optimizer) for seed in seeds if seed in runs]
    return replace(confirmation, finalists=finalists, trials=trials, contestants=took_part, left_out=decided.left_out)


def linked_studies(stored: StoredStudy) -> list[StoredStudy]:
    """The linked studies that train contestants of a study, by name.

    Args:
        stored: The study.
    """
    return [_load(stored, name) for name in sorted(_names(stored))]


def _names(stored: StoredStudy) -> list[str]:
    every = linked.of(stored.storage, stored.name, stored.patience)
    return [name for name in every if linked.trains_contestants(name, stored.name)]


def _studies(stored: StoredStudy) -> dict[str, StoredStudy]:
    return {name: _load(stored, name) for name in _names(stored)}


def _load(stored: StoredStudy, name: str) -> StoredStudy:
    return studies.load(stored.storage, name, stored.patience)


def _all_ended(made: StoredStudy | None) -> Iterator[FrozenTrial]:
    for trial in made.trials() if made is not None else []:
        if trial.state in (TrialState.COMPLETE, TrialState.FAIL) and RETRIED not in trial.user_attrs:
            yield trial


def _ended(made: StoredStudy | None) -> set[frozenset[tuple[str, Any]]]:
    return {_key(trial.params) for trial in _all_ended(made)}


def _key(found: Mapping[str, Any]) -> frozenset[tuple[str, Any]]:
    return frozenset(found.items())


def _runs_of(made: StoredStudy | None, wanted: Mapping[str, Any]) -> Runs:
    """The runs that have ended of one contestant."""
    return {
        int(trial.params[SEED]): trial
        for trial in _all_ended(made)
        if SEED in trial.params and {**wanted, SEED: trial.params[SEED]} == trial.params
    }


def _completed(own: Finalist, contestant: Finalist, runs: Runs, seeds: Sequence[int]) -> Finalist:
    """A finalist that left early, if a contestant with the same settings was trained on all seeds."""
    has_all = own.key == contestant.key and all(seed in runs for seed in seeds)
    return replace(own, seeds=len(seeds)) if has_all else own


def _with_optimizer(trial: FrozenTrial, optimizer: str | None) -> FrozenTrial:
    """A run with its optimizer among its parameters, as the settings of a contestant have it."""
    if optimizer is None:
        return trial
    found = copy(trial)
    found.distributions = {OPTIMIZER: CategoricalDistribution([optimizer]), **trial.distributions}
    found.params = {OPTIMIZER: optimizer, **trial.params}
    return found
