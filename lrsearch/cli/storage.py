"""`lrsearch storage`: look at the database that keeps the studies, and bring it up to date."""

from __future__ import annotations

from typing import Any

import typer

from lrsearch.cli.options import Grace, OutputFormat, Storage, quiet_libraries
from lrsearch.cli.output import Format, print_facts, print_json, say
from lrsearch.cli.study import study_arguments
from lrsearch.storage.defaults import DEFAULT_URL, GRACE

app = typer.Typer(help="Look at the database that keeps the studies, and bring it up to date.", no_args_is_help=True)


@app.command("check")
def check(storage: Storage = DEFAULT_URL, grace: Grace = GRACE, output: OutputFormat = Format.TABLE) -> None:
    """Show whether the storage can be reached and used, its settings, and trials that nobody trains any more."""
    quiet_libraries()
    from lrsearch.storage.inspection import inspect
    from lrsearch.storage.rdb import check_schema, parse

    found = inspect(storage, grace)
    shown = found.as_dict()
    if output is Format.JSON:
        print_json(shown)
    else:
        print_facts(_facts(shown))
    check_schema(parse(storage), found.schema)
    for study in shown["stale"] or {}:
        say(f"Let stale settings be run again with: lrsearch trial reap {study_arguments(study, storage)}")


@app.command("upgrade")
def upgrade(storage: Storage = DEFAULT_URL) -> None:
    """Bring the database to the schema of the installed Optuna, with room for long curves; end all runs first."""
    quiet_libraries()
    from lrsearch.storage import upgrade as upgrading

    done = upgrading.upgrade(storage)
    if not done.is_done:
        there = f"has the newest schema, {done.after}" if done.before else "has no tables of Optuna yet"
        say(f"Nothing to do: the storage {there}.")
        return
    if done.copy:
        say(f"The database as it was: {done.copy}")
    elif done.is_server:
        say("No copy was made: that of a server is made with its own tools.")
    if done.is_migrated:
        say(f"Upgraded the storage from schema {done.before} to {done.after}.")
    if done.is_widened:
        say("Made room for longer curves: an attribute of a trial may now have 16 MiB instead of 64 KiB.")


def _facts(shown: dict[str, Any]) -> dict[str, Any]:
    schema, size = shown["schema"], shown["size_bytes"]
    words = {
        "none": "no tables yet",
        "newest": f"{schema['revision']}, the newest",
        "older": f"{schema['revision']}, older than {schema['newest']}",
        "newer": f"{schema['revision']}, unknown; the newest known is {schema['newest']}",
    }
    facts = {
        "storage": shown["storage"],
        "reachable": shown["reachable"],
        "version": f"{shown['kind']} {shown['version']}",
        "size": None if size is None else f"{size / 2**20:.1f} MiB",
        "schema": words[schema["state"]],
        **shown["settings"],
        "studies": shown["studies"],
        "trials running": shown["running"],
    }
    for study, numbers in (shown["stale"] or {}).items():
        facts[f"  stale in {study}"] = ", ".join(map(str, numbers))
    fault = shown["bulk_writing_fault"]
    return {**facts, "bulk writing": "yes" if fault is None else f"no: {fault}"}
