"""Who counts and who leads."""

from __future__ import annotations

import math
from collections.abc import Callable

import optuna
from optuna.trial import FrozenTrial

from lrsearch.report import standings
from lrsearch.report.frames import read
from lrsearch.storage import attributes

Make = Callable[..., FrozenTrial]
MakeStudy = Callable[..., optuna.Study]


def test_counts_add_up_to_the_budget(trial: Make, study: MakeStudy) -> None:
    frames = read(
        study(
            [
                trial(),
                trial(diverged=True),
                trial(state="pruned"),
                trial(state="failed"),
                trial(state="failed", **{attributes.RETRIED: "lost"}),
                trial(state="running"),
                trial(state="waiting"),
                trial(**{attributes.EXCLUDED: "bad"}),
            ],
            budget=5,
        )
    )
    count = standings.count(frames)
    assert count == standings.Counts(
        budget=5, complete=2, pruned=1, failed=1, retried=1, running=1, waiting=1, diverged=1, excluded=1
    )
    assert count.done == 5


def test_neither_diverged_nor_excluded_nor_pruned_trials_lead(trial: Make, study: MakeStudy) -> None:
    frames = read(
        study(
            [
                trial(9.0),
                trial(1.0, **{attributes.EXCLUDED: "bad"}),
                trial(1.0, state="pruned"),
                trial(diverged=True, lr=0.3),
                trial(8.0),
                trial(8.0),
            ]
        )
    )
    assert standings.ranked(frames)["number"].tolist() == [4, 5, 0]


def test_larger_is_better_where_the_study_maximises() -> None:
    study = optuna.create_study(direction="maximize")
    for value in (0.5, 0.9, 0.7):
        study.tell(study.ask(), value)
    assert standings.ranked(read(study))["number"].tolist() == [1, 2, 0]


def test_the_table_of_types_is_best_first_and_leaves_diverged_values_out(mixed: optuna.Study) -> None:
    table = standings.by_scheduler(read(mixed)).to_dict("records")
    assert [row["scheduler"] for row in table] == ["constant", "lambda", "exponential", "one_cycle"]
    first = table[0]
    assert (first["trials"], first["complete"], first["diverged"], first["pruned"]) == (3, 2, 1, 1)
    assert (first["best"], first["median"], first["best_lr"], first["best_number"]) == (8.0, 8.0, 0.01, 0)


def test_a_type_without_a_finished_trial_is_last(trial: Make, study: MakeStudy) -> None:
    frames = read(study([trial(state="pruned"), trial(scheduler="lambda")]))
    table = standings.by_scheduler(frames)
    assert table["scheduler"].tolist() == ["lambda", "constant"]
    assert math.isnan(table["best"].iloc[1])


def test_types_keep_the_order_of_the_study_file(trial: Make, study: MakeStudy) -> None:
    frames = read(study([trial(scheduler="mine"), trial(scheduler="one_cycle"), trial(scheduler="constant")]))
    assert standings.schedulers(frames) == ["constant", "one_cycle", "mine"]


def test_divergence_gives_the_rates_on_both_sides(trial: Make, study: MakeStudy) -> None:
    frames = read(
        study([trial(lr=0.1), trial(lr=0.2), trial(lr=0.4, diverged=True), trial(lr=0.3, diverged=True),
               trial(scheduler="lambda")])
    )  # fmt: skip
    assert standings.divergence(frames).to_dict("records") == [
        {"scheduler": "constant", "diverged": 2, "trials": 4, "lowest_lr": 0.3, "highest_lr": 0.2}
    ]
