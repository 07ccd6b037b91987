"""Many workers on one PostgreSQL: the benchmark in short, and the simulation that follows from it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from databases import skip

BENCHMARKS = Path(__file__).parent


def test_eight_workers_meet_the_budget_exactly_with_a_connection_each(tmp_path: Path) -> None:
    """Nothing is trained, so that all of them are at the database all the time."""
    short = ["--workers", "8", "--trials", "400", "--filled", "0", "--modes", "sequential", "--pruner", "halving"]
    command = [sys.executable, "-W", "ignore", str(BENCHMARKS / "many_workers.py"), *short]
    path = os.pathsep.join([str(BENCHMARKS.parent.parent), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [*command, "--output", str(tmp_path / "measured.json")],
        env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    if "needs PostgreSQL's initdb" in done.stderr:
        skip("postgres", "no initdb on this machine")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads((tmp_path / "measured.json").read_text())
    assert (row["trials"], row["exact"], row["errors"]) == (400, True, 0), done.stderr
    assert row["connections"] <= 8
    assert row["said"] == []


@pytest.mark.parametrize(("workers", "seconds"), [(5, 1.0), (400, 1.0)])
def test_simulated_workers_train_what_they_can_or_what_the_lock_allows(workers: int, seconds: float) -> None:
    simulated = pytest.importorskip("many_workers_simulated")
    service = simulated.Service(lock=0.005, server=0.01, worker=0.02, trials=1)
    seen = simulated.World(service, workers, seconds, cores=8).run(60.0)
    held = service.lock + simulated.TRIPS_UNDER_LOCK * simulated.TRIP
    alone = seconds + service.lock + service.server + service.worker + simulated.TRIPS * simulated.TRIP
    assert seen.trials / 60 == pytest.approx(min(workers / alone, 1 / held), rel=0.03)
    assert max(seen.unseen) < workers
