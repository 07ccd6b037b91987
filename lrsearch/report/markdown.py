"""The report as a folder: report.md, and the figures that it shows."""

from __future__ import annotations

import hashlib
import shlex
from functools import partial
from pathlib import Path

import pandas as pd

from lrsearch.report import document, gains, gallery, interactive, standings, tables, wording
from lrsearch.report.both_words import BothWords
from lrsearch.report.confirmation_words import ConfirmationWords
from lrsearch.report.diagnosis import findings
from lrsearch.report.document import FIGURES, Form
from lrsearch.report.escaping import code_block, code_span, inline, own
from lrsearch.report.frames import StudyFrames
from lrsearch.report.picture import Picture, Place
from lrsearch.report.pruning_cost import pruning_cost
from lrsearch.report.reproduce import reproduce
from lrsearch.report.scale_words import ScaleWords
from lrsearch.report.valley_words import ValleyWords
from lrsearch.report.verdict import verdict
from lrsearch.study.evidence import Evidence

SECTIONS = {
    Place.RATES: "Which learning rate",
    Place.CURVES: "Learning curves",
    Place.SCHEDULES: "Schedules",
}
"""Where figures stand after the headline -> the heading."""
MOST_SEEDS = 10
"""Most fresh seeds that are named."""
MOST_FAILURES = 10
"""Most failed trials that are named."""
LONGEST_FOLDER = 120
"""Bytes of a folder's name, of the 255 that file systems allow."""


def write(frames: StudyFrames, folder: Path, form: Form = Form.MARKDOWN, *, svg: bool = False) -> Path:
    """Write the report of a study. The same frames give the same bytes.

    Args:
        frames: The study.
        folder: Where it goes; what an earlier report left there is replaced.
        form: ``report.md`` with ``figures/``, or ``report.html``.
        svg: Whether to write the figures as SVG, too.

    Returns:
        The path of ``report.md`` or ``report.html``.

    Raises:
        InputError: The folder cannot be written.
    """
    pictures = gallery.pictures(frames)
    draw = {picture.file: partial(picture.draw, frames) for picture in pictures}
    data = partial(interactive.page_data, frames) if draw.keys() & interactive.plotted(frames) else None
    stale = frozenset(gallery.FILES)
    return document.write(text(frames, pictures), frames.name, draw, folder, form, stale, svg=svg, data=data)


def default_folder(*names: str) -> Path:
    """Where the report of a study goes, or the comparison of two, if nobody says: a folder that no other has.

    Args:
        names: The studies' names. What a file system may not like in them is replaced, or cut off; then, and where two
            are compared, a few digits tell the folder apart from that of a study whose name looks the same.
    """
    whole = "-vs-".join(names)
    plain = "".join(c if c.isalnum() or c in "-_." else "_" for c in whole)
    plain = plain.encode()[:LONGEST_FOLDER].decode(errors="ignore")
    if len(names) == 1 and plain == whole and plain.strip("."):
        return Path("reports") / plain
    digest = hashlib.sha256("\0".join(names).encode("utf-8", "surrogatepass")).hexdigest()
    return Path("reports") / f"{plain}-{digest[:8]}"


def text(frames: StudyFrames, pictures: list[Picture] | None = None) -> str:
    """The content of ``report.md``, without drawing the figures that it links to.

    Args:
        frames: The study.
        pictures: What `gallery.pictures` says of it, where that is known already.
    """
    shown = gallery.pictures(frames) if pictures is None else pictures
    return "\n\n".join(_blocks(frames, shown)) + "\n"


def _blocks(frames: StudyFrames, pictures: list[Picture]) -> list[str]:
    evidence = frames.evidence
    blocks = [f"# Learning-rate report: {inline(frames.name)}", *verdict(frames)]
    for place, heading in SECTIONS.items():
        if shown := _shown(pictures, place):
            blocks += [f"## {heading}", *shown]
    if evidence is not None or (frames.definition is not None and len(standings.ranked(frames))):
        blocks += ["## Evidence", *_shown(pictures, Place.EVIDENCE), *_evidence(frames, evidence)]
    blocks += _valley(frames, pictures)
    blocks += _scale(frames, pictures)
    if len(frames.trials):
        blocks += ["## Diagnosis", *_diagnosis(frames, evidence)]
    blocks += ["## How to reproduce", *reproduce(frames)]
    appendix = _appendix(frames, pictures)
    return [*blocks, *(["## Appendix: the search in tables", *appendix] if appendix else [])]


def _shown(pictures: list[Picture], place: Place) -> list[str]:
    return [block for picture in pictures if picture.place is place for block in _picture(picture)]


def _evidence(frames: StudyFrames, evidence: Evidence | None) -> list[str]:
    """The finalists on fresh seeds, or how to get them."""
    if evidence is None:
        command = f"lrsearch study confirm {shlex.quote(frames.name)}"
        return [
            "There is none yet beyond the search itself, whose best is partly the luckiest. This trains the best "
            "settings again on fresh seeds, and says which can be told apart:",
            code_block(command, "bash"),
            *_both(frames),
        ]
    many = wording.plural(len(evidence.seeds), "fresh seed")
    seeds = ", ".join(map(str, evidence.seeds[:MOST_SEEDS])) + (", ..." if len(evidence.seeds) > MOST_SEEDS else "")
    scored = f", scored on {evidence.row_count} {evidence.rows} rows" if evidence.row_count else ""
    blocks = [
        f"{_trained(evidence, frames.kept_unit)} on {many} ({seeds}){scored}. "
        f"{_intervals(evidence)} *Best in* is the share of bootstrap samples of the seeds in which a finalist has the "
        "best mean.",
        tables.finalists(frames, evidence),
        *ConfirmationWords(frames, evidence, show=inline, code=code_span).paragraphs(),
    ]
    if differences := tables.differences(evidence):
        chosen = inline(wording.describe(evidence.recommended.params))
        blocks += [
            f"Seed by seed against the recommended {chosen}. The intervals are widened so that all of them together "
            "hold the true differences in 95 of 100 cases (Bonferroni).",
            differences,
        ]
    if table := tables.gains(frames, evidence):
        blocks += ["### What the search gained", " ".join(gains.introduction(evidence, inline)), table]
    return blocks


def _both(frames: StudyFrames) -> list[str]:
    """What to take for either way to keep a run, where nothing is confirmed."""
    if frames.both is None or frames.both.confirmed or frames.definition is None:
        return []
    said = BothWords(frames.both, frames.metric, frames.definition.study.value, inline, frames.kept_unit).paragraph()
    return [" ".join(said)] if said else []


def _valley(frames: StudyFrames, pictures: list[Picture]) -> list[str]:
    """How wrong the rate may be; nothing where no other rates were trained beside it."""
    if frames.answer is None or frames.answer.valley is None:
        return []
    told = ValleyWords(frames.answer.valley, frames.metric)
    header, *rows = told.table()
    return [
        "## The valley: how wrong may the rate be?",
        " ".join(told.sentences()),
        *_shown(pictures, Place.VALLEY),
        tables.table(header, rows, words=("shown to be",)),
    ]


def _scale(frames: StudyFrames, pictures: list[Picture]) -> list[str]:
    """Which rate a longer run wants; nothing where `lrsearch scale` was not asked."""
    if frames.scale is None:
        return []
    told, found = ScaleWords(frames.scale, frames.name), frames.scale.found
    blocks = [f"## From short runs to {inline(found.axis)} {found.to:g}", inline(" ".join(told.sentences()))]
    blocks += _shown(pictures, Place.SCALE)
    for own_type in found.types:
        header, *rows = told.rungs(own_type)
        blocks += [inline(told.reason(own_type)), *([tables.table(header, rows)] if rows else [])]
        blocks += [said] if (said := told.rests_on(own_type)) else []
    if said := told.test():
        blocks.append(said)
        header, *rows = told.tested()
        blocks.append(tables.table(header, rows) if rows else code_block(told.command, "bash"))
    return blocks


def _trained(evidence: Evidence, unit: str) -> str:
    by_best = any(one.kept for one in evidence.contenders)
    return (
        f"Trained, each run scored after its best {unit} on the test rows,"
        if by_best
        else f"Trained to the last {unit}"
    )


def _intervals(evidence: Evidence) -> str:
    """What the intervals are, and what they cover."""
    looks = ""
    if evidence.rounds:
        looks = " Those that decide are wide enough to be looked at twice: their confidence is 95 % in all."
    if evidence.covers == "seeds and rows":
        return f"Intervals are for other seeds and other rows of the same kind (crossed random effects).{looks}"
    return f"Intervals are Student's over the seeds, for these {evidence.rows} rows only.{looks}"


def _diagnosis(frames: StudyFrames, evidence: Evidence | None) -> list[str]:
    blocks = []
    for finding in findings(frames, evidence):
        blocks += [own(finding.words), *([code_block(finding.toml, "toml")] if finding.toml else [])]
    if said := pruning_cost(frames):
        blocks += ["### What pruning cost and saved", *said]
    return [*blocks, "### What went wrong", *_wrong(frames)]


def _appendix(frames: StudyFrames, pictures: list[Picture]) -> list[str]:
    """Tables of trials, and their history; nothing where there was one trial, of which all has been said."""
    blocks = []
    if len(standings.schedulers(frames)) > 1:
        blocks += ["### By scheduler type", tables.by_scheduler(frames)]
    if len(standings.ranked(frames)) > 1:
        blocks += ["### Top trials", tables.top_trials(frames)]
    if shown := _shown(pictures, Place.APPENDIX):
        blocks += ["### Optimisation history", *shown]
    return blocks


def _picture(picture: Picture) -> list[str]:
    alt = f"{picture.title}: {picture.seen}" if picture.seen else picture.title
    return [f"![{own(alt)}]({FIGURES}/{picture.file})", own(picture.reading)]


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
