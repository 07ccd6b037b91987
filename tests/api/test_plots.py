"""Figures that a notebook shows."""

from __future__ import annotations

from pathlib import Path

import pytest
from matplotlib.figure import Figure

import lrsearch
from lrsearch import registry

SMALL = {"rows": 60, "holdout_rows": 0}
PNG = b"\x89PNG"


def run(lr: float = 0.01, **settings: object) -> lrsearch.TrainingRun:
    return lrsearch.train("polynomial", lr=lr, epochs=4, task_options=SMALL, **settings)  # type: ignore[arg-type]


def shown(figure: Figure) -> bytes:
    """What a notebook asks the value of a cell for."""
    data, size = figure._repr_png_()  # type: ignore[attr-defined]
    assert size["width"] > size["height"] > 0
    assert " at 0x" not in repr(figure)
    return bytes(data)


def test_a_run_is_drawn() -> None:
    figure = lrsearch.plot_run(run())
    assert shown(figure).startswith(PNG)
    assert [axes.get_ylabel() for axes in figure.axes] == ["MSE (squared units of the target)", "learning rate"]


def test_runs_are_drawn_side_by_side() -> None:
    runs = {"slow": run(0.001), "fast": run(0.05)}
    figure = lrsearch.plot_runs(runs)
    assert shown(figure) == shown(lrsearch.plot_runs(runs))
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["training rows", "test rows"]
    values = [list(line.get_ydata()) for line in figure.axes[1].lines]
    assert values == [[record.test_metric for record in one.records] for one in runs.values()]


def test_rates_have_a_panel_where_they_change() -> None:
    figure = lrsearch.plot_runs({"constant": run(), "lambda": run(scheduler="lambda", decay=0.5)})
    assert [axes.get_title(loc="left") for axes in figure.axes][2:] == ["learning rate"]


def test_a_diverged_run_does_not_squash_the_others() -> None:
    steady = run()
    figure = lrsearch.plot_runs({"lost": run(1e6), "steady": steady})
    assert figure.axes[0].get_ylim()[1] < 2 * max(record.train_metric for record in steady.records)
    assert "diverged" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_nothing_is_drawn_before_the_first_epoch() -> None:
    untrained = lrsearch.start("polynomial", lr=0.01, task_options=SMALL)
    with pytest.raises(lrsearch.InputError, match="before the first epoch"):
        lrsearch.plot_run(untrained)
    with pytest.raises(lrsearch.InputError, match="before the first epoch"):
        lrsearch.plot_runs({})


def test_a_studys_figures_are_drawn_by_name(tmp_path: Path) -> None:
    document = {"study": {"name": "few", "trials": 2}, "task": {"name": "polynomial", **SMALL},
                "training": {"epochs": 2}, "confirm": {"top": 0}}  # fmt: skip
    study = lrsearch.run_study(lrsearch.create_study(document, storage=f"sqlite:///{tmp_path / 's.db'}"))
    frames = lrsearch.load_frames(study)
    assert shown(lrsearch.plot_study(frames)) == shown(lrsearch.plot_study(frames, "learning_curves"))
    with pytest.raises(lrsearch.InputError, match="did you mean learning_curves"):
        lrsearch.plot_study(frames, "learnin_curves")


def test_scheduler_types_have_a_panel_each() -> None:
    drawn = lrsearch.plot_schedules(["classical"]).axes
    classical = {name for name in registry.schedules if "classical" in registry.schedules.get(name).groups}
    assert len(classical) > 1
    assert sorted(axes.get_title(loc="left") or axes.get_title() for axes in drawn) == sorted(classical)
    assert shown(lrsearch.plot_schedules("lambda")).startswith(PNG)
