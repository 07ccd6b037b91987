"""`lrsearch schedules`: which scheduler types there are, as a list and as a figure."""

from __future__ import annotations

import math
import textwrap
from pathlib import Path
from typing import Annotated, Any

import typer

from lrsearch import registry
from lrsearch.cli import completion
from lrsearch.cli.options import Load, OutputFormat
from lrsearch.cli.output import Format, print_json, say, show, write
from lrsearch.errors import Fault, InputError
from lrsearch.study_file.faults import show as written

app = typer.Typer(help="List and draw the scheduler types; without a further word, list them.")
WIDTH = 100


@app.callback(invoke_without_command=True)
def schedules(context: typer.Context, modules: Load = None, output: OutputFormat = Format.TABLE) -> None:
    """List and draw the scheduler types; without a further word, list them."""
    _load(modules)
    if context.invoked_subcommand is None:
        list_schedules(None, output)


@app.command("list")
def list_schedules(modules: Load = None, output: OutputFormat = Format.TABLE) -> None:
    """List the scheduler types: formula, parameters with their default ranges, torch class, other names."""
    _load(modules)
    described = [_describe(registry.schedules.get(name)) for name in registry.schedules]
    if output is Format.JSON:
        print_json(described)
        return
    for family in described:
        write("\n".join(_lines(family)) + "\n")
    write(_wrapped("Every family also takes warmup_fraction: a linear rise before its own shape.", ""))


@app.command("plot")
def plot(
    output: Annotated[Path, typer.Option(metavar="F.png", help="The figure to write.", show_default=False)],
    types: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TYPE]...", help="Names, groups or aliases; all by default.", autocompletion=completion.schedulers
        ),
    ] = None,
    epochs: Annotated[int, typer.Option(help="Epochs of the run.")] = 60,
    lr: Annotated[float, typer.Option(help="Initial learning rate.")] = 0.1,
    batches: Annotated[int, typer.Option(help="Updates in an epoch.")] = 14,
    modules: Load = None,
) -> None:
    """Draw scheduler types, a panel each: learning rate against epoch."""
    _load(modules)
    names = _checked(types or ["all"], epochs, lr, batches, output)
    from lrsearch.report import figures, files
    from lrsearch.report.figures.families import families

    drawn = families([registry.schedules.get(name) for name in names], lr, epochs, batches)
    files.replace(output.parent, {output.name: figures.png(drawn)})
    say(f"Wrote {output}: {', '.join(names)}.")


def _load(modules: list[str] | None) -> None:
    if modules:
        from lrsearch.tasks import loading

        loading.load(modules)


def _checked(types: list[str], epochs: int, lr: float, batches: int, output: Path) -> list[str]:
    """The families to draw, when everything else is right too."""
    faults = [
        Fault(name, "must be at least 1", str(value))
        for name, value in (("--epochs", epochs), ("--batches", batches))
        if value < 1
    ]
    if not (math.isfinite(lr) and lr > 0):
        faults.append(Fault("--lr", "must be a finite number larger than 0", repr(lr)))
    names: list[str] = []
    try:
        names = registry.schedules.expand(types)
    except InputError as error:
        faults.extend(Fault("TYPE", *_rest(fault)) for fault in error.faults)
    try:
        from lrsearch.report import files

        files.check_picture(output, "--output")
    except InputError as error:
        faults.extend(error.faults)
    if faults:
        raise InputError("schedules plot", faults)
    return names


def _rest(fault: Fault) -> tuple[str, str | None, tuple[str, ...]]:
    return fault.rule, fault.received, fault.nearest


def _describe(family: Any) -> dict[str, Any]:
    default = family.of({}).values()
    groups = [group for group, members in registry.schedules.groups().items() if family.name in members]
    return {
        "name": family.name,
        "formula": family.formula,
        "unit": family.unit,
        "torch_class": family.torch_class,
        "aliases": registry.schedules.aliases_of(family.name),
        "groups": groups,
        "summary": family.summary(),
        "parameters": [
            {
                "name": name,
                "meaning": declared.meaning,
                "default": default[name],
                "search": _axis(declared.search),
                "rule": declared.rule(name),
            }
            for name, declared in family.parameters().items()
        ],
    }


def _axis(axis: Any) -> Any:
    return axis.model_dump(exclude_none=True, exclude_defaults=True) if hasattr(axis, "model_dump") else axis


def _lines(family: dict[str, Any]) -> list[str]:
    """One family in at most `WIDTH` columns."""
    lines = [
        f"{family['name']} (per {family['unit']}, torch {family['torch_class']})",
        _wrapped(f"factor = {family['formula']}", "  "),
    ]
    if family["aliases"]:
        lines.append(_wrapped(f"aliases: {', '.join(family['aliases'])}", "  "))
    lines.append(_wrapped(f"groups: {', '.join(family['groups'])}", "  "))
    for parameter in family["parameters"]:
        if parameter["search"] is not None:
            head = f"{parameter['name']:<16} {_range(parameter['search']):<18}"
            lines.append(_wrapped(f"{head} {parameter['meaning']} (default {show(parameter['default'])})", "  "))
    return lines


def _range(axis: Any) -> str:
    """A default search range as in `studies/README.md`: ``0.1..0.7 log``."""
    if isinstance(axis, dict) and "low" in axis:
        return f"{axis['low']:g}..{axis['high']:g}" + (" log" if axis.get("log") else "")
    return written(axis["choices"] if isinstance(axis, dict) else axis)


def _wrapped(line: str, indent: str) -> str:
    return textwrap.fill(line, WIDTH, initial_indent=indent, subsequent_indent=indent + "    ")
