"""Write the report of a study, compare two, or show the report in the dashboard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lrsearch.errors import input_error
from lrsearch.report import frames, markdown, side_by_side, verdict
from lrsearch.report.document import Form
from lrsearch.report.headline import Answer
from lrsearch.study import own_objective, rate_parameter
from lrsearch.study.stored import StoredStudy

if TYPE_CHECKING:
    from lrsearch.dashboard.artifacts import Artifacts


@dataclass(frozen=True)
class Written:
    """A report that was written.

    Attributes:
        file: The file to open first.
        answers: What it says of each study.
    """

    file: Path
    answers: Sequence[Answer]


def report(
    stored: Sequence[StoredStudy],
    output: Path | None = None,
    form: Form = Form.MARKDOWN,
    *,
    svg: bool = False,
    lr: str | None = None,
) -> Written:
    """Write the report of a study, or the comparison of two.

    Args:
        stored: One study or two.
        output: The folder; ``reports/NAME`` by default.
        form: Markdown with its figures beside it, or one HTML file.
        lr: The parameter that plays the learning rate, in studies of another tool; by default the one that is called
            so.
        svg: Whether to write the figures as SVG, too, beside markdown.

    Returns:
        What was written.

    Raises:
        InputError: The folder cannot be written, two studies cannot be compared, or it is not clear which parameter
            plays the learning rate.
    """
    read = [frames.read_stored(one, _rate_parameter(one, lr)) for one in stored]
    folder = output or markdown.default_folder(*(one.name for one in read))
    answers = [verdict.answer(one) for one in read]
    if len(read) == 1:
        return Written(markdown.write(read[0], folder, form, svg=svg), answers)
    return Written(side_by_side.write(read[0], read[1], folder, form, svg=svg), answers)


def _rate_parameter(stored: StoredStudy, wanted: str | None) -> str | None:
    if stored.definition is None:
        said = wanted or own_objective.named_rate(stored)
        return rate_parameter.chosen(stored.trials(), said, f"study {stored.name}")
    if wanted not in (None, rate_parameter.LR):
        rule = "was created by lrsearch, which calls the learning rate lr: leave the option out"
        raise input_error(f"study {stored.name}", rule, key=rate_parameter.FLAG, received=f'"{wanted}"')
    return None


def publish(stored: StoredStudy, artifacts: Artifacts) -> bool:
    """Show a study's report in the dashboard.

    Args:
        stored: The study.
        artifacts: Where figures and checkpoints are kept.

    Returns:
        Whether anything changed.
    """
    from lrsearch.dashboard.publish import publish as to_dashboard  # plotly takes a while

    return to_dashboard(stored, artifacts)
