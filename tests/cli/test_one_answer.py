"""Everybody is told the same: every surface, for studies whose luckiest trial is not what they recommend."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import optuna_dashboard
import pytest
from databases import close
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, create_trial

import lrsearch
from lrsearch.cli.app import main
from lrsearch.dashboard.artifacts import ArtifactFolder
from lrsearch.dashboard.publish import publish
from lrsearch.report import markdown
from lrsearch.storage import attributes
from lrsearch.storage.rdb import open_storage
from lrsearch.study import control, recommendation
from lrsearch.study import stored as studies
from lrsearch.study_file.load import parse

STUDIES = 4
SEEDS = list(range(1000, 1005))
TYPES = ("constant", "lambda")
TRIALS = 12
TRAINED = 1
"""Of so many studies the commands that train are asked, too."""


def trial_of(params: dict[str, Any], value: float) -> FrozenTrial:
    return create_trial(
        value=value,
        params=params,
        distributions={
            name: CategoricalDistribution(("constant", "lambda"))
            if isinstance(given, str)
            else FloatDistribution(1e-6, 1e6)
            for name, given in params.items()
        },
        user_attrs={attributes.HORIZON: 3, attributes.SEED_VALUES: [value]},
        intermediate_values={1: value + 2, 2: value + 1, 3: value},
    )


def add(storage: BaseStorage, number: int) -> dict[str, Any]:
    """A confirmed study, drawn at random, in which the search's best is a bad choice; gives what is recommended.

    In every second one that is the middle of a valley.
    """
    rng = np.random.default_rng(number)
    name = f"study{number}"
    document = {
        "study": {"name": name, "trials": TRIALS},
        "task": {"name": "polynomial", "rows": 60, "holdout_rows": 20},
        "training": {"epochs": 3},
        "search": {"schedulers": ["constant", "lambda"]},
        "confirm": {"top": 3, "seeds": len(SEEDS), "contestants": []},
    }
    stored = studies.create(storage, parse(document, "test"), "mse")
    rates = [float(f"{rate:.6g}") for rate in rng.uniform(0.001, 0.1, TRIALS)]
    points: list[dict[str, Any]] = [{"lr": rate, "scheduler": "constant"} for rate in rates]
    for point in points[1::2]:
        point |= {"scheduler": "lambda", "decay": 0.9}
    values = np.sort(rng.uniform(5, 20, TRIALS))
    stored.study.add_trials([trial_of(point, float(value)) for point, value in zip(points, values, strict=True)])
    linked = optuna.create_study(study_name=f"{name}/confirm", storage=storage)
    chosen = points[:4]
    means = [30.0, *rng.permutation([10.0, 12.0, 14.0])]  # the luckiest trial is the worst on fresh seeds
    runs = [
        trial_of({**point, "seed": float(seed)}, float(mean + rng.normal(0, 0.05)))
        for point, mean in zip(chosen, means, strict=True)
        for seed in SEEDS
    ]
    linked.add_trials(runs)
    entries = [{"params": point, "role": "search", "number": n, "value": values[n]} for n, point in enumerate(chosen)]
    if number % 2:  # the middle of a valley, which no trial of the search had
        entries[int(np.argmin(means))] |= {"role": "middle", "number": None, "value": None}
    own = parse({**document, "study": {"name": name, "trials": len(runs)}, "confirm": {"top": 0},
                 "training": {"epochs": 3, "seeds": SEEDS}}, "test")  # fmt: skip
    link = {"study": name, "role": "confirm", "rows": "holdout", "row_count": 20}
    for key, value in {
        attributes.ORIGIN: link, attributes.FINALISTS: entries, attributes.METRIC: "mse",
        attributes.CHOSEN_FROM: [TRIALS, []], attributes.DEFINITION: own.document(),
    }.items():  # fmt: skip
        linked.set_user_attr(key, value)
    return chosen[int(np.argmin(means))]


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LRSEARCH_STORAGE", "sqlite:///answers.db")
    return "sqlite:///answers.db"


@pytest.fixture
def type_(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """The command line, in this process; gives what it writes to stdout."""

    def call(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["lrsearch", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert not ended.value.code, said.err
        return said.out

    return call


def test_every_surface_gives_one_answer(url: str, type_: Callable[..., str], tmp_path: Path) -> None:
    storage = open_storage(url, create=True)
    wanted = {f"study{number}": add(storage, number) for number in range(STUDIES)}
    for name in wanted:
        recommendation.keep(studies.load(storage, name))  # a list computes no answers, it shows those that are kept
    listed = {row["name"]: row for row in json.loads(type_("study", "list", "--format", "json"))}
    for place, (name, params) in enumerate(wanted.items()):
        best = json.loads(type_("study", "best", name, "--format", "json"))
        assert (best["params"], best["basis"], best["rows"]) == (params, "confirmed", "holdout")
        assert json.loads(type_("study", "show", name, "--format", "json"))["recommended"] == best
        row = listed[name]
        assert (row["lr"], row["scheduler"], row["expected"]) == (params["lr"], params["scheduler"], best["expected"])
        verbs = ["best", "show"]
        if place < TRAINED:  # what trains takes seconds, and trains nothing new here
            verbs.append("run")
            assert json.loads(type_("study", "run", name, "--format", "json"))["recommended"] == best
            trained = json.loads(type_("train", "--from-study", name, "--quiet", "--format", "json"))
            assert [trained["definition"][key] for key in ("lr", "scheduler")] == [row["lr"], row["scheduler"]]
            assert trained["expected"]["expected"] == best["expected"]
            kept = studies.load(storage, name).reader.attributes()[attributes.RECOMMENDATION]
            assert {key: kept[key] for key in best} == best
        called, frames = lrsearch.best_settings(name), lrsearch.load_frames(name)
        assert json.loads(json.dumps(called.as_dict())) == best
        assert frames.answer == called
        texts = [type_("study", verb, name) for verb in verbs]
        texts.append(markdown.text(frames))
        if place == 0:  # figures take a while
            stored = studies.load(storage, name)
            publish(stored, ArtifactFolder(tmp_path / "artifacts"))
            texts.append(optuna_dashboard.get_note(stored.study))
        assert_each_says(texts, best)
    close(storage)


def assert_each_says(texts: list[str], best: dict[str, Any]) -> None:
    """The code, and as the first rate that is named the recommended one."""
    for text in texts:
        flat = " ".join(text.split())
        assert all(line.strip() in text for line in best["code"].splitlines())
        said = flat[flat.index("Use a") :]
        assert (
            said.split(" from ")[0]
            .split(". ")[0]
            .startswith(
                f"Use a constant rate of {best['params']['lr']:.6g}"
                if best["params"]["scheduler"] == "constant"
                else f"Use a rate of {best['params']['lr']:.6g}"
            )
        )


def test_tables_print_every_digit_that_was_trained(url: str, type_: Callable[..., str]) -> None:
    storage = open_storage(url, create=True)
    params = add(storage, 0)
    number = lrsearch.best_settings("study0").number
    recommendation.keep(studies.load(storage, "study0"))
    for said in (
        type_("study", "list"),
        type_("trial", "list", "study0"),
        type_("trial", "show", "study0", str(number)),
    ):
        assert f"{params['lr']:.6g}" in said
    close(storage)


def test_what_has_changed_since_it_was_kept_is_computed_anew(url: str) -> None:
    storage = open_storage(url, create=True)
    params = add(storage, 0)
    stored = studies.load(storage, "study0")
    lrsearch.run_study(stored)
    assert lrsearch.best_settings(stored).params == params
    number = lrsearch.best_settings(stored).number
    assert number is not None
    control.exclude(stored, number, "wrong data")
    assert lrsearch.best_settings(stored).params != params
    control.include(stored, number)
    assert lrsearch.best_settings(stored).params == params
    kept = stored.reader.attributes()[attributes.RECOMMENDATION]
    stored.remember(attributes.RECOMMENDATION, {**kept, "value": -1.0})
    assert lrsearch.best_settings(stored).value == -1.0, "what was kept is taken as it is while nothing has changed"
    older = {**kept["made_from"], "version": ["0.1.9", 1]}
    stored.remember(attributes.RECOMMENDATION, {**kept, "value": -1.0, "made_from": older})
    assert lrsearch.best_settings(stored).value == kept["value"], "another version may have had another rule"
    close(storage)
