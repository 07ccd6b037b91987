"""What a confirmation trains last, when its question is answered: the flanks, and the middle of the valley they show.

First the flanks of the recommended settings are trained. Then the middle, if there is one, which is a finalist; and if
that is recommended, its own flanks. Until all runs of the middle have ended, the answer is what it was without it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace

from optuna.trial import FrozenTrial, TrialState

from lrsearch.storage.attributes import BESIDE, PLAN, RETRIED
from lrsearch.storage.past_trials import key_of
from lrsearch.storage.store import settings_key
from lrsearch.study import flanks, linked_study
from lrsearch.study.confirmed_runs import Confirmation, gather
from lrsearch.study.evidence import Evidence
from lrsearch.study.finalists import Finalist
from lrsearch.study.middle import middle
from lrsearch.study.plan import Plan, next_round
from lrsearch.study.stored import StoredStudy

Seeds = Callable[[Sequence[Finalist]], list[int]]
"""The fresh seeds that some finalists need, behind those that are there."""


@dataclass(frozen=True)
class Advanced:
    """A confirmation after what comes next.

    Attributes:
        entries: The finalists.
        plan: How it goes on.
        evidence: What there is.
    """

    entries: list[Finalist]
    plan: Plan
    evidence: Evidence


def advanced(found: Confirmation, seeds: Seeds) -> Advanced:
    """Rounds planned until there is something to train, or the question is answered.

    Args:
        found: As the storage has it, with a plan.
        seeds: See `Seeds`.
    """
    assert found.plan is not None
    evidence, plan, entries = gather(found), found.plan, found.finalists
    while not evidence.missing and not plan.done:
        entries, plan = next_round(entries, plan, evidence)
        evidence = gather(replace(found, finalists=entries, plan=plan, seeds=seeds(entries)))
    return Advanced(entries, plan, evidence)


def close(made: StoredStudy, found: Confirmation, after: Advanced, seeds: Sequence[int]) -> list[Finalist]:
    """Let what comes last wait to be trained, if the question is answered and it is not there.

    Args:
        made: The study that confirms.
        found: The confirmation as the storage has it.
        after: The same after its rounds.
        seeds: The fresh seeds.

    Returns:
        The finalists; the middle is among them as soon as there is one.
    """
    entries, evidence = after.entries, after.evidence
    if not after.plan.done or evidence.missing:
        return entries
    beside = flanks.joined(found.beside, flanks.flanks(entries, evidence, seeds))
    runs = flanks.runs(beside, seeds)
    if beside != list(found.beside):
        made.remember(BESIDE, [one.entry() for one in beside])
    if _ended(found.trials) >= set(map(settings_key, runs)):
        shown = replace(found, finalists=entries, plan=after.plan, seeds=list(seeds), beside=beside)
        if (added := middle(entries, gather(shown))) is not None:
            entries, runs = [*entries, added], flanks.runs([added], seeds)
    there = {key_of(trial) for trial in found.trials}
    if any(settings_key(run) not in there for run in runs):
        # Whoever is killed from here on has left a confirmation that is not done, so that they are not forgotten.
        made.remember(PLAN, replace(after.plan, done=False).document())
        linked_study.enqueue(made, runs)
    return entries


def _ended(trials: Sequence[FrozenTrial]) -> set[Hashable]:
    ends = (TrialState.COMPLETE, TrialState.FAIL)
    return {key_of(trial) for trial in trials if trial.state in ends and RETRIED not in trial.user_attrs}
