"""`lrsearch study`: look at studies, export, stop and delete them."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lrsearch.cli.answer import print_answer
from lrsearch.cli.options import OutputFormat, Storage, StudyName, quiet_libraries
from lrsearch.cli.output import Format, print_facts, print_json, print_table, say, settings, show
from lrsearch.errors import input_error
from lrsearch.printable import redacted
from lrsearch.storage.defaults import DEFAULT_URL

if TYPE_CHECKING:
    from lrsearch.study.stored import StoredStudy


HIDDEN_COLUMNS = ("best", "out_of_date")
"""Of the list's JSON form; the best single value flatters, and the other is a sign beside the answer."""
OLD = "(old)"
"""Stands beside a stored answer where the study has gone on since."""


def list_studies(storage: Storage = DEFAULT_URL, output: OutputFormat = Format.TABLE) -> None:
    """List the studies of a storage."""
    from lrsearch.study.overview import overview

    rows = overview(storage, lambda name, error: say(f"Study {name} is left out: {error}", style="warning"))
    if output is Format.JSON:
        print_json(rows)
    elif rows:
        print_table([_shown(row) for row in rows], [column for column in rows[0] if column not in HIDDEN_COLUMNS])
        if any(row["out_of_date"] for row in rows):
            say(f"{OLD} trials have ended since; lrsearch study best NAME gives the answer of now.")
    else:
        say("No studies yet. Start with: lrsearch study new my_study.toml")


def show_study(name: StudyName, storage: Storage = DEFAULT_URL, output: OutputFormat = Format.TABLE) -> None:
    """Show how far a study is and its best settings."""
    from lrsearch.study import recommendation

    stored = open_study(name, storage)
    summary = recommendation.summary(stored)
    if output is Format.JSON:
        print_json(summary)
    else:
        print_summary(summary)
        print_answer(stored)


def best(name: StudyName, storage: Storage = DEFAULT_URL, output: OutputFormat = Format.TABLE) -> None:
    """Show which settings to use, what to expect of them, and the code."""
    from lrsearch.study import recommendation

    stored = open_study(name, storage)
    found = recommendation.best_settings(stored)
    if output is Format.JSON:
        print_json(found.as_dict())
    else:
        print_answer(stored)


def export(
    name: StudyName,
    output: Annotated[Path, typer.Option(help="A file ending in .csv, .json or .parquet.", show_default=False)],
    curves: Annotated[bool, typer.Option("--curves", help="One row per epoch instead of one per trial.")] = False,
    finalists: Annotated[
        bool, typer.Option("--finalists", help="One row per confirmed run, for lrsearch judge, instead.")
    ] = False,
    storage: Storage = DEFAULT_URL,
) -> None:
    """Write a study's trials to a file, one row each."""
    from lrsearch.operations import export as operation

    if curves and finalists:
        raise input_error("command line", "choose one of --curves and --finalists", key="--finalists")
    stored = open_study(name, storage)
    rows = operation.finalists(stored, output) if finalists else operation.export(stored, output, curves=curves)
    say(f"Wrote {rows} rows to {output}.")


def stop(name: StudyName, storage: Storage = DEFAULT_URL) -> None:
    """Let every run of a study end after its current trial; `study run` goes on later."""
    from lrsearch.study import control

    control.stop(open_study(name, storage), True)
    say(f"Study {name} takes no further trials. Go on with: lrsearch study run {study_arguments(name, storage)}")


def delete(
    name: StudyName,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    storage: Storage = DEFAULT_URL,
) -> None:
    """Delete a study and all its trials for good."""
    from lrsearch.study import control
    from lrsearch.study import linked as links

    stored = open_study(name, storage)
    confirmed = " (with its confirmation)" if links.existing(stored.storage, name) else ""
    question = f"Delete study {name} and its {len(stored.trials())} trials{confirmed} for good?"
    if not yes and not typer.confirm(question, err=True):
        say("Nothing was deleted.")
        raise typer.Exit(0)
    control.delete(stored)
    say(f"Deleted study {name}{confirmed}.")


def open_study(name: str, storage: str) -> StoredStudy:
    """The study of that name.

    Raises:
        InputError: There is no such database or study.
    """
    quiet_libraries()
    from lrsearch.storage.rdb import open_storage
    from lrsearch.study import stored as studies

    return studies.load(open_storage(storage), name)


def print_summary(summary: dict[str, Any]) -> None:
    """Print what `recommendation.summary` gave, but for the recommendation itself."""
    trials = {key: value for key, value in summary["trials"].items() if value or key in ("budget", "complete")}
    facts = {"study": summary["name"], **{f"trials {key}": value for key, value in trials.items()}}
    facts["epochs trained"] = summary["epochs_trained"]
    if saved := summary["pruning"]:
        facts["pruning saved"] = pruning_saved(**saved)
    if winner := summary["best"]:
        facts["best single run"] = f"{show(winner['value'])} (trial {winner['number']}); expect worse"
    if confirmation := summary["confirmation"]:
        far = "" if confirmation["finished"] else ", not finished"
        facts["confirmed"] = f"{confirmation['finalists']} finalists on {len(confirmation['seeds'])} fresh seeds{far}"
    print_facts(facts)


def pruning_saved(
    epochs_saved: int, epochs_unpruned: int, seconds_saved: float, seconds_unpruned: float, **_: object
) -> str:
    """What `savings.Savings` says, in a line.

    Args:
        epochs_saved: Of the epochs.
        epochs_unpruned: That all trials would have taken.
        seconds_saved: Of the seconds.
        seconds_unpruned: That all trials would have taken.
    """
    seconds = f", about {seconds_saved / seconds_unpruned:.0%} of the seconds" if seconds_unpruned else ""
    return f"{epochs_saved / epochs_unpruned:.0%} of {epochs_unpruned} epochs{seconds} of training".replace("%", " %")


def study_arguments(name: str, storage: str) -> str:
    """Arguments with which a command finds the study again, ready to paste."""
    return shlex.quote(name) + storage_argument(storage)


def storage_argument(storage: str) -> str:
    """The option with which a command finds the storage again; nothing where it is the default."""
    return "" if storage == DEFAULT_URL else f" --storage {shlex.quote(redacted(storage))}"


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the list for the terminal, with a sign where the answer is an old one."""
    old = f" {OLD}" if row["out_of_date"] else ""
    expected = row["expected"]
    answer = {"expected": None if expected is None else show(expected) + old}
    return {**row, **answer, "lr": None if row["lr"] is None else settings(row)["lr"]}
