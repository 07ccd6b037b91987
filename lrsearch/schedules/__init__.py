"""What is searched: the scheduler types. Importing this package registers the built-in ones."""

from lrsearch.schedules import classical, cyclical
from lrsearch.schedules.base import Parameter, Schedule, parameter, register

__all__ = ["Parameter", "Schedule", "classical", "cyclical", "parameter", "register"]
