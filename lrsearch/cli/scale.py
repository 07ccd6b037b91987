"""`lrsearch scale`: from runs of several lengths to the rate for a longer one, or a reason not to guess."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lrsearch.cli.answer import wrapped
from lrsearch.cli.judge import Direction
from lrsearch.cli.options import OutputFormat
from lrsearch.cli.output import Format, print_json, print_table, say, write
from lrsearch.errors import input_error

if TYPE_CHECKING:
    from lrsearch.study.scaling.scaled import Scaled


class Fixed(StrEnum):
    """What stays the same where data or batch size grow."""

    UPDATES = "updates"
    EPOCHS = "epochs"


def scale(
    to: Annotated[str, typer.Option(metavar="AXIS=NUMBER", help="The target, such as epochs=240.", show_default=False)],
    study: Annotated[str | None, typer.Argument(metavar="FILE|NAME", hidden=True)] = None,
    runs: Annotated[Path | None, typer.Option(help="A file of runs: .csv, .jsonl, .json, .parquet.")] = None,
    rungs: Annotated[
        str | None, typer.Option("--from", metavar="A,B,C", help="Use these lengths only; all below the target.")
    ] = None,
    fixed: Annotated[
        Fixed, typer.Option(help="What stayed the same where data or batch_size grew.")
    ] = Fixed.UPDATES,
    value: Annotated[str, typer.Option(help="Column of what a run came to.")] = "value",
    seed: Annotated[str, typer.Option(help="Column of the seed.")] = "seed",
    direction: Annotated[Direction, typer.Option(help="Which values are good.")] = Direction.MINIMIZE,
    plot: Annotated[Path | None, typer.Option(help="A .png file for the valleys and the line.")] = None,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Say which rate a longer run wants, from short runs that exist, or why that would be a guess."""
    from lrsearch.operations import scale as operation

    axis, place = operation.target(to)
    question = operation.Question(
        axis, place, operation.places(rungs), value, seed, direction.value, fixed.value
    )
    if study is not None or runs is None:
        rule = "runs are not trained by this version: train the short ones, and name their file with --runs"
        raise input_error("scale", rule, key="FILE|NAME", received=study)
    found, notes = operation.from_file(runs, question)
    if plot is not None:
        operation.draw(found, plot)
    for note in notes:
        say(f"Warning: {note}", style="yellow")
    if output is Format.JSON:
        print_json(found.document())
    else:
        _print_words(found)


def _print_words(found: Scaled) -> None:
    for own in found.types:
        optima = own.document()["optima"]
        rows: list[dict[str, Any]] = [
            {found.axis: f"{row['at']:g}", "best lr": row["lr"], "low": row["interval"][0], "high": row["interval"][1]}
            for row in optima
        ]
        if own.prediction is not None:
            low, high = own.prediction.interval
            rows.append({found.axis: f"{found.to:g}", "best lr": own.prediction.lr, "low": low, "high": high})
        write(f"{own.scheduler}: {own.verdict}")
        if rows:
            print_table(rows, list(rows[0]))
        write(wrapped(f"Why: {own.reason}."))
        write()
    write(wrapped(_headline(found)))


def _headline(found: Scaled) -> str:
    best = found.recommended
    if best is None or best.prediction is None:
        return f"No rate for {found.axis} {found.to:g}: it would be a guess."
    low, high = best.prediction.interval
    return (
        f"At {found.axis} {found.to:g} use {best.scheduler} with lr {best.prediction.lr:.2g} (95 % interval of the "
        f"best rate {low:.2g} to {high:.2g}). The interval covers seeds, the slope and what lines miss; test it with "
        f"three rates on two seeds before you rely on it."
    )
