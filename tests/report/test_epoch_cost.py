"""What fewer epochs would have cost."""

from __future__ import annotations

from collections.abc import Callable

import optuna
import pytest
from optuna.trial import FrozenTrial

from lrsearch.report import epoch_cost, export, figures, gallery, interactive
from lrsearch.report.frames import read

Make = Callable[..., FrozenTrial]


def curve(made: FrozenTrial, *values: float) -> FrozenTrial:
    made.intermediate_values = dict(enumerate(values, 1))
    return made


@pytest.fixture
def trials(trial: Make) -> list[FrozenTrial]:
    """After three epochs a pruned one is the best, after six a constant rate; what diverged never is."""
    return [
        curve(trial(10.0), 50.0, 40.0, 30.0, 20.0, 15.0, 10.0),
        curve(trial(12.0, "lambda", 0.02), 30.0, 25.0, 20.0, 18.0, 14.0, 12.0),
        curve(trial(11.0, "lambda", 0.03, "pruned"), 30.0, 9.0, 11.0),
        curve(trial(0.0, lr=9.0, diverged=True), 1.0, 1.0, 1.0, 1.0, 1.0, 99.0),
    ]


def test_half_the_epochs_cost_what_the_best_then_was_worse(
    study: Callable[..., optuna.Study], trials: list[FrozenTrial]
) -> None:
    frames = read(study(trials))
    found = epoch_cost.epoch_cost(frames)
    assert found == epoch_cost.EpochCost(3, 6, 11.0, 10.0)
    assert epoch_cost.sentences(frames)[0] == "Half the epochs cost you 10 % (11 after 3 epochs, 10 after 6)."
    best = epoch_cost.best_by_epoch(frames)
    assert list(best[best["scheduler"] == "lambda"]["best"]) == [30.0, 9.0, 11.0, 18.0, 14.0, 12.0]
    shown = next(one for one in gallery.pictures(frames) if one.file == "epochs_needed.png")
    lines = shown.draw(frames).axes[0].get_lines()
    assert list(lines[0].get_ydata()) == list(best[best["scheduler"] == "constant"]["best"])


def test_where_the_best_epoch_is_kept_an_epoch_counts_with_the_best_so_far(
    study: Callable[..., optuna.Study], trials: list[FrozenTrial]
) -> None:
    frames = read(study(trials, study={"name": "small", "trials": 4, "value": "best"}))
    assert epoch_cost.epoch_cost(frames) == epoch_cost.EpochCost(3, 6, 9.0, 9.0)
    assert epoch_cost.sentences(frames)[0].startswith("Half the epochs cost you nothing")


def test_few_trials_leave_nothing_to_choose_from(study: Callable[..., optuna.Study], trials: list[FrozenTrial]) -> None:
    frames = read(study(trials[:2]))
    assert epoch_cost.epoch_cost(frames) is None
    assert epoch_cost.sentences(frames) == []
    assert all(one.file != "epochs_needed.png" for one in gallery.pictures(frames))


def test_the_epoch_that_counts_has_a_ring(study: Callable[..., optuna.Study], trial: Make) -> None:
    """In the panels of many trials and in the figure of one; nowhere where the last epoch counts."""
    value = {"name": "small", "trials": 9, "value": "best"}
    for number in (9, 2, 1):
        made = [trial(8.0 + n, lr=0.01 * (n + 1), kept_epochs=[2, 4, 4]) for n in range(number)]
        frames = read(study(made, study=value))
        rings = [
            line
            for axes in figures.learning_curves(frames).axes
            for line in axes.get_lines()
            if line.get_marker() == "o" and line.get_markerfacecolor() == "white"
        ]
        assert [int(line.get_xdata()[0]) for line in rings] == [4] * (1 if number != 2 else 2)
        assert {one["kept"][0] for one in interactive.page_data(frames)["trials"]} == {4}
        assert list(export.trials(frames)["kept_epochs"]) == ["2 4 4"] * number
        last = read(study(made))
        assert figures.kept_of(last) == {}
        assert {one["kept"] for one in interactive.page_data(last)["trials"]} == {None}
