"""`lrsearch study`: create, run and look at studies."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from lrsearch import registry
from lrsearch.cli.options import Load, OutputFormat, Quiet, Set, Storage, quiet_libraries
from lrsearch.cli.output import Format, print_facts, print_json, print_table, say, show
from lrsearch.errors import InterruptedRunError, input_error, nearest
from lrsearch.storage.rdb import DEFAULT_URL, MissingStorageError, open_storage, redacted
from lrsearch.study_file import load, templates
from lrsearch.study_file.model import Definition

app = typer.Typer(help="Create, run and look at studies.", no_args_is_help=True)

StudyFile = Annotated[Path, typer.Argument(metavar="FILE.toml", help="A study file.", show_default=False)]
StudyName = Annotated[str, typer.Argument(metavar="NAME", help="A study in the storage.", show_default=False)]


@app.command("new")
def new(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write.", show_default=False)],
    source: Annotated[str, typer.Option("--from", help="Which of the shipped study files.")] = "quickstart",
) -> None:
    """Write a study file to start from."""
    templates.copy(source, file)
    say(f"Wrote {file}. Next: lrsearch study run {shlex.quote(str(file))}")


@app.command("create")
def create(
    file: StudyFile,
    name: Annotated[str | None, typer.Option(help="Name of the study, instead of the file's.")] = None,
    settings: Set = None,
    skip_if_exists: Annotated[bool, typer.Option(help="Do nothing if a study of that name exists.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Check and show what would be created.")] = False,
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
    from lrsearch.search import studies

    # Build the task before anything is written: its options may be right one by one and wrong together.
    metric = registry.tasks.get(definition.task.name).build(definition.task.options).metric_name
    opened = open_storage(storage, create=True)
    if skip_if_exists and definition.study.name in studies.names(opened):
        say(f"Study {definition.study.name} exists already; nothing was changed.")
        return
    studies.create(opened, definition, metric)
    say(f"Created study {definition.study.name} with {definition.trials} trials in {redacted(storage)}.")
    say(f"Next: lrsearch study run {_arguments(definition.study.name, storage)}")


@app.command("run")
def run(
    study: Annotated[str, typer.Argument(metavar="NAME|FILE.toml", help="A study, or the file of one.")],
    trials: Annotated[int | None, typer.Option(min=1, help="The study's trials in all, instead of its own.")] = None,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads of torch; other counts change the last bits.")] = 1,
    timeout: Annotated[float | None, typer.Option(min=0, help="Take no further trial after so many seconds.")] = None,
    modules: Load = None,
    quiet: Quiet = False,
    storage: Storage = DEFAULT_URL,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Run a study until it has all its trials."""
    quiet_libraries()
    from lrsearch.cli.progress import SearchProgress, follow
    from lrsearch.search import studies
    from lrsearch.search.interruption import Interruption
    from lrsearch.search.runner import Runner
    from lrsearch.training.engine import SequentialEngine, set_threads

    stored = _stored_or_created(study, modules, storage)
    if stored.definition is None:
        raise input_error("study run", "was not created by lrsearch, so it says nothing to train", received=stored.name)
    if trials is not None:
        stored = studies.set_budget(stored, trials)
    assert stored.definition is not None
    section = stored.definition.task
    if section.name not in registry.tasks:
        known = ", ".join(registry.tasks)
        rule = f"the study's task is not there (there are {known}); name its file with --load"
        raise input_error(
            "study run", rule, received=f'"{section.name}"', nearest=nearest(section.name, registry.tasks)
        )
    task = registry.tasks.get(section.name).build(section.options)
    winner = studies.best(stored.trials())
    progress = SearchProgress(studies.count(stored), winner.value if winner else None, stored.metric)
    set_threads(threads)
    with Interruption().caught() as interruption:
        runner = Runner(stored, task, SequentialEngine(), interruption, timeout)
        try:
            follow(runner.events(), progress, quiet=quiet)
        except InterruptedRunError:
            again = f"lrsearch study run {_arguments(stored.name, storage)}"
            raise InterruptedRunError(f"interrupted; everything finished is stored. Go on with: {again}") from None
    _print_result(studies.summary(stored), storage, output)


@app.command("list")
def list_studies(storage: Storage = DEFAULT_URL, output: OutputFormat = Format.TABLE) -> None:
    """List the studies of a storage."""
    quiet_libraries()
    from lrsearch.search import studies

    try:
        stored = studies.all_studies(open_storage(storage))
    except MissingStorageError:
        stored = []
    rows = [_row(study) for study in stored]
    if output is Format.JSON:
        print_json(rows)
    elif rows:
        print_table(rows, list(rows[0]))
    else:
        say("No studies yet. Start with: lrsearch study new my_study.toml")


@app.command("show")
def show_study(name: StudyName, storage: Storage = DEFAULT_URL, output: OutputFormat = Format.TABLE) -> None:
    """Show how far a study is and its best settings."""
    quiet_libraries()
    from lrsearch.search import studies

    summary = studies.summary(studies.load(open_storage(storage), name))
    if output is Format.JSON:
        print_json(summary)
    else:
        _print_summary(summary)


def _definition(file: Path, name: str | None, settings: list[str] | None, modules: list[str] | None) -> Definition:
    document = load.override(load.read(file), settings or [])
    if name is not None:
        document.setdefault("study", {})["name"] = name
    _load_tasks(document, file, modules)
    return load.parse(document, str(file))


def _load_tasks(document: dict[str, Any], file: Path | None, modules: list[str] | None) -> None:
    section = document.get("study")
    own = section.get("load", []) if isinstance(section, dict) else []
    named = [source for source in own if isinstance(source, str)] if isinstance(own, list) else []
    if named or modules:
        from lrsearch.tasks import loading

        loading.load(modules or [])
        loading.load(named, file.parent if file else None)


def _stored_or_created(study: str, modules: list[str] | None, storage: str) -> Any:
    from lrsearch.search import studies

    if not study.endswith(".toml"):
        _load_tasks({}, None, modules)
        try:
            return studies.load(open_storage(storage), study)
        except MissingStorageError:
            rule = f"no such study: there is no database {redacted(storage)} yet; a study file ends in .toml"
            raise input_error("study", rule, received=f'"{study}"') from None
    definition = _definition(Path(study), None, None, modules)
    metric = registry.tasks.get(definition.task.name).build(definition.task.options).metric_name
    opened = open_storage(storage, create=True)
    if definition.study.name not in studies.names(opened):
        return studies.create(opened, definition, metric)
    stored = studies.load(opened, definition.study.name)
    studies.check_same(stored, definition, study)
    grows = stored.definition is not None and definition.trials > stored.definition.trials
    return studies.set_budget(stored, definition.trials) if grows else stored


def _print_plan(definition: Definition, output: Format) -> None:
    from lrsearch.search import pruning

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
        "rungs": list(pruning.rungs(definition)),
        "epochs at most": definition.trials * epochs * len(definition.training.seeds),
    }
    if output is Format.JSON:
        print_json({key.replace(" ", "_"): value for key, value in plan.items()} | {"document": definition.document()})
    else:
        print_facts({key: ", ".join(map(str, v)) if isinstance(v, list) else v for key, v in plan.items()})
        say("Nothing was written (--dry-run).")


def _row(stored: Any) -> dict[str, Any]:
    from lrsearch.search import studies

    trials = stored.trials()
    counts, winner = studies.count(stored, trials), studies.best(trials, stored.study.direction)
    return {
        "name": stored.name,
        "task": stored.definition.task.name if stored.definition else None,
        "trials": counts.budget,
        "finished": counts.finished,
        "running": counts.running,
        "waiting": counts.waiting,
        "best": winner.value if winner else None,
        "scheduler": winner.params.get("scheduler") if winner else None,
        "lr": winner.params.get("lr") if winner else None,
    }


def _print_summary(summary: dict[str, Any]) -> None:
    trials = {key: value for key, value in summary["trials"].items() if value or key in ("budget", "complete")}
    facts = {"study": summary["name"], **{f"trials {key}": value for key, value in trials.items()}}
    facts["epochs trained"] = summary["epochs_trained"]
    best = summary["best"]
    facts[f"best {summary['metric']}"] = f"{show(best['value'])} (trial {best['number']})" if best else None
    facts.update({f"  {name}": value for name, value in (best["params"] if best else {}).items()})
    print_facts(facts)


def _print_result(summary: dict[str, Any], storage: str, output: Format) -> None:
    if output is Format.JSON:
        print_json(summary)
        return
    _print_summary(summary)
    say("Next:")
    say(f"  lrsearch report {_arguments(summary['name'], storage)}")
    say(f"  optuna-dashboard {shlex.quote(redacted(storage))}")


def _arguments(name: str, storage: str) -> str:
    shown = "" if storage == DEFAULT_URL else f" --storage {shlex.quote(redacted(storage))}"
    return shlex.quote(name) + shown
