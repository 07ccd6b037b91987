"""How many processor cores this process may use."""

from __future__ import annotations

import os
from pathlib import Path

QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""Where Linux says how much processor time a container gets: microseconds, or ``max``, of each period."""


def cores() -> int:
    """Cores that this process may use: those that it is bound to, and no more than its container's share."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    words = QUOTA.read_text().split() if QUOTA.is_file() else []
    if len(words) == 2 and words[0].isdigit() and words[1].isdigit() and int(words[1]):
        return max(1, min(bound, int(words[0]) // int(words[1])))
    return bound


def side_by_side(threads: int, share: int = 1) -> int:
    """How many processes can train beside each other.

    Args:
        threads: CPU threads of each.
        share: How many runs share the machine.
    """
    return max(1, cores() // threads // share)
