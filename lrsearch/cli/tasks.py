"""`lrsearch tasks`: what can be trained."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lrsearch import registry
from lrsearch.cli import completion, named_task
from lrsearch.cli.options import Load, OutputFormat, Set
from lrsearch.cli.output import Format, print_facts, print_json, print_table, say, write
from lrsearch.errors import Fault, InputError, input_error, nearest

if TYPE_CHECKING:
    from lrsearch.study_file.model import Definition

app = typer.Typer(help="List tasks and their options, check one, and write one.")
TRIALS = 200
"""Of the study whose duration is told."""


@app.callback(invoke_without_command=True)
def list_tasks(context: typer.Context, modules: Load = None, output: OutputFormat = Format.TABLE) -> None:
    """List tasks with their options."""
    if context.invoked_subcommand is not None:
        return
    if modules:
        from lrsearch.tasks import loading

        loading.load(modules)
    described = [_describe(registry.tasks.get(name)) for name in registry.tasks]
    if output is Format.JSON:
        print_json(described)
        return
    for task in described:
        write(f"{task['name']}: {task['summary']}\n")
        print_table(task["options"], ["option", "type", "default"])


@app.command("new")
def new(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE.py", help="Where to write; after the CSV file's name if left out.", show_default=False
        ),
    ] = None,
    study: Annotated[
        Path | None, typer.Option(metavar="FILE.toml", help="Write a study file for it, too.", show_default=False)
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(help="regression (default), classification, sequence, transformer or images.", show_default=False),
    ] = None,
    from_csv: Annotated[
        Path | None,
        typer.Option("--from-csv", metavar="FILE.csv", help="A table that the task reads.", show_default=False),
    ] = None,
    target: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="The table's column to predict.", show_default=False)
    ] = None,
) -> None:
    """Write a short task to start from, or one that reads a CSV file."""
    from lrsearch.tasks import starts, template

    if from_csv is None:
        if file is None or target is not None:
            rule = "goes with --from-csv" if target is not None else "name the file to write, such as my_task.py"
            raise input_error("tasks new", rule, key="--target" if target is not None else "FILE.py", received=target)
        name = template.write(file, study, kind or starts.DEFAULT)
    else:
        if target is None:
            raise input_error("tasks new", "is needed: the column of the table to predict", key="--target")
        file, study, name = _from_table(file, study, from_csv, target, kind)
    _say_next(file, study, name)


def _from_table(
    file: Path | None, study: Path | None, table: Path, target: str, kind: str | None
) -> tuple[Path, Path | None, str]:
    from lrsearch.tasks import table as tables
    from lrsearch.tasks import table_start, template

    found = tables.look(table, target, kind)
    if file is None:
        file = Path(f"{table_start.stem(table, registry.tasks)}.py")
        study = study or file.with_suffix(".toml")
    name = template.write_from_table(file, study, found)
    say(f"{table}:")
    facts = table_start.facts(found)
    for key, value in facts.items():
        say(f"  {key.ljust(max(map(len, facts)))}  {value}")
    return file, study, name


def _say_next(file: Path, study: Path | None, name: str) -> None:
    quoted = shlex.quote(str(file))
    say(f"Wrote {file}{f' and {study}' if study else ''}. Next:")
    say(f"  lrsearch tasks check {quoted}:{name}")
    if study is None:
        say(f"  lrsearch train --task {quoted}:{name} --lr 0.1")
    else:
        say(f"  lrsearch study run {shlex.quote(str(study))}")


@app.command("check")
def check(
    task: Annotated[
        str,
        typer.Argument(
            metavar="NAME|FILE:NAME",
            help="A task, or its file and its name.",
            show_default=False,
            autocompletion=completion.tasks,
        ),
    ],
    settings: Set = None,
    modules: Load = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    output: OutputFormat = Format.TABLE,
) -> None:
    """Try a task out: which engine trains it and why, memory, seconds per epoch, and how long a study would take."""
    sources = named_task.optimizer_sources(settings or [])
    name = named_task.found(task, [*(modules or []), *sources], "tasks check")
    definition = _definition(name, settings or [])
    made = registry.tasks.get(name).build(definition.task.options)
    from lrsearch.operations import try_task
    from lrsearch.training.engine import set_threads

    set_threads(1)
    tried = try_task.try_out(made, definition, device)
    if output is Format.JSON:
        print_json({"task": name, **asdict(tried)})
        return
    write(tried.note)
    rows = {"train": tried.train_rows, "test": tried.test_rows, "holdout": tried.holdout_rows}
    streamed = f" (a stream: {tried.stream_batches} batches an epoch, in its own order)" if tried.stream_batches else ""
    sample, smaller = tried.sample, tried.sample.direction == "minimize"
    at_once = f", {tried.lanes} at once" if tried.lanes > 1 else ""
    study = tried.study
    training = definition.training
    length = f"{training.epochs} epochs"
    every = "" if training.unit == "epoch" else "evaluations "
    pruning = f"pruning after {every}{', '.join(map(str, study.rungs))}" if study.rungs else "no pruning"
    lasts = f"about {_duration(study.seconds)}"
    if study.least_seconds is not None:
        lasts = f"about {_duration(study.least_seconds)} to {_duration(study.seconds)}, as patience ends runs,"
    print_facts(
        {
            "rows": ", ".join(f"{number} {part}" for part, number in rows.items() if number) + streamed,
            "inputs": sample.inputs,
            "outputs": sample.outputs,
            "targets": sample.targets,
            "metric": f"{sample.metric} = {sample.value:.4g} of these {sample.rows} rows, untrained; "
            f"{'smaller' if smaller else 'larger'} is better ({sample.direction})",
            "parameters": tried.parameters,
            "memory": f"{_size(tried.lane_bytes)} per trial in training",
            "epoch": f"{_duration(tried.epoch_seconds)} per trial{at_once}",
            f"{study.trials} trials": f"{lasts} of training (one worker, {length}, {pruning})",
        }
    )


def _definition(name: str, settings: list[str]) -> Definition:
    from lrsearch.study_file import load

    document = load.override({"task": {"name": name}, "training": {}}, settings)
    others = [key for key in document if key not in ("task", "training")]
    if others:
        rule = "only task and training may be set here"
        raise InputError("--set", [Fault(key, rule, None, nearest(key, ["task", "training"])) for key in others])
    return load.parse({"study": {"name": "check", "trials": TRIALS}, **document}, "--set")


def _size(number: int) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if number < 1024:
            return f"{number:.3g} {unit}"
        number = number / 1024  # type: ignore[assignment]
    return f"{number:.3g} GiB"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.2g} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def _describe(definition: Any) -> dict[str, Any]:
    from lrsearch.study_file.model import TRAIN_SHARE

    schema = definition.options.model_json_schema()
    options = [
        {"option": name, "type": _type(part), "default": definition.options.model_fields[name].default}
        for name, part in schema["properties"].items()
        if name != TRAIN_SHARE or not definition.has_share  # which every task has
    ]
    return {"name": definition.name, "summary": definition.summary, "options": options}


def _type(schema: dict[str, Any]) -> str:
    """A JSON schema in a few words, such as ``whole number >= 2``."""
    if "anyOf" in schema:
        return " or ".join(_type(part) for part in schema["anyOf"] if part.get("type") != "null")
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}s"
    words = _TYPES.get(schema.get("type", ""), schema.get("type", "any"))
    bounds = [f"{sign} {schema[key]:g}" for key, sign in _BOUNDS.items() if key in schema]
    return " ".join([words, ", ".join(bounds)]).strip()


_TYPES = {"integer": "whole number", "number": "number", "string": "text", "boolean": "true or false"}
_BOUNDS = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}
