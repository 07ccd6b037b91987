"""`lrsearch report`: a study, or two side by side: markdown with figures, one HTML file, or a note in the dashboard."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lrsearch.cli import completion
from lrsearch.cli.answer import wrapped
from lrsearch.cli.dashboard import Artifacts
from lrsearch.cli.options import Load, Storage
from lrsearch.cli.output import console, moves, say, write
from lrsearch.cli.study import open_study
from lrsearch.errors import Fault, InputError
from lrsearch.garbage import leave_behind, not_searched
from lrsearch.storage.defaults import DEFAULT_URL

if TYPE_CHECKING:
    from lrsearch.report.headline import Answer


class ImageFormat(StrEnum):
    """What the figures beside a markdown report can be."""

    PNG = "png"
    SVG = "svg"


class ReportFormat(StrEnum):
    """What a report can be written as."""

    MARKDOWN = "markdown"
    HTML = "html"


def report(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME [NAME]",
            help="A study, or two of one task.",
            show_default=False,
            autocompletion=completion.studies,
        ),
    ],
    output: Annotated[Path | None, typer.Option(help="Folder to write to; reports/NAME by default.")] = None,
    form: Annotated[
        ReportFormat, typer.Option("--format", help="report.md with figures/, or report.html with all in it.")
    ] = ReportFormat.MARKDOWN,
    lr_parameter: Annotated[
        str | None,
        typer.Option(help="Of a study of another tool: the float parameter that plays the learning rate."),
    ] = None,
    images: Annotated[
        ImageFormat, typer.Option("--figures", help="svg writes each figure as SVG, too, beside the PNG.")
    ] = ImageFormat.PNG,
    publish: Annotated[bool, typer.Option("--publish", help="Show it in the dashboard, instead of a folder.")] = False,
    artifacts: Artifacts = None,
    modules: Load = None,
    storage: Storage = DEFAULT_URL,
) -> None:
    """Write a study's report, or the comparison of two studies."""
    faults = []
    if len(names) > (1 if publish else 2):
        rule = "one study can be published" if publish else "one study, or two to compare"
        faults.append(Fault("NAME", rule, " ".join(names)))
    if publish and output is not None:
        faults.append(Fault("--output", "choose one: a folder, or --publish", str(output)))
    if publish and lr_parameter is not None:
        faults.append(Fault("--lr-parameter", "goes with a folder, not with --publish", lr_parameter))
    if images is ImageFormat.SVG and (publish or form is ReportFormat.HTML):
        rule = "only for a folder with report.md: choose one"
        faults.append(Fault("--figures", rule, f"svg with {'--publish' if publish else '--format html'}"))
    if faults:
        raise InputError("command line", faults)
    if publish:
        _publish(names[0], artifacts, modules or [], storage)
    else:
        _write(names, output, form, lr_parameter, images is ImageFormat.SVG, storage)


def _write(names: list[str], output: Path | None, form: ReportFormat, lr: str | None, svg: bool, storage: str) -> None:
    if moves(console()):
        say(f"Report of {' and '.join(names)}: reading, and drawing the figures ...", style="aside")
    leave_behind()
    with not_searched():  # the process ends with the report, and a few drawn figures are all the garbage that there is
        from lrsearch.operations import report as operation  # what draws takes a second to come
        from lrsearch.report.document import Form

        studies = [open_study(name, storage) for name in names]
        written = operation.report(studies, output, Form(form), svg=svg, lr=lr)
    for answer in written.answers:
        _say_headline(answer, several=len(studies) > 1)
    write(str(written.file))  # alone on stdout: scripts read it


def _say_headline(answer: Answer, *, several: bool) -> None:
    if answer.definition is not None:
        name = f"{answer.name}: " if several else ""
        say(wrapped(f"{name}{answer.headline()}"))


def _publish(name: str, artifacts: str | None, modules: list[str], storage: str) -> None:
    from lrsearch.dashboard.artifacts import artifacts_of
    from lrsearch.operations import report as operation
    from lrsearch.study import open as opening

    opening.bring_in(modules)
    place = artifacts_of(storage, artifacts)
    done = operation.publish(open_study(name, storage), place)
    say(f"Published study {name}; its artifacts are in {place}." if done else f"Study {name} is published as it is.")
