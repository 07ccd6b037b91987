"""What pruning saved and lost, counted from trials that are written down."""

from __future__ import annotations

from collections.abc import Callable

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.trial import FrozenTrial
from scipy.stats import binom

from lrsearch.report import audits
from lrsearch.report.audits import Mark, PruningCost
from lrsearch.report.frames import read
from lrsearch.storage import attributes

Make = Callable[..., FrozenTrial]
MakeStudy = Callable[..., optuna.Study]


@pytest.mark.parametrize(("complete", "place"), [(1, 1), (14, 1), (16, 2), (40, 4)])
def test_the_mark_is_held_by_a_tenth_of_the_complete_trials(
    complete: int, place: int, trial: Make, study: MakeStudy
) -> None:
    """Of all types together; diverged and excluded ones hold nothing."""
    trials = [trial(10.0 + n, ("constant", "lambda")[n % 2]) for n in range(complete)]
    trials += [trial(1.0, diverged=True), trial(2.0, **{attributes.EXCLUDED: "wrong"})]
    assert audits.mark(read(study(trials))) == Mark(place, complete, 10.0 + place - 1, 10.0)


def test_without_complete_trials_there_is_no_mark(trial: Make, study: MakeStudy, audit: Make) -> None:
    frames = read(study([audit(1.0), trial(2.0, diverged=True)]))
    assert audits.mark(frames) is None
    assert len(audits.lost(frames)) == 0


def test_each_type_is_counted(trial: Make, study: MakeStudy, audit: Make) -> None:
    trials = [
        trial(8.0, "constant"),
        trial(15.0, "constant", state="pruned", epochs=2),
        audit(7.9, "constant", epochs=2),  # better than the best: lost
        audit(8.0, "constant", epochs=3),  # as good as the best: not better
        audit(None, "lambda", epochs=3, diverged_at=5),
        audit(None, "lambda", epochs=3, error="RuntimeError: no luck", trained=1),
        trial(9.0, "one_cycle"),
        audit(1.0, "one_cycle", epochs=3, **{attributes.EXCLUDED: "wrong"}),
    ]
    costs = audits.by_scheduler(read(study(trials)), 6)
    assert costs == [
        PruningCost("constant", pruned=3, saved=4, audited=2, lost=1),
        PruningCost("lambda", pruned=2, saved=1 + 2, audited=1, lost=0),
    ]
    assert audits.total(costs) == PruningCost(None, pruned=5, saved=7, audited=3, lost=1)


@given(st.integers(1, 60), st.data())
def test_the_interval_is_exact(audited: int, data: st.DataObject) -> None:
    """Each limit is the share under which what was found, or more extreme, has a chance of 2.5 %."""
    lost = data.draw(st.integers(0, audited))
    low, high = PruningCost("a", audited, 0, audited, lost).interval
    assert binom.sf(lost - 1, audited, low) == pytest.approx(0.025) if lost else low == 0
    assert binom.cdf(lost, audited, high) == pytest.approx(0.025) if lost < audited else high == 1


def test_nothing_audited_says_nothing() -> None:
    assert PruningCost("a", 9, 9, 0, 0).interval == (0.0, 1.0)
