"""`lrsearch study confirm`: the finalists of a search, trained again on fresh seeds."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lrsearch.cli.answer import print_answer
from lrsearch.cli.messages import interruptible, show_messages
from lrsearch.cli.options import (
    Cluster,
    Device,
    Engine,
    GpusPerWorker,
    Grace,
    Load,
    OutputFormat,
    Quiet,
    Storage,
    StudyName,
    Threads,
    Workers,
    quiet_libraries,
)
from lrsearch.cli.output import Format, print_json, print_table
from lrsearch.cli.study import study_arguments
from lrsearch.errors import input_error
from lrsearch.operations.run_options import RunOptions
from lrsearch.storage.defaults import DEFAULT_URL, GRACE

if TYPE_CHECKING:
    from lrsearch.study.evidence import Evidence
    from lrsearch.study.stored import StoredStudy


def confirm(
    name: StudyName,
    top: Annotated[
        int | None, typer.Option(min=1, max=100, help="Finalists from the search; 5, or what the study says.")
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(min=2, max=1000, help="Exactly so many fresh seeds; by default as many as it takes."),
    ] = None,
    command: Annotated[
        str | None,
        typer.Option(help="Of a study of another tool: what to run, with {names of its parameters} and {seed}."),
    ] = None,
    lr_parameter: Annotated[
        str | None, typer.Option(help="With --command: the float parameter that plays the learning rate.")
    ] = None,
    valley: Annotated[
        bool, typer.Option("--valley/--no-valley", help="With --command: also run half and twice the rate, or not.")
    ] = True,
    engine: Engine = "auto",
    device: Device = "auto",
    threads: Threads = 1,
    workers: Workers = None,
    cluster: Cluster = None,
    gpus_per_worker: GpusPerWorker = None,
    grace: Grace = GRACE,
    modules: Load = None,
    quiet: Quiet = False,
    storage: Storage = DEFAULT_URL,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Train a study's best settings again on fresh seeds, and say which to take."""
    quiet_libraries()
    show_messages(quiet=quiet)
    from lrsearch.cli.progress import Progress
    from lrsearch.operations import confirm as operation
    from lrsearch.operations import confirm_command
    from lrsearch.operations.confirm_objective import Wanted
    from lrsearch.study import open as opening

    opening.bring_in(modules or [])
    stored = opening.find(name, storage)
    if command is not None:
        if engine != "auto" or cluster is not None:
            rule = "a command is run on this machine, and no engine trains it: leave --engine and --cluster out"
            raise input_error("command line", rule, key="--command")
        with interruptible(f"lrsearch study confirm {study_arguments(name, storage)} --command {shlex.quote(command)}"):
            confirm_command.confirm(stored, command, Wanted(top, seeds, valley, lr_parameter), workers or 1)
        print_confirmation(stored, output)
        return
    if lr_parameter is not None or not valley:
        rule = "goes with --command; a study file says [confirm] valley = false, and calls the learning rate lr"
        raise input_error("command line", rule, key="--lr-parameter" if valley else "--no-valley")
    options = RunOptions(engine, device, threads, None, grace, workers, gpus_per_worker, cluster, tuple(modules or ()))
    with interruptible(f"lrsearch study confirm {study_arguments(name, storage)}"):
        operation.confirm(stored, options, Progress(quiet=quiet), top, seeds)
    print_confirmation(stored, output)


def print_confirmation(stored: StoredStudy, output: Format) -> None:
    """Print the finalists and the verdict.

    Args:
        stored: A study with a confirmation.
        output: As a table or as JSON.
    """
    from lrsearch.report.headline import Answer

    told = Answer.of(stored)
    evidence, found = told.evidence, told.recommendation
    assert evidence is not None
    if output is Format.TABLE:
        rows = [{key: value for key, value in row.items() if key != "values"} for row in _rows(evidence)]
        print_table([{**row, "params": _settings(row["params"])} for row in rows], list(rows[0]))
        print_answer(stored)
        return
    confirmed = found if found is not None and found.is_confirmed else None
    print_json(
        {
            "name": stored.name,
            "scored_on": evidence.rows,
            "rows": evidence.row_count,
            "seeds": evidence.seeds,
            "finalists": _rows(evidence),
            "gained": _gained(evidence),
            "recommended": confirmed and confirmed.params,
            "expected": _expected(evidence) if confirmed else None,
            "verdict": f"{told.headline()} {told.how_sure()}",
        }
    )


def _expected(evidence: Evidence) -> dict[str, float]:
    expected = evidence.expected
    return {"mean": expected.mean, "low": expected.low, "high": expected.high}


def _gained(evidence: Evidence) -> list[dict[str, Any]]:
    """What the search gained over each contestant; null where that diverged or failed."""
    from lrsearch.study.gained import gains

    return [
        {
            "contestant": one.name,
            "params": one.contender.params,
            "mean": one.contender.mean_so_far,
            "gained": one.difference and one.difference.mean,
            "low": one.difference and one.difference.low,
            "high": one.difference and one.difference.high,
            "share": one.share,
        }
        for one in gains(evidence)
    ]


def _rows(evidence: Evidence) -> list[dict[str, Any]]:
    rows = []
    for place, contender in enumerate(evidence.contenders):
        interval = evidence.interval(contender) if contender.is_complete else None
        rows.append(
            {
                "params": contender.params,
                "from": contender.role,
                "seeds": contender.planned,
                "mean": contender.mean_so_far,
                "low": interval and interval.low,
                "high": interval and interval.high,
                "chance_best": evidence.chances[place] if interval else None,
                "search": contender.searched,
                "diverged": contender.diverged,
                "values": [float(value) for value in contender.values],
            }
        )
    return rows


def _settings(params: dict[str, Any]) -> str:
    from lrsearch.report import wording

    return wording.describe(params)
