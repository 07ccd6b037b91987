"""What the report says of short runs and the long one that they speak of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lrsearch.operations import scale_plan, scale_study
from lrsearch.operations.display import NoDisplay
from lrsearch.operations.run_options import RunOptions
from lrsearch.operations.scale_plan import Asked
from lrsearch.report import figures, gallery, markdown
from lrsearch.report.frames import StudyFrames, read_stored
from lrsearch.report.scale_words import ScaleWords
from lrsearch.storage import attributes
from lrsearch.storage.rdb import open_storage
from lrsearch.study import control, scale_record
from lrsearch.study import stored as studies
from lrsearch.study.scale_record import AtTarget, ScaleRecord
from lrsearch.study.scaling.runs import ScaleRun
from lrsearch.study.scaling.scaled import scaled
from lrsearch.study_file.load import parse


def record(*tests: AtTarget, far: float = 0.0) -> ScaleRecord:
    """Valleys whose best rate falls with the square root of the epochs, and is 0.03 at 60; `far` moves the last."""
    rng = np.random.default_rng(0)
    runs = [
        ScaleRun(
            at, lr, seed, float(1 + 0.1 * np.log(lr / 0.03 * (at / 60) ** 0.5 * np.exp(far * (at > 30))) ** 2 + luck)
        )
        for at in (15.0, 30.0, 60.0)
        for lr in 0.002 * 2.0 ** np.arange(9)
        for seed, luck in enumerate(rng.normal(0, 0.003, 5))
    ]
    return ScaleRecord(scaled(runs, "epochs", 240.0), tests)


def test_each_verdict_says_what_it_rests_on() -> None:
    told = ScaleWords(record(), "short")
    (own,) = told.record.found.types
    assert told.sentences()[0].startswith("At epochs 240 use constant with lr 0.01")
    assert "at epochs 15, 30, 60, 4725 epochs in all, as much as 19.7 runs at 240" in told.sentences()[1]
    assert told.reason(own).startswith("constant: follow the line. The best rate goes as epochs to the power -0.5")
    assert "standard errors off the line" in told.rests_on(own)
    header, *rows = told.rungs(own)
    assert [row[0] for row in rows] == ["15", "30", "60", "240"]
    assert {len(row) for row in rows} == {len(header)}


def test_an_untested_prediction_has_the_command_that_tests_it() -> None:
    told = ScaleWords(record(), "my study")
    assert "was not tested" in told.test()
    assert told.command == "lrsearch scale 'my study' --check"
    shown = ScaleWords(record(AtTarget(0.01, 0.5, 2), AtTarget(0.02, 0.4, 2)), "short")
    assert "2 rates were trained at epochs 240" in shown.test()
    assert shown.tested()[1:] == [["0.01", "0.5", "2"], ["0.02", "0.4", "2"]]


def test_a_refusal_has_nothing_to_test() -> None:
    told = ScaleWords(record(far=3.0), "short")
    assert told.sentences()[0] == "No rate for epochs 240: it would be a guess."
    assert "no answer" in told.reason(told.record.found.types[0])
    assert told.test() == ""


@pytest.fixture
def asked(tmp_path: Path) -> StudyFrames:
    """A study whose short runs were trained."""
    url = f"sqlite:///{tmp_path / 'scale.db'}"
    own = parse(
        {
            "study": {"name": "short", "trials": 2},
            "task": {"name": "polynomial"},
            "training": {"epochs": 4},
            "search": {"lr": {"low": 0.01, "high": 0.08, "log": True}, "schedulers": ["constant"]},
        },
        "test",
    )
    stored = studies.create(open_storage(url, create=True), own, "mse")
    plan = scale_plan.planned(own, stored, Asked("epochs=8", (1.0, 2.0), "updates", None))
    found = scale_study.scale(stored, own, url, plan, RunOptions(engine="batched", device="cpu"), NoDisplay())
    frames = read_stored(studies.load(stored.storage, "short"))
    assert frames.scale is not None
    assert frames.scale.found.document() == found.document()
    return frames


def test_the_report_has_the_answer_of_the_stored_runs(asked: StudyFrames, tmp_path: Path) -> None:
    """The frames have what the command said; the text has a section, and its figure can be drawn. Runs that were
    deleted, or a question that somebody spoilt, leave none.
    """
    text = markdown.text(asked)
    assert "## From short runs to epochs 8" in text
    assert "figures/scaling.png" in text
    picture = next(one for one in gallery.pictures(asked) if one.file == "scaling.png")
    assert figures.png(picture.draw(asked)).startswith(b"\x89PNG")

    stored = studies.load(open_storage(f"sqlite:///{tmp_path / 'scale.db'}"), "short")
    for name in [name for name in studies.names(stored.storage) if name != "short"]:
        control.delete(studies.load(stored.storage, name))
    assert scale_record.read(stored) is None
    stored.remember(attributes.SCALE, {"axis": "epochs", "from": "all"})
    assert scale_record.read(stored) is None
