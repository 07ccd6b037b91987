"""The program of a training process: it makes tasks of recipes, and trains what it is given."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import Any

from lrsearch import registry
from lrsearch.errors import LrsearchWarning, input_error
from lrsearch.search.recipe import Recipe
from lrsearch.study import holdout
from lrsearch.tasks import loading
from lrsearch.tasks.fingerprint import differences, fingerprint
from lrsearch.tasks.task import Task
from lrsearch.training import process_child
from lrsearch.training.devices import moved, resolve
from lrsearch.training.engine import set_threads
from lrsearch.training.lane_checkpoints import LaneCheckpoints


def program() -> list[str]:
    """The arguments of Python that run `main`, where modules are found as they are here."""
    path = [str(place) for place in sys.path]
    return ["-c", f"import sys; sys.path[:] = {path!r}; from {__name__} import main; main()"]


def main() -> None:
    """Train what the run that started this process wants, until it ends."""
    warnings.simplefilter("ignore", LrsearchWarning)  # the run has shown them
    process_child.serve(build)


def build(recipe: Any, say: Callable[[str], None]) -> tuple[Task, LaneCheckpoints]:
    """Make the task of a recipe.

    Args:
        recipe: A `Recipe`.
        say: Takes what a person should know.

    Raises:
        InputError: Its code is not to be found from here, or makes other data than where the recipe was written.
    """
    assert isinstance(recipe, Recipe)
    set_threads(recipe.threads)
    loading.load(recipe.sources)
    if recipe.task not in registry.tasks:
        rule = "cannot be found by a training process; name its file with --load, or write --engine sequential"
        raise input_error("task", rule, received=f'"{recipe.task}"')
    task: Task = registry.tasks.get(recipe.task).build(recipe.options)
    if recipe.data is not None and (found := differences(fingerprint(task), recipe.data)):
        rule = f"has other data in a training process: {'; '.join(found)}. Write --engine sequential"
        raise input_error("task", rule, received=f'"{recipe.task}"')
    if recipe.is_confirmation:
        task = holdout.scored(task, recipe.score, halves=recipe.halves, each_epoch=recipe.each_epoch)
    return moved(task, resolve(recipe.device)), LaneCheckpoints(recipe.study, say)
