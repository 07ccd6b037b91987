"""On what a study searches. Importing this package registers the built-in tasks."""

from lrsearch.tasks import polynomial, tabular
from lrsearch.tasks.data import Data
from lrsearch.tasks.definition import TaskDefinition, task
from lrsearch.tasks.task import Task

__all__ = ["Data", "Task", "TaskDefinition", "polynomial", "tabular", "task"]
