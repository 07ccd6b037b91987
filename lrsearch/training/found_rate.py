"""The rate that `lrsearch lr-find` finds with its defaults: a ramp, and a second look at rates inside the range."""

from __future__ import annotations

from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.task import Task
from lrsearch.training import second_look
from lrsearch.training.finding import Finding
from lrsearch.training.ramp import Plan, climb
from lrsearch.training.range_test import analyse
from lrsearch.training.weighing import weigh

LOOK = 200
"""Updates of each short run of the second look."""


def found_rate(task: Task, training: TrainingSection) -> Finding:
    """One rate for who wants no search; None in the finding, with the reason, where none was found.

    Args:
        task: What is trained, on its device.
        training: Batch size and optimizer.

    Raises:
        InputError: The task cannot be trained here.
    """
    plan = Plan()
    test = analyse(list(climb(task, training, plan)), plan.low, plan.high, plan.updates)
    ends = test.finding.range
    if ends is None or test.finding.lr is None:
        return test.finding
    seeds = [seed.seed for seed in test.seeds][: second_look.SEEDS]
    briefs = list(second_look.look(task, training, ends, LOOK, seeds))
    return weigh(test.finding, briefs, maximise=task.maximises).finding


def updates() -> int:
    """How many updates that takes at most; without a second look fewer."""
    plan = Plan()
    return plan.seeds * (plan.updates + 1) + second_look.SEEDS * len(second_look.PLACES) * LOOK
