"""What a worker tells a monitoring system: is it well, and what has it done?"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from lrsearch.errors import input_error
from lrsearch.search.events import EpochDone, Event, TrialEnded


class Monitor:
    """Counts what a worker does, and answers ``/metrics`` and ``/healthz``.

    Args:
        is_well: Whether training moves; asked from another thread.
        waits: How often the storage had to be waited for; asked from another thread.
    """

    def __init__(self, is_well: Callable[[], bool], waits: Callable[[], int]) -> None:
        self._is_well = is_well
        self._registry = CollectorRegistry()
        self._trials = Counter("lrsearch_trials", "Trials ended, by how.", ["state"], registry=self._registry)
        self._epochs = Counter(
            "lrsearch_epochs",
            "Epochs of all trials together; evaluations with evaluate_every.",
            registry=self._registry,
        )
        self._diverged = Counter("lrsearch_diverged", "Trials that diverged.", registry=self._registry)
        self._registry.register(_Waits(waits))
        for state in ("complete", "pruned", "failed"):
            self._trials.labels(state)  # there from the start, at zero

    def take(self, event: Event) -> None:
        """Count one event.

        Args:
            event: What the worker says.
        """
        if isinstance(event, EpochDone):
            self._epochs.inc(event.trials)
        elif isinstance(event, TrialEnded):
            self._trials.labels("failed" if event.state.name == "FAIL" else event.state.name.lower()).inc()
            self._diverged.inc(event.diverged)

    def answer(self, path: str) -> tuple[int, str, bytes]:
        """Status, content type and content for a path."""
        if path == "/metrics":
            return 200, CONTENT_TYPE_LATEST, generate_latest(self._registry)
        if path == "/healthz":
            return (200, "text/plain", b"ok\n") if self._is_well() else (503, "text/plain", b"training has hung\n")
        return 404, "text/plain", b"/metrics or /healthz\n"

    @contextmanager
    def serving(self, host: str, port: int) -> Iterator[int]:
        """Answer requests inside the block.

        Args:
            host: Where to listen.
            port: On which port; 0 takes a free one.

        Yields:
            The port.

        Raises:
            InputError: Nobody can listen there.
        """
        monitor = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 10

            def do_GET(self) -> None:
                status, kind, content = monitor.answer(self.path.partition("?")[0])
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args: object) -> None:
                """Nobody wants a line for every look."""

        try:
            server = ThreadingHTTPServer((host, port), Handler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            rule = f"cannot be listened at: {reason}"
            raise input_error("command line", rule, key="--metrics-port", received=f"{host}:{port}") from None
        with server:
            thread = threading.Thread(target=server.serve_forever, name="monitor", daemon=True)
            thread.start()
            try:
                yield int(server.server_address[1])
            finally:
                server.shutdown()
                thread.join()


class _Waits(Collector):
    def __init__(self, waits: Callable[[], int]) -> None:
        self._waits = waits

    def collect(self) -> Iterator[CounterMetricFamily]:
        """What `Counter` cannot do: a number that is counted elsewhere."""
        text = "How often the storage was out of reach."
        yield CounterMetricFamily("lrsearch_storage_waits", text, value=float(self._waits()))
