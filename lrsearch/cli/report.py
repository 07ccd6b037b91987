"""`lrsearch report`: a study as markdown with figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lrsearch.cli.options import Storage, StudyName
from lrsearch.cli.study import open_study
from lrsearch.storage.rdb import DEFAULT_URL


def report(
    name: StudyName,
    output: Annotated[Path | None, typer.Option(help="Folder to write to; reports/NAME by default.")] = None,
    storage: Storage = DEFAULT_URL,
) -> None:
    """Write a study's report: DIR/report.md and DIR/figures/*.png."""
    from lrsearch.report import frames, markdown

    stored = open_study(name, storage)
    print(markdown.write(frames.read(stored.study), output or markdown.default_folder(name)))
