"""`lrsearch tasks`: what can be trained."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from lrsearch import registry
from lrsearch.cli.options import Load, OutputFormat, Set
from lrsearch.cli.output import Format, print_json, print_table
from lrsearch.errors import Fault, InputError, input_error, nearest
from lrsearch.study_file import load
from lrsearch.study_file.faults import validate
from lrsearch.study_file.model import TrainingSection

app = typer.Typer(help="List tasks and their options, and check one.")


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
        print(f"{task['name']}: {task['summary']}\n")
        print_table(task["options"], ["option", "type", "default"])


@app.command("check")
def check(
    task: Annotated[
        str, typer.Argument(metavar="NAME|FILE:NAME", help="A task, or its file and its name.", show_default=False)
    ],
    settings: Set = None,
    modules: Load = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    output: OutputFormat = Format.TABLE,
) -> None:
    """Say which engine trains a task, and if it is the sequential one, why."""
    document = load.override({"task": {}, "training": {}}, settings or [])
    from lrsearch.tasks import loading

    file, _, name = task.rpartition(":")
    loading.load([*(modules or []), *([file] if file else [])])
    if name not in registry.tasks:
        known = ", ".join(registry.tasks)
        raise input_error(
            "tasks check",
            f"no such task; there are {known}",
            key="task",
            received=f'"{name}"',
            nearest=nearest(name, registry.tasks),
        )
    training = _training(document)
    from lrsearch.training.choice import choose_engine
    from lrsearch.training.engine import set_threads

    set_threads(1)
    engine, note = choose_engine("auto", registry.tasks.get(name).build(document["task"]), training, device)
    if output is Format.JSON:
        print_json({"task": name, "engine": engine.name, "note": note})
    else:
        print(note)


def _training(document: dict[str, Any]) -> TrainingSection:
    others = [key for key in document if key not in ("task", "training")]
    faults = [
        Fault(key, "only task and training may be set here", None, nearest(key, ["task", "training"])) for key in others
    ]
    training = validate(TrainingSection, document["training"], "training", faults)
    if training is None or faults:
        raise InputError("--set", faults)
    return training


def _describe(definition: Any) -> dict[str, Any]:
    schema = definition.options.model_json_schema()
    options = [
        {"option": name, "type": _type(part), "default": definition.options.model_fields[name].default}
        for name, part in schema["properties"].items()
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
