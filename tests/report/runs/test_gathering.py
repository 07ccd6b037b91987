"""Runs of files: the same whoever wrote them, and no run is lost or counted twice without a word."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lrsearch.errors import InputError
from lrsearch.operations.judge import Question, judge_files

VALUES = {(0.1, "cosine"): (3.0, 3.5, 3.25), (0.01, "constant"): (4.0, 4.25, 4.75)}
RUNS = [
    {"lr": lr, "schedule": schedule, "seed": seed, "loss": value}
    for (lr, schedule), values in VALUES.items()
    for seed, value in enumerate(values)
]
Rows = Sequence[Mapping[str, Any]]


def write(file: Path, rows: Rows) -> Path:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    if file.suffix == ".csv":
        with file.open("w", newline="") as opened:
            writer = csv.DictWriter(opened, columns)
            writer.writeheader()
            writer.writerows(rows)
    elif file.suffix == ".parquet":
        pd.DataFrame(rows).to_parquet(file)
    else:
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def named(run: Mapping[str, Any], settings: str, value: str) -> dict[str, Any]:
    before = {"loss": value, "lr": settings, "schedule": settings, "seed": settings}
    return {f"{before[name]}{name}": found for name, found in run.items()}


def downloads(folder: Path) -> list[Path]:
    """A scalar of each run, as TensorBoard lets a person download it: a file per run, named by the run."""
    return [
        write(
            folder / f"run-lr={run['lr']},schedule={run['schedule']}_seed={run['seed']}-tag-loss.csv",
            [{"Wall time": 1.5, "Step": step, "Value": value} for step, value in ((1, 9.0), (2, run["loss"]))],
        )
        for run in RUNS
    ]


def scalars(folder: Path) -> list[Path]:
    """All scalars as one table, of which one tag is asked for."""
    run = "lr={lr},schedule={schedule},seed={seed}"
    rows = [
        {"run": run.format(**one), "tag": tag, "step": step, "value": value, "wall_time": 1.5}
        for one in RUNS
        for tag, step, value in (("loss", 2, one["loss"]), ("loss", 1, 9.0), ("acc", 2, 0.5))
    ]
    return [write(folder / "scalars.csv", rows)]


FORMATS: dict[str, Callable[[Path], list[Path]]] = {
    "csv": lambda folder: [write(folder / "r.csv", RUNS)],
    "parquet": lambda folder: [write(folder / "r.parquet", RUNS)],
    "json lines": lambda folder: [write(folder / "r.jsonl", RUNS)],
    "nested json lines": lambda folder: [
        write(
            folder / "r.jsonl",
            [{"config": {**run, "loss": None}, "summary": {"loss": run["loss"]}} for run in RUNS],
        )
    ],
    "two files": lambda folder: [write(folder / "a.csv", RUNS[:4]), write(folder / "b.jsonl", RUNS[4:])],
    "W&B": lambda folder: [
        write(folder / "r.csv", [{"Name": f"r{i}", "State": "finished", **run} for i, run in enumerate(RUNS)])
    ],
    "MLflow": lambda folder: [
        write(folder / "r.csv", [{"status": "FINISHED", **named(run, "params.", "metrics.")} for run in RUNS])
    ],
    "Optuna": lambda folder: [
        write(folder / "r.csv", [{"state": "COMPLETE", **named(run, "params_", "")} for run in RUNS])
    ],
    "TensorBoard's downloads": downloads,
    "TensorBoard's scalars": scalars,
}  # fmt: skip
ASKED = Question("loss", ["lr", "schedule"], "seed")


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_gives_the_same_answer(form: str, tmp_path: Path) -> None:
    found = judge_files(FORMATS[form](tmp_path), ASKED)
    evidence = found.judged.evidence
    assert found.notes == []
    assert {(one.params["lr"], one.params["schedule"]): tuple(one.known) for one in evidence.contenders} == VALUES
    assert found.judged.recommended is not None
    assert found.judged.recommended.params == {"lr": 0.1, "schedule": "cosine"}


def test_a_curve_counts_by_its_end_and_an_unfinished_one_as_failed(tmp_path: Path) -> None:
    rows = [{**run, "epoch": epoch, "loss": run["loss"] + 5 - epoch} for run in RUNS for epoch in (5, 1, 3)]
    cut = [row for row in rows if not (row["lr"] == 0.1 and row["seed"] == 2 and row["epoch"] == 5)]
    whole = judge_files([write(tmp_path / "a.csv", rows)], Question("loss", ["lr"], "seed", "epoch"))
    short = judge_files([write(tmp_path / "b.csv", cut)], Question("loss", ["lr"], "seed", "epoch"))
    assert whole.judged.recommended is not None
    assert whole.judged.recommended.value == 3.25
    assert short.judged.recommended is not None
    assert short.judged.recommended.params == {"lr": 0.01}
    assert short.notes == ["1 runs end before epoch 5; they count as runs that failed."]


def test_a_run_that_failed_gives_way_to_the_one_that_took_its_place(tmp_path: Path) -> None:
    again = [{**RUNS[0], "State": "crashed", "loss": 0.0}, *({**run, "State": "finished"} for run in RUNS)]
    running = {**RUNS[0], "State": "running", "seed": 9, "loss": 0.0}
    found = judge_files([write(tmp_path / "r.csv", [*again, running])], ASKED)
    assert [one.trained for one in found.judged.evidence.contenders] == [3, 3]
    assert found.notes == ["1 rows of runs that are not finished are left out."]


@pytest.mark.parametrize(
    ("rows", "asked", "says"),
    [
        (
            RUNS,
            Question("lass", ["lrr"], "sed"),
            ["--value = lass", "did you mean loss?", "--settings = lrr", "--seed = sed"],
        ),
        ([*RUNS, RUNS[0]], ASKED, ["run 1 and", "run 7 have the same settings and the same seed"]),
        ([*RUNS, {**RUNS[0], "momentum": 0.9}], ASKED, ["they differ in momentum"]),
        (
            [{**RUNS[0], "seed": ""}, {**RUNS[1], "loss": "low"}],
            ASKED,
            ["run 1 has no seed", "must be a number", "low"],
        ),
        (RUNS, Question("loss", ["lr"], "seed", None, {"lr": 0.5}), ["--baseline = lr=0.5", "lr=0.1"]),
        ([{"Step": 1, "r - loss": 1.0, "r - loss__MIN": 1.0}], ASKED, ["export the table of runs"]),
        ([{"run": "a", "tag": "loss", "step": 1, "value": 2.0}], ASKED, ["run's name must tell them"]),
        ([{"run": "lr=1", "tag": "acc", "step": 1, "value": 2.0}], ASKED, ["no tag", "acc"]),
        ([{**RUNS[0], "State": "running"}], ASKED, ["no finished run"]),
        ([], ASKED, ["no rows"]),
    ],
)
def test_faults_say_where_they_are(rows: Rows, asked: Question, says: list[str], tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        judge_files([write(tmp_path / "r.csv", rows)], asked)
    assert all(words in str(caught.value) for words in says), str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("r.csv", "", "it is empty"),
        ("r.csv", "lr,seed\n1,2,3\n", "line 2 has more cells"),
        ("r.jsonl", "[1]\n", "line 1 is no object"),
        ("r.json", "{}", "must be a list"),
        ("r.parquet", "nothing", "is no parquet file"),
        ("r.txt", "", "must end in .csv"),
        ("r.csv", None, "No such file"),
    ],
)
def test_what_is_no_file_of_runs_is_refused(name: str, content: str | None, says: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=says):
        judge_files([tmp_path / name], ASKED)
