"""Serve a storage: the dashboard, workers, and what keeps published reports up to date, as processes of one service."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from lrsearch.launch.gpus import by_default, pins, to_share
from lrsearch.launch.processes import LRSEARCH, Program
from lrsearch.launch.service import Service
from lrsearch.operations.run_options import RunOptions
from lrsearch.signals import Interruption
from lrsearch.storage.rdb import open_storage


@dataclass(frozen=True)
class ServeOptions:
    """What a person says about the service, beside how it trains.

    Attributes:
        host: Address of the dashboard.
        port: Its port.
        token: What opens it; None where it needs none.
        allowed_hosts: Names under which a proxy shows it.
        read_only: Whether nobody may change anything in it.
        artifacts: Folder or bucket of figures and checkpoints; None for the storage's own.
        metrics_port: Where worker 0 answers ``/metrics``, worker 1 a port later; None for nowhere.
    """

    host: str
    port: int
    token: str | None
    allowed_hosts: tuple[str, ...]
    read_only: bool
    artifacts: str | None
    metrics_port: int | None


def serve(
    url: str,
    options: RunOptions,
    page: ServeOptions,
    interruption: Interruption,
    say: Callable[[str], None],
    take_output: Callable[[str, str], None],
) -> Service:
    """The service of a storage, which is made if it is not there; it runs while its `watch` is consumed.

    Args:
        url: The storage.
        options: How its workers train, and how many there are.
        page: The dashboard and the rest.
        interruption: Where signals are looked for.
        say: Where a person is told what happens to the processes.
        take_output: Takes a process's name and each line that it writes.

    Raises:
        InputError: The storage cannot be opened.
    """
    open_storage(url, create=True)  # what is wrong with it is said once, not by every process
    visible = to_share(options.device)
    pinned = pins(visible, by_default(visible, None) if options.workers is None else options.workers, None)
    shared = _environment(url, page, options)
    programs = [replace(own, environment={**shared, **own.environment}) for own in _programs(options, page, pinned)]
    return Service(programs, interruption, say, take_output)


def _programs(options: RunOptions, page: ServeOptions, pinned: Sequence[str | None]) -> list[Program]:
    loaded = [word for source in options.load for word in ("--load", source)]
    hosts = [word for name in page.allowed_hosts for word in ("--allowed-host", name)]
    shown = ["--host", page.host, "--port", str(page.port), *hosts, *(["--read-only"] if page.read_only else [])]
    training = [*options.training(), "--one-of", str(max(len(pinned), 1)), "--log-format", "json"]
    programs = [
        Program("dashboard", [*LRSEARCH, "dashboard", *shown, "--wait"], {}),
        Program("publisher", [*LRSEARCH, "serve", "--as-publisher", "--log-format", "json", *loaded], {}),
    ]
    for index, device in enumerate(pinned):
        metrics = [] if page.metrics_port is None else ["--metrics-port", str(page.metrics_port + index)]
        own = {} if device is None else {"CUDA_VISIBLE_DEVICES": device}
        programs.append(Program(f"worker {index}", [*LRSEARCH, "worker", *training, *metrics, *loaded], own))
    return programs


def _environment(url: str, page: ServeOptions, options: RunOptions) -> Mapping[str, str]:
    """What the processes share; passwords and tokens must not show in a process list."""
    shared = {"LRSEARCH_STORAGE": url, "OMP_NUM_THREADS": str(options.threads)}
    if page.artifacts is not None:
        shared["LRSEARCH_ARTIFACTS"] = page.artifacts
    if page.token is not None:
        shared["LRSEARCH_TOKEN"] = page.token
    return shared
