"""The report as somebody opens it."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
from optuna.trial import FrozenTrial

from lrsearch.errors import InputError
from lrsearch.report import markdown
from lrsearch.report.frames import read
from lrsearch.report.reproduce import WHERE, file_name
from lrsearch.storage import attributes
from lrsearch.study_file.load import parse_stored

Make = Callable[..., FrozenTrial]
MakeStudy = Callable[..., optuna.Study]
FENCED = re.compile(r"^(`{3,})\w+\n.*?\n\1$", re.DOTALL | re.MULTILINE)


def links(text: str) -> list[str]:
    return re.findall(r"!\[.*?\]\((.*?)\)", text)


def cells(text: str) -> list[list[str]]:
    """Rows of all tables, split at the pipes that are not escaped."""
    rows = [line for line in text.split("\n") if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]


def block(text: str, language: str) -> str:
    found = re.search(rf"^(`+){language}\n(.*?)\n\1$", text, re.DOTALL | re.MULTILINE)
    assert found
    return found[2]


def test_the_first_screen_is_verdict_figure_and_code(mixed: optuna.Study) -> None:
    text = markdown.text(read(mixed))
    headings = re.findall(r"^##? (.*)", FENCED.sub("", text), re.MULTILINE)
    assert headings == [
        "Learning-rate report: small", "Which learning rate", "Learning curves", "Evidence", "Diagnosis",
        "How to reproduce", "Appendix: the search in tables",
    ]  # fmt: skip
    headline = "**Not confirmed: the best of 4 trials used a constant rate of 0.01.**"
    places = [text.index(part) for part in (headline, "```python", "| recommended", "**How sure?**", "![")]
    assert places == sorted(places)
    assert "It came to test MSE 8, but it was picked for that among 4 trials: expect about 9 when" in text


def test_every_figure_is_there_and_shown(mixed: optuna.Study, tmp_path: Path) -> None:
    shown = links(markdown.write(read(mixed), tmp_path).read_text(encoding="utf-8"))
    assert shown[0] == "figures/lr_against_value.png"
    assert sorted(shown) == sorted(str(path.relative_to(tmp_path)) for path in tmp_path.glob("figures/*"))
    assert len(shown) == 4


def test_the_same_database_gives_the_same_bytes(mixed: optuna.Study, tmp_path: Path) -> None:
    for name in ("first", "second"):
        markdown.write(read(mixed), tmp_path / name)
    first = {path.relative_to(tmp_path / "first"): path for path in (tmp_path / "first").rglob("*.*")}
    assert len(first) == 5
    for name, path in first.items():
        assert path.read_bytes() == (tmp_path / "second" / name).read_bytes(), name


def test_a_second_report_leaves_nothing_of_the_first(
    mixed: optuna.Study, trial: Make, study: MakeStudy, tmp_path: Path
) -> None:
    markdown.write(read(mixed), tmp_path)
    (tmp_path / "mine.txt").write_text("kept")
    shown = links(markdown.write(read(study([trial(state="running", epochs=2)])), tmp_path).read_text())
    assert shown == ["figures/learning_curves.png"]
    assert {path.name for path in (tmp_path / "figures").iterdir()} == {Path(link).name for link in shown}
    assert {path.name for path in tmp_path.iterdir()} == {"report.md", "figures", "mine.txt"}


@pytest.mark.parametrize(
    ("scheduler", "stepped"), [("constant", 6), ("lambda", 6), ("exponential", 84), ("one_cycle", 84)]
)
def test_the_code_runs_as_it_stands(scheduler: str, stepped: int, trial: Make, study: MakeStudy) -> None:
    import torch

    training = {"epochs": 6, "optimizer": "sgd", "momentum": 0.9}
    text = markdown.text(read(study([trial(scheduler=scheduler, lr=0.0123456789)], training=training)))
    scope: dict[str, object] = {"model": torch.nn.Linear(1, 1)}
    exec(block(text, "python"), scope)
    optimizer, made = scope["optimizer"], scope["scheduler"]
    assert isinstance(optimizer, torch.optim.SGD)
    assert isinstance(made, torch.optim.lr_scheduler.LRScheduler)
    assert optimizer.defaults["momentum"] == 0.9
    peaks = []
    for _ in range(stepped):
        peaks.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        made.step() if len(peaks) < stepped else None
    assert max(peaks) == pytest.approx(0.0123456789, rel=1e-2)


def test_the_study_file_in_the_report_is_the_study(mixed: optuna.Study) -> None:
    frames = read(mixed)
    text = markdown.text(frames)
    assert parse_stored(tomllib.loads(block(text, "toml")), "report") == frames.definition
    last = text[text.index("## How to reproduce") :]
    assert block(last, "bash") == "lrsearch study run small.toml\nlrsearch report small"


def test_the_numbers_of_the_tables(mixed: optuna.Study) -> None:
    rows = cells(markdown.text(read(mixed)))
    assert ["constant", "3", "2", "1", "1", "8", "8", "0.01"] in rows
    assert ["0", "8", "0.01", "constant", "–"] in rows
    assert ["1", "9", "0.02", "lambda", "decay 0.9"] not in rows
    assert ["3", "9", "0.02", "lambda", "decay 0.9"] in rows
    assert ["constant", "1 of 3 (33 %)", "0.5", "0.01"] in rows


def test_extra_metrics_and_several_seeds_get_columns(trial: Make, study: MakeStudy) -> None:
    extra = {attributes.EXTRA_CURVES: {"accuracy": [0.1, 0.2, 0.3, 0.4, 0.5, 0.875]}}
    trials = [trial(0.5 + n, **extra, **{attributes.SEED_VALUES: [0.25, 0.75]}) for n in range(9)]
    seeds = {"epochs": 6, "seeds": [1, 2]}
    text = markdown.text(read(study(trials, metric="cross_entropy", training=seeds)))
    rows = cells(text)
    assert [
        "trial",
        "test cross-entropy",
        "over seeds",
        "accuracy",
        "lr",
        "scheduler",
        "parameters",
    ] in rows
    assert ["0", "0.5", "0.25 to 0.75", "0.875", "0.01", "constant", "–"] in rows
    assert "figures/extra_metrics.png" in links(text)
    assert "the mean over 2 seeds" in text


def test_names_from_the_database_harm_nothing(trial: Make, study: MakeStudy) -> None:
    evil = "a|b<script>`x`\n# heading"
    trials = [
        trial(scheduler=evil),
        trial(9.0, scheduler=evil + "2"),
        trial(scheduler=evil, diverged=True),
        trial(state="failed", **{attributes.ERROR: evil}),
        trial(**{attributes.EXCLUDED: evil, attributes.ENGINE: evil}),
    ]
    made = study(trials, name="a|b<script>`x`", metric=evil)
    made.set_user_attr(attributes.VERSION, evil)
    text = markdown.text(read(made))
    outside = FENCED.sub("", text).replace("`a-b-script-x.toml`", "").replace(WHERE, "")
    outside = outside.replace("`` lrsearch study confirm 'a|b<script>`x`' ``", "")
    assert "<" not in outside
    assert not re.search(r"(?<!\\)`", outside)
    assert "\n# heading" not in text
    assert outside.startswith(r"# Learning-rate report: a\|b&lt;script&gt;\`x\`" + "\n")
    widths = {len(row) for row in cells(outside)}
    assert widths == {2, 8, 5, 4}  # answer, types, top trials, divergence: no cell was split
    assert "lrsearch report 'a|b<script>`x`'" in text


def test_what_went_wrong_names_everything(trial: Make, study: MakeStudy) -> None:
    failed = [trial(state="failed", **{attributes.ERROR: f"out of memory {n}"}) for n in range(12)]
    trials = [
        trial(),
        *failed,
        trial(state="failed", **{attributes.RETRIED: "worker lost"}),
        trial(1.0, **{attributes.EXCLUDED: "wrong data"}),
    ]
    text = markdown.text(read(study(trials)))
    assert "12 trials failed:" in text
    assert "- trial 1: out of memory 0" in text
    assert "- and 2 more" in text
    assert "1 trial failed and ran again as another trial." in text
    assert "- trial 14: wrong data" in text
    assert "It came to test MSE 8." in text  # not the excluded trial's 1


def test_nothing_went_wrong(trial: Make, study: MakeStudy) -> None:
    assert "Nothing: no trial diverged, failed or was excluded." in markdown.text(read(study([trial()])))


def test_an_empty_study(study: MakeStudy) -> None:
    text = markdown.text(read(study(budget=20)))
    assert "This study has no trials yet" in text
    assert "0 of 20 trials are done (0 running, 0 waiting)" in text
    assert links(text) == []
    assert cells(text) == []
    assert "lrsearch study run small.toml" in text


def test_one_trial(trial: Make, study: MakeStudy) -> None:
    text = markdown.text(read(study([trial()])))
    assert "the only trial that was trained to the end used a constant rate of 0.01" in text
    assert "It came to test MSE 8. One trial proves little." in text
    assert links(text)[0] == "figures/learning_curves.png"


def test_all_pruned(trial: Make, study: MakeStudy) -> None:
    text = markdown.text(read(study([trial(9.0 + n, state="pruned", epochs=2) for n in range(3)])))
    assert "No trial has been trained to the end (3 pruned)" in text
    assert "The best last value of a pruned trial is 9." in text
    assert "## Best settings" not in text
    assert "## Top trials" not in text
    assert links(text) == ["figures/learning_curves.png"]


def test_all_diverged(trial: Make, study: MakeStudy) -> None:
    text = markdown.text(read(study([trial(lr=0.5 + n / 10, diverged=True, epochs=1) for n in range(3)])))
    assert "No trial has been trained to the end (3 diverged)" in text
    assert "The lowest learning rate that diverged is 0.5: search lower ones." in text
    assert ["constant", "3 of 3 (100 %)", "0.5", "–"] in cells(text)


def test_a_study_that_still_runs(trial: Make, study: MakeStudy) -> None:
    trials = [trial(), trial(state="running", epochs=2), trial(state="waiting", epochs=1)]
    text = markdown.text(read(study(trials, budget=10)))
    assert "The study is not finished: 1 of 10 trials are done (1 running, 1 waiting)." in text


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_a_study_of_plain_optuna(direction: str) -> None:
    study = optuna.create_study(study_name="plain", direction=direction)
    for place in range(12):
        asked = study.ask()
        asked.suggest_float("learning_rate", 0.01, 0.01)
        asked.suggest_categorical("kind", ("a|b", None))
        for step in range(3):
            asked.report(1.0 + place + step, step)
        study.tell(
            asked,
            None if place == 3 else float(place),
            state=None if place != 3 else optuna.trial.TrialState.FAIL,
        )
    text = markdown.text(read(study))
    best = 0 if direction == "minimize" else 11
    assert f"It came to value {best}, but it was picked for that among 11 trials" in text
    assert "lrsearch study confirm" not in text, "nobody but its own loop can train it"
    assert "There is no code to paste" in text
    assert "This study was not made by lrsearch" in text
    assert "nan" not in text.lower()
    assert {len(row) for row in cells(text)} == {2, 4}
    assert len(links(text)) == 2


def test_a_study_without_parameters() -> None:
    study = optuna.create_study(study_name="bare")
    study.tell(study.ask(), 1.0)
    text = markdown.text(read(study))
    assert "It came to value 1. One trial proves little." in text
    assert links(text) == []


def test_a_scheduler_that_is_not_installed_has_no_code(trial: Make, study: MakeStudy) -> None:
    text = markdown.text(read(study([trial(scheduler="mine")])))
    assert "mine, lr 0.01. There is no code to paste" in text


def test_a_definition_of_another_version_is_said_to_be_one(trial: Make, study: MakeStudy) -> None:
    made = study([trial()])
    made.set_user_attr(attributes.DEFINITION, {"newer": {}})
    assert "cannot be read by this version of lrsearch" in markdown.text(read(made))


@pytest.mark.parametrize("blocked", ["", "report.md", "figures", "figures/history.png"])
def test_a_folder_that_cannot_be_written(mixed: optuna.Study, tmp_path: Path, blocked: str) -> None:
    folder = tmp_path / "out"
    place = folder / blocked
    if blocked.endswith((".md", ".png")):
        place.mkdir(parents=True)  # a folder where a file should go
    else:
        place.parent.mkdir(exist_ok=True)
        place.write_text("a file where a folder should go")
    with pytest.raises(InputError, match="the folder cannot be written") as caught:
        markdown.write(read(mixed), folder)
    assert caught.value.exit_code == 2
    assert str(folder) in str(caught.value)
    assert not list(folder.rglob("*.part")) if folder.is_dir() else True


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("quickstart", "quickstart.toml"),
        ("../../etc/x y", "etc-x-y.toml"),
        ("学習", "study.toml"),
        ("-f", "f.toml"),
    ],
)
def test_file_names_are_harmless(name: str, file: str) -> None:
    assert file_name(name) == file


def test_a_report_is_written_without_torch(tmp_path: Path) -> None:
    program = f"""
import sys, optuna
from pathlib import Path
from lrsearch.report import frames, markdown
study = optuna.create_study()
asked = study.ask({{
    "lr": optuna.distributions.FloatDistribution(0.1, 0.1),
    "scheduler": optuna.distributions.CategoricalDistribution(["lambda"]),
}})
asked.set_user_attr("horizon", 3)
study.tell(asked, 1.0)
markdown.write(frames.read(study), Path({str(tmp_path)!r}))
print(*{{"torch", "matplotlib.pyplot", "scipy.stats", "sklearn", "plotly"}} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_the_folder_of_a_long_name_can_be_made(tmp_path: Path) -> None:
    """Its length is bounded in bytes, and names that begin alike stay apart."""
    folders = [markdown.default_folder("é" * 400 + end) for end in "ab"]
    assert folders[0] != folders[1]
    for folder in folders:
        (tmp_path / folder).mkdir(parents=True)
