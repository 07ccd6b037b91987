"""`lrsearch train`: one run with explicit settings, steered by a schedule or by hand."""

from __future__ import annotations

import shlex
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lrsearch.cli import completion, named_task
from lrsearch.cli.options import Load, OutputFormat, Quiet, Storage, quiet_libraries
from lrsearch.cli.output import Format
from lrsearch.errors import InterruptedRunError, LrsearchError
from lrsearch.garbage import search_as_usual
from lrsearch.storage.defaults import DEFAULT_URL
from lrsearch.study_file.limits import MOST_THREADS

if TYPE_CHECKING:
    from lrsearch.cli.train_input import Prepared, Request
    from lrsearch.signals import Interruption

Task = Annotated[
    str | None,
    typer.Option(metavar="NAME|FILE:NAME", help="A task, or its file and its name.", autocompletion=completion.tasks),
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="An option of the task or the training: task.degree=3."),
]
Rate = Annotated[float | None, typer.Option(help="Initial learning rate.")]
Scheduler = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="How the rate goes; its own parameters are options, too: --decay 0.95.",
        autocompletion=completion.schedulers,
    ),
]
Epochs = Annotated[int | None, typer.Option(help="Passes over the training rows (default 60).")]
Seed = Annotated[int | None, typer.Option(help="Decides initial weights and data order (default 24).")]
FromStudy = Annotated[
    str | None,
    typer.Option(
        "--from-study",
        metavar="NAME",
        help="Train what this study recommends, or a trial.",
        autocompletion=completion.studies,
    ),
]
Trial = Annotated[int | None, typer.Option(metavar="NUMBER", help="Repeat this trial of the study.")]
Threads = Annotated[
    int | None, typer.Option(min=1, max=MOST_THREADS, help="CPU threads of torch; other counts change the last bits.")
]
Plot = Annotated[Path | None, typer.Option(metavar="F", help="Draw the curves: .png, .svg or .pdf.")]
Output = Annotated[Path | None, typer.Option("--output", metavar="F", help="Write the epochs: .csv or .json.")]
Checkpoint = Annotated[Path | None, typer.Option(metavar="F", help="Save the run here after every epoch.")]
Resume = Annotated[Path | None, typer.Option(metavar="F", help="Go on from a checkpoint, and save there.")]


class Kept(StrEnum):
    """Which epoch's weights are kept."""

    LAST = "last"
    BEST = "best"


Keep = Annotated[
    Kept | None,
    typer.Option(help="Whose weights are kept: of the last epoch (default), or of the best on the test rows, too."),
]
Interactive = Annotated[bool, typer.Option("--interactive", "-i", help="Steer by hand, round by round.")]


def train(
    context: typer.Context,
    task: Task = None,
    settings: Set = None,
    lr: Rate = None,
    scheduler: Scheduler = None,
    epochs: Epochs = None,
    seed: Seed = None,
    interactive: Interactive = False,
    plot: Plot = None,
    output: Output = None,
    checkpoint: Checkpoint = None,
    resume: Resume = None,
    from_study: FromStudy = None,
    trial: Trial = None,
    keep: Keep = None,
    threads: Threads = None,
    modules: Load = None,
    quiet: Quiet = False,
    storage: Storage = DEFAULT_URL,
    form: OutputFormat = Format.TABLE,
) -> None:
    """Train once with explicit settings, or steer by hand.

    The scheduler's own parameters are options with the names of the study file: --scheduler lambda --decay 0.95.
    """
    quiet_libraries()
    from lrsearch.cli import train_input
    from lrsearch.training.definition import Changes

    options = [name for parameter in context.command.params for name in parameter.opts if name.startswith("--")]
    parameters, faults = train_input.scheduler_parameters(context.args, options)
    sources = [*(modules or []), *named_task.optimizer_sources(settings or [])]
    if task is not None and (file := named_task.source_of(task)) is not None:
        task, sources = named_task.found(task, sources, "train"), [*sources, file]
    changes = Changes(task, lr, scheduler, parameters, epochs, seed, settings or [])
    request = train_input.Request(
        changes,
        from_study,
        trial,
        storage,
        resume,
        checkpoint,
        plot,
        output,
        threads,
        interactive,
        sources,
        keep and keep.value,
    )
    _run(request, train_input.prepare(request, faults, options), quiet, form)


def _run(request: Request, prepared: Prepared, quiet: bool, form: Format) -> None:
    from lrsearch.cli import train_steering
    from lrsearch.cli.train_output import write_files, write_summary
    from lrsearch.signals import Interruption

    search_as_usual()
    try:
        with Interruption().caught() as interruption:
            if request.interactive:
                train_steering.steer_by_hand(prepared, request.changes, interruption, quiet)
            else:
                _follow_schedule(prepared, interruption, quiet)
    except InterruptedRunError:
        raise InterruptedRunError(_how_to_go_on(request, prepared)) from None
    write_files(prepared, request.plot, request.output)
    write_summary(prepared, form, by_hand=request.interactive)
    if prepared.run.diverged:
        raise LrsearchError(
            f"the run diverged in {prepared.definition.training.unit} {prepared.run.epoch}; try a smaller learning rate"
        )


def _follow_schedule(prepared: Prepared, interruption: Interruption, quiet: bool) -> None:
    from lrsearch.cli.train_progress import progress

    prepared.save()
    last, unit = prepared.run.evaluations.count, prepared.definition.training.unit
    with progress(prepared.run.epoch, last, prepared.task.metric_name, unit=unit, quiet=quiet) as show:
        for record in prepared.advance(prepared.records(), interruption):
            show(record)


def _how_to_go_on(request: Request, prepared: Prepared) -> str:
    if prepared.checkpoint is None:
        return "interrupted; nothing was kept. With --checkpoint FILE a run can go on later"
    again = ["lrsearch", "train", "--resume", str(prepared.checkpoint)]
    again += [part for module in request.modules for part in ("--load", module)]
    for option, target in (("--plot", request.plot), ("--output", request.output)):
        again += [option, str(target)] if target else []
    again += ["--interactive"] if request.interactive else []
    saved = f"{prepared.saved} {prepared.definition.training.unit}s"
    return f"interrupted; {saved} are in {prepared.checkpoint}. Go on with: {shlex.join(again)}"
