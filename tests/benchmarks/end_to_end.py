"""How much faster is a study than a plain Optuna script? Run it by hand; pytest does not collect it.

    python tests/benchmarks/end_to_end.py [--quick] [--rounds 3] [--peer-trials 20] [--trials 1000]
        [--lanes 512 1024] [--sizes 500 10000] [--engine batched] [--cpu] [--only PART ...]

The peer is `plain_script.py`, beside this file: the same network, data, epochs and families with a DataLoader, SQLite
with default settings, every epoch's test MSE stored. The second peer is `expert_script.py`: no DataLoader, and one
`add_trials`. All take turns, so that what else the machine does hits all. A study is timed as a whole process, from its
start to its end; of the peers only the search is timed, not their imports. With `--cpu` the searches are timed in CPU
seconds, for a machine that has other work, too. `--only compiled` runs each study of the compiled engine twice: with an
empty cache, and with what the first run has compiled.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import optuna
import plain_script
import torch

from lrsearch import registry
from lrsearch.sampling.proposer import Uniform
from lrsearch.sampling.space import Space, settings_from
from lrsearch.study_file.load import parse
from lrsearch.study_file.model import Definition
from lrsearch.tasks.task import Task
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.compiled.engine import CompiledEngine
from lrsearch.training.engine import Lane

HERE = Path(__file__).parent
PEERS = {"plain_script.py": "plain script", "expert_script.py": "expert's script"}
STUDY = """[study]
name = "{name}"
trials = {trials}
[task]
name = "polynomial"
[training]
epochs = 60
batch_size = 50
seeds = [24]
[search]
schedulers = ["classical"]
[sampler]
name = "tpe"
{generation}
[pruner]
name = "none"
[confirm]
top = 0
"""
"""A search and nothing after it, as the peers do."""


@dataclass(frozen=True)
class Finished:
    """A process that has ended.

    Attributes:
        seconds: Wall clock, from start to end.
        cpu: CPU seconds, its children's included.
        memory: Most that it had in memory, its children not counted, in MiB.
    """

    seconds: float
    cpu: float
    memory: float


def run_study(
    folder: Path, name: str, trials: int, engine: str, *, workers: int = 1, generation: int = 0, cache: str = ""
) -> Finished:
    """`lrsearch study run` on a new database, with a cache folder of its own if it has a name."""
    file = folder / f"{name}.toml"
    own = f"generation = {generation}" if generation else ""
    file.write_text(STUDY.format(name=name, trials=trials, generation=own))
    storage = f"sqlite:///{folder}/{name}.db"
    command = [
        "study",
        "run",
        str(file),
        "--engine",
        engine,
        "--workers",
        str(workers),
        "--storage",
        storage,
        "--quiet",
    ]
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "lrsearch", *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **({"XDG_CACHE_HOME": str(folder / cache)} if cache else {})},
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"study run ended with {process.returncode}"
    study = optuna.load_study(study_name=name, storage=storage)
    done = [len(trial.intermediate_values) for trial in study.get_trials(deepcopy=False) if not trial.constraints]
    assert set(done) == {60}, "every epoch's test metric is stored"
    # Linux counts in KiB, macOS in bytes.
    return Finished(
        seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    )


def run_peer(script: str, folder: Path, name: str, trials: int, workers: int = 1, *, cpu: bool = False) -> float:
    """Trials per second of a script, in one process or several that share its database."""
    storage = f"sqlite:///{folder}/{name}.db"
    optuna.create_study(storage=storage, study_name="plain")
    share = trials // workers
    command = [sys.executable, str(HERE / script), "--storage", storage, "--trials", str(share)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(workers)]
    seconds = [[float(part) for part in process.communicate()[0].split()] for process in processes]
    return share * workers / (sum(own[1] for own in seconds) if cpu else max(own[0] for own in seconds))


def end_to_end(folder: Path, given: argparse.Namespace) -> None:
    """Print the table of whole searches."""
    print("| processes | lrsearch, trials/s | peer | trials/s | ratio | range |\n|---:|---:|---|---:|---:|---:|")
    for workers in (1, 2):
        fast: list[float] = []
        slow: dict[str, list[float]] = {script: [] for script in PEERS}
        for turn in range(given.rounds):
            for script, rates in slow.items():
                name = f"{script}-{workers}-{turn}"
                rates.append(run_peer(script, folder, name, given.peer_trials, workers, cpu=given.cpu))
            ours = run_study(folder, f"ours-{workers}-{turn}", given.trials, given.engine, workers=workers)
            fast.append(given.trials / (ours.cpu if given.cpu else ours.seconds))
        median = statistics.median
        for script, rates in slow.items():
            ratios = sorted(mine / other for mine, other in zip(fast, rates, strict=True))
            numbers = f"{median(rates):.2f} | {median(ratios):.1f} | {ratios[0]:.1f}-{ratios[-1]:.1f}"
            print(f"| {workers} | {median(fast):.1f} | {PEERS[script]} | {numbers} |", flush=True)


def first_and_second(folder: Path, given: argparse.Namespace) -> None:
    """Print the table of whole searches by the compiled engine on one process, which compiles in the first run."""
    print("| run | lrsearch, trials/s | plain script, trials/s | ratio | range |\n|---|---:|---:|---:|---:|")
    slow: list[float] = []
    fast: dict[str, list[float]] = {"first": [], "second": []}
    for turn in range(given.rounds):
        slow.append(run_peer("plain_script.py", folder, f"peer-{turn}", given.peer_trials, cpu=given.cpu))
        for run, rates in fast.items():
            ours = run_study(folder, f"{run}-{turn}", given.trials, CompiledEngine.name, cache=f"cache-{turn}")
            rates.append(given.trials / (ours.cpu if given.cpu else ours.seconds))
    for run, rates in fast.items():
        ratios = sorted(mine / other for mine, other in zip(rates, slow, strict=True))
        numbers = f"{statistics.median(ratios):.1f} | {ratios[0]:.1f}-{ratios[-1]:.1f}"
        print(f"| {run} | {statistics.median(rates):.1f} | {statistics.median(slow):.2f} | {numbers} |", flush=True)


def engine_alone(given: argparse.Namespace) -> None:
    """Print the table of engines without sampling and storage, against the plain loop without a database."""
    torch.set_num_threads(1)
    document = {"study": {"name": "engine"}, "task": {"name": "polynomial"}, "search": {"schedulers": ["classical"]}}
    definition = parse(document, "benchmark")
    print("| engine | lanes | plain loop, trials/s | engine, trials/s | ratio, CPU time | ratio, wall clock | ranges |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    kinds = BatchedEngine(), CompiledEngine()
    task = registry.tasks.get("polynomial").build(definition.task.options)
    engine(kinds[1], definition, task, 32, 0)  # which compiles
    for lanes in given.lanes:
        loops, engines = [], []
        for turn in range(given.rounds):
            loops.append(_rates(plain_loop, given.peer_trials // 2, turn))
            engines.append([_rates(partial(engine, kind, definition, task), lanes, turn) for kind in kinds])
        for kind, rates in zip(kinds, zip(*engines, strict=True), strict=True):
            ratios = [sorted(e[i] / p[i] for p, e in zip(loops, rates, strict=True)) for i in (0, 1)]
            cpu, wall = (statistics.median(own) for own in ratios)
            spread = ", ".join(f"{own[0]:.1f}-{own[-1]:.1f}" for own in ratios)
            peer = statistics.median(rate[0] for rate in loops)
            mine = statistics.median(rate[0] for rate in rates)
            numbers = f"{peer:.2f} | {mine:.1f} | {cpu:.1f} | {wall:.1f} | {spread}"
            print(f"| {kind.name} | {lanes} | {numbers} |", flush=True)


def _rates(work: Callable[[int, int], None], trials: int, seed: int) -> tuple[float, float]:
    """Trials per second of CPU time, and of wall clock."""
    cpu, wall = time.process_time(), time.perf_counter()
    work(trials, seed)
    return trials / (time.process_time() - cpu), trials / (time.perf_counter() - wall)


def plain_loop(trials: int, seed: int) -> None:
    """The plain script's training, with a study in memory."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed), pruner=optuna.pruners.NopPruner())
    train_data, test_data = plain_script.make_data()
    study.optimize(lambda trial: plain_script.train(trial, train_data, test_data), n_trials=trials)


def engine(kind: BatchedEngine, definition: Definition, task: Task, lanes: int, seed: int) -> None:
    """Random settings, trained together."""
    space = Space.of(definition)
    settings = [settings_from(space.settle({}, Uniform(seed).point(number)).params) for number in range(lanes)]
    stream = kind.train(task, [Lane(own.lr, own.schedule, 24) for own in settings], definition.training)
    for _ in stream:
        pass


def memory(folder: Path, given: argparse.Namespace) -> None:
    """Print the peak memory of a study whose generation is the widest batch."""
    print("| lanes in a generation | peak memory, MiB |\n|---:|---:|")
    lanes = max(given.lanes)
    peak = run_study(folder, "memory", lanes, given.engine, generation=lanes).memory
    print(f"| {lanes} | {peak:.0f} |", flush=True)


def size(folder: Path, given: argparse.Namespace) -> None:
    """Print what a trial costs in a small study and in a large one, start-up included."""
    print("| trials | seconds | ms per trial |\n|---:|---:|---:|")
    for trials in given.sizes:
        seconds = run_study(folder, f"size-{trials}", trials, given.engine).seconds
        print(f"| {trials} | {seconds:.1f} | {1000 * seconds / trials:.1f} |", flush=True)


PARTS = ("end-to-end", "compiled", "engine", "memory", "size")


def main() -> None:
    """Print markdown tables."""
    options = argparse.ArgumentParser()
    options.add_argument("--quick", action="store_true", help="small numbers, to see that it works")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--peer-trials", type=int, default=20)
    options.add_argument("--trials", type=int, default=1000)
    options.add_argument("--lanes", type=int, nargs="+", default=[512, 1024])
    options.add_argument("--sizes", type=int, nargs="+", default=[500, 10_000])
    options.add_argument("--engine", default="batched")
    options.add_argument("--cpu", action="store_true", help="time searches in CPU seconds")
    options.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    given = options.parse_args()
    if given.quick:
        given.rounds, given.peer_trials, given.trials, given.lanes, given.sizes = 1, 4, 128, [64], [64, 128]
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parts: dict[str, Callable[[], None]] = {
            "end-to-end": lambda: end_to_end(folder, given),
            "compiled": lambda: first_and_second(folder, given),
            "engine": lambda: engine_alone(given),
            "memory": lambda: memory(folder, given),
            "size": lambda: size(folder, given),
        }
        for part in given.only:
            print(f"\n### {part}\n")
            parts[part]()


if __name__ == "__main__":
    main()
