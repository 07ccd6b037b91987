"""When a study is finished: the same for runs, the dashboard, a confirmation and the report."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from databases import close
from optuna.trial import TrialState, create_trial

from lrsearch.report import standings, verdict
from lrsearch.report.frames import read_stored
from lrsearch.search.runner import Runner
from lrsearch.signals import Interruption
from lrsearch.storage.attributes import ORIGIN, RETRIED
from lrsearch.storage.rdb import open_storage
from lrsearch.study import confirmation, control, recommendation, status
from lrsearch.study import open as opening
from lrsearch.study import stored as studies
from lrsearch.study_file.model import Definition
from lrsearch.training.engine import SequentialEngine

CASES = {
    "nothing done": ("", 2, False),
    "some done": ("c", 2, False),
    "all done": ("cp", 2, True),
    "failed for good counts": ("cf", 2, True),
    "what was run again does not count": ("cr", 2, False),
    "more than the budget": ("ccp", 2, True),
    "one runs beyond the budget": ("ccR", 2, False),
    "one waits beyond the budget": ("ccW", 2, False),
    "the last ones run": ("cR", 2, False),
}
STATES = {
    "c": TrialState.COMPLETE, "p": TrialState.PRUNED, "f": TrialState.FAIL, "r": TrialState.FAIL,
    "R": TrialState.RUNNING, "W": TrialState.WAITING,
}  # fmt: skip


@pytest.mark.parametrize(("trials", "budget", "done"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("exclude", [False, True])
def test_all_say_the_same(
    define: Callable[..., Definition], trials: str, budget: int, done: bool, exclude: bool
) -> None:
    storage = open_storage("sqlite://", create=True)
    definition = define(study={"name": "small", "trials": budget}, confirm={})
    stored = opening.store(storage, definition, opening.build_task(definition))
    stored.study.add_trials(
        [
            create_trial(
                state=STATES[kind],
                value=1.0 if kind in "cp" else None,
                user_attrs={RETRIED: "lost"} if kind == "r" else {},
            )
            for kind in trials
        ]
    )
    if exclude and trials:
        control.exclude(stored, len(trials) - 1, "an excluded trial counts as what it is")
    assert status.count(stored).is_done is done
    frames = read_stored(stored)
    count = standings.count(frames)
    assert count.is_done is done
    assert count.done == status.count(stored).finished
    assert any("not finished" in words for words in verdict.verdict(frames)) is not done
    assert confirmation.is_wanted(stored) is (done and status.best(stored) is not None)
    runner = Runner(stored, opening.build_task(definition), SequentialEngine(), Interruption())
    assert runner.is_over() is done
    close(storage)


def test_a_confirmation_with_more_trials_than_planned_is_finished(define: Callable[..., Definition]) -> None:
    """Where claims do not hold the budget exactly, there may be one more."""
    storage = open_storage("sqlite://", create=True)
    stored = studies.create(storage, define(), "mse")
    linked = studies.create(storage, define(study={"name": "small/confirm", "trials": 1}), "mse")
    linked.study.set_user_attr(ORIGIN, {"study": "small", "role": "confirm"})
    linked.study.add_trials([create_trial(value=1.0), create_trial(value=2.0)])
    assert recommendation.summary(stored)["confirmation"]["finished"] is True
    linked.study.add_trial(create_trial(state=TrialState.RUNNING))
    assert recommendation.summary(stored)["confirmation"]["finished"] is False
    close(storage)
