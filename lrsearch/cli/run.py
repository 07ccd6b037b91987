"""`lrsearch study new`, `create` and `run`: from a file to a finished study."""

from __future__ import annotations

import shlex
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lrsearch.cli.cluster import joined, launch
from lrsearch.cli.options import (
    Cluster,
    Device,
    Engine,
    GpusPerWorker,
    Grace,
    Load,
    OutputFormat,
    Quiet,
    Set,
    Storage,
    Threads,
    Workers,
    quiet_libraries,
)
from lrsearch.cli.output import Format, print_facts, print_json, say
from lrsearch.cli.study import print_summary, storage_argument, study_arguments
from lrsearch.errors import InterruptedRunError, LrsearchWarning
from lrsearch.operations.run_options import RunOptions
from lrsearch.signals import tie_to
from lrsearch.storage.rdb import DEFAULT_URL, open_storage, redacted
from lrsearch.storage.store import GRACE
from lrsearch.study_file import load, templates
from lrsearch.study_file.model import Definition

if TYPE_CHECKING:
    from lrsearch.storage.retry import Patience
    from lrsearch.study.stored import StoredStudy
    from lrsearch.tasks.task import Task

StudyFile = Annotated[Path, typer.Argument(metavar="FILE.toml", help="A study file.", show_default=False)]


def new(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write.", show_default=False)],
    source: Annotated[str, typer.Option("--from", help="Which of the shipped study files.")] = "quickstart",
) -> None:
    """Write a study file to start from."""
    templates.copy(source, file)
    say(f"Wrote {file}. Next: lrsearch study run {shlex.quote(str(file))}")


def create(
    file: StudyFile,
    name: Annotated[str | None, typer.Option(help="Name of the study, instead of the file's.")] = None,
    settings: Set = None,
    skip_if_exists: Annotated[bool, typer.Option("--skip-if-exists", help="Do nothing if it exists.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and show what would be created.")] = False,
    modules: Load = None,
    storage: Storage = DEFAULT_URL,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Check a study file and store its study."""
    quiet_libraries()
    definition = _definition(file, name, settings, modules)
    if dry_run:
        _print_plan(definition, output)
        return
    from lrsearch.study import open as opening
    from lrsearch.study import stored as studies

    # Built before anything is written: options may be right one by one and wrong together.
    task = opening.build_task(definition)
    opened = open_storage(storage, create=True)
    if skip_if_exists and definition.study.name in studies.names(opened):
        say(f"Study {definition.study.name} exists already; nothing was changed.")
        return
    opening.store(opened, definition, task)
    say(f"Created study {definition.study.name} with {definition.trials} trials in {redacted(storage)}.")
    say(f"Next: lrsearch study run {study_arguments(definition.study.name, storage)}")


def run(
    study: Annotated[
        str, typer.Argument(metavar="NAME|FILE.toml", help="A study, or the file of one.", show_default=False)
    ],
    trials: Annotated[int | None, typer.Option(min=1, help="The study's trials in all, instead of its own.")] = None,
    timeout: Annotated[float | None, typer.Option(min=0, help="Take no further trial after so many seconds.")] = None,
    engine: Engine = "auto",
    device: Device = "auto",
    threads: Threads = 1,
    workers: Workers = None,
    cluster: Cluster = None,
    gpus_per_worker: GpusPerWorker = None,
    one_of: Annotated[int, typer.Option(hidden=True, help="This process is a worker among so many.")] = 0,
    tied: Annotated[bool, typer.Option("--tied", hidden=True, help="End when stdin does.")] = False,
    grace: Grace = GRACE,
    modules: Load = None,
    quiet: Quiet = False,
    storage: Storage = DEFAULT_URL,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Run a study until it has all its trials."""
    quiet_libraries()
    if tied:
        tie_to(sys.stdin)
    if one_of:
        warnings.simplefilter("ignore", LrsearchWarning)  # the process that started it has shown them
    from lrsearch.storage.retry import Patience
    from lrsearch.study import budget
    from lrsearch.study import open as opening
    from lrsearch.study import stored as studies

    stored = opening.find_or_create(study, storage, modules or [])
    task = opening.task_of(stored)
    if trials is not None:
        stored = budget.set_budget(stored, trials)
    if not one_of:
        studies.stop(stored, False)
    code = _own_code(study, stored, modules)
    patience = Patience(say)
    again = f"lrsearch study run {study_arguments(stored.name, storage)}"
    with interruptible(again), joined(cluster, storage) as machines:
        options = RunOptions(
            engine, device, threads, timeout, grace, quiet or one_of > 0, code, one_of or 1, gpus_per_worker, machines
        )  # fmt: skip
        train(stored, task, storage, 1 if one_of else workers, options)
        if not one_of and patience(lambda: _is_to_be_confirmed(stored)):
            from lrsearch.cli.confirm import run_confirmation  # which trains with what is below

            run_confirmation(stored, storage, workers, options)
    if not one_of:
        _print_outcome(stored, storage, output, patience)


def _print_outcome(stored: StoredStudy, storage: str, output: Format, patience: Patience) -> None:
    """Print how far the study is, and say what to do next."""
    from lrsearch.study import status
    from lrsearch.study import stored as studies

    summary = patience(lambda: status.summary(stored))
    if output is Format.JSON:
        print_json(summary)
        return
    print_summary(summary)
    if patience(lambda: studies.is_stopped(stored)):
        say(f"Stopped. Go on with: lrsearch study run {study_arguments(stored.name, storage)}")
    say("Next:")
    say(f"  lrsearch report {study_arguments(stored.name, storage)}")
    say(f"  lrsearch dashboard{storage_argument(storage)}")


def _own_code(study: str, stored: StoredStudy, modules: list[str] | None) -> list[str]:
    """What a worker process must load: the command line's modules, and those of the file that was named."""
    named = stored.definition.study.load if stored.definition and study.endswith(".toml") else []
    beside = [str((Path(study).parent / own).resolve()) if own.endswith(".py") else own for own in named]
    return [*(modules or []), *beside]


@contextmanager
def interruptible(again: str) -> Iterator[None]:
    """Say how to go on if a signal ends the work in the block.

    Args:
        again: The command that goes on.
    """
    try:
        yield
    except InterruptedRunError:
        raise InterruptedRunError(f"interrupted; everything finished is stored. Go on with: {again}") from None


def train(stored: StoredStudy, task: Task, storage: str, workers: int | None, options: RunOptions) -> None:
    """Run a study: in this process, in several, or on a cluster.

    Args:
        stored: The study.
        task: What it trains.
        storage: Its storage's URL.
        workers: How many processes; None for as many as suit the machine or the cluster.
        options: How to train, and where.
    """
    if options.cluster is not None:
        launch(options.cluster, stored, storage, workers, options)
        return
    from lrsearch.launch.gpus import by_default, pins, to_share

    visible = to_share(options.where)
    number = workers or by_default(visible, options.gpus)
    pinned = pins(visible, number, options.gpus)
    if number == 1:
        _train(stored, task, options)
        return
    if workers is None and not options.quiet:
        say(f"{number} workers, because there are GPUs for them; --workers 1 takes one.")
    _supervise(stored, storage, pinned, options)


def _is_to_be_confirmed(stored: StoredStudy) -> bool:
    """Whether the study's file asks for it, and its search is over and has found something."""
    from lrsearch.study import status

    if stored.definition is None or stored.definition.confirm is None:
        return False
    return status.count(stored).is_done and status.best(stored) is not None


def _train(stored: StoredStudy, task: Task, options: RunOptions) -> None:
    from lrsearch.cli.progress import SearchProgress, follow
    from lrsearch.search.runner import Runner
    from lrsearch.signals import Interruption
    from lrsearch.storage.retry import Patience
    from lrsearch.study import status
    from lrsearch.training.choice import choose_engine
    from lrsearch.training.engine import set_threads

    patience = Patience(say)
    winner = patience(lambda: status.best(stored))
    progress = SearchProgress(patience(lambda: status.count(stored)), winner.value if winner else None, stored.metric)
    set_threads(options.threads)
    assert stored.definition is not None
    engine, which = choose_engine(options.engine, task, stored.definition.training, options.where)
    if options.engine == "auto" and not options.quiet:
        say(which)
    with Interruption().caught() as interruption:
        runner = patience(
            lambda: Runner(
                stored, task, engine, interruption,
                timeout=options.timeout, grace=options.grace, workers=options.workers, say=say,
            )
        )  # fmt: skip
        follow(runner.events(), progress, quiet=options.quiet)


def _supervise(stored: StoredStudy, storage: str, pinned: Sequence[str | None], options: RunOptions) -> None:
    from lrsearch.cli.progress import watch
    from lrsearch.launch.supervisor import Supervisor
    from lrsearch.signals import Interruption

    command = [sys.executable, "-m", "lrsearch", "study", "run", stored.name, *options.arguments()]
    command += ["--one-of", str(len(pinned))]
    # The storage travels in the environment: its password must not show in a process list.
    threads = str(options.threads)
    shared = {"LRSEARCH_STORAGE": storage, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
    own = [{} if device is None else {"CUDA_VISIBLE_DEVICES": device} for device in pinned]
    with Interruption().caught() as interruption:
        supervisor = Supervisor(command, [{**shared, **visible} for visible in own], interruption, say)
        watch(supervisor.watch(), stored, quiet=options.quiet)


def _definition(file: Path, name: str | None, settings: list[str] | None, modules: list[str] | None) -> Definition:
    from lrsearch.study import open as opening

    document = load.override(load.read(file), settings or [])
    if name is not None:
        document = load.override(document, [f"study.name={load.text(name)}"])
    return opening.define(document, str(file), folder=file.parent, modules=modules or [])


def _print_plan(definition: Definition, output: Format) -> None:
    from lrsearch.pruning import pruners

    epochs = definition.training.epochs
    plan = {
        "study": definition.study.name,
        "task": definition.task.name,
        "trials": definition.trials,
        "epochs per trial": epochs,
        "seeds": definition.training.seeds,
        "schedulers": definition.search.schedulers,
        "sampler": definition.sampler.name,
        "pruner": definition.pruner.name,
        "rungs": list(pruners.rungs(definition)),
        "epochs at most": definition.trials * epochs * len(definition.training.seeds),
    }
    if output is Format.JSON:
        print_json({key.replace(" ", "_"): value for key, value in plan.items()} | {"document": definition.document()})
    else:
        print_facts({key: _shortened(value) if isinstance(value, list) else value for key, value in plan.items()})
        say("Nothing was written (--dry-run).")


def _shortened(values: list[Any]) -> str:
    shown = ", ".join(map(str, values[:14]))
    return f"{shown}, ... ({len(values)} in all)" if len(values) > 14 else shown or "none"
