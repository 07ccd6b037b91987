"""`lrsearch worker`: take trials from every open study of a storage, for as long as the process lives."""

from __future__ import annotations

import math
import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from lrsearch.cli.log import Log, LogFormat, LogOption
from lrsearch.cli.messages import show_messages
from lrsearch.cli.options import Device, Engine, Grace, Load, Storage, Threads, quiet_libraries
from lrsearch.cli.output import show
from lrsearch.errors import InterruptedRunError
from lrsearch.operations.run_options import RunOptions
from lrsearch.printable import redacted
from lrsearch.storage.defaults import DEFAULT_URL, GRACE

if TYPE_CHECKING:
    from lrsearch.search.events import TrialEnded


def worker(
    study: Annotated[list[str] | None, typer.Option("--study", help="Serve this study only; may be repeated.")] = None,
    exit_when_idle: Annotated[
        bool, typer.Option("--exit-when-idle", help="End when no study has a trial to take or under way.")
    ] = False,
    engine: Engine = "auto",
    device: Device = "auto",
    threads: Threads = 1,
    metrics_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Answer /healthz and /metrics (Prometheus) on this port.")
    ] = None,
    metrics_host: Annotated[str, typer.Option(help="Address for --metrics-port.")] = "127.0.0.1",
    one_of: Annotated[int, typer.Option(hidden=True, help="This process is a worker among so many.")] = 1,
    log_format: LogOption = LogFormat.TEXT,
    grace: Grace = GRACE,
    modules: Load = None,
    storage: Storage = DEFAULT_URL,
) -> None:
    """Take trials from every open study of a storage, until somebody ends the process."""
    from lrsearch.signals import Interruption

    log = Log(log_format)
    show_messages(log)
    with Interruption().caught() as interruption:
        quiet_libraries()
        from lrsearch.launch.metrics import Monitor
        from lrsearch.operations.work import work
        from lrsearch.search.events import TrialEnded

        options = RunOptions(engine, device, threads, None, grace, load=tuple(modules or ()), one_of=one_of)
        try:
            with work(storage, study or [], options, interruption) as serving, ExitStack() as stack:
                monitor = Monitor(lambda: not serving.is_hung(), lambda: serving.waits)
                port = None
                if metrics_port is not None:
                    port = stack.enter_context(monitor.serving(metrics_host, metrics_port))
                log(f"Worker {os.getpid()} serves {_which(study)} in {redacted(storage)}.", pid=os.getpid())
                if port is not None:
                    log(f"It answers http://{metrics_host}:{port}/metrics and /healthz.", metrics_port=port)
                for name, event in serving.events(exit_when_idle=exit_when_idle):
                    monitor.take(event)
                    if isinstance(event, TrialEnded):
                        _log_end(log, name, event)
        except InterruptedRunError:
            log("Ended; trials that were under way are handed back.")
            raise typer.Exit(interruption.exit_code) from None
    log("Nothing is left to do.")


def _which(names: list[str] | None) -> str:
    return "every study" if not names else f"stud{'y' if len(names) == 1 else 'ies'} {', '.join(names)}"


def _log_end(log: Log, study: str, event: TrialEnded) -> None:
    state = "diverged" if event.diverged else "failed" if event.state.name == "FAIL" else event.state.name.lower()
    value = event.value if event.value is not None and math.isfinite(event.value) else None
    more = event.error or (show(value) if value is not None else "")
    text = f"{study}: trial {event.number} {state}{f', {more}' if more else ''}"
    log(text, study=study, trial=event.number, state=state, value=value, error=event.error)
