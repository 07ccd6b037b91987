"""What is searched: the scheduler types. Importing this package registers the built-in ones."""

# The order of these imports is the order in which lists name the families.
from lrsearch.schedules import classical, plateau, cyclical, annealing  # noqa: I001
from lrsearch.schedules.base import Parameter, Schedule, parameter, register

__all__ = [
    "Parameter",
    "Schedule",
    "annealing",
    "classical",
    "cyclical",
    "parameter",
    "plateau",
    "register",
]
