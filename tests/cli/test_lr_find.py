"""`lrsearch lr-find` as it is typed."""

from __future__ import annotations

import json
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., "subprocess.CompletedProcess[str]"]
QUICK = ("lr-find", "--task", "diabetes", "--batches", "200", "--seeds", "2")
STUDY = (
    '# mine\n[study]\nname = "s"\n[task]\nname = "diabetes"\n\n[search]\nlr = 0.1  # so far\nschedulers = ["lambda"]\n'
)
OWN = """
import lrsearch, torch

@lrsearch.task
def flat() -> lrsearch.Task:
    x, y = torch.zeros(40, 2), torch.ones(40, 1)
    return lrsearch.Task(
        model=lambda: torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.Flatten()),
        train=(x, y), test=(x, y), loss=lambda outputs, targets: 0 * outputs.mean() + 3.0, metric="mse")
"""


def test_suggests_draws_and_writes(lrsearch: Command, tmp_path: Path) -> None:
    study = tmp_path / "mine.toml"
    study.write_text(STUDY)
    study.chmod(0o640)
    done = lrsearch(*QUICK, "--plot", "figures/f.png", "--write", "mine.toml", "--format", "json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    low, high = result["range"]["low"], result["range"]["high"]
    assert low < result["lr"] < high
    assert set(result["reasons"]) == {"low", "high", "lr"}
    assert result["confidence"] in ("high", "medium")
    assert "differ by up to" in result["worth"]
    tried = result["second_look"]["rates"]
    assert [len(own["values"]) for own in tried] == [2] * 5
    assert result["lr"] in [own["lr"] for own in tried]
    assert result["spends_epochs"] == pytest.approx(10 * 200 / 6, rel=1e-6)  # six batches make an epoch
    assert (len(result["curve"]["lr"]), len(result["curve"]["loss"])) == (200, 200)
    assert result["curve"]["loss"][-1] is None
    assert (tmp_path / "figures" / "f.png").read_bytes().startswith(b"\x89PNG")
    line = f"lr = {{ low = {low!r}, high = {high!r}, log = true }}"
    assert study.read_text() == STUDY.replace("lr = 0.1", line)
    assert stat.S_IMODE(study.stat().st_mode) == 0o640
    assert "seed 24 (1/2)" in done.stderr
    assert "second look: 10 short runs of 200 updates" in done.stderr
    assert "which spends 333 epochs" in done.stderr
    assert lrsearch("study", "create", "mine.toml", "--dry-run").returncode == 0


def test_is_repeatable_and_readable(lrsearch: Command) -> None:
    first, second = (lrsearch(*QUICK, "--quiet", "--set", "training.optimizer=adam") for _ in range(2))
    assert first.stdout == second.stdout
    assert first.stderr == ""
    assert "confidence" in first.stdout
    assert "spends 333 epochs" in first.stdout
    assert "lr = { low = " in first.stdout


def test_without_a_second_look_the_rate_is_a_starting_point(lrsearch: Command) -> None:
    done = lrsearch(*QUICK, "--look", "0", "--quiet", "--format", "json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["confidence"], result["second_look"], result["spends_epochs"]) == ("low", None, 0)
    assert result["worth"].startswith("a starting point")
    assert "steepest descent" in result["reasons"]["lr"]


def test_a_link_stays_a_link(lrsearch: Command, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "real.toml").write_text(STUDY)
    (tmp_path / "link.toml").symlink_to("kept/real.toml")
    assert lrsearch(*QUICK, "--write", "link.toml").returncode == 0
    assert (tmp_path / "link.toml").is_symlink()
    assert "low = " in (tmp_path / "kept" / "real.toml").read_text()


def test_nothing_to_find_is_an_answer_but_nothing_to_write(lrsearch: Command, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN)
    (tmp_path / "mine.toml").write_text(STUDY)
    flat = ("lr-find", "--task", "flat", "--load", "own.py", "--batches", "60", "--format", "json")
    done = lrsearch(*flat, "--plot", "f.png")
    assert done.returncode == 0, done.stderr
    assert (json.loads(done.stdout)["range"], json.loads(done.stdout)["lr"]) == (None, None)
    assert (tmp_path / "f.png").is_file()
    refused = lrsearch(*flat, "--write", "mine.toml")
    assert refused.returncode == 2
    assert "no range was found" in refused.stderr
    assert (tmp_path / "mine.toml").read_text() == STUDY


def test_a_study_of_something_else_is_mentioned(lrsearch: Command, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(STUDY)
    done = lrsearch(*QUICK, "--set", "training.batch_size=20", "--set", "task.hidden=[8]", "--write", "mine.toml")
    assert done.returncode == 0
    assert "something else than this test did: task.hidden, training.batch_size" in done.stderr


@pytest.mark.parametrize("old", [STUDY.replace("schedulers", "schedulrs"), STUDY + "[[try]]\nlr = 99.0\n", "not toml"])
def test_a_study_file_that_is_not_valid_is_left_alone(lrsearch: Command, tmp_path: Path, old: str) -> None:
    (tmp_path / "mine.toml").write_text(old)
    refused = lrsearch(*QUICK, "--write", "mine.toml")
    assert refused.returncode == 2
    assert "mine.toml" in refused.stderr
    assert "seed" not in refused.stderr  # found before anything is trained
    assert (tmp_path / "mine.toml").read_text() == old
    assert list(tmp_path.glob(".*")) == []


def test_all_faults_are_said_together_before_anything_is_trained(lrsearch: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused = lrsearch(
        "lr-find", "--task", "diabetis", "--set", "training.momentum=2", "--low", "-1", "--high", "nan",
        "--batches", "3", "--seeds", "0", "--look", "7", "--plot", "f.pdf", "--write", "missing.toml",
        "--load", "missing.py",
    )  # fmt: skip
    assert refused.returncode == 2
    for part in (
        "diabetis",
        "momentum",
        "low",
        "high",
        "batches",
        "seeds",
        "look",
        "f.pdf",
        "missing.toml",
        "missing.py",
    ):
        assert part in refused.stderr
    assert "10 faults" in refused.stderr
    blocked = lrsearch(*QUICK, "--plot", "file/f.png", "--set", "search.lr=1", "--set", "training.epochs=3")
    assert (blocked.returncode, blocked.stdout) == (2, "")
    assert "3 faults" in blocked.stderr
