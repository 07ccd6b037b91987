"""How long a study would take: epochs are counted as halving leaves them."""

from __future__ import annotations

from pathlib import Path

import pytest

import lrsearch
from lrsearch.storage.attributes import ENGINE
from lrsearch.study import open as opening
from lrsearch.study import recommendation
from lrsearch.study.forecast import forecast
from lrsearch.study_file.load import parse
from lrsearch.study_file.model import Definition, PluginSection


def study(trials: int = 200, pruner: str = "halving", **training: object) -> Definition:
    own = {"study": {"name": "s", "trials": trials}, "task": {"name": "polynomial"}, "training": training}
    return parse({**own, "pruner": {"name": pruner}}, "t")


def test_without_rungs_every_epoch_counts() -> None:
    found = forecast(study(trials=10, epochs=1), lambda lanes: 0.5 * lanes, together=False)
    assert (found.rungs, found.epochs, found.seconds) == ([], 10, 5.0)


def test_halving_saves_most_epochs() -> None:
    """A third of each of seven types goes on at each rung, and three of each at least."""
    found = forecast(study(), lambda lanes: 0.5 * lanes, together=False)
    assert found.rungs == [5, 15, 30]
    fewest = 200 * 5 + 67 * 10 + 22 * 15 + 7 * 3 * 30
    assert fewest < found.epochs < 0.4 * 200 * 60
    assert found.seconds == pytest.approx(0.5 * found.epochs)
    assert forecast(study(), lambda lanes: 0.5 * lanes, together=False) == found
    assert forecast(study(), lambda lanes: 0.5 * lanes, together=False, draw=1) != found, "another order"


def test_what_pruning_saves_is_said_beside_what_it_leaves() -> None:
    found = forecast(study(pruner="extrapolation"), lambda lanes: 0.5 * lanes, together=False)
    assert (found.epochs_unpruned, found.seconds_unpruned) == (200 * 60, 0.5 * 200 * 60)
    assert 0.45 < found.epochs / found.epochs_unpruned < 0.6, "half of the epochs, and the audit"
    random = study(pruner="extrapolation").model_copy(update={"sampler": PluginSection(name="random")})
    assert forecast(random, lambda lanes: 0.5 * lanes, together=False).epochs < 0.95 * found.epochs, "none gets better"
    none = forecast(study(pruner="none"), lambda lanes: 0.5 * lanes, together=True)
    assert (none.epochs, none.seconds) == (none.epochs_unpruned, none.seconds_unpruned)


def test_a_batch_that_would_not_be_faster_is_kept_full() -> None:
    """Generations of 64, in blocks of 32 lanes: a rung keeps 28 and four seats for the audit, or all."""
    seen = set()

    def seconds(lanes: int) -> float:
        seen.add(lanes)
        return 1.0

    definition = study(128, pruner="extrapolation")
    forecast(definition.model_copy(update={"pruner": without_audit(definition)}), seconds, together=True)
    assert 28 in seen
    assert all(28 <= lanes <= 32 or lanes == 64 for lanes in seen), seen
    seen.clear()
    forecast(study(128), seconds, together=True)
    assert min(seen) < 28, "halving ends them all the same"


def without_audit(definition: Definition) -> PluginSection:
    return PluginSection(name="extrapolation", options={**definition.pruner.options, "audit": 0.0})


def test_patience_may_end_every_run_as_soon_as_it_can() -> None:
    """After ``patience + 1`` evaluations, or not at all; a rung that nobody reaches ends nobody."""
    plain = forecast(study(10), lambda lanes: 0.5 * lanes, together=False)
    patient = forecast(study(10, patience=3), lambda lanes: 0.5 * lanes, together=False)
    assert plain.least_seconds is None
    assert (patient.epochs, patient.seconds) == (plain.epochs, plain.seconds)
    assert (patient.least_epochs, patient.least_seconds) == (10 * 4, 0.5 * 10 * 4)
    never = forecast(study(10, patience=99), lambda lanes: 0.5 * lanes, together=False)
    assert (never.least_epochs, never.least_seconds) == (never.epochs, never.seconds)


def test_evaluations_within_an_epoch_are_where_the_rungs_are() -> None:
    """Three epochs with twenty evaluations each are pruned as sixty epochs are, and cost a twentieth."""
    long = forecast(study(), lambda lanes: 0.5 * lanes, together=False)
    short = forecast(
        study(epochs=3, evaluate_every=5), lambda lanes: 0.5 * lanes, together=False, evaluations=60
    )  # fmt: skip
    assert short.rungs == long.rungs == [5, 15, 30]
    assert (short.epochs, short.seconds) == (round(long.epochs / 20), pytest.approx(long.seconds / 20))


def test_seeds_are_lanes_of_their_own() -> None:
    one, two = (forecast(study(seeds=seeds), lambda lanes: lanes, together=False) for seeds in ([1], [1, 2]))
    assert (two.epochs, two.seconds) == (2 * one.epochs, 2 * one.seconds)


def test_generations_are_trained_one_after_the_other() -> None:
    """64, 64, 64 and 8 trials, whatever their number costs alike; some of each go on to the end."""
    found = forecast(study(), lambda _: 2.0, together=True)
    assert found.seconds == pytest.approx(4 * 60 * 2.0)


def test_it_is_about_what_a_study_trains(tmp_path: Path) -> None:
    """A small study, really run."""
    definition = parse(
        {
            "study": {"name": "real", "trials": 40},
            "task": {"name": "polynomial", "rows": 40},
            "training": {"epochs": 12},
            "search": {"schedulers": ["constant", "lambda"]},
            "sampler": {"name": "random", "seed": 0},
            "confirm": {"top": 0},
        },
        "t",
    )
    stored = opening.create(definition, f"sqlite:///{tmp_path}/real.db")
    lrsearch.run_study(stored)
    trained = recommendation.summary(stored)["epochs_trained"]
    # Which engine is faster is measured, and a generation is compared at once only by the batched one.
    together = all(trial.user_attrs[ENGINE] == "batched" for trial in stored.trials())
    assert forecast(definition, lambda lanes: lanes, together=together).epochs == pytest.approx(trained, rel=0.25)


@pytest.mark.parametrize("together", [False, True])
def test_audited_trials_are_trained_to_the_end(together: bool) -> None:
    """All of them: nothing is saved. Some of them: something in between."""
    audits = [0.0, 0.3, 0.999]
    definitions = [
        parse({**study().document(), "pruner": {"name": "halving", "audit": share}}, "t") for share in audits
    ]
    none, some, nearly_all = (forecast(own, lambda lanes: 0.5 * lanes, together=together) for own in definitions)
    assert none == forecast(study(), lambda lanes: 0.5 * lanes, together=together)
    assert none.epochs < some.epochs < nearly_all.epochs
    assert nearly_all.epochs == pytest.approx(200 * 60, rel=0.01)
