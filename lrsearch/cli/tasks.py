"""`lrsearch tasks`: what can be trained."""

from __future__ import annotations

from typing import Any

import typer

from lrsearch import registry
from lrsearch.cli.options import Load, OutputFormat
from lrsearch.cli.output import Format, print_json, print_table

app = typer.Typer(help="List tasks and their options.")


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
