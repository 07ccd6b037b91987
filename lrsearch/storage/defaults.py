"""What holds where nothing else is said. Commands show it in their help, which must not wait for any library."""

from __future__ import annotations

DEFAULT_URL = "sqlite:///lrsearch.db"
"""The storage."""
GRACE = 60.0
"""Seconds without a heartbeat after which a trial on another machine is taken to be lost."""
