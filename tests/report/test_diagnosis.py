"""What the report finds out about a search: ranges that end too early, budgets, noise, convergence."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import optuna
import pytest
from optuna.trial import FrozenTrial

from lrsearch.report.diagnosis import Remark, findings
from lrsearch.report.frames import read
from lrsearch.report.importance import importance
from lrsearch.sampling.space import Space
from lrsearch.storage import attributes
from lrsearch.study_file.load import parse

Make = Callable[..., FrozenTrial]
MakeStudy = Callable[..., optuna.Study]


def found(study: optuna.Study) -> list[Remark]:
    return findings(read(study), None)


def starting(study: optuna.Study, words: str) -> list[Remark]:
    return [finding for finding in found(study) if finding.words.startswith(words)]


@pytest.mark.parametrize(
    ("lr", "words", "limits"),
    [
        (0.9, "lies at the upper end of its range: widen that upwards", {"low": 1e-4, "high": 10.0, "log": True}),
        (1.1e-4, "lies at the lower end of its range: widen that downwards", {"low": 1e-5, "high": 1.0, "log": True}),
        (0.01, "", None),
    ],
)
def test_a_best_lr_at_the_end_of_its_range_asks_for_a_wider_one(
    lr: float, words: str, limits: dict[str, Any] | None, trial: Make, study: MakeStudy
) -> None:
    edges = starting(study([trial(8.0, lr=lr), trial(9.0, lr=0.02)]), "The best lr")
    assert len(edges) == (limits is not None)
    for finding in edges:
        assert words in finding.words
        assert tomllib.loads(finding.toml)["search"]["lr"] == limits
        changed = {"study": {"name": "s"}, "task": {"name": "polynomial"}, **tomllib.loads(finding.toml)}
        assert parse(changed, "test").search.lr is not None


def test_a_parameter_that_cannot_go_further_is_left_alone(trial: Make, study: MakeStudy) -> None:
    """A decay of 1 is a constant rate, and more is no decay: there is nothing to widen upwards."""
    at_end = {"lr": 0.01, "scheduler": "lambda", "decay": 0.998}
    assert not starting(study([trial(params=at_end)]), "The best decay")
    below = {"lr": 0.01, "scheduler": "lambda", "decay": 0.801}
    (finding,) = starting(study([trial(params=below)]), "The best decay of lambda, 0.801,")
    assert tomllib.loads(finding.toml)["search"]["lambda"]["decay"]["low"] == pytest.approx(0.75, abs=0.01)


def test_a_count_is_widened_to_whole_numbers(trial: Make, study: MakeStudy) -> None:
    own = {"lr": 0.01, "scheduler": "plateau", "plateau.factor": 0.3, "plateau.patience": 10, "plateau.threshold": 1e-3}
    made = study([trial(params=own)], search={"schedulers": ["plateau"]})
    (finding,) = starting(made, "The best patience")
    assert tomllib.loads(finding.toml)["search"]["plateau"]["patience"] == {"low": 1, "high": 13}


def test_a_budget_too_small_for_the_number_of_types_is_said(trial: Make, study: MakeStudy) -> None:
    few = study([trial(8.0 + n, name) for name in ("constant", "lambda") for n in range(3)])
    (finding,) = starting(few, "The budget is small for 4 scheduler types")
    assert "constant 3, lambda 3, exponential 0, one_cycle 0" in finding.words
    many = study([trial(8.0 + n, "constant") for n in range(12)], "many", search={"schedulers": ["constant"]})
    assert not starting(many, "The budget")


def test_seeds_that_swamp_the_differences_are_said(trial: Make, study: MakeStudy) -> None:
    def of_seeds(spread: float, name: str) -> list[Remark]:
        values = {n: [8.0 + n - spread, 8.0 + n + spread] for n in range(4)}
        trials = [trial(8.0 + n, **{attributes.SEED_VALUES: own}) for n, own in values.items()]
        return starting(study(trials, name, training={"epochs": 6, "seeds": [1, 2]}), "Among the 4 best trials")

    assert "says little" in of_seeds(5.0, "noisy")[0].words
    assert "says little" not in of_seeds(0.1, "clear")[0].words


def test_what_the_last_third_brought(trial: Make, study: MakeStudy) -> None:
    falling = study([trial(50.0 - n) for n in range(30)], "falling")
    (more,) = starting(falling, "The last third")
    assert "(from 20 on) still improved the best from 31 to 21 (32 %)" in more.words
    flat = study([trial(8.0 + n) for n in range(30)], "flat")
    assert "brought nothing better than 8" in starting(flat, "The last third")[0].words
    assert not starting(study([trial()] * 5, "short"), "The last third")


def test_importance_names_the_parameter_that_decides(trial: Make, study: MakeStudy) -> None:
    space = Space.of(parse({"study": {"name": "s"}, "task": {"name": "polynomial"}}, "test"))
    params = [{"lr": 1e-3 * 1.05**n, "scheduler": ("constant", "lambda")[n % 2]} for n in range(100)]
    shares = importance(params, [abs(n - 50.0) for n in range(100)], space)
    assert list(shares) == ["lr", "scheduler"]
    assert shares["lr"] > 0.9
    assert sum(shares.values()) == pytest.approx(1.0)
    assert importance(params[:19], [1.0] * 19, space) == {}
    few = study([trial(8.0 + n, lr=0.001 * (n + 1)) for n in range(5)])
    assert starting(few, "Which parameters matter cannot be said: 5 trials trained to the end, 20 needed.")
    many = study([trial(8.0 + n, lr=0.001 * (n + 1)) for n in range(25)], "many")
    (shared,) = starting(many, "What separates the best tenth from the rest: lr")
    assert "25 trials" in shared.words


def test_a_search_without_a_finished_trial_has_no_diagnosis(trial: Make, study: MakeStudy) -> None:
    assert found(study([])) == []
    assert found(study([trial(state="pruned")], "pruned")) == []


@pytest.mark.parametrize("maximise", [False, True])
def test_a_type_that_pruning_cut_short_is_named(maximise: bool, trial: Make, study: MakeStudy) -> None:
    """Its best complete trial is worse than one that was pruned; the other type's is not."""
    made = study(
        [
            trial(9.0, scheduler="lambda"),
            trial(7.0, scheduler="lambda", state="pruned", epochs=6),
            trial(5.0),
            trial(8.0, state="pruned", epochs=6),
        ]
    )
    frames = replace(read(made), maximise=maximise)
    (finding,) = [own for own in findings(frames, None) if own.words.startswith("Few trials were trained")]
    name, other = ("constant", "lambda") if maximise else ("lambda", "constant")
    assert f"{name} (" in finding.words
    assert f"{other} (" not in finding.words
    assert "after 6 epochs" in finding.words
    assert tomllib.loads(finding.toml) == {"pruner": {"name": "none"}}


def test_without_pruned_trials_no_type_was_cut_short(trial: Make, study: MakeStudy) -> None:
    assert not starting(study([trial(9.0, scheduler="lambda"), trial(5.0)]), "Few trials were trained")


def test_of_a_type_with_enough_complete_trials_nothing_is_said(trial: Make, study: MakeStudy) -> None:
    ended = trial(7.0, state="pruned", epochs=6)
    assert starting(study([trial(9.0), trial(8.5), ended]), "Few trials were trained")
    assert not starting(study([trial(9.0), trial(8.5), trial(8.0), ended]), "Few trials were trained")
