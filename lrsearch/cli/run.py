"""`lrsearch study new`, `create` and `run`: from a file to a finished study."""

from __future__ import annotations

import shlex
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lrsearch.cli import completion
from lrsearch.cli.answer import print_answer
from lrsearch.cli.messages import interruptible, show_messages
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
from lrsearch.cli.output import Format, console, print_facts, print_json, say
from lrsearch.cli.study import print_summary, storage_argument, study_arguments
from lrsearch.errors import LrsearchWarning
from lrsearch.operations.run_options import RunOptions
from lrsearch.printable import redacted
from lrsearch.storage.defaults import DEFAULT_URL, GRACE

if TYPE_CHECKING:
    from lrsearch.study.stored import StoredStudy
    from lrsearch.study_file.model import Definition

PLAYED, MOST_PLAYS = 512, 8
"""So many trials are played through at most to say what pruning saves. A small study is played several times: what a
single small batch saves is luck."""
StudyFile = Annotated[Path, typer.Argument(metavar="FILE.toml", help="A study file.", show_default=False)]


def new(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write.", show_default=False)],
    source: Annotated[str, typer.Option("--from", help="Which of the shipped study files.")] = "quickstart",
) -> None:
    """Write a study file to start from."""
    from lrsearch.study_file import templates

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
    from lrsearch.sampling.ask import trials_to_train
    from lrsearch.storage.new_study import StudyExistsError
    from lrsearch.storage.rdb import open_storage
    from lrsearch.study import open as opening
    from lrsearch.study import stored as studies

    # Built before anything is written: options may be right one by one and wrong together.
    task = opening.build_task(definition)
    opened = open_storage(storage, create=True)
    there = f"Study {definition.study.name} exists already; nothing was changed."
    if skip_if_exists and definition.study.name in studies.names(opened):
        say(there)
        return
    try:
        opening.store(opened, definition, task)
    except StudyExistsError:
        if not skip_if_exists or definition.study.name not in studies.names(opened):
            raise
        say(there)  # somebody else was a moment earlier
        return
    say(f"Created study {definition.study.name} with {definition.trials} trials in {redacted(storage)}.")
    if (budget := trials_to_train(definition)) < definition.trials:
        say(f"{fewer_settings(budget, definition.trials)}.")
    say(f"Next: lrsearch study run {study_arguments(definition.study.name, storage)}")


def run(
    study: Annotated[
        str,
        typer.Argument(
            metavar="NAME|FILE.toml",
            help="A study, or the file of one.",
            show_default=False,
            autocompletion=completion.studies_and_files,
        ),
    ],
    trials: Annotated[int | None, typer.Option(min=1, help="The study's trials in all, instead of its own.")] = None,
    timeout: Annotated[float | None, typer.Option(min=0, help="Take no further trial after so many seconds.")] = None,
    engine: Engine = "auto",
    device: Device = "auto",
    threads: Threads = 1,
    workers: Workers = None,
    cluster: Cluster = None,
    gpus_per_worker: GpusPerWorker = None,
    no_confirm: Annotated[
        bool, typer.Option("--no-confirm", help="Do not train the best settings again on fresh seeds afterwards.")
    ] = False,
    one_of: Annotated[int, typer.Option(hidden=True, help="This process is a worker among so many.")] = 0,
    grace: Grace = GRACE,
    modules: Load = None,
    quiet: Quiet = False,
    storage: Storage = DEFAULT_URL,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Run a study until it has all its trials, and confirm what it found."""
    quiet_libraries()
    if one_of:
        warnings.simplefilter("ignore", LrsearchWarning)  # the process that started it has shown them
    show_messages(quiet=quiet)
    if not quiet and not one_of and console().is_terminal:  # a person
        say(
            f"Study {study}: reading it, and looking at what it trains ...", style="aside"
        )  # torch takes seconds to come
    from lrsearch.cli.progress import Progress
    from lrsearch.operations import run as operation

    options = RunOptions(
        engine, device, threads, timeout, grace, workers, gpus_per_worker, cluster, tuple(modules or ()),
        confirm=not no_confirm, one_of=one_of,
    )  # fmt: skip
    with interruptible(f"lrsearch study run {study_arguments(study, storage)}"):
        stored = operation.run(study, options, url=storage, trials=trials, display=Progress(quiet=quiet))
    if not one_of:
        _print_outcome(stored, storage, output)


def _print_outcome(stored: StoredStudy, storage: str, output: Format) -> None:
    """Print how far the study is, and say what to do next."""
    from lrsearch.study import control, recommendation

    summary = recommendation.summary(stored)
    if output is Format.JSON:
        print_json(summary)
        return
    print_summary(summary)
    print_answer(stored)
    if control.is_stopped(stored):
        say(f"Stopped. Go on with: lrsearch study run {study_arguments(stored.name, storage)}")
    assert stored.definition is not None
    if stored.budget is not None and stored.budget < stored.definition.trials:
        say(f"{fewer_settings(stored.budget, stored.definition.trials)}.")
    say("Next:")
    say(f"  lrsearch report {study_arguments(stored.name, storage)}")
    say(f"  lrsearch dashboard{storage_argument(storage)}")


def _definition(file: Path, name: str | None, settings: list[str] | None, modules: list[str] | None) -> Definition:
    from lrsearch.study import open as opening
    from lrsearch.study_file import load

    document = load.override(load.read(file), settings or [])
    if name is not None:
        document = load.renamed(document, name)
    return opening.define(document, str(file), folder=file.parent, modules=modules or [])


def _print_plan(definition: Definition, output: Format) -> None:
    from lrsearch.pruning import pruners
    from lrsearch.sampling.ask import trials_to_train
    from lrsearch.study import confirmation

    training, budget = definition.training, trials_to_train(definition)
    epochs, evaluations = training.epochs, _evaluations(definition)
    plan = {
        "study": definition.study.name,
        "task": definition.task.name,
        **({} if definition.command is None else {"command": definition.command.run}),
        "trials": definition.trials,
        "trials to train": budget,
        "epochs per trial": epochs,
        **({} if training.unit == "epoch" else {"evaluations per trial": evaluations}),
        "seeds": definition.training.seeds,
        "schedulers": definition.search.schedulers,
        **({"optimizers": definition.search.options.optimizers} if definition.search.options.optimizers else {}),
        "sampler": definition.sampler.name,
        "pruner": definition.pruner.name,
        "rungs": list(pruners.rungs(definition, evaluations)),
        **_saves(definition, evaluations),
        "epochs at most": budget * epochs * len(definition.training.seeds),
        "runs to confirm, about": confirmation.runs(definition),
        "epochs to confirm, about": confirmation.runs(definition) * epochs,
        **_contestants(definition),
    }
    if output is Format.JSON:
        print_json({_key(key): _with_keys(value) for key, value in plan.items()} | {"document": definition.document()})
    else:
        print_facts({key: _in_words(value) for key, value in plan.items()})
        if budget < definition.trials:
            say(f"{fewer_settings(budget, definition.trials)}.")
        say("Nothing was written (--dry-run).")


def _contestants(definition: Definition) -> dict[str, Any]:
    """Who is trained beside the confirmation, when, and what that takes; nothing where nobody is."""
    from lrsearch.study import contest_cost

    names = contest_cost.names(definition)
    if not names:
        return {}
    rule = "if they add less than two minutes, or a tenth of the search" if contest_cost.is_ours(definition) else "yes"
    runs, found = contest_cost.runs(definition), contest_cost.updates_of_test(definition)
    return {
        "contestants": names,
        "contestants are trained": rule,
        "epochs of contestants, about": runs * definition.training.epochs,
        **({"updates of lr-find, at most": found} if found else {}),
    }


def _evaluations(definition: Definition) -> int:
    """Of a trial that is trained to the end; the task's rows may decide."""
    if definition.training.evaluate_every is None:
        return definition.training.epochs
    from lrsearch.study import open as opening
    from lrsearch.training.when_evaluated import evaluations_of

    return evaluations_of(opening.build_task(definition), definition.training)


def _saves(definition: Definition, evaluations: int) -> dict[str, Any]:
    """What pruning saves, as shares; nothing where that cannot be said before trials are trained.

    Nobody knows when patience ends runs: then it is said how few epochs there may be.
    """
    from lrsearch.pruning.lane_cost import reckoned
    from lrsearch.sampling.ask import trials_to_train
    from lrsearch.study import forecast

    if not forecast.can_be_played(definition) or (not definition.is_pruned and definition.training.patience is None):
        return {}
    part = definition.model_copy(
        update={"study": definition.study.model_copy(update={"trials": min(definition.trials, PLAYED)})}
    )
    times = min(MOST_PLAYS, PLAYED // trials_to_train(part))
    shares = {}
    for together, how in ((False, "one by one"), (True, "in batches")):
        seconds = reckoned(one_pass=together, device="cpu").seconds
        played = [
            forecast.forecast(part, seconds, together=together, draw=draw, evaluations=evaluations)
            for draw in range(times)
        ]
        if (fewest := played[0].least_epochs) is not None:
            least = round(fewest * trials_to_train(definition) / played[0].trials)
            return {"epochs if patience ends each run at once, about": least}
        left = sum(own.epochs for own in played) / sum(own.epochs_unpruned for own in played)
        shares["epochs" if how == "one by one" else f"epochs {how}"] = 1 - left
        left = sum(own.seconds for own in played) / sum(own.seconds_unpruned for own in played)
        shares[f"seconds {how}"] = 1 - left
    return {"pruning saves, about": {key: round(share, 2) for key, share in shares.items()}}


def _key(words: str) -> str:
    return words.replace(",", "").replace(" ", "_")


def _with_keys(value: Any) -> Any:
    return {_key(words): part for words, part in value.items()} if isinstance(value, dict) else value


def _in_words(value: Any) -> Any:
    if isinstance(value, dict):
        return ", ".join(f"{share:.0%} of {key}".replace("%", " %") for key, share in value.items())
    return _shortened(value) if isinstance(value, list) else value


def fewer_settings(budget: int, trials: int) -> str:
    """Why a study has fewer trials than its file says.

    Args:
        budget: What it has.
        trials: What the file says.
    """
    return f"{budget} cells, {trials} trials: equal settings train the same, so each of the {budget} is trained once"


def _shortened(values: list[Any]) -> str:
    shown = ", ".join(map(str, values[:14]))
    return f"{shown}, ... ({len(values)} in all)" if len(values) > 14 else shown or "none"
