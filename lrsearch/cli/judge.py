"""`lrsearch judge`: which settings to use, from runs that exist already, whoever made them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lrsearch.cli.answer import wrapped
from lrsearch.cli.options import OutputFormat
from lrsearch.cli.output import Format, print_json, print_table, say
from lrsearch.errors import input_error

if TYPE_CHECKING:
    from lrsearch.operations.judge import Answer
    from lrsearch.study.contender import Contender
    from lrsearch.study.judged import Judged


class Direction(StrEnum):
    """Which values are good."""

    MINIMIZE = "minimize"
    MAXIMIZE = "maximize"


def judge(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUNS", help="Files of runs: .csv, .jsonl, .json, .parquet.", show_default=False),
    ],
    value: Annotated[str, typer.Option(help="Column of what a run came to.", show_default=False)],
    settings: Annotated[str, typer.Option(help="Columns of settings, with commas between.", show_default=False)],
    seed: Annotated[str, typer.Option(help="Column of the seed.")] = "seed",
    epoch: Annotated[str | None, typer.Option(help="Column of the epoch, where a run is several rows.")] = None,
    baseline: Annotated[str | None, typer.Option(help="What you use today, such as lr=0.001.")] = None,
    direction: Annotated[Direction | None, typer.Option(help="Which values are good; small ones by default.")] = None,
    plot: Annotated[Path | None, typer.Option(help="A .png file for values and intervals.")] = None,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Say which settings to use, and how sure that is, from runs that exist already."""
    from lrsearch.operations import judge as operation

    named = [name.strip() for name in settings.split(",") if name.strip()]
    question = operation.Question(
        value, named, seed, epoch, _baseline(baseline), direction.value if direction is not None else None
    )
    found = operation.judge_files(runs, question)
    if plot is not None:
        operation.draw(found.judged, plot)
    for note in found.notes:
        say(f"Warning: {note}", style="warning")
    if output is Format.JSON:
        _print_document(found.judged)
    else:
        _print_words(found)


def _baseline(text: str | None) -> dict[str, Any] | None:
    from lrsearch.report.runs.files import number

    if text is None:
        return None
    found = {}
    for part in text.split(","):
        name, equals, value = part.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise input_error("judge", "write it as NAME=VALUE, with commas between", key="--baseline", received=part)
        found[name.strip()] = number(value)
    return found


def _print_document(judged: Judged) -> None:
    from lrsearch.report.runs.words import Words

    found = judged.recommended
    if found is None:
        say(Words(judged).headline())
    print_json(
        {
            "recommended": found and found.as_dict(),
            "settings": [_row(one, judged) for one in judged.evidence.contenders],
            "wanted": [{"params": one.params, "seeds": one.seeds} for one in judged.wanted],
        }
    )


def _print_words(found: Answer) -> None:
    from lrsearch.report.runs.words import Words
    from lrsearch.report.wording import describe

    judged = found.judged
    rows = [{**_row(one, judged), "params": describe(one.params)} for one in judged.evidence.contenders]
    for row in rows:
        limits = row.pop("interval")
        row["low"], row["high"] = limits or (None, None)
    print_table(rows, ["params", "seeds", "mean", "low", "high"])
    words = Words(judged)
    print(wrapped(words.headline()))
    for prose in (words.how_sure(), words.more_runs()):
        if prose:
            print(f"\n{wrapped(prose)}")


def _row(one: Contender, judged: Judged) -> dict[str, Any]:
    interval = judged.evidence.interval(one) if one.is_complete else None
    return {
        "params": one.params,
        "seeds": one.trained,
        "mean": one.mean_so_far,
        "interval": interval and [interval.low, interval.high],
    }
