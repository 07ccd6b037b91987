"""`lrsearch scale`: from runs of several lengths to the rate for a longer one, or a reason not to guess."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lrsearch.cli.answer import wrapped
from lrsearch.cli.judge import Direction
from lrsearch.cli.messages import interruptible, show_messages
from lrsearch.cli.options import Device, Engine, Load, OutputFormat, Quiet, Storage, Threads, Workers, quiet_libraries
from lrsearch.cli.output import Format, print_json, print_table, say, write
from lrsearch.cli.study import study_arguments
from lrsearch.errors import input_error
from lrsearch.storage.defaults import DEFAULT_URL

if TYPE_CHECKING:
    from lrsearch.operations.scale import Question
    from lrsearch.study.scale_record import AtTarget
    from lrsearch.study.scaling.plan import Plan
    from lrsearch.study.scaling.scaled import Scaled


class Fixed(StrEnum):
    """What stays the same where data or batch size grow."""

    UPDATES = "updates"
    EPOCHS = "epochs"


def scale(
    study: Annotated[
        str | None, typer.Argument(metavar="[FILE|NAME]", help="A study file, or a study.", show_default=False)
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(metavar="AXIS=NUMBER", help="The target, such as epochs=240; or the file's, or the last one."),
    ] = None,
    rungs: Annotated[
        str | None, typer.Option("--from", metavar="A,B,C", help="Places of the short runs; all below the target.")
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="RUNS",
            help="What short runs may cost, in runs at the target. It decides how many seeds; by default 7, the fewest "
            "that predicted well in the benchmark.",
        ),
    ] = None,
    fixed: Annotated[Fixed, typer.Option(help="What stays the same where data or batch_size grow.")] = Fixed.UPDATES,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would cost, and train nothing.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Train three rates around the prediction at the target, on two seeds.")
    ] = False,
    runs: Annotated[Path | None, typer.Option(help="Runs that exist: .csv, .jsonl, .json, .parquet.")] = None,
    value: Annotated[str, typer.Option(help="Of --runs: column of what a run came to.")] = "value",
    seed: Annotated[str, typer.Option(help="Of --runs: column of the seed.")] = "seed",
    direction: Annotated[Direction, typer.Option(help="Of --runs: which values are good.")] = Direction.MINIMIZE,
    plot: Annotated[Path | None, typer.Option(help="A .png file for the valleys and the line.")] = None,
    engine: Engine = "auto",
    device: Device = "auto",
    threads: Threads = 1,
    workers: Workers = None,
    modules: Load = None,
    quiet: Quiet = False,
    storage: Storage = DEFAULT_URL,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Say which rate a longer run wants, from short runs, or why that would be a guess."""
    from lrsearch.operations import scale as operation

    if (study is None) == (runs is None):
        raise input_error("scale", "name a study, its file, or the runs that exist with --runs", key="FILE|NAME")
    if runs is not None:
        _of_runs(runs, _question(to, rungs, value, seed, direction, fixed), plot, output)
        return
    assert study is not None
    quiet_libraries()
    show_messages(quiet=quiet)
    from lrsearch.cli.progress import Progress
    from lrsearch.operations import scale_plan, scale_study
    from lrsearch.operations.run_options import RunOptions
    from lrsearch.study.scaling.plan import SEEDS

    stored, definition = scale_study.opened(study, storage, modules or [])
    asked = scale_plan.Asked(to, operation.places(rungs), fixed.value, budget)
    plan = scale_plan.planned(definition, stored, asked)
    _say_cost(plan, by_default=budget is None and plan.seeds == SEEDS)
    if dry_run:
        say("Nothing was trained (--dry-run).")
        return
    code = scale_study.code_of(study, modules, definition)
    options = RunOptions(engine, device, threads, workers=workers, load=code)
    again = f"lrsearch scale {study_arguments(study, storage)}{_asked(to, rungs, budget, fixed)}"
    display = Progress(quiet=quiet)
    with interruptible(again):
        found = scale_study.scale(stored, definition, storage, plan, options, display)
        if plot is not None:
            operation.draw(found, plot)
        if check and found.recommended is None:
            _print(found, output)
        tested = scale_study.check(definition, storage, plan, found, options, display) if check else []
    _print(found, output, tested)
    if not check and found.recommended is not None:
        say(f"Test it with: {again} --check")


def _question(to: str | None, rungs: str | None, value: str, seed: str, direction: Direction, fixed: Fixed) -> Question:
    """What is asked of runs that exist."""
    from lrsearch.operations import scale as operation

    if to is None:
        raise input_error("scale", "is missing; write for example --to epochs=240", key="--to")
    axis, place = operation.target(to)
    return operation.Question(axis, place, operation.places(rungs), value, seed, direction.value, fixed.value)


def _of_runs(runs: Path, question: Question, plot: Path | None, output: Format) -> None:
    from lrsearch.operations import scale as operation

    found, notes = operation.from_file(runs, question)
    for note in notes:
        say(f"Warning: {note}", style="warning")
    if plot is not None:
        operation.draw(found, plot)
    _print(found, output)


def _asked(to: str | None, rungs: str | None, budget: float | None, fixed: Fixed) -> str:
    """The flags that make the same plan again."""
    own = "" if fixed is Fixed.UPDATES else fixed.value
    flags = {"--to": to, "--from": rungs, "--budget": budget and f"{budget:g}", "--fixed": own}
    return "".join(f" {flag} {value}" for flag, value in flags.items() if value)


def _say_cost(plan: Plan, *, by_default: bool) -> None:
    cost = plan.cost_at_most
    places = ", ".join(f"{at:g}" for at in plan.rungs)
    types = ", ".join(own.scheduler for own in plan.entrants)
    say(
        f"Short runs of {types} at {plan.axis} {places}, {plan.seeds} seeds: at most {cost.epochs:,} epochs, as much "
        f"as {cost.full_runs:.1f} runs at {plan.to:g}."
    )
    if by_default:
        say(
            f"{plan.seeds} seeds are the default, the fewest that predicted well in the benchmark. --budget RUNS takes "
            f"fewer or more; the smallest is {plan.cheapest:g}."
        )


def _print(found: Scaled, output: Format, tested: Sequence[AtTarget] = ()) -> None:
    if output is Format.JSON:
        print_json({**found.document(), **({"check": [one.document() for one in tested]} if tested else {})})
        return
    from lrsearch.report.scale_words import headline

    for own in found.types:
        rows: list[dict[str, Any]] = [
            {found.axis: f"{row['at']:g}", "best lr": row["lr"], "low": row["interval"][0], "high": row["interval"][1]}
            for row in own.document()["optima"]
        ]
        if own.prediction is not None:
            low, high = own.prediction.interval
            rows.append({found.axis: f"{found.to:g}", "best lr": own.prediction.lr, "low": low, "high": high})
        write(f"{own.scheduler}: {own.verdict}")
        if rows:
            print_table(rows, list(rows[0]))
        write(wrapped(f"Why: {own.reason}."))
        write()
    write(wrapped(headline(found)))
    if tested:
        print_table([one.document() for one in tested], ["lr", "value", "seeds"])
