"""`lrsearch lr-find`: a learning-rate range test, shown, drawn, and written into a study file."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from lrsearch import registry
from lrsearch.cli import completion, named_task
from lrsearch.cli.options import Load, OutputFormat, Quiet, Threads
from lrsearch.cli.output import Format, print_facts, print_json, say
from lrsearch.errors import Fault, InputError, input_error
from lrsearch.garbage import search_as_usual

if TYPE_CHECKING:
    from lrsearch.study_file.model import Definition
    from lrsearch.tasks.task import Task
    from lrsearch.training.ramp import Plan
    from lrsearch.training.range_test import RangeTest
    from lrsearch.training.weighing import Brief, Weighed

SOURCE = "lr-find"
Made = TypeVar("Made")


@dataclass(frozen=True)
class _Order:
    """A command line that was found to be right."""

    definition: Definition
    task: Task
    plan: Plan
    look: int
    plot: Path | None
    study_file: Path | None


@dataclass(frozen=True)
class _Found:
    """What was trained, and what follows from it."""

    test: RangeTest
    briefs: list[Brief]
    weighed: Weighed
    spends_epochs: float


def lr_find(
    task: Annotated[
        str,
        typer.Option(
            metavar="NAME|FILE:NAME",
            help="A task, or its file and its name.",
            show_default=False,
            autocompletion=completion.tasks,
        ),
    ],
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="task.degree=3, training.optimizer=adam, ...; may be repeated."
        ),
    ] = None,
    modules: Load = None,
    low: Annotated[float, typer.Option(help="First learning rate of the ramp.")] = 1e-6,
    high: Annotated[float, typer.Option(help="Last learning rate of the ramp.")] = 10.0,
    batches: Annotated[int, typer.Option("--batches", "--steps", help="Updates on the ramp, for each seed.")] = 400,
    seeds: Annotated[int, typer.Option(help="How many networks climb the ramp.")] = 5,
    look: Annotated[
        int, typer.Option(help="Updates of each short run at a rate inside the range; 0: no second look.")
    ] = 200,
    plot: Annotated[Path | None, typer.Option(metavar="F.png", help="Draw loss against learning rate.")] = None,
    write: Annotated[
        Path | None, typer.Option(metavar="STUDY.toml", help="Set [search] lr in this study file, and nothing else.")
    ] = None,
    threads: Threads = 1,
    quiet: Quiet = False,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Suggest a range of learning rates to search, and one rate, from a range test and a few short runs."""
    order = _check(task, settings, modules, (low, high, batches, seeds), look, plot, write)
    found = _train(order, threads, quiet)
    if order.plot is not None:
        _draw(order, found, order.plot)
    result = _result(order, found)
    if output is Format.JSON:
        print_json(result)
    else:
        _show(result)
    if order.study_file is not None:
        _write(order, found.test, order.study_file)


def _check(
    task: str,
    settings: list[str] | None,
    modules: list[str] | None,
    ramp: tuple[float, float, int, int],
    look: int,
    plot: Path | None,
    write: Path | None,
) -> _Order:
    """Everything that can be wrong, before anything is trained."""
    faults: list[Fault] = []

    def collected(check: Callable[[], Made]) -> Made | None:
        try:
            return check()
        except InputError as error:
            faults.extend(_named(fault, error.source) for fault in error.faults)
            return None

    from lrsearch.report import files
    from lrsearch.tasks import loading
    from lrsearch.training import second_look
    from lrsearch.training.ramp import Plan

    sources = [*(modules or []), *named_task.optimizer_sources(settings or [])]
    collected(lambda: loading.load(sources))
    if named_task.source_of(task) is not None:
        task = collected(lambda: named_task.found(task, [], SOURCE)) or task
    definition = collected(lambda: _definition(task, settings or []))
    made = collected(lambda: _build(definition)) if definition else None
    plan = collected(lambda: Plan(*ramp))
    collected(lambda: second_look.check(look))
    if plot is not None:
        collected(lambda: files.check_picture(plot, "--plot"))
    if write is not None:
        collected(lambda: _check_study_file(write))
    if faults or definition is None or made is None or plan is None:
        raise InputError(SOURCE, faults)
    return _Order(definition, made, plan, look, plot, write)


def _named(fault: Fault, source: str) -> Fault:
    """The fault with the name of what it was found in, where that is not the command line itself."""
    if source in (SOURCE, "range test", "output") and fault.key:
        return fault
    return Fault(": ".join(part for part in (source, fault.key) if part), fault.rule, fault.received, fault.nearest)


def _definition(task: str, settings: list[str]) -> Definition:
    faults = [
        Fault("--set", "only task.* and training.* matter here, without training.epochs", f'"{setting}"')
        for setting in settings
        if not setting.startswith(("task.", "training.")) or setting.partition("=")[0].strip() == "training.epochs"
    ]
    if faults:
        raise InputError(SOURCE, faults)
    from lrsearch.study_file import load

    document = {"study": {"name": SOURCE}, "task": {"name": task}}
    return load.parse(load.override(document, settings), SOURCE)


def _build(definition: Definition) -> Task:
    made: Task = registry.tasks.get(definition.task.name).build(definition.task.options)
    return made


def _check_study_file(path: Path) -> Definition:
    from lrsearch.report import files
    from lrsearch.study_file import load

    document = load.read(path)
    named = load.sources(document)
    if named:
        from lrsearch.tasks import loading

        loading.load(named, path.parent)
    definition = load.parse(document, str(path))
    if definition.command is not None:
        rule = "runs a command, so it has no task whose range could be found; write lr by hand"
        raise input_error(str(path), rule, key="command")
    files.prepare(path.resolve().parent)
    return definition


def _train(order: _Order, threads: int, quiet: bool) -> _Found:
    from lrsearch.training import second_look
    from lrsearch.training.engine import set_threads
    from lrsearch.training.weighing import weigh

    search_as_usual()
    set_threads(threads)
    test = _climb(order, quiet)
    ends, briefs = test.finding.range, []
    if ends and test.finding.lr is not None and order.look:
        briefs = _look(order, ends, [seed.seed for seed in test.seeds][: second_look.SEEDS], quiet)
    weighed = weigh(test.finding, briefs, maximise=order.task.maximises)
    spent = second_look.epochs(order.task, order.definition.training, order.look, len(briefs))
    return _Found(replace(test, finding=weighed.finding), briefs, weighed, spent)


def _climb(order: _Order, quiet: bool) -> RangeTest:
    from lrsearch.training.ramp import climb
    from lrsearch.training.range_test import analyse

    plan, done = order.plan, []
    for seed in climb(order.task, order.definition.training, plan):
        done.append(seed)
        if not quiet:
            end = "no divergence" if seed.diverged_at is None else f"diverged at {seed.diverged_at:.2g}"
            say(f"seed {seed.seed} ({len(done)}/{plan.seeds}): {end}")
    return analyse(done, plan.low, plan.high, plan.updates)


def _look(order: _Order, ends: tuple[float, float], seeds: list[int], quiet: bool) -> list[Brief]:
    from lrsearch.training import second_look

    training, runs = order.definition.training, len(seeds) * len(second_look.PLACES)
    spent = second_look.epochs(order.task, training, order.look, runs)
    if not quiet:
        say(f"second look: {runs} short runs of {order.look} updates between {ends[0]:g} and {ends[1]:g}, "
            f"which spends {_epochs(spent)}")  # fmt: skip
    return list(second_look.look(order.task, training, ends, order.look, seeds))


def _epochs(spent: float) -> str:
    return f"{spent:.2g} epochs" if spent < 10 else f"{spent:.0f} epochs"


def _draw(order: _Order, found: _Found, path: Path) -> None:
    from lrsearch.report import figures, files
    from lrsearch.report.figures.lr_range import Look, lr_range

    loss = order.task.loss if isinstance(order.task.loss, str) else getattr(order.task.loss, "__name__", "loss")
    title = f"{order.definition.task.name}, {order.definition.training.optimizer}: learning-rate range test"
    look = Look(found.briefs, _metric(order), order.look, order.task.maximises) if found.briefs else None
    files.replace(path.parent, {path.name: figures.png(lr_range(found.test, title, loss, look))})
    say(f"Wrote {path}.")


def _metric(order: _Order) -> str:
    metric = order.task.metric
    return metric if isinstance(metric, str) else getattr(metric, "__name__", "metric")


def _result(order: _Order, found: _Found) -> dict[str, Any]:
    test, training, plan = found.test, order.definition.training, order.plan
    finding, ends = test.finding, test.finding.range
    return {
        "task": order.definition.task.name,
        "optimizer": training.optimizer,
        "batch_size": training.batch_size,
        "ramp": {"low": plan.low, "high": plan.high, "batches": plan.updates},
        "seeds": [seed.seed for seed in test.seeds],
        "range": {"low": ends[0], "high": ends[1]} if ends else None,
        "lr": finding.lr,
        "confidence": found.weighed.confidence,
        "worth": found.weighed.worth,
        "spends_epochs": found.spends_epochs,
        "reasons": {"low": finding.why_low, "high": finding.why_high, "lr": finding.why_lr},
        "diverged": finding.diverged,
        "second_look": _tried(order, found.briefs),
        "curve": {"lr": test.rates.tolist(), "loss": test.centre.tolist()},
    }


def _tried(order: _Order, briefs: list[Brief]) -> dict[str, Any] | None:
    if not briefs:
        return None
    rates = dict.fromkeys(own.lr for own in briefs)
    values = [{"lr": lr, "values": [own.value for own in briefs if own.lr == lr]} for lr in rates]
    return {"updates": order.look, "metric": _metric(order), "rates": values}


def _show(result: dict[str, Any]) -> None:
    from lrsearch.study_file import edit

    found, why = result["range"], result["reasons"]
    print_facts(
        {
            "range": f"{found['low']:g} to {found['high']:g}" if found else None,
            "  from": why["low"],
            "  to": why["high"],
            "rate": result["lr"],
            "  because": why["lr"],
            "  worth": f"{result['worth']} (confidence {result['confidence']})" if result["confidence"] else None,
            "  cost": f"spends {_epochs(result['spends_epochs'])}" if result["second_look"] else None,
            "seeds": result["diverged"],
            "study file": edit.show_lr(found["low"], found["high"]) if found else None,
        }
    )


def _write(order: _Order, test: RangeTest, path: Path) -> None:
    from lrsearch.report import files
    from lrsearch.study_file import edit, load

    found = test.finding.range
    if found is None:
        raise input_error(SOURCE, "no range was found, so nothing was written", key="--write", received=f'"{path}"')
    # Read again: it may have been edited while the networks were trained.
    changed = edit.with_lr(edit.text(path), *found, str(path))
    target = path.resolve()  # behind a link, the file and not the link
    files.replace(target.parent, {target.name: changed.encode("utf-8")})
    say(f"Set [search] lr in {path}. Next: lrsearch study run {shlex.quote(str(path))}")
    others = [
        fault.key
        for fault in load.differences(_check_study_file(path), order.definition)
        if fault.key.startswith(("task.", "training.")) and fault.key not in ("training.epochs", "training.seeds")
    ]
    if others:
        say(f"Mind that the study trains something else than this test did: {', '.join(others)}.")
