"""Text from a database, made harmless in markdown: it shows as it is and does nothing."""

from __future__ import annotations

import re

LONGEST = 300
"""Most characters of a stored text in a report; error messages can be books."""
LONGEST_OWN = 3000
"""Most characters of a paragraph of ours, into which stored names are written."""

# Everything that starts a construct in the middle of a line: code, emphasis, links, cells, strikethrough,
# formulas. An underscore inside a word starts nothing, and names are full of them.
_SPECIAL = re.compile(r"[\\`*\[\]|~$]|(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def inline(text: object, most: int = LONGEST) -> str:
    """Text for a sentence, a heading or a table cell.

    Args:
        text: Anything; it becomes one line of printable characters.
        most: How many of them at most.
    """
    line = " ".join("".join(char if char.isprintable() else " " for char in str(text)).split())
    if len(line) > most:
        line = line[: most - 1] + "…"
    line = "".join(_ENTITIES.get(char, char) for char in line)
    return _SPECIAL.sub(lambda match: "\\" + match[0], line)


def own(text: str) -> str:
    """A caption or paragraph of ours, which names from a database may be a part of; it is not cut short.

    Args:
        text: The text; it becomes one line.
    """
    return inline(text, LONGEST_OWN)


def code_span(code: str) -> str:
    """Code within a sentence, which its content cannot end.

    Args:
        code: The content; it becomes one line and shows as it is.
    """
    line = " ".join(code.split())
    fence = "`" * (max((len(run) for run in re.findall("`+", line)), default=0) + 1)
    return f"{fence}{line}{fence}" if len(fence) == 1 else f"{fence} {line} {fence}"


def code_block(code: str, language: str) -> str:
    """A fenced code block that its content cannot close.

    Args:
        code: The content; it shows as it is.
        language: For the highlighting.
    """
    longest = max((len(run) for run in re.findall("`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{code.rstrip()}\n{fence}"
