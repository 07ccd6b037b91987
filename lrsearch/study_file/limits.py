"""Limits that options of commands have, too: the help must not wait for what checks study files."""

from __future__ import annotations

MOST_THREADS = 1024
"""CPU threads of torch, which ends the process when it is asked for a million."""
