"""What a study may be called: one rule, on every database and in every path that makes a name.

It is asked before anything is stored. Studies that an earlier version let in keep their names, and can be read.
"""

from __future__ import annotations

LONGEST = 120
"""Longest name; the databases index 512 bytes, and linked studies add a suffix."""


def fault(name: str) -> str | None:
    """Why a study may not be called so, as a rule; None if it may.

    Args:
        name: Any text.
    """
    if not 0 < len(name) <= LONGEST:
        return f"must have between 1 and {LONGEST} characters"
    if not name.isprintable() or name != name.strip():
        return "must be printable, without blanks around it"
    if name.startswith("-"):
        return "must not begin with a dash: commands would take it for an option"
    if name.endswith(".toml"):
        return "must not end in .toml: commands would take it for a study file"
    return None


RESERVED = ("optimizers", "training", "task")
"""Keys of ``[search]`` that no scheduler may have for a name."""
