"""`lrsearch report`: a study as markdown with figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lrsearch.cli.options import Storage, quiet_libraries
from lrsearch.cli.output import say
from lrsearch.storage.rdb import DEFAULT_URL, open_storage


def report(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A study in the storage.", show_default=False)],
    output: Annotated[Path | None, typer.Option(help="Folder to write to; reports/NAME by default.")] = None,
    storage: Storage = DEFAULT_URL,
) -> None:
    """Write a study's report: DIR/report.md and DIR/figures/*.png."""
    quiet_libraries()
    from lrsearch.report import frames, markdown
    from lrsearch.search import studies

    stored = studies.load(open_storage(storage), name)
    folder = output or Path("reports") / "".join(c if c.isalnum() or c in "-_." else "_" for c in name)
    written = markdown.write(frames.read(stored.study), folder)
    say("Wrote", style=None)
    print(written)
