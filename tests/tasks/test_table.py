"""A CSV file is looked at, and becomes a task that trains: what is guessed, what is refused, what is written."""

from __future__ import annotations

import sys
import tomllib
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lrsearch import registry
from lrsearch.errors import InputError
from lrsearch.registry import Registry
from lrsearch.study_file import load
from lrsearch.tasks import loading, table, table_start, template
from lrsearch.tasks.data import pair
from lrsearch.tasks.table import Table
from lrsearch.tasks.task import Task

ROWS = 120


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is gone after it."""
    monkeypatch.setattr(registry, "tasks", Registry("task", []))
    monkeypatch.setattr(sys, "path", list(sys.path))


@pytest.fixture
def houses() -> pd.DataFrame:
    """A column of each sort."""
    draw = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "id": range(7, ROWS + 7),
            "area": draw.normal(80, 20, ROWS),
            "rooms": draw.integers(1, 6, ROWS),
            "garden": draw.integers(0, 2, ROWS).astype(bool),
            "town": draw.choice(["Köln", "Bonn", "北京"], ROWS),
            "street": draw.choice([f"street {i}" for i in range(20)], ROWS),
            "sold": pd.date_range("2020-01-01", periods=ROWS).astype(str),
            "note": [f"text {i}" for i in range(ROWS)],
            "country": "X",
            "nothing": np.nan,
        }
    )
    frame["price"] = 3 * frame["area"] + 50 * (frame["town"] == "Köln")
    frame.loc[:9, "area"] = np.nan
    frame.loc[5:8, "town"] = None
    frame.loc[ROWS - 3 :, "price"] = np.nan
    return frame


def looked(frame: pd.DataFrame, folder: Path, target: str = "price", kind: str | None = None) -> Table:
    file = folder / "houses.csv"
    frame.to_csv(file, index=False)
    return table.look(file, target, kind)


def built(found: Table, folder: Path, name: str = "written") -> Task:
    """The task that is written for a table, made with no warning."""
    file, study = folder / f"{name}.py", folder / f"{name}.toml"
    template.write_from_table(file, study, found)
    document = tomllib.loads(study.read_text(encoding="utf-8"))
    loading.load(load.sources(document), folder)
    load.parse(document, str(study))
    with warnings.catch_warnings(action="error"):
        made: Task = registry.tasks.get(name).build({})
    return made


def test_each_column_is_taken_for_what_it_is(houses: pd.DataFrame, tmp_path: Path) -> None:
    found = looked(houses, tmp_path)
    assert (found.rows, found.dropped, found.kind) == (ROWS - 3, 3, "regression")
    assert found.numbers == ("area", "rooms", "garden")
    assert found.categories == {"town": 3}
    assert found.many == {"street": 20}
    assert list(found.left_out) == ["id", "sold", "note", "country", "nothing"]
    assert found.missing == {"area": 10, "town": 4}


def test_the_task_is_scaled_by_its_training_rows_and_keeps_every_row(houses: pd.DataFrame, tmp_path: Path) -> None:
    task = built(looked(houses, tmp_path), tmp_path)
    assert task.holdout is not None
    parts = [pair(part) for part in (task.train, task.test, task.holdout)]
    assert [len(part[0]) for part in parts] == [71, 23, 23]
    inputs, targets = parts[0]
    # area, rooms, garden, three towns and the missing one, and the number of the street
    assert inputs.shape[1] == 8
    assert torch.allclose(inputs[:, 1].mean(), torch.tensor(0.0), atol=1e-5)
    assert torch.allclose(inputs[:, 1].std(), torch.tensor(1.0), atol=1e-5)
    assert torch.allclose(targets.std(), torch.tensor(1.0), atol=1e-5)
    assert set(inputs[:, 3:7].sum(dim=1).tolist()) == {1.0}
    everything = torch.cat([part[1] for part in parts])
    by_hand = houses["price"].dropna()
    lowest, highest = everything.min(), everything.max()
    expected = (by_hand.sort_values() - by_hand.min()) / (by_hand.max() - by_hand.min())
    got = ((everything.flatten().sort().values - lowest) / (highest - lowest)).numpy()
    assert np.allclose(got, expected, atol=1e-5)


def test_a_value_that_no_training_row_has_is_told_from_all_others(tmp_path: Path) -> None:
    """A street of one row each lies in the test rows for some seed; nothing may fail, and its number is 0."""
    frame = pd.DataFrame({"street": [f"s{i % 30}" for i in range(64)], "price": np.linspace(0, 1, 64)})
    task = built(looked(frame, tmp_path), tmp_path)
    codes = torch.cat([pair(part)[0][:, -1] for part in (task.train, task.test, task.holdout) if part is not None])
    assert codes.min() == 0
    assert pair(task.train)[0][:, -1].min() == 1
    model = task.model()
    assert model(pair(task.test)[0]).shape == (12, 1)


@pytest.mark.parametrize(
    ("values", "kind", "other"),
    [
        (["a", "b", "c"] * 40, "classification", None),
        ([True, False] * 60, "classification", "regression"),
        ([3, 5, 8] * 40, "classification", "regression"),
        (list(range(10)) * 4, "regression", "classification"),  # too few rows of each
        ([0.5, 1.25, 2.5] * 40, "regression", "classification"),
        (list(range(100)), "regression", "classification"),
    ],
)
def test_the_kind_is_guessed_from_the_target(
    values: list[object], kind: str, other: str | None, tmp_path: Path
) -> None:
    draw = np.random.default_rng(0)
    frame = pd.DataFrame({"x": draw.normal(size=len(values)), "y": values})
    found = looked(frame, tmp_path, "y")
    assert (found.kind, found.other_kind) == (kind, other)
    assert kind in table_start.facts(found)["target"]


def test_classes_are_numbered_and_trained(houses: pd.DataFrame, tmp_path: Path) -> None:
    from lrsearch.operations.try_task import try_out

    houses["area"] = np.linspace(1, 99, ROWS)  # no two rows are the same
    houses["dear"] = np.where(houses["price"] > 250, "yes", "no, not at all")
    task = built(looked(houses.drop(columns=["price", "street"]), tmp_path, "dear"), tmp_path)
    assert task.metric_name == "cross_entropy"
    assert list(task.extra) == ["accuracy"]
    assert set(pair(task.train)[1].tolist()) == {0, 1}
    document = tomllib.loads((tmp_path / "written.toml").read_text(encoding="utf-8"))
    assert try_out(task, load.parse(document, "written.toml"), "cpu").engine == "batched"


@pytest.mark.parametrize(("separator", "decimal"), [(",", "."), (";", ","), (";", "."), ("\t", "."), ("|", ".")])
def test_separators_and_decimal_points_of_other_programs(
    separator: str, decimal: str, houses: pd.DataFrame, tmp_path: Path
) -> None:
    file = tmp_path / "houses.csv"
    houses.to_csv(file, index=False, sep=separator, decimal=decimal, encoding="utf-8-sig")
    found = table.look(file, "price")
    assert (found.separator, found.decimal) == (separator, decimal)
    assert found.numbers == ("area", "rooms", "garden")
    assert pair(built(found, tmp_path).train)[0].shape == (71, 8)


NAMES = st.text(min_size=1, max_size=12)


@settings(max_examples=12)
@given(target=NAMES, number=NAMES, category=NAMES)
def test_whatever_columns_are_called_the_file_is_python_with_these_names(
    target: str, number: str, category: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    found = Table(
        Path("a.csv"), ",", ".", 100, 0, target, "regression", "", None, {}, (number,), {category: 2}, {category: 90},
        {}, {},
    )  # fmt: skip
    tree = compile(table_start.text(found, Path("mine.py")), "mine.py", "exec", flags=1024)  # ast only
    constants = {
        node.targets[0].id: node.value
        for node in tree.body
        if type(node).__name__ == "Assign"  # type: ignore[attr-defined]
    }
    assert constants["TARGET"].value == target
    assert [part.value for part in constants["NUMBERS"].elts] == [number]
    assert [part.value for part in constants["CATEGORIES"].elts] == [category]


@pytest.mark.parametrize(
    ("change", "arguments", "words"),
    [
        ({}, {"target": "prise"}, r'--target = "prise": no such column; there are .*did you mean price'),
        ({}, {"kind": "images"}, r'--kind = "images": a table is for regression or classification'),
        ({}, {"target": "town", "kind": "regression"}, "regression needs numbers, and it has "),
        ({}, {"target": "country"}, "has one value only"),
        ({}, {"target": "note"}, "120 classes in 120 rows"),
        ({"price": [1.0] * 10 + [np.nan] * (ROWS - 10)}, {}, "10 rows with a value of price; at least 20"),
    ],
)
def test_what_cannot_be_learned_is_refused(
    change: dict[str, list[float]], arguments: dict[str, str], words: str, houses: pd.DataFrame, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=words):
        looked(houses.assign(**change), tmp_path, **arguments)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is no CSV file: No columns"),
        (b"a,b\n1,2,3\n1,2,3,4\n", "is no CSV file: Error tokenizing"),
        ("größe,preis\n1,2\n".encode("latin-1"), "is not UTF-8 text"),
        (b"price\n" + b"1\n2\n" * 20, "nothing to predict price from .there is no other column"),
    ],
)
def test_a_file_that_is_no_table_is_refused(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(InputError, match=words):
        table.look(tmp_path / "t.csv", "price")
    with pytest.raises(InputError, match=r"no such file; did you mean t\.csv"):
        table.look(tmp_path / "tt.csv", "price")
