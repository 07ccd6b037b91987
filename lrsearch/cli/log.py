"""Log lines of the processes that stay: for people, or as JSON for programs."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from lrsearch.printable import json_harmless, printable, without_passwords


class LogFormat(StrEnum):
    """Forms of a log line."""

    TEXT = "text"
    JSON = "json"


LogOption = Annotated[LogFormat, typer.Option("--log-format", help="Lines for people, or JSON for programs.")]


class Log:
    """Writes a line to stderr for everything that it is told.

    Args:
        form: What a line looks like.
    """

    def __init__(self, form: LogFormat) -> None:
        self._form = form

    def __call__(self, message: str, **facts: Any) -> None:
        """Write a line.

        Args:
            message: What happened, for people.
            **facts: The same for programs; only in the JSON form.
        """
        moment = datetime.now(UTC)
        if self._form is LogFormat.JSON:
            line = json.dumps(
                {"time": moment.isoformat(timespec="milliseconds"), "message": without_passwords(message), **facts}
            )
        else:
            line = f"{moment.astimezone():%H:%M:%S} {message}"
        line = json_harmless(line) if self._form is LogFormat.JSON else printable(line)
        # One write, so that lines of several processes do not mix.
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
