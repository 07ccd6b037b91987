"""The report as a folder: report.md, and the figures that it shows."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lrsearch.report import figures, files, gallery, standings, tables, wording
from lrsearch.report.escaping import code_block, inline
from lrsearch.report.frames import StudyFrames
from lrsearch.report.gallery import Picture
from lrsearch.report.reproduce import reproduce
from lrsearch.report.verdict import verdict
from lrsearch.search import paste

FILE = "report.md"
FIGURES = "figures"
MOST_FAILURES = 10
"""Most failed trials that are named."""


def write(frames: StudyFrames, folder: Path) -> Path:
    """Write the report of a study. The same frames give the same bytes.

    Args:
        frames: The study.
        folder: Where ``report.md`` and ``figures/`` go; what an earlier report left there is replaced.

    Returns:
        The path of ``report.md``. It is written last: whoever sees it sees the figures it links to.

    Raises:
        InputError: The folder cannot be written.
    """
    pictures = gallery.pictures(frames)
    files.prepare(folder)
    files.prepare(folder / FIGURES)
    files.replace(folder / FIGURES, {p.file: figures.png(p.draw(frames)) for p in pictures})
    files.replace(folder, {FILE: text(frames).encode()})
    files.remove(folder / FIGURES, set(gallery.FILES) - {p.file for p in pictures})
    return folder / FILE


def default_folder(name: str) -> Path:
    """Where a study's report goes if nobody says.

    Args:
        name: The study's name; what a file system may not like in it is replaced.
    """
    return Path("reports") / "".join(c if c.isalnum() or c in "-_." else "_" for c in name)


def text(frames: StudyFrames) -> str:
    """The content of ``report.md``, without drawing the figures that it links to.

    Args:
        frames: The study.
    """
    return "\n\n".join(_blocks(frames, gallery.pictures(frames))) + "\n"


def _blocks(frames: StudyFrames, pictures: list[Picture]) -> list[str]:
    blocks = [f"# Learning-rate report: {inline(frames.name)}", *verdict(frames)]
    for picture in pictures[:1]:
        blocks += _picture(picture)
    blocks += _best_settings(frames)
    if standings.schedulers(frames):
        blocks += ["## By scheduler type", tables.by_scheduler(frames)]
    if len(standings.ranked(frames)):
        blocks += ["## Top trials", tables.top_trials(frames)]
    if pictures[1:]:
        blocks += ["## More figures"]
    for picture in pictures[1:]:
        blocks += [f"### {inline(picture.title)}", *_picture(picture)]
    if len(frames.trials):
        blocks += ["## What went wrong", *_wrong(frames)]
    return [*blocks, "## How to reproduce", *reproduce(frames)]


def _picture(picture: Picture) -> list[str]:
    return [f"![{inline(picture.title)}]({FIGURES}/{picture.file})", inline(picture.reading)]


def _best_settings(frames: StudyFrames) -> list[str]:
    finished = standings.ranked(frames)
    if not len(finished):
        return []
    best = finished.iloc[0].to_dict()
    lines = paste.code(frames.definition, best["params"], best["horizon"])
    if lines is not None:
        return ["## Best settings", "Where your script makes its optimizer:", code_block(lines, "python")]
    reason = "the storage does not say how the trial was trained, or its scheduler is not known here"
    words = inline(wording.describe(best["params"]))
    return ["## Best settings", f"{words}. There is no code to paste: {reason}."]


def _wrong(frames: StudyFrames) -> list[str]:
    blocks = [*_diverged(frames), *_failed(frames), *_excluded(frames)]
    return blocks or ["Nothing: no trial diverged, failed or was excluded."]


def _diverged(frames: StudyFrames) -> list[str]:
    count, table = standings.count(frames), tables.divergence(frames)
    if not table:
        return []
    trials = wording.plural(count.diverged, "trial")
    return [
        f"{trials} diverged: the metric or the loss became infinite, or far worse than before training.",
        table,
    ]


def _failed(frames: StudyFrames) -> list[str]:
    trials = frames.trials[frames.trials["excluded"].isna()]
    again, failed = trials[trials["retried"].notna()], standings.counted(frames)
    failed = failed[failed["state"] == "failed"]
    blocks = []
    if len(failed):
        blocks += [
            f"{wording.plural(len(failed), 'trial')} failed:",
            _named(failed, "error", "no error was stored"),
        ]
    if len(again):
        blocks += [f"{wording.plural(len(again), 'trial')} failed and ran again as another trial."]
    return blocks


def _excluded(frames: StudyFrames) -> list[str]:
    excluded = frames.trials[frames.trials["excluded"].notna()]
    if not len(excluded):
        return []
    trials = wording.plural(len(excluded), "trial")
    return [
        f"{trials} excluded by hand, in no table and no figure:",
        _named(excluded, "excluded", "", len(excluded)),
    ]


def _named(trials: pd.DataFrame, column: str, otherwise: str, most: int = MOST_FAILURES) -> str:
    """A list of trials with what is said about each."""
    rows = trials.head(most).to_dict("records")
    lines = [f"- trial {row['number']}: {inline(row[column] or otherwise)}" for row in rows]
    if len(trials) > most:
        lines.append(f"- and {len(trials) - most} more")
    return "\n".join(lines)
