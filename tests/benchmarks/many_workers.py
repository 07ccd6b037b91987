"""How many workers does one PostgreSQL carry? Trials that cost nothing, by many processes at once. Run it by hand.

    python tests/benchmarks/many_workers.py --output measured.json [--workers 1 2 4 ... 64] [--trials 1500]
    python tests/benchmarks/many_workers.py --workers 64 --trials 20000 --filled 0 --modes sequential

It starts a server of its own with Debian's or a similar PostgreSQL and its default settings, but for room for more
connections. Workers are forked from one process that has imported everything and opened no connection. What they run
is the search itself, sampler `random`, with an engine that trains nothing: what is left is what the database and the
bookkeeping cost. ``sequential`` claims trial by trial, the worst case; ``together`` claims generations, the best.

For each number of workers it prints trials per second, CPU per trial in the worker and in the server, transactions and
time under the study's row lock per claim, the largest number of connections, how many other processes competed for the
machine's cores meanwhile, and whether the budget was met exactly.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import psutil
import sqlalchemy
import torch

from lrsearch.sampling.proposer import Uniform
from lrsearch.sampling.space import Space
from lrsearch.search.events import TrialEnded
from lrsearch.search.runner import Runner
from lrsearch.signals import Interruption
from lrsearch.storage import schema_check, sql_store, tables
from lrsearch.storage.counts import engine_of
from lrsearch.storage.rdb import open_storage
from lrsearch.study import open as opening
from lrsearch.study import status
from lrsearch.study import stored as studies
from lrsearch.study_file.model import Definition, TrainingSection
from lrsearch.tasks.task import Task
from lrsearch.training.engine import Lane, LaneRecords

EPOCHS = 3
STATEMENTS = "SELECT calls, total_exec_time, query FROM pg_stat_statements ORDER BY 2 DESC LIMIT 12"
TIMED = ("claim", "choose", "record", "finish", "reap")


class Nothing:
    """An engine that trains nothing.

    Args:
        together: Whether trials come by the generation.
    """

    name = "nothing"
    device = torch.device("cpu")
    in_memory = False
    may_differ: Collection[str] = ()

    def __init__(self, together: bool) -> None:
        self.together = self.one_pass = together

    def train(
        self, task: Task, lanes: Sequence[Lane], training: TrainingSection, pauses: Collection[int] = ()
    ) -> Generator[LaneRecords, Collection[int] | None, None]:
        """Records as an engine yields them; the values follow from the learning rates."""
        values = np.array([abs(np.log(lane.lr) + 4) for lane in lanes])
        kept = np.arange(len(lanes))
        for epoch in range(training.epochs + 1):
            own = values[kept]
            places = tuple(int(place) for place in kept)
            asked = yield LaneRecords(epoch, places, own, own, own / (1 + epoch), own < 0, {}, 0.0)
            kept = kept if asked is None else np.array(sorted(asked))


class Stopwatch:
    """Seconds that a worker spends in the store's calls, waiting for the study's lock, and holding it."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = defaultdict(list)

    def patch(self) -> None:
        """Measure this process's calls from now on."""
        for name in TIMED:
            setattr(sql_store.SqlStore, name, self._timed(name, getattr(sql_store.SqlStore, name)))
        lock = tables.lock_study

        def timed(connection: sqlalchemy.Connection, study_id: int) -> None:
            asked = time.perf_counter()
            lock(connection, study_id)
            got = time.perf_counter()
            self.seconds["lock waited"].append(got - asked)
            sqlalchemy.event.listen(
                connection, "commit", lambda _: self.seconds["lock held"].append(time.perf_counter() - got), once=True
            )

        tables.lock_study = timed

    def _timed(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any) -> Any:
            began = time.perf_counter()
            try:
                return call(*arguments)
            finally:
                self.seconds[name].append(time.perf_counter() - began)

        return timed


class Server:
    """A PostgreSQL server of our own."""

    def __init__(self, folder: Path) -> None:
        programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        found = shutil.which("initdb") or (str(programs[-1]) if programs else None)
        if found is None:
            raise SystemExit("needs PostgreSQL's initdb")
        self._bin, self._folder = Path(found).parent, folder
        self._user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    @contextmanager
    def running(self, settings: str) -> Iterator[Server]:
        """Create and start it, and stop it afterwards."""
        if os.geteuid() == 0:
            shutil.chown(self._folder, "postgres")
        data = self._folder / "data"
        self._run("initdb", "-D", str(data), "-U", "postgres", "-A", "trust", "-N")
        options = f"-p {self.port} -k '' -c listen_addresses=127.0.0.1 -c max_connections=300 {settings}"
        self._run("pg_ctl", "-D", str(data), "-l", str(self._folder / "log"), "-w", "-o", options, "start")
        self._process = psutil.Process(int((data / "postmaster.pid").read_text().split()[0]))
        try:
            yield self
        finally:
            self._run("pg_ctl", "-D", str(data), "-m", "immediate", "stop")

    def cpu(self) -> float:
        """CPU seconds of all its processes so far, those that have ended among them."""
        own = self._process.cpu_times()
        total = own.user + own.system + own.children_user + own.children_system
        times = self._of_each(lambda child: child.cpu_times())
        return float(total + sum(one.user + one.system for one in times))

    def runnable(self) -> int:
        """How many of its processes compute or wait for a core."""
        return self._of_each(lambda child: child.status()).count(psutil.STATUS_RUNNING)

    def memory(self) -> float:
        """Bytes of the largest of its processes that are not shared with others."""
        return max(self._of_each(lambda child: float(child.memory_full_info().uss)))

    def _of_each(self, read: Callable[[psutil.Process], Any]) -> list[Any]:
        """What each of its processes says; those that clean up now and then may be gone when they are asked."""
        said = []
        for child in self._process.children():
            with suppress(psutil.NoSuchProcess):
                said.append(read(child))
        return said

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._user, str(self._bin / program), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self._folder)


def runnable() -> int:
    """How many processes of this machine compute or wait for a core."""
    return int(Path("/proc/loadavg").read_text().split()[3].split("/")[0])


def is_runnable(process: Any) -> bool:
    """Whether one of our workers is among them."""
    return psutil.Process(process.pid).status() == psutil.STATUS_RUNNING


def create(url: str, name: str, total: int, filled: int, options: argparse.Namespace) -> Definition:
    """A study of `total` trials of which `filled` are finished."""
    document = {
        "study": {"name": name, "trials": total},
        "task": {"name": "polynomial", "rows": 60},
        "training": {"epochs": EPOCHS},
        "search": {"schedulers": ["classical"]},
        "sampler": {"name": options.sampler, "generation": options.generation},
        "pruner": {"name": options.pruner},
    }
    definition = opening.define(document, "benchmark")
    storage = open_storage(url)
    stored = studies.create(storage, definition, "mse")
    space, uniform = Space.of(definition), Uniform(1)
    rows = []
    for number in range(filled):
        own = space.settle({}, uniform.point(number))
        value = abs(np.log(own.params["lr"]) + 4)
        rows.append(
            tables.TrialRows(
                optuna.trial.TrialState.COMPLETE, value, own.params, own.distributions, started=tables.now(),
                intermediate=dict.fromkeys(range(1, EPOCHS + 1), value), user={"worker": {"pid": 1}},
            )
        )  # fmt: skip
    engine = engine_of(storage)
    assert engine is not None
    with engine.begin() as connection:
        tables.add_trials(connection, stored.study._study_id, rows)
    storage.remove_session()
    engine.dispose()
    return definition


def work(url: str, name: str, task: Task, options: dict[str, Any], gates: Sequence[Any], place: Path) -> None:
    """One worker: all of the search but the training."""
    ready, go, done, leave = gates
    watch = Stopwatch()
    watch.patch()
    said: list[str] = []
    try:
        stored = studies.load(open_storage(url), name)
        runner = Runner(stored, task, Nothing(options["together"]), Interruption(), workers=options["workers"],
                        say=said.append)  # fmt: skip
        ready.release()
        go.wait()
        before, last, trials = time.process_time(), time.monotonic(), 0
        cpu = 0.0
        for event in runner.events():
            if isinstance(event, TrialEnded):
                trials, last, cpu = trials + 1, time.monotonic(), time.process_time() - before
        error = ""
    except BaseException:
        error, trials, last, cpu = traceback.format_exc(), 0, time.monotonic(), 0.0
        ready.release()
    result = {"trials": trials, "last": last, "cpu": cpu, "seconds": watch.seconds, "said": said, "error": error}
    place.write_text(json.dumps(result))
    done.release()
    leave.wait()
    os._exit(0)


def measure(server: Server, mode: str, workers: int, options: argparse.Namespace) -> dict[str, Any]:
    """One row of the table."""
    name, total = f"{mode} {workers}", options.filled + options.trials
    definition = create(server.url, name, total, options.filled, options)
    task = opening.build_task(definition)
    admin = sqlalchemy.create_engine(
        server.url.replace("postgresql", "postgresql+psycopg"), isolation_level="AUTOCOMMIT"
    )
    fork = multiprocessing.get_context("fork")
    gates = [fork.Semaphore(0), fork.Event(), fork.Semaphore(0), fork.Event()]
    settings = {"together": mode == "together", "workers": workers}
    with tempfile.TemporaryDirectory() as folder, admin.connect() as connection:
        ask = lambda text: connection.exec_driver_sql(text)  # noqa: E731
        ask("ANALYZE")
        places = [Path(folder) / str(index) for index in range(workers)]
        processes = [fork.Process(target=work, args=(server.url, name, task, settings, gates, own)) for own in places]
        for process in processes:
            process.start()
        for _ in processes:
            gates[0].acquire()
        memory = [psutil.Process(process.pid).memory_full_info().pss for process in processes[:1]]
        commits = ask("SELECT xact_commit FROM pg_stat_database WHERE datname = 'postgres'").scalar()
        if options.statements:
            ask("SELECT pg_stat_statements_reset()")
        before, began = server.cpu(), time.monotonic()
        gates[1].set()
        finished, waiting, samples, connections, others = 0, 0, 0, 0, 0
        while finished < workers:
            finished += gates[2].acquire(timeout=0.2)
            row = ask("SELECT count(*), count(*) FILTER (WHERE wait_event_type = 'Lock') FROM pg_stat_activity "
                      "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()").one()  # fmt: skip
            connections, waiting, samples = max(connections, row[0]), waiting + row[1], samples + 1
            others += max(0, runnable() - 1 - server.runnable() - sum(map(is_runnable, processes)))
        server_cpu, backend = server.cpu() - before, server.memory()
        ask("SELECT pg_sleep(1)")  # until the backends have told how often they committed
        commits = ask("SELECT xact_commit FROM pg_stat_database WHERE datname = 'postgres'").scalar() - commits
        if options.statements:
            for calls, milliseconds, query in ask(STATEMENTS):
                print(f"  {calls:8d} {milliseconds / calls:9.3f} ms  {' '.join(query.split())[:150]}", file=sys.stderr)
        gates[3].set()
        for process in processes:
            process.join()
        results = [json.loads(own.read_text()) for own in places]
    errors = [own["error"] for own in results if own["error"]]
    if errors:
        print(errors[0], file=sys.stderr)
    admin.dispose()
    storage = open_storage(server.url)
    counts = status.count(studies.load(storage, name))
    exact = (counts.finished, counts.running, counts.waiting, counts.retried) == (total, 0, 0, 0)
    storage.remove_session()
    engine_of(storage).dispose()  # type: ignore[union-attr]
    trained = sum(own["trials"] for own in results)
    wall = max(own["last"] for own in results) - began
    measured = (*TIMED, "lock waited", "lock held")
    seconds = {key: [value for own in results for value in own["seconds"].get(key, [])] for key in measured}
    return {
        "mode": mode,
        "workers": workers,
        "trials": trained,
        "exact": exact and not errors and trained == options.trials,
        "errors": len(errors),
        "said": [line for own in results for line in own["said"] if "waiting for them" not in line],
        "per_second": trained / wall,
        "worker_cpu_ms": 1e3 * sum(own["cpu"] for own in results) / trained,
        "server_cpu_ms": 1e3 * server_cpu / trained,
        "transactions": commits / trained,
        "connections": connections,
        "waiting": waiting / samples,
        "worker_mib": memory[0] / 2**20,
        "backend_mib": backend / 2**20,
        "cpus": psutil.cpu_count(),
        "others": others / samples,
        "sampler": options.sampler,
        "ms": {key: 1e3 * float(np.median(own)) for key, own in seconds.items() if own},
        "quick_ms": {key: 1e3 * float(np.quantile(own, 0.1)) for key, own in seconds.items() if own},
        "calls": {key: len(own) / trained for key, own in seconds.items()},
    }


HEADER = (
    "| claims | workers | trials/s | worker CPU, ms a trial | server CPU, ms a trial | commits a trial | "
    "lock held, ms | lock waited, ms | connections | other processes | exact |\n|---|" + "---:|" * 10
)


def line(row: dict[str, Any]) -> str:
    """A row of the table."""
    return (
        f"| {row['mode']} | {row['workers']} | {row['per_second']:.0f} | {row['worker_cpu_ms']:.1f} | "
        f"{row['server_cpu_ms']:.1f} | {row['transactions']:.1f} | {row['ms'].get('lock held', 0):.1f} | "
        f"{row['ms'].get('lock waited', 0):.1f} | {row['connections']} | {row['others']:.1f} | "
        f"{'yes' if row['exact'] else 'NO'} |"
    )


def main() -> None:
    """Print a markdown table; with ``--output`` write its numbers as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4, 8, 16, 32, 64])
    parser.add_argument("--modes", nargs="+", default=["sequential", "together"])
    parser.add_argument("--trials", type=int, default=1500, help="trials that are trained for each row")
    parser.add_argument("--filled", type=int, default=10000, help="finished trials that the study has before")
    parser.add_argument("--generation", type=int, default=64)
    parser.add_argument("--sampler", default="random")
    parser.add_argument("--pruner", default="none")
    parser.add_argument("--statements", action="store_true", help="print the server's most expensive statements")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    torch.set_num_threads(1)
    schema_check.tables_are_known()  # once for all workers
    rows = []
    settings = "-c shared_preload_libraries=pg_stat_statements" if options.statements else ""
    folder = Path(tempfile.mkdtemp(prefix="lrsearch-many-", dir="/tmp"))
    print(HEADER, flush=True)
    try:
        with Server(folder).running(settings) as server:
            storage = open_storage(server.url, create=True)
            engine = engine_of(storage)
            assert engine is not None
            if options.statements:
                with engine.begin() as connection:
                    connection.exec_driver_sql("CREATE EXTENSION pg_stat_statements")
            storage.remove_session()
            engine.dispose()
            for mode in options.modes:
                for workers in options.workers:
                    rows.append(measure(server, mode, workers, options))
                    print(line(rows[-1]), flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if options.output:
        options.output.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
