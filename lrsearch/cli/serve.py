"""`lrsearch serve`: the dashboard and workers as one service, with one screen of status."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from lrsearch.cli.dashboard import AllowedHost, Artifacts, Host, Port, ReadOnly, Token, TokenFile
from lrsearch.cli.log import Log, LogFormat, LogOption
from lrsearch.cli.options import MOST_WORKERS, Device, Engine, Grace, Load, Storage, Threads, quiet_libraries
from lrsearch.cli.output import console, moves
from lrsearch.errors import InterruptedRunError
from lrsearch.operations.run_options import RunOptions
from lrsearch.storage.rdb import DEFAULT_URL, open_storage
from lrsearch.storage.store import GRACE

if TYPE_CHECKING:
    from lrsearch.operations.serve import ServeOptions
    from lrsearch.signals import Interruption


def serve(
    workers: Annotated[
        int | None,
        typer.Option(min=0, max=MOST_WORKERS, help="Worker processes on this machine; by default one per GPU, or 1."),
    ] = None,
    host: Host = "127.0.0.1",
    port: Port = 8080,
    token: Token = None,
    token_file: TokenFile = None,
    allowed_host: AllowedHost = None,
    read_only: ReadOnly = False,
    artifacts: Artifacts = None,
    engine: Engine = "auto",
    device: Device = "auto",
    threads: Threads = 1,
    metrics_port: Annotated[
        int | None,
        typer.Option(min=1, max=65000, help="Worker 0 answers /metrics here, worker 1 a port later."),
    ] = None,
    log_format: LogOption = LogFormat.TEXT,
    grace: Grace = GRACE,
    modules: Load = None,
    as_publisher: Annotated[bool, typer.Option("--as-publisher", hidden=True)] = False,
    storage: Storage = DEFAULT_URL,
) -> None:
    """Run the dashboard and workers together, and keep published reports up to date."""
    from lrsearch.signals import Interruption

    with Interruption().caught() as interruption:
        quiet_libraries()
        from lrsearch.operations.serve import ServeOptions

        try:
            if as_publisher:
                _publish(storage, artifacts, modules or [], interruption, Log(log_format))
                return
            from lrsearch.dashboard import token as tokens

            known = tokens.find(token, token_file)
            tokens.check_needed(known, host)
            options = RunOptions(engine, device, threads, None, grace, workers, load=tuple(modules or ()))
            page = ServeOptions(host, port, known, tuple(allowed_host or ()), read_only, artifacts, metrics_port)
            _watch(options, page, interruption, log_format, storage)
        except InterruptedRunError:
            raise typer.Exit(interruption.exit_code) from None


def _watch(options: RunOptions, page: ServeOptions, interruption: Interruption, form: LogFormat, storage: str) -> None:
    from lrsearch.cli.status import Screen
    from lrsearch.operations import serve as operation

    log = Log(form)
    moving = form is LogFormat.TEXT and moves(console())
    screen = Screen(storage, _address(page)) if moving else None
    say: Callable[[str], None] = log if screen is None else screen.say

    def show_line(name: str, line: str) -> None:
        """A worker's line is JSON, so that it gets the form that is wanted here."""
        try:
            facts = json.loads(line)
            message = str(facts.pop("message"))
        except (ValueError, KeyError, AttributeError, TypeError):
            facts, message = {}, line
        if screen is None:
            log(f"{name}: {message}", **{**facts, "process": name})
        else:
            screen.say(f"{name}: {message}")

    service = operation.serve(storage, options, page, interruption, say, show_line)
    ticks = service.watch()
    try:
        if screen is None:
            for _ in ticks:
                pass
        else:
            screen.follow(ticks, service)
    finally:
        ticks.close()  # type: ignore[attr-defined]
        if screen is not None:
            screen.leave()
        log("Everything has ended.")


def _address(page: ServeOptions) -> str:
    """Where the dashboard is, and who can open it; a port that is taken by chance is said when it is known."""
    from lrsearch.dashboard import shown_address
    from lrsearch.dashboard.allowed_hosts import is_loopback

    if page.port == 0:
        return "its line says where"
    asks = " (asks for the token)" if page.token else ""
    alone = " (this machine only; others need --host 0.0.0.0 and --token-file)" if is_loopback(page.host) else ""
    return f"{shown_address.url(page.host, page.port)}{asks}{alone}"


def _publish(storage: str, artifacts: str | None, modules: list[str], interruption: Interruption, log: Log) -> None:
    from lrsearch.dashboard.artifacts import artifacts_of
    from lrsearch.dashboard.publisher import Publisher
    from lrsearch.storage.retry import Patience
    from lrsearch.study import open as opening

    os.nice(5)  # drawing may wait for those who train
    opening.bring_in(modules)
    opened = open_storage(storage, patience=Patience(log))
    Publisher(opened, artifacts_of(storage, artifacts), interruption, log).run()
