"""`lrsearch scale` on a study file: linked studies, cost beforehand, and going on where it stopped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lrsearch.errors import InputError
from lrsearch.operations import scale_plan, scale_study
from lrsearch.operations.display import NoDisplay
from lrsearch.operations.run_options import RunOptions
from lrsearch.operations.scale_plan import Asked
from lrsearch.storage.rdb import open_storage
from lrsearch.study import control
from lrsearch.study import stored as studies
from lrsearch.study.scaling import prior
from lrsearch.study.scaling.plan import Entrant, refined
from lrsearch.study.scaling.valley import Rung
from lrsearch.study_file.load import differences, parse
from lrsearch.study_file.model import Definition

OPTIONS = RunOptions(engine="batched", device="cpu")


def definition(**training: object) -> Definition:
    return parse(
        {
            "study": {"name": "short", "trials": 2},
            "task": {"name": "polynomial"},
            "training": {"epochs": 4, **training},
            "search": {"lr": {"low": 0.01, "high": 0.08, "log": True}, "schedulers": ["constant"]},
            "confirm": {"top": 0},
        },
        "test",
    )


def test_short_runs_are_linked_studies_and_go_on(tmp_path: Path) -> None:
    """Asked again, nothing is trained again and the answer is the same; deleting the study deletes them."""
    url, own = f"sqlite:///{tmp_path / 'scale.db'}", definition()
    plan = scale_plan.planned(own, None, Asked("epochs=4", (1.0, 2.0), "updates", 40.0))
    first = scale_study.scale(None, own, url, plan, OPTIONS, NoDisplay())
    storage = open_storage(url)
    names = [name for name in studies.names(storage) if name.startswith("short/scale")]
    assert len(names) == 2
    there = {name: len(studies.load(storage, name).trials()) for name in names}
    assert first.epochs is not None
    assert first.epochs <= plan.cost_at_most.epochs
    assert scale_study.scale(None, own, url, plan, OPTIONS, NoDisplay()).document() == first.document()
    assert {name: len(studies.load(storage, name).trials()) for name in names} == there
    assert all(studies.load(storage, name).origin == "short" for name in names)
    stored = studies.create(storage, own, "mse")
    control.delete(stored)
    assert studies.names(storage) == []


def test_a_decay_beyond_what_the_study_searches_is_trained(tmp_path: Path) -> None:
    """In a fifteenth of the epochs a decay of 0.95 becomes one of 0.46."""
    url, own = f"sqlite:///{tmp_path / 'scale.db'}", definition(epochs=15)
    own = own.model_copy(update={"search": own.search.model_copy(update={"schedulers": ["lambda"]})})
    plan = scale_plan.planned(own, None, Asked("epochs=15", (1.0, 2.0), "updates", 40.0))
    found = scale_study.scale(None, own, url, plan, OPTIONS, NoDisplay())
    (of_lambda,) = found.types
    assert [rung.at for rung in of_lambda.rungs] == [1.0, 2.0]
    storage = open_storage(url)
    trials = [trial for name in studies.names(storage) for trial in studies.load(storage, name).trials()]
    assert {trial.state.name for trial in trials} == {"COMPLETE"}
    assert min(trial.params["decay"] for trial in trials) < 0.8


def test_the_budget_decides_how_many_seeds() -> None:
    own = definition()
    plan = scale_plan.planned(own, None, Asked("epochs=16", (2.0, 4.0), "updates", None))
    per_seed = plan.cost_at_most.full_runs / plan.seeds
    cheap = scale_plan.planned(own, None, Asked("epochs=16", (2.0, 4.0), "updates", 4.1 * per_seed))
    assert (plan.seeds, cheap.seeds) == (7, 4)
    assert cheap.cost_at_most.full_runs <= 4.1 * per_seed
    with pytest.raises(InputError, match="--budget"):
        scale_plan.planned(own, None, Asked("epochs=16", (2.0, 4.0), "updates", 3.9 * per_seed))


def test_a_rung_begins_where_the_shorter_one_was_best() -> None:
    """Nothing is known at first, so the range is tried; from 0.03 at 8 epochs on, seven rates are enough."""
    plan = scale_plan.planned(definition(), None, Asked("epochs=64", (8.0, 16.0), "updates", None))
    (entrant,) = plan.entrants
    assert plan.rates(entrant, 8.0) == pytest.approx([0.01, 0.02, 0.04, 0.08])
    ladder = plan.rates(entrant, 16.0, (8.0, 0.03))
    assert ladder[3] == pytest.approx(0.03 * 2**prior.EPOCHS.slope, rel=1e-3)
    assert ladder == pytest.approx([ladder[3] * 2.0**step for step in range(-3, 4)], rel=1e-3)
    assert [plan.runs_at_most(at) for at in plan.rungs] == [plan.seeds * 8, plan.seeds * 11]


def test_a_larger_batch_keeps_its_updates() -> None:
    """700 rows in batches of 50, 100 and 200 are 14, 7 and 4 updates an epoch: 56 updates are 4, 8 and 14 epochs."""
    plan = scale_plan.planned(definition(batch_size=50), None, Asked("batch_size=200", (50.0, 100.0), "updates", None))
    assert [plan.changed(at) for at in (50, 100, 200)] == [
        {"batch_size": 50, "epochs": 4},
        {"batch_size": 100, "epochs": 8},
        {"batch_size": 200, "epochs": 14},
    ]
    fixed = scale_plan.planned(definition(), None, Asked("batch_size=200", (50.0, 100.0), "epochs", None))
    assert fixed.epochs(200) == 4


def test_less_data_keeps_its_updates() -> None:
    """70, 140 and 700 rows in batches of 50 are 2, 3 and 14 updates an epoch; a run costs what its rows cost."""
    plan = scale_plan.planned(definition(), None, Asked("data=1.0", (0.1, 0.2), "updates", None))
    assert [plan.epochs(at) for at in (0.1, 0.2, 1.0)] == [28, 19, 4]
    assert plan.cost({0.1: 2}).full_runs == pytest.approx(56 * 0.1 / 4)
    assert scale_plan.placed(definition(), plan, 0.2).task.options["train_share"] == 0.2
    fixed = scale_plan.planned(definition(), None, Asked("data=1.0", (), "epochs", None))
    assert fixed.rungs == (0.1, 0.2, 0.4)
    assert fixed.cost({0.1: 20}).full_runs == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (Asked("width=8", (1.0, 2.0), "updates", None), "only epochs, data, batch_size can be trained"),
        (Asked("data=2", (0.1, 0.2), "updates", None), "at most 1"),
        (Asked("epochs=8", (8.0, 16.0), "updates", None), "must be below the target"),
        (Asked("epochs=8", (1.5, 4.0), "updates", None), "must be whole"),
        (Asked("epochs=8", (4.0,), "updates", None), "at least two places"),
        (Asked(None, (), "updates", None), "say where to"),
    ],
)
def test_bad_questions_are_told(asked: Asked, words: str) -> None:
    with pytest.raises(InputError, match=words):
        scale_plan.planned(definition(), None, asked)


def test_lambda_decays_as_much_in_all() -> None:
    entrant = Entrant("lambda", {"decay": 0.9}, 0.1)
    assert entrant.at(2.0, 0.1)["decay"] ** 20 == pytest.approx(0.9**10, rel=1e-3)


@pytest.mark.parametrize(
    ("means", "added"),
    [
        ([1.0, 2.0, 3.0, 4.0, 5.0], [0.005, 0.0025]),
        ([5.0, 4.0, 3.0, 2.0, 1.0], [0.32, 0.64]),
        ([2.0, 1.0, 2.0, 3.0, 4.0], [0.005, 0.0141421, 0.0282843]),
        ([3.0, 2.0, 1.0, 2.0, 3.0], [0.0282843, 0.0565685]),
    ],
)
def test_a_ladder_is_extended_or_refined(means: list[float], added: list[float]) -> None:
    assert refined(rung([0.01, 0.02, 0.04, 0.08, 0.16], means), 5) == pytest.approx(added, rel=1e-3)


def test_a_ladder_is_extended_where_seeds_may_move_the_best_rate_to_its_end() -> None:
    seen = rung([0.01, 0.02, 0.04, 0.08, 0.16], [5.0, 2.0, 1.0, 2.0, 3.0])
    seen.values[-1] = [0.2, 5.0, 0.3]
    seen.values[2] = [1.0, 1.0, 1.0]
    assert refined(seen, 5)[:2] == [0.32, 0.64]


def rung(rates: list[float], means: list[float]) -> Rung:
    """Three seeds that came to the same."""
    return Rung(30.0, np.array(rates), np.repeat(np.array(means)[:, None], 3, axis=1))


def test_a_ladder_ends() -> None:
    """Whatever the values, only so many rates are added."""
    rates = [0.01, 0.02, 0.04]
    while more := refined(rung(rates, [1.0 + place for place in range(len(rates))]), 3):
        rates = sorted([*rates, *more])
    assert len(rates) == 7


def test_a_file_may_say_where_to() -> None:
    document = definition().document() | {"scale": {"axis": "epochs", "from": [2, 4], "to": 16}}
    own = parse(document, "test")
    plan = scale_plan.planned(own, None, Asked(None, (), "updates", None))
    assert (plan.axis, plan.rungs, plan.to) == ("epochs", (2, 4), 16)
    assert parse(own.document(), "test") == own
    assert not differences(own, definition())


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"axis": "epoch", "to": 16}, "scale.axis"),
        ({"from": [4, 2], "to": 16}, "scale.from"),
        ({"from": [2, 4]}, "scale.to"),
        ({"to": 16, "form": [2, 4]}, "scale.form"),
    ],
)
def test_a_wrong_section_is_told(section: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse(definition().document() | {"scale": section}, "test")
