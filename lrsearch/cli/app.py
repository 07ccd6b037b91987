"""The program `lrsearch`: its commands, and how errors leave it."""

from __future__ import annotations

import sys
import warnings
from typing import Annotated, Any

import typer

from lrsearch.cli import (
    command_help,
    confirm,
    dashboard,
    environment,
    judge,
    lr_find,
    report,
    run,
    scale,
    schedules,
    serve,
    storage,
    study,
    tasks,
    train,
    trial,
    worker,
)
from lrsearch.cli.messages import own_messages
from lrsearch.cli.output import say
from lrsearch.errors import LrsearchError, LrsearchWarning
from lrsearch.garbage import search_seldom
from lrsearch.printable import printable
from lrsearch.signals import tie_to
from lrsearch.storage.opened import closed_afterwards
from lrsearch.version import __version__

app = typer.Typer(
    name="lrsearch",
    help="Which learning rate, and which schedule, should I use, and how sure can I be?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings=command_help.SHORT,
    cls=command_help.Group,
    rich_markup_mode="rich",
)
studies = typer.Typer(help="Create, run and look at studies.", no_args_is_help=True)
for name, command in (
    ("new", run.new),
    ("create", run.create),
    ("run", run.run),
    ("list", study.list_studies),
    ("show", study.show_study),
    ("best", study.best),
    ("confirm", confirm.confirm),
    ("export", study.export),
    ("stop", study.stop),
    ("delete", study.delete),
):
    studies.command(name)(command)
app.add_typer(studies, name="study")
app.add_typer(trial.app, name="trial")
app.command("train", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(train.train)
app.command("report")(report.report)
app.command("judge")(judge.judge)
app.command("scale")(scale.scale)
app.command("worker")(worker.worker)
app.command("serve")(serve.serve)
app.command("dashboard")(dashboard.dashboard)
app.command("lr-find")(lr_find.lr_find)
app.add_typer(schedules.app, name="schedules")
app.add_typer(tasks.app, name="tasks")
app.add_typer(storage.app, name="storage")
command_help.complete(app)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"lrsearch {__version__}")
        raise typer.Exit


def _tie(wanted: bool) -> None:
    if wanted:
        tie_to(sys.stdin)


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    tied: Annotated[bool, typer.Option("--tied", callback=_tie, hidden=True, help="End when stdin does.")] = False,
) -> None:
    """Which learning rate, and which schedule, should I use, and how sure can I be?"""


def _say_warnings() -> None:
    """Our own warnings become lines for the person, once each; those of libraries are shown as Python shows them."""
    others = warnings.showwarning
    said: set[str] = set()

    def show(message: Warning | str, category: type[Warning], *place: Any) -> None:
        if not issubclass(category, LrsearchWarning):
            others(message, category, *place)
        elif str(message) not in said:
            said.add(str(message))
            say(f"Warning: {message}", style="warning")

    warnings.showwarning = show  # type: ignore[assignment]
    warnings.simplefilter("always", LrsearchWarning)


def main() -> None:
    """Run the command line; every expected error becomes one message and its exit code."""
    search_seldom()
    try:
        environment.prepare()
        with warnings.catch_warnings(), own_messages(), closed_afterwards():
            _say_warnings()
            code = app(standalone_mode=False)
        sys.stdout.flush()
        sys.exit(code if isinstance(code, int) else 0)
    except LrsearchError as error:
        say(f"Error: {error}", style="error")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except typer.Abort:
        say("Aborted.")
        sys.exit(1)
    except BrokenPipeError:
        environment.give_up_output()
        sys.exit(1)
    except OSError as error:
        if error.filename is not None or error.errno not in environment.OUTPUT_FAILS:
            raise
        say(f"Error: the output cannot be written: {error.strerror}", style="error")
        environment.give_up_output()
        sys.exit(1)
    except Exception as error:
        sys.exit(_explained(error))


def _explained(error: Exception) -> int:
    """Say what an error of a library means, and give the exit code; one that means nothing to a person is raised."""
    from lrsearch.storage.retry import translated  # takes a while to import

    if hasattr(error, "format_message") and hasattr(error, "message"):
        # The command line itself is wrong. It may hold a storage's URL where none is expected.
        error.message = printable(error.message)
        if usage := _usage(error):
            say(usage, style="error")
        return 2
    if (told := translated(error)) is None:
        raise error
    __import__("traceback").print_exception(error)
    say(f"Error: {told}", style="error")
    return int(told.exit_code)


def _usage(error: Any) -> str:
    """What is wrong with a command line, as Click says it; nothing where it has just printed its help."""
    context, told = getattr(error, "ctx", None), error.format_message()
    if context is None or not told.strip():
        return str(told).strip()
    return f"{context.get_usage()}\nTry: {context.command_path} --help\nError: {told}"
