"""`lrsearch trial`: look at single trials, take bad ones out, and find lost ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from lrsearch.cli.options import Grace, OutputFormat, Storage, StudyName
from lrsearch.cli.output import Format, print_facts, print_json, print_table, say, settings
from lrsearch.cli.study import open_study, study_arguments
from lrsearch.errors import input_error
from lrsearch.storage.defaults import DEFAULT_URL, GRACE

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from lrsearch.study.stored import StoredStudy

app = typer.Typer(help="Look at single trials, take bad ones out, and find lost ones.", no_args_is_help=True)

Number = Annotated[int, typer.Argument(metavar="NUMBER", help="The trial's number.", show_default=False)]


@app.command("list")
def list_trials(name: StudyName, storage: Storage = DEFAULT_URL, output: OutputFormat = Format.TABLE) -> None:
    """List a study's trials."""
    stored = open_study(name, storage)
    rows = [_row(stored, trial) for trial in stored.trials()]
    if output is Format.JSON:
        print_json(rows)
    elif rows:
        print_table([{**_shown(row), "params": settings(_own(row["params"]))} for row in rows], list(rows[0]))
    else:
        say(f"Study {name} has no trials yet.")


@app.command("show")
def show_trial(
    name: StudyName, number: Number, storage: Storage = DEFAULT_URL, output: OutputFormat = Format.TABLE
) -> None:
    """Show a trial: settings, outcome, and the curves epoch by epoch."""
    from lrsearch.study import status

    stored = open_study(name, storage)
    trial = stored.trial(number)
    unit = "epoch" if stored.definition is None else stored.definition.training.unit
    curves = status.curves(trial, unit)
    if output is Format.JSON:
        print_json({**_row(stored, trial), "attributes": dict(trial.user_attrs), "curves": curves})
        return
    row = _shown(_row(stored, trial))
    params = settings(_own(row.pop("params")))
    if row["excluded"] is None:
        del row["excluded"]
    print_facts({**row, **{f"  {key}": value for key, value in params.items()}, **status.audit(trial, unit)})
    if curves:
        print_table(curves, list(curves[0]))


@app.command("exclude")
def exclude(
    name: StudyName,
    number: Number,
    reason: Annotated[str, typer.Option(help="Why; the report says it.")] = "excluded by hand",
    undo: Annotated[bool, typer.Option("--undo", help="Take the trial in again.")] = False,
    storage: Storage = DEFAULT_URL,
) -> None:
    """Take a trial out of best settings, comparisons and reports; it stays in the storage."""
    from lrsearch.study import control

    stored = open_study(name, storage)
    if undo:
        control.include(stored, number)
        say(f"Trial {number} counts again.")
    else:
        control.exclude(stored, number, reason)
        say(f"Trial {number} is out ({reason}). Take it in again with --undo.")


@app.command("reap")
def reap(
    name: StudyName, grace: Grace = GRACE, storage: Storage = DEFAULT_URL, output: OutputFormat = Format.TABLE
) -> None:
    """Find running trials whose worker is gone, and let their settings be run again."""
    from lrsearch.study import compatibility, control

    stored = open_study(name, storage)
    compatibility.check_version(stored)  # or else it would promise what no run here does
    lost = control.reap(stored, grace)
    if output is Format.JSON:
        print_json({"study": name, "lost": lost})
    elif lost:
        trials = f"Trial {lost[0]} was" if len(lost) == 1 else f"Trials {', '.join(map(str, lost))} were"
        say(f"{trials} lost with their worker: the settings are run again, unless that has happened too often.")
    else:
        say(f"Nothing to do: study {name} has no running trial whose worker is gone, or was silent for {grace:g} s.")


@app.command("retry")
def retry(
    name: StudyName,
    numbers: Annotated[
        list[int] | None, typer.Argument(metavar="[NUMBER...]", help="Trials that failed.", show_default=False)
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="All trials that failed for good.")] = False,
    storage: Storage = DEFAULT_URL,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Let the settings of failed trials be run again, under new numbers; `study run` trains them."""
    from lrsearch.study import retry as retrying

    if bool(numbers) == failed:
        raise input_error("trial retry", "name the trials, or all of them with --failed, and not both")
    stored = open_study(name, storage)
    again = retrying.retry(stored, numbers or None)
    if output is Format.JSON:
        print_json({"study": name, "retried": again})
    elif again:
        trials = f"trial{'s' if len(again) > 1 else ''} {', '.join(map(str, again))}"
        say(f"The settings of {trials} wait to be run again. Next: lrsearch study run {study_arguments(name, storage)}")
    else:
        say(f"Nothing to do: study {name} has no trial that failed for good.")


def _row(stored: StoredStudy, trial: FrozenTrial) -> dict[str, Any]:
    from lrsearch.sampling.space import rate_of
    from lrsearch.study import status

    return {
        "number": trial.number,
        "state": status.state(trial),
        "value": trial.values[0] if trial.values else None,
        "epochs": _epochs(stored, trial),
        "excluded": stored.excluded().get(trial.number),
        "scheduler": trial.params.get("scheduler"),
        "lr": rate_of(trial.params),
        "params": trial.params,
    }


def _epochs(stored: StoredStudy, trial: FrozenTrial) -> float:
    steps, per_epoch = len(trial.intermediate_values), stored.evaluations_per_epoch
    return steps if per_epoch == 1 else round(steps / per_epoch, 3)


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, **settings({"lr": row["lr"]})}


def _own(params: dict[str, Any]) -> dict[str, Any]:
    """The scheduler's own parameters, under their short names."""
    return {key.split(".")[-1]: value for key, value in params.items() if key not in ("lr", "scheduler")}
