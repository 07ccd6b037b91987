"""What `lrsearch train` leaves behind: the summary, the plot and the file of epochs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lrsearch.cli.output import Format, print_facts, print_json, say, show, write
from lrsearch.cli.train_input import Prepared
from lrsearch.report import epochs, files, single_run
from lrsearch.report.wording import limits
from lrsearch.training import best_weights
from lrsearch.training.evaluation import evaluate_rows
from lrsearch.training.outcome import EpochMetrics, Outcome, outcome


def write_files(prepared: Prepared, plot: Path | None, output: Path | None) -> None:
    """Write the plot and the epochs, where they are wanted and there is anything to write.

    Args:
        prepared: The run, at its end.
        plot: File of the plot.
        output: File of the epochs.
    """
    if not prepared.run.records:
        if plot or output:
            say("Nothing was trained, so no file was written.")
        return
    if output is not None:
        epochs.write(single_run.rows(prepared.run, prepared.task.metric_name), output)
        say(f"Wrote {len(prepared.run.records)} {prepared.definition.training.unit}s to {output}.")
    if plot is not None:
        from lrsearch.report import figures  # matplotlib takes a while

        figure = single_run.figure(prepared.definition, prepared.run)
        files.replace(plot.parent, {plot.name: figures.image(figure, plot.suffix)})
        say(f"Wrote {plot}.")


def write_summary(prepared: Prepared, form: Format, *, by_hand: bool) -> None:
    """Print what the run came to.

    Args:
        prepared: The run, at its end.
        form: Table or JSON.
        by_hand: Whether it was steered by hand, so that its length was nobody's plan.
    """
    came_to = outcome(prepared.definition, prepared.run)
    metric = prepared.task.metric_name
    repeated = prepared.repeats
    if form is Format.JSON:
        head = {"definition": prepared.definition.document(), "metric": metric, "threads": prepared.threads}
        trial = {"number": repeated.number, "value": repeated.value} if repeated else None
        expected = _expected(prepared, came_to)
        print_json({**head, **came_to.as_dict(), "repeats": trial, "expected": expected})
        return
    facts = _facts(prepared, came_to, metric, by_hand)
    if repeated is not None and repeated.value is not None:
        same = repeated.value == came_to.kept.test
        facts["repeats"] = f"trial {repeated.number}, " + (
            "to the last bit" if same else f"which had {repeated.value!r}"
        )
    if expected := _expected(prepared, came_to):
        sure = "" if expected["interval"] is None else f" (95 % interval {limits(*expected['interval'])})"
        facts[f"{expected['rows']} {metric}"] = (
            f"{show(expected['value'])}, expected {show(expected['expected'])}{sure}"
        )
    print_facts(facts)
    write(f"\n{came_to.code}")


def _expected(prepared: Prepared, came_to: Outcome) -> dict[str, Any] | None:
    """What the run came to on the rows that the recommendation speaks of, and what was to be expected."""
    found = prepared.expects
    if found is None:
        return None
    value, holdout = came_to.kept.test, prepared.task.holdout
    if found.rows == "holdout" and holdout is not None:
        metric = {"holdout": prepared.task.metric_function}
        run = prepared.run
        with best_weights.in_place(run):
            value = evaluate_rows(holdout, metric, run.look)["holdout"]
    return {"rows": found.rows, "value": value, "expected": found.expected, "interval": found.interval}


def _facts(prepared: Prepared, came_to: Outcome, metric: str, by_hand: bool) -> dict[str, Any]:
    definition = prepared.definition
    if came_to.segments:
        rates = ", ".join(f"{show(part.lr)} (epochs {part.first} to {part.last})" for part in came_to.segments)
    else:
        rates = show(prepared.run.lr)
    unit = definition.training.unit
    of = "" if by_hand else f" of {definition.training.epochs}"
    return {
        "task": definition.task.name,
        "scheduler": "by hand" if came_to.segments else definition.schedule.describe(),
        "lr": rates,
        "optimizer": definition.training.optimizer,
        "seed": definition.seed,
        "epochs": f"{came_to.epochs:.4g}{of}" if isinstance(came_to.epochs, float) else f"{came_to.epochs}{of}",
        **({} if unit == "epoch" else {"evaluations": prepared.run.epoch}),
        f"train {metric}": _from_to(came_to.before.train, came_to.final.train, came_to.best_train, "train", unit),
        f"test {metric}": _from_to(came_to.before.test, came_to.final.test, came_to.best_test, "test", unit),
        **({"kept": f"{unit} {came_to.kept.epoch}, the best on the test rows"} if prepared.run.keep == "best" else {}),
        **{f"test {name}": value for name, value in came_to.kept.extra.items()},
        "diverged": f"in {unit} {prepared.run.epoch}" if came_to.diverged else "no",
        "seconds": came_to.seconds,
    }


def _from_to(before: float, final: float, best: EpochMetrics, rows: str, unit: str) -> str:
    there = f"best {show(getattr(best, rows))} after {unit} {best.epoch}"
    return f"{show(final)} (before training {show(before)}, {there})"
