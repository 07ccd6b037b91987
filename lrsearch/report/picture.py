"""What a report knows of a figure: its file, its section, and what it says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lrsearch.report.figures import Draw


class Place(StrEnum):
    """The section of the report in which a figure stands."""

    RATES = "rates"
    CURVES = "curves"
    SCHEDULES = "schedules"
    EVIDENCE = "evidence"
    VALLEY = "valley"
    SCALE = "scale"
    APPENDIX = "appendix"


@dataclass(frozen=True)
class Picture:
    """A figure of a report.

    Attributes:
        file: Name of its file.
        place: Where it stands.
        title: What it shows.
        seen: What there is to see, for those who cannot see it.
        reading: How to read it, in a sentence or two.
        draw: Makes it.
    """

    file: str
    place: Place
    title: str
    seen: str
    reading: str
    draw: Draw
