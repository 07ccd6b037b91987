"""What is searched: the scheduler types. Importing this package registers the built-in ones."""

# The order of these imports is the order in which lists name the families.
from lrsearch.schedules import classical, plateau, cyclical, annealing  # noqa: I001
from lrsearch.schedules.annealing import Cosine, CosineRestarts, InverseSqrt, Linear, Polynomial, WarmupStableDecay
from lrsearch.schedules.base import Parameter, Schedule, parameter, register
from lrsearch.schedules.classical import Constant, Exponential, Lambda, Piecewise, Power
from lrsearch.schedules.cyclical import Cyclic, OneCycle
from lrsearch.schedules.plateau import Plateau
from lrsearch.study_file.axes import Choices, Range

__all__ = [
    "Choices",
    "Constant",
    "Cosine",
    "CosineRestarts",
    "Cyclic",
    "Exponential",
    "InverseSqrt",
    "Lambda",
    "Linear",
    "OneCycle",
    "Parameter",
    "Piecewise",
    "Plateau",
    "Polynomial",
    "Power",
    "Range",
    "Schedule",
    "WarmupStableDecay",
    "annealing",
    "classical",
    "cyclical",
    "parameter",
    "plateau",
    "register",
]
