"""`lrsearch scale` on a file of runs: columns, rungs, and what it says about bad input."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lrsearch.cli.app import app
from lrsearch.errors import InputError
from lrsearch.operations import scale
from lrsearch.operations.scale import Question

RATES = [0.004 * 2**step for step in range(8)]


def written(file: Path, axis: str = "epochs", *, longest: int = 60, sign: float = 1.0, scheduler: bool = True) -> Path:
    """Valleys whose best rate falls with the square root of the axis, and is 0.03 at 60."""
    with file.open("w", newline="") as opened:
        table = csv.writer(opened)
        table.writerow([axis, "lr", "seed", "value", *(["scheduler"] if scheduler else [])])
        for at in (15, 30, 60, 240):
            best = math.log(0.03) - 0.5 * math.log(at / 60)
            for lr in RATES if at <= longest else RATES[:1]:
                for seed in range(4):
                    luck = 0.002 * math.sin(100 * lr * (seed + 1) + at)
                    value = sign * (1 + 0.1 * (math.log(lr) - best) ** 2 + luck)
                    table.writerow([at, lr, seed, value, *(["cosine"] if scheduler else [])])
    return file


def test_a_file_of_runs_gives_the_law(tmp_path: Path) -> None:
    found, notes = scale.from_file(written(tmp_path / "runs.csv"), Question("epochs", 240))
    document = found.document()
    assert document["recommended"]["scheduler"] == "cosine"
    assert document["recommended"]["lr"] == pytest.approx(0.015, rel=0.25)
    assert document["from"] == [15, 30, 60]
    assert document["cost"] == {"epochs": 8 * 4 * 105, "full_runs": 8 * 4 * 105 / 240}
    assert notes == ["4 runs at epochs 240 or more are left out."]


def test_large_values_may_be_the_good_ones(tmp_path: Path) -> None:
    file = written(tmp_path / "runs.csv", sign=-1.0)
    found, _ = scale.from_file(file, Question("epochs", 240, direction="maximize"))
    assert found.recommended is not None
    assert found.recommended.prediction is not None
    assert found.recommended.prediction.lr == pytest.approx(0.015, rel=0.25)


def test_any_axis_may_have_grown(tmp_path: Path) -> None:
    found, _ = scale.from_file(written(tmp_path / "runs.csv", "width", scheduler=False), Question("width", 240))
    document = found.document()
    assert [own["scheduler"] for own in document["by_type"]] == ["constant"]
    assert document["cost"] == {"epochs": None, "full_runs": None}


def test_some_rungs_may_be_named(tmp_path: Path) -> None:
    found, _ = scale.from_file(written(tmp_path / "runs.csv"), Question("epochs", 240, (30, 60)))
    assert found.document()["from"] == [30, 60]


@pytest.mark.parametrize(
    ("question", "words"),
    [
        (Question("width", 240), "no such column"),
        (Question("epochs", 240, value="loss"), "no such column"),
        (Question("epochs", 240, (20.0, 60.0)), "there are no runs there"),
        (Question("epochs", 60, (60.0,)), "must be below the target"),
        (Question("epochs", 10), "there are no runs there"),
    ],
)
def test_bad_input_is_told(tmp_path: Path, question: Question, words: str) -> None:
    with pytest.raises(InputError, match=words) as error:
        scale.from_file(written(tmp_path / "runs.csv"), question)
    assert str(error.value).startswith("scale: ")


@pytest.mark.parametrize("cell", ["-0.1", "fast", "0"])
def test_a_rate_is_a_number_above_zero(tmp_path: Path, cell: str) -> None:
    file = tmp_path / "runs.csv"
    file.write_text(f"epochs,lr,seed,value\n15,{cell},1,0.5\n")
    with pytest.raises(InputError, match="must be a number above 0"):
        scale.from_file(file, Question("epochs", 240))


@pytest.mark.parametrize("text", ["epochs", "=3", "epochs=", "epochs=-1", "epochs=many"])
def test_a_target_is_an_axis_and_a_number(text: str) -> None:
    with pytest.raises(InputError, match="--to"):
        scale.target(text)


@pytest.mark.parametrize("text", ["", "30,15", "15,15", "a,b", "0,3"])
def test_places_ascend(text: str) -> None:
    with pytest.raises(InputError, match="--from"):
        scale.places(text)


def test_the_command_prints_the_document(tmp_path: Path) -> None:
    file = written(tmp_path / "runs.csv")
    told = CliRunner().invoke(app, ["scale", "--runs", str(file), "--to", "epochs=240", "--format", "json"])
    assert told.exit_code == 0
    document = json.loads(told.stdout)
    assert set(document) == {"axis", "from", "to", "by_type", "recommended", "cost"}
    assert set(document["by_type"][0]) == {
        "scheduler", "optima", "slope", "slope_interval", "verdict", "reason", "prediction",
    }  # fmt: skip


def test_the_command_says_it_in_words(tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["scale", "--runs", str(written(tmp_path / "runs.csv")), "--to", "epochs=240"])
    assert "At epochs 240 use cosine with lr" in told.stdout


def test_the_valleys_are_drawn(tmp_path: Path) -> None:
    """With one rung there is no line, and the figure says so by leaving it out."""
    file, picture = written(tmp_path / "runs.csv"), tmp_path / "scale.png"
    for rungs in ((), (60.0,)):
        found, _ = scale.from_file(file, Question("epochs", 240, rungs))
        scale.draw(found, picture)
        assert picture.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(InputError, match="--plot"):
        scale.draw(found, tmp_path / "scale.doc")
