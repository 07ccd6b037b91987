"""`lrsearch schedules` as it is typed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lrsearch.registry import schedules

Command = Callable[..., "subprocess.CompletedProcess[str]"]
OWN = '''
from dataclasses import dataclass
from lrsearch.schedules import Schedule, parameter, register

@register
@dataclass(frozen=True)
class Halves(Schedule):
    """Half of the rate."""

    name = "halves"
    unit = "epoch"
    formula = "share"
    torch_class = "LambdaLR"
    share: float = parameter(0.5, "how much of it", above=0)

    def shape(self, t, horizon):
        return self.share

    def shape_code(self, lr, horizon):
        return "scheduler = None"
'''


def test_every_family_is_listed_within_a_hundred_columns(lrsearch: Command) -> None:
    listed = lrsearch("schedules", "list")
    assert listed.returncode == 0
    assert listed.stdout == lrsearch("schedules").stdout
    assert max(map(len, listed.stdout.splitlines())) <= 100
    for name in schedules:
        family = schedules.get(name)
        part = listed.stdout.split(f"{name} (per {family.unit}, torch {family.torch_class})")[1].split("\n\n")[0]
        flat = " ".join(part.split())
        assert f"factor = {family.formula}" in flat
        assert all(alias in flat for alias in family.aliases)
        assert all(declared.meaning in flat for declared in family.parameters().values() if declared.search)


def test_json_says_everything(lrsearch: Command) -> None:
    rows = {row["name"]: row for row in json.loads(lrsearch("schedules", "list", "--format", "json").stdout)}
    assert list(rows) == list(schedules)
    assert rows["plateau"]["groups"] == ["classical", "all"]
    assert rows["cosine"]["aliases"][0] == "CosineAnnealingLR"
    assert rows["lambda"]["parameters"][0] == {
        "name": "decay", "meaning": "share of the rate kept at every epoch", "default": 0.95,
        "search": {"low": 0.8, "high": 0.999}, "rule": "must be a finite number with 0 < decay <= 1",
    }  # fmt: skip
    assert lrsearch("schedules", "--format", "json").stdout == lrsearch("schedules", "list", "--format", "json").stdout


@pytest.mark.parametrize(
    ("types", "drawn"),
    [
        ((), ", ".join(schedules)),
        (("OneCycleLR", "wsd", "one_cycle"), "one_cycle, wsd"),
        (("classical",), ", ".join(schedules.groups()["classical"])),
    ],
)
def test_plots_names_groups_and_aliases(lrsearch: Command, tmp_path: Path, types: tuple[str, ...], drawn: str) -> None:
    done = lrsearch("schedules", "plot", *types, "--output", "new/f.png", "--epochs", "5", "--lr", "0.02")
    assert done.returncode == 0, done.stderr
    assert done.stderr == f"Wrote new/f.png: {drawn}.\n"
    assert (tmp_path / "new" / "f.png").read_bytes().startswith(b"\x89PNG")


def test_own_schedules_are_listed_and_drawn(lrsearch: Command, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN)
    assert "halves (per epoch, torch LambdaLR)" in lrsearch("schedules", "list", "--load", "own.py").stdout
    assert lrsearch("schedules", "plot", "halves", "--output", "f.png", "--load", "own.py").returncode == 0


def test_all_faults_are_said_together(lrsearch: Command, tmp_path: Path) -> None:
    refused = lrsearch("schedules", "plot", "lamda", "wsdd", "--output", "f.svg", "--epochs", "0", "--lr", "inf",
                       "--batches", "-1")  # fmt: skip
    assert refused.returncode == 2
    assert "6 faults" in refused.stderr
    assert "did you mean lambda?" in refused.stderr
    assert list(tmp_path.glob("f.*")) == []


@pytest.mark.parametrize("arguments", [["schedules"], ["schedules", "plot", "--output", "f.png"]])
def test_torch_is_not_needed(tmp_path: Path, arguments: list[str]) -> None:
    check = (
        "import sys; from lrsearch.cli.app import app\n"
        f"app({arguments!r}, standalone_mode=False)\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", check], cwd=tmp_path, check=False).returncode == 0
