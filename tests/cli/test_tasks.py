"""`lrsearch tasks`."""

from __future__ import annotations

import json
import subprocess
import sys


def test_tasks_are_listed_with_their_options() -> None:
    command = [sys.executable, "-m", "lrsearch", "tasks"]
    plain = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "polynomial" in plain
    assert "batch_norm" in plain
    rows = json.loads(subprocess.run([*command, "--format", "json"], capture_output=True, text=True, check=True).stdout)
    options = next(row["options"] for row in rows if row["name"] == "polynomial")
    assert {"option": "degree", "type": "whole number >= 0", "default": 2} in options
