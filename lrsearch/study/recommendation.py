"""What a study recommends: one answer for commands, JSON, Python, report and dashboard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any, Literal

from optuna.trial import FrozenTrial

from lrsearch.errors import input_error
from lrsearch.storage.attributes import PLAN, RECOMMENDATION, SEED_VALUES
from lrsearch.study import contest, ranking, snippet, status
from lrsearch.study import stored as studies
from lrsearch.study.answer_basis import basis
from lrsearch.study.confirmed_runs import confirmation_of, gather, seeds_in
from lrsearch.study.contender import Contender
from lrsearch.study.evidence import Evidence
from lrsearch.study.luck import expected_again
from lrsearch.study.rate_valley import rate_valley
from lrsearch.study.recommended_settings import ConstantRate, Recommendation
from lrsearch.study.savings import savings
from lrsearch.study.stored import StoredStudy


def best_settings(stored: StoredStudy) -> Recommendation:
    """The recommendation of a study that must have one.

    Args:
        stored: The study.

    Raises:
        InputError: There is no complete trial yet that did not diverge, or the study has several objectives.
    """
    found = recommended(stored)
    if found is None:
        raise input_error(f"study {stored.name}", "has no complete trial yet that did not diverge")
    return found


def recommended(stored: StoredStudy) -> Recommendation | None:
    """What a study recommends: as it was kept, if nothing has changed since, or else computed anew.

    Args:
        stored: The study.

    Returns:
        The recommendation; None if no trial is complete that did not diverge.

    Raises:
        InputError: The study has several objectives.
    """
    kept = stored.reader.attributes().get(RECOMMENDATION)
    if isinstance(kept, dict) and kept.get("made_from") == _made_from(stored):
        return Recommendation.of(kept)
    return compute(stored, evidence_of(stored))


def keep(stored: StoredStudy) -> Recommendation | None:
    """Store what a study recommends beside it, so that readers need not compute it.

    Args:
        stored: The study.

    Returns:
        The recommendation.
    """
    made_from = _made_from(stored)  # first: what ends meanwhile makes readers compute it anew
    found = compute(stored, evidence_of(stored))
    document = None if found is None else {**asdict(found), "made_from": made_from}
    if document is not None and stored.reader.attributes().get(RECOMMENDATION) != document:
        stored.remember(RECOMMENDATION, document)
    return found


def evidence_of(stored: StoredStudy) -> Evidence | None:
    """What a study's confirmation shows so far; None if it has none.

    Args:
        stored: The study.
    """
    confirmation = confirmation_of(stored)
    return None if confirmation is None else gather(contest.joined(stored, confirmation))


def compute(
    stored: StoredStudy, evidence: Evidence | None, trials: Sequence[FrozenTrial] | None = None
) -> Recommendation | None:
    """The one rule: a finished confirmation recommends; without one, the search does.

    Args:
        stored: The study.
        evidence: What its confirmation shows, if there is one.
        trials: The study's trials, if they were read already.

    Returns:
        The recommendation; None if no trial is complete that did not diverge.

    Raises:
        InputError: The study has several objectives.
    """
    if evidence is not None and evidence.is_finished and evidence.complete and evidence.uses_seeds:
        rows: Literal["holdout", "test"] = "holdout" if evidence.rows == "holdout" else "test"
        found = from_evidence(evidence, stored.name, stored.metric, "confirmed", rows)
        code = snippet.code(stored.definition, found.params, found.steps, maximise=stored.maximises)
        return replace(found, code=code)
    return _from_search(stored, trials)


def from_evidence(
    evidence: Evidence,
    name: str,
    metric: str,
    basis: Literal["confirmed", "runs"],
    rows: Literal["holdout", "test"] | None,
) -> Recommendation:
    """What some evidence recommends, without code.

    Args:
        evidence: At least one contender is complete.
        name: Of the study, or of the file.
        metric: What the values are.
        basis: See `Recommendation`.
        rows: See `Recommendation`.
    """
    chosen, expected = evidence.recommended, evidence.expected
    return Recommendation(
        study=name,
        metric=metric,
        direction="maximize" if evidence.maximise else "minimize",
        basis=basis,
        rows=rows,
        params=chosen.params,
        value=chosen.mean,
        expected=expected.mean,
        interval=(expected.low, expected.high),
        seeds=len(chosen.known),
        number=chosen.number,
        code=None,
        constant=_constant(evidence, chosen),
        untrained=None if evidence.untrained is None else evidence.untrained.mean,
        learned=evidence.learned,
        covers=evidence.covers,
        steps=chosen.steps,
        valley=rate_valley(evidence),
    )


def _constant(evidence: Evidence, chosen: Contender) -> ConstantRate | None:
    best = evidence.constant
    if best is None:
        return None
    if best is chosen:
        return ConstantRate(best.params, best.mean, 0.0, (0.0, 0.0), False)
    found = evidence.compared(best).difference
    return ConstantRate(best.params, best.mean, found.mean, (found.low, found.high), found.excludes_zero)


def _from_search(stored: StoredStudy, trials: Sequence[FrozenTrial] | None) -> Recommendation | None:
    trials = stored.trials() if trials is None else trials
    winner = status.best(stored, trials)
    if winner is None:
        return None
    ranked = ranking.ranked(trials, stored.excluded(), maximise=stored.maximises)
    sign = -1 if stored.maximises else 1
    values = [sign * trial.values[0] for trial in ranked]
    constant = next((trial for trial in ranked if trial.params.get("scheduler") == "constant"), None)
    steps = snippet.Steps.of(winner.user_attrs)
    return Recommendation(
        study=stored.name,
        metric=stored.metric,
        direction=stored.direction,
        basis="search",
        rows="test",
        params=dict(winner.params),
        value=winner.values[0],
        expected=sign * expected_again(values),
        interval=None,
        seeds=max(len(winner.user_attrs.get(SEED_VALUES) or []), 1),
        number=winner.number,
        code=snippet.code(stored.definition, winner.params, steps, maximise=stored.maximises),
        constant=None
        if constant is None
        else ConstantRate(
            dict(constant.params), constant.values[0], sign * (constant.values[0] - winner.values[0]), None, False
        ),
        untrained=None,
        learned=None,
        covers=None,
        steps=steps,
    )


def _made_from(stored: StoredStudy) -> dict[str, Any]:
    """What a recommendation depends on; cheap to read, and different whenever the answer may be."""
    linked = studies.linked(stored, "confirm")
    confirmed = None if linked is None else status.count(linked).as_dict()
    attributes = {} if linked is None else linked.reader.attributes()
    seeds = [] if linked is None else seeds_in(attributes, linked.definition)
    plan = attributes.get(PLAN)
    own = stored.definition
    return basis(
        trials=status.count(stored).as_dict(),
        excluded=stored.excluded(),
        confirmed=confirmed,
        seeds=seeds,
        plan=plan,
        margin=own.confirm.margin if own else None,
        tries=[entry.document() for entry in own.tries] if own else [],
        wanted=own.confirm.contestants if own else None,
        contestants={one.name: status.count(one).as_dict() for one in contest.linked_studies(stored)},
    )


def summary(stored: StoredStudy) -> dict[str, Any]:
    """What `study show` says, with the keys of its JSON form.

    Args:
        stored: The study.
    """
    trials = stored.trials()
    winner = status.best(stored, trials)
    found = recommended(stored)
    saved = savings(stored, trials)
    return {
        "name": stored.name,
        "metric": stored.metric,
        "version": stored.version,
        "trials": status.count(stored).as_dict(),
        "best": None if winner is None else {"number": winner.number, "value": winner.value, "params": winner.params},
        "recommended": None if found is None else found.as_dict(),
        "epochs_trained": status.epochs_trained(trials, stored.evaluations_per_epoch),
        "pruning": None if saved is None else saved.as_dict(),
        "confirmation": status.confirmation(stored),
        "definition": stored.definition.document() if stored.definition else None,
    }
