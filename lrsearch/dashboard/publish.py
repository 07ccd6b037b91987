"""A study's report in the dashboard: its note with figures, plots to zoom, what the best trials did, and weights."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import optuna
import optuna_dashboard
from optuna_dashboard._custom_plot_data import get_plotly_graph_objects

from lrsearch import registry
from lrsearch.dashboard import thinning
from lrsearch.dashboard.artifacts import Artifacts
from lrsearch.dashboard.plots import best_trials, plots
from lrsearch.dashboard.published import Published
from lrsearch.report import figures, gallery, markdown
from lrsearch.report import frames as report_frames
from lrsearch.report.document import FIGURES
from lrsearch.report.frames import StudyFrames
from lrsearch.study import compatibility, recommendation, status
from lrsearch.study import repeat as repeating
from lrsearch.study import stored as studies
from lrsearch.study.stored import StoredStudy

HEADING = "# Learning-rate report"
CLOSING = "\n---\n*lrsearch writes this report anew. What you write above its heading stays.*\n"
BEST_TRIALS = 3
"""So many trials get their curve as an artifact."""
WEIGHTS = ".ckpt"
CURVE, CHECKPOINT = "curve.csv", "recommended.ckpt"
_LINK = re.compile(rf"\]\({FIGURES}/([^)]+)\)")


def publish(stored: StoredStudy, artifacts: Artifacts, check: Callable[[], None] = lambda: None) -> bool:
    """Put a study's report into the dashboard, unless what is there is still right.

    Args:
        stored: The study.
        artifacts: Where the dashboard's artifacts are.
        check: Called now and then; it may raise to end the work. What is published by then is whole.

    Returns:
        Whether anything was to be done.

    Raises:
        InputError: The study has several objectives.
    """
    study = optuna.load_study(study_name=stored.name, storage=stored.storage)
    published = Published(study, artifacts)
    counts = status.count(stored)
    confirmed = studies.linked(stored, "confirm")
    made_from = [asdict(counts), sorted(stored.excluded()), asdict(status.count(confirmed)) if confirmed else None]
    *former, trained = published.state if isinstance(published.state, list) else [None]
    if former == made_from and (trained or not counts.is_done or not _can_be_repeated(stored)):
        return False
    frames = report_frames.read_stored(stored)
    recommendation.keep(stored)
    best = best_trials(frames, BEST_TRIALS)
    kept: set[tuple[str, int | None]] = set()
    links = {}
    pictures = gallery.pictures(frames)
    for picture in pictures:
        check()
        links[picture.file] = published.put(picture.file, figures.png(picture.draw(frames)), title=picture.title)
        kept.add((picture.file, None))
    report = _LINK.sub(lambda link: f"]({links[link[1]]})", markdown.text(frames, pictures))
    _write_note(study, report, thinning.remark(len(frames.trials)))
    _write_plots(study, frames)
    for number in best:
        trial_id = stored.trial(number)._trial_id
        published.put(CURVE, _curve(frames, number), trial_id, title=f"curve_of_trial_{number}")
        kept.add((CURVE, trial_id))
    wanted = frames.answer.params if frames.answer is not None and counts.is_done else None
    if wanted is not None and _put_checkpoint(stored, published, trained == wanted, check):
        kept.add((CHECKPOINT, None))
        trained = wanted
    else:
        trained = None
        kept |= published.ending(WEIGHTS)  # nobody here could make them again
    published.keep_only(kept)
    published.remember([*made_from, trained])
    return True


def _put_checkpoint(stored: StoredStudy, published: Published, is_right: bool, check: Callable[[], None]) -> bool:
    """Publish the weights that the recommended settings come to, unless they are there.

    Args:
        stored: The study.
        published: What the dashboard has of it.
        is_right: Whether a checkpoint that is there is of these settings.
        check: Called now and then; it may raise to end the work.

    Returns:
        Whether they are there now; not so where the task cannot be trained here.
    """
    if is_right and published.has(CHECKPOINT):
        return True
    if not _can_be_repeated(stored):
        return False
    published.put(CHECKPOINT, _checkpoint(stored, check))
    return True


def _write_note(study: optuna.Study, report: str, remark: str) -> None:
    """The report takes the place of the former one; what a person wrote above it stays."""
    former = optuna_dashboard.get_note(study)
    own = former.partition(HEADING)[0]
    if own and not own.endswith("\n\n"):
        own = own.rstrip("\n") + "\n\n"
    note = own + report + (f"\n{remark}" if remark else "") + CLOSING
    if note != former:
        optuna_dashboard.save_note(study, note)


def _write_plots(study: optuna.Study, frames: StudyFrames) -> None:
    there = get_plotly_graph_objects(study._storage.get_study_system_attrs(study._study_id))
    for name, figure in plots(frames).items():
        if there.get(name) != figure.to_json():
            optuna_dashboard.save_plotly_graph_object(study, figure, graph_object_id=name)


def _curve(frames: StudyFrames, number: int) -> bytes:
    rows = frames.curves[frames.curves["number"] == number].drop(columns="number").dropna(axis="columns", how="all")
    return rows.to_csv(index=False).encode()


def _can_be_repeated(stored: StoredStudy) -> bool:
    """Whether the recommended settings can be trained: the task is there, and this lrsearch trains as the study did."""
    own = stored.definition
    known = own is not None and own.command is None and own.task.name in registry.tasks
    return known and compatibility.trains_alike(stored)


def _checkpoint(stored: StoredStudy, check: Callable[[], None]) -> bytes:
    """The recommended settings trained on the study's first seed, for a search keeps no weights."""
    from lrsearch.training import checkpoint, definition
    from lrsearch.training.engine import threads_of
    from lrsearch.training.loop import train

    again = repeating.repeatable(stored, None)
    wanted = definition.parse(again.document, f"study {stored.name}, recommended settings")
    with threads_of(again.threads), tempfile.TemporaryDirectory() as place:
        run = wanted.start(wanted.build_task())
        for _ in train(run):
            check()
        file = Path(place) / CHECKPOINT
        checkpoint.save(file, wanted, run)
        return file.read_bytes()
