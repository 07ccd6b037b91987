"""What would 1,000 or 10,000 workers ask of one database? A simulation that rests on measurements. Run it by hand.

    python tests/benchmarks/many_workers_simulated.py [--figure .readme/many_workers.png]

It reads `many_workers.json`, which `many_workers.py --output` wrote, and first plays that benchmark itself: workers and
server share the cores of one machine, and trials take no time. What it says there stands beside what was measured. Then
each worker has a machine of its own, the server has cores for itself, and trials take a second, a minute or an hour.

A worker goes round: claim under the study's row lock, its other transactions, training. Waiting for the lock and for
a core is first come, first served. Where worker and server share cores they take turns, once for each round trip, and
each turn waits for a core; so the lock is held the longer, the more others compute. CPU times are means of one worker
alone (of each row, where the benchmark is played again); the time under the lock is that of the quickest tenth of its
claims, since other work on the machine stretches the rest. Between machines, round trips are added. Each worker's
heart beats every 15 s. What a sampler reads of the others' trials is not in it.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import simpy

MEASURED = Path(__file__).with_suffix("").with_name("many_workers.json")
BEAT = 15.0
"""Seconds between two beats: a quarter of the default grace."""
TRIPS_UNDER_LOCK, TRIPS = 7, 24
"""Round trips to the database in a claim, from getting the lock to the commit, and in all of a trial."""
CORES, TRIP = 8, 0.0005
"""Of the simulated server; seconds of a round trip in one data centre."""
SLICE = 0.003
"""Seconds for which a process computes until another one that waits for the core has its turn."""
DURATIONS = {"1 s": 1.0, "1 min": 60.0, "1 h": 3600.0}
COLOURS = {"sequential": "#0072B2", "together": "#D55E00"}
"""Of Okabe and Ito, which people with any colour vision tell apart."""
NAMES = {"sequential": "one by one", "together": "64 trials a claim"}
"""How trials are trained. Where a worker trains them one by one, it claims one trial if these take a second or more."""


@dataclass(frozen=True)
class Service:
    """What a claim costs, with all that follows from it.

    Attributes:
        lock: Seconds from getting the study's lock to giving it back.
        server: CPU seconds of the server, those under the lock among them.
        worker: CPU seconds of the worker, those under the lock among them.
        trials: Trials that come with it.
    """

    lock: float
    server: float
    worker: float
    trials: int


@dataclass
class Seen:
    """What was seen since a simulation was warm.

    Attributes:
        trials: Trials that were claimed; in the long run as many end.
        waited: Seconds that each claim waited for the lock.
        unseen: Trials of others that were under way at each claim, so that its sampler could not know their values.
        locked: Seconds for which the lock was held.
        busy: Seconds that the server's cores worked, added up.
    """

    trials: int = 0
    waited: list[float] = field(default_factory=list)
    unseen: list[int] = field(default_factory=list)
    locked: float = 0.0
    busy: float = 0.0


class World:
    """Workers, a lock and a server.

    Args:
        service: What a claim costs.
        workers: How many.
        seconds: What a trial takes to train.
        cores: Of the server.
        others: Processes that compute all the time on the server's cores; then the workers are there too, without a
            network between them. None where workers have machines of their own.
    """

    def __init__(
        self, service: Service, workers: int, seconds: float, cores: int, *, others: float | None = None
    ) -> None:
        self.env = simpy.Environment()
        self.lock, self.cores = simpy.Resource(self.env, 1), simpy.Resource(self.env, cores)
        self.service, self.workers, self.number_of_cores = service, workers, cores
        # Who computes is counted in two looks, of all and of ours, so that one more or less means nothing.
        self.shared, self.others = others is not None, max(0, round((others or 0.0) - 1))
        self.training = seconds * service.trials
        self.random, self.running = random.Random(1), 0
        self.seen = Seen()

    def run(self, seconds: float) -> Seen:
        """What happens in so many seconds, after a quarter of that to settle down."""
        for _ in range(self.workers):
            self.env.process(self._work())
        if not self.shared:
            self.env.process(self._beats())
        for _ in range(self.others):
            self.env.process(self._turns(math.inf))
        self.env.run(until=seconds / 4)
        self.seen = Seen()
        self.env.run(until=seconds / 4 + seconds)
        return self.seen

    def _work(self) -> Generator[Any, Any, None]:
        first = True
        while True:
            if first and self.training:
                # In the middle of a trial, as it would be long after the start.
                self.running += self.service.trials
                yield self.env.timeout(self.training * self.random.random())
                self.running -= self.service.trials
            first = False
            yield from self._claim()
            self.seen.trials += self.service.trials
            self.seen.unseen.append(self.running)
            self.running += self.service.trials
            yield from self._rest()
            yield self.env.timeout(self.training * self.random.uniform(0.8, 1.2))
            self.running -= self.service.trials

    def _claim(self) -> Generator[Any, Any, None]:
        asked = self.env.now
        with self.lock.request() as mine:
            yield mine
            got = self.env.now
            self.seen.waited.append(got - asked)
            on_server = min(self.service.lock, self.service.server * TRIPS_UNDER_LOCK / TRIPS)
            if self.shared:
                yield from self._trips(self.service.lock - on_server, on_server, TRIPS_UNDER_LOCK)
            else:
                yield from self._compute(on_server)
                yield self.env.timeout(self.service.lock - on_server + TRIPS_UNDER_LOCK * TRIP)
            self.seen.locked += self.env.now - got

    def _rest(self) -> Generator[Any, Any, None]:
        """All of a trial's transactions but the claim."""
        own = self.service
        on_server = own.server - min(own.lock, own.server * TRIPS_UNDER_LOCK / TRIPS)
        if self.shared:
            yield from self._trips(max(0.0, own.server + own.worker - own.lock - on_server), on_server,
                                   TRIPS - TRIPS_UNDER_LOCK)  # fmt: skip
            return
        yield from self._compute(own.server * (1 - TRIPS_UNDER_LOCK / TRIPS))
        yield self.env.timeout(own.worker + (TRIPS - TRIPS_UNDER_LOCK) * TRIP)

    def _compute(self, seconds: float) -> Generator[Any, Any, None]:
        with self.cores.request() as core:
            yield core
            yield self.env.timeout(max(0.0, seconds))
            self.seen.busy += max(0.0, seconds)

    def _trips(self, worker: float, server: float, trips: int) -> Generator[Any, Any, None]:
        """Worker and server in turn, on the same cores."""
        for _ in range(trips):
            yield from self._turns(worker / trips)
            yield from self._turns(server / trips)

    def _turns(self, seconds: float) -> Generator[Any, Any, None]:
        """Compute for so long, and let others have the core in between."""
        while seconds > 0:
            part = min(seconds, SLICE)
            with self.cores.request() as core:
                yield core
                yield self.env.timeout(part)
            seconds -= part

    def _beats(self) -> Generator[Any, Any, None]:
        """Of all workers together, several at once where there are many, or simulating them would take hours."""
        batch = max(1.0, self.workers / BEAT / 20)
        while True:
            yield self.env.timeout(self.random.expovariate(self.workers / BEAT / batch))
            self.env.process(self._compute(batch * self.service.server / self.service.trials / TRIPS))


def services(rows: list[dict[str, Any]]) -> dict[str, Service]:
    """What was measured of one worker alone, by kind of claim."""
    found = {}
    for mode in NAMES:
        alone = next(row for row in rows if row["mode"] == mode and row["workers"] == 1)
        trials = 64 if mode == "together" else 1
        found[mode] = Service(
            alone["quick_ms"]["lock held"] / 1e3, trials * alone["server_cpu_ms"] / 1e3,
            trials * alone["worker_cpu_ms"] / 1e3, trials,
        )  # fmt: skip
    return found


def played_again(rows: list[dict[str, Any]], known: dict[str, Service]) -> list[tuple[str, int, float, float]]:
    """Kind of claim, workers, trials per second as measured and as simulated, on the machine of the measurement.

    CPU times and trials a claim are those of each row. A claim holds the lock the longer, the more CPU time it takes.
    """
    found = []
    for row in rows:
        own = known[row["mode"]]
        trials = max(1, round(1 / row["calls"]["claim"]))
        server, worker = (trials * row[f"{kind}_cpu_ms"] / 1e3 for kind in ("server", "worker"))
        lock = own.lock * (server + worker) / (own.server + own.worker)
        service = replace(own, lock=lock, server=server, worker=worker, trials=trials)
        seen = World(service, row["workers"], 0.0, row["cpus"], others=row["others"]).run(30.0)
        found.append((row["mode"], row["workers"], row["per_second"], seen.trials / 30.0))
    return found


def far(known: dict[str, Service], workers: list[int]) -> Iterator[dict[str, Any]]:
    """The table of many workers."""
    for count in workers:
        for name, seconds in DURATIONS.items():
            for mode, service in known.items():
                # Long enough for a thousand claims, but not for millions of beats.
                span = min(max(20.0, 1000 * seconds * service.trials / count), 600.0)
                world = World(service, count, seconds, CORES)
                seen = world.run(span)
                yield {
                    "workers": count, "trial": name, "mode": mode, "possible": count / seconds,
                    "per_second": seen.trials / span, "lock": seen.locked / span, "cores": seen.busy / span,
                    "wait": float(np.median(seen.waited)) if seen.waited else 0.0,
                    "worst": float(np.quantile(seen.waited, 0.99)) if seen.waited else 0.0,
                    "unseen": float(np.median(seen.unseen)) if seen.unseen else 0.0,
                }  # fmt: skip


def draw(rows: list[dict[str, Any]], known: dict[str, Service], again: list[Any], file: Path) -> None:
    """Left: measured and simulated on one machine. Right: simulated, each worker on a machine of its own."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.4), layout="constrained")
    for mode, colour in COLOURS.items():
        own = [(workers, measured, simulated) for kind, workers, measured, simulated in again if kind == mode]
        x, measured, simulated = zip(*sorted(own), strict=True)
        left.plot(x, measured, "o", color=colour, label=f"{NAMES[mode]}, measured")
        left.plot(x, simulated, "-", color=colour, label=f"{NAMES[mode]}, simulated")
    left.set(xscale="log", yscale="log", xlabel="worker processes", ylabel="trials per second", ylim=(10, None))
    left.set_xticks(x, [str(value) for value in x])
    left.minorticks_off()
    left.set_title(f"Trials that cost nothing; all on one machine with {rows[0]['cpus']} cores")
    counts = [10, 100, 300, 1000, 3000, 10000]
    for mode, colour in COLOURS.items():
        # What is not drawn asks for next to nothing.
        for name, style in (("1 s", "-"), ("1 min", "--"))[: 2 if mode == "sequential" else 1]:
            seconds = DURATIONS[name]
            shares = []
            for count in counts:
                span = min(max(20.0, 1000 * seconds * known[mode].trials / count), 600.0)
                seen = World(known[mode], count, seconds, CORES).run(span)
                shares.append(100 * min(1.0, seen.trials / span / (count / seconds)) if seen.trials else np.nan)
            right.plot(counts, shares, style, color=colour, marker=".", label=f"{NAMES[mode]}, trials of {name}")
    right.set(xscale="log", xlabel="workers", ylabel="trials per second, % of what they could train", ylim=(0, 105))
    right.set_title(f"Simulated: a machine each, a server with {CORES} cores")
    for axes in (left, right):
        axes.grid(visible=True, color="#dddddd", linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, fontsize=8)
    figure.savefig(file, dpi=130)


def main() -> None:
    """Print two markdown tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--workers", type=int, nargs="+", default=[1000, 10000])
    parser.add_argument("--figure", type=Path)
    options = parser.parse_args()
    rows = json.loads(MEASURED.read_text())
    known = services(rows)
    again = played_again(rows, known)
    print("| claims | workers | measured, trials/s | simulated |\n|---|---:|---:|---:|")
    for mode, workers, measured, simulated in again:
        print(f"| {NAMES[mode]} | {workers} | {measured:.0f} | {simulated:.0f} |")
    print(f"\n{known}\n")
    print("| workers | a trial takes | claims | could train, trials/s | do | lock held, % | server cores busy | "
          "wait for the lock, s: median (99 %) | trials under way elsewhere at a claim |")  # fmt: skip
    print("|---:|---|---|---:|---:|---:|---:|---:|---:|")
    for row in far(known, options.workers):
        print(f"| {row['workers']} | {row['trial']} | {NAMES[row['mode']]} | {row['possible']:.3g} | "
              f"{row['per_second']:.3g} | {100 * row['lock']:.2g} | {row['cores']:.2g} | {row['wait']:.2g} "
              f"({row['worst']:.2g}) | {row['unseen']:.0f} |", flush=True)  # fmt: skip
    if options.figure:
        draw(rows, known, again, options.figure)


if __name__ == "__main__":
    main()
