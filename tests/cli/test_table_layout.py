"""Tables and progress on screens of 80 and 120 columns, with the longest names: no word is broken, no line wraps."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from lrsearch.cli import output, progress
from lrsearch.cli.answer import WIDTH, wrapped
from lrsearch.cli.progress import SearchProgress
from lrsearch.cli.table_layout import GAP, layout, shortened
from lrsearch.study.status import TrialCounts

LONGEST = "a-study-with-the-longest-name-that-anybody-has-thought-of-so-far"
ROWS: list[dict[str, Any]] = [
    {
        "number": number,
        "state": "complete",
        "value": 12.345,
        "epochs": 60,
        "excluded": None,
        "scheduler": scheduler,
        "lr": output.Setting(0.0123456),
        "params": {"warmup_fraction": output.Setting(0.123456), "milestones": output.Setting(0.5)},
    }
    for number, scheduler in enumerate(["exponential", "cosine_restarts", "inverse_sqrt"])
]


def screen(width: int, **settings: Any) -> Console:
    return output.SafeConsole(
        file=io.StringIO(),
        width=width,
        highlight=False,
        force_terminal=True,
        color_system="truecolor",
        record=True,
        **settings,
    )


def printed(
    monkeypatch: pytest.MonkeyPatch, rows: list[dict[str, Any]], width: int, **settings: Any
) -> tuple[str, list[str]]:
    """What a table looks like on a screen, and what is said beside it."""
    made, said = screen(width, **settings), list[str]()
    monkeypatch.setattr(output, "_console", lambda: made)
    monkeypatch.setattr(output, "say", lambda message, **_: said.append(message))
    output.print_table(rows, list(rows[0]))
    return made.export_text(), said


@pytest.mark.parametrize("width", [80, 120])
def test_no_word_of_a_table_is_broken(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    text, said = printed(monkeypatch, ROWS, width)
    assert max(cell_len(line) for line in text.splitlines()) <= width
    for word in ("exponential", "cosine_restarts", "inverse_sqrt", "0.0123456"):
        assert word in text
    assert ("warmup_fraction=0.123456," in text, "…" in text) == ((True, False) if width == 120 else (False, True))
    assert said == []
    assert ("excluded" in text) == (width == 120)  # nothing stands in that column


def test_what_there_is_no_room_for_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    text, said = printed(monkeypatch, ROWS, 40)
    assert "number" in text
    assert said == ["No room for scheduler, lr, params: a wider terminal, a pipe or --format json shows more."]


def test_long_names_keep_their_ends_and_hide_no_column(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"name": f"{LONGEST}-{end}", "task": LONGEST, "trials": "7/9", "epochs": 1} for end in ("one", "two")]
    text, said = printed(monkeypatch, rows, 80)
    assert said == []
    assert all(word in text for word in ("a-study-with", "far-one", "far-two", "7/9", "epochs"))
    text, said = printed(monkeypatch, rows, 160)
    assert f"{LONGEST}-two" in text


def test_messages_wrap_at_words_and_keep_commands_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    made = list[Console]()

    def fixed(*, soft_wrap: bool = False, **_: Any) -> Console:
        made.append(screen(40, soft_wrap=soft_wrap))
        return made[-1]

    monkeypatch.setattr(output, "console", fixed)
    command, path = "lrsearch study confirm 'a study with a long name' --seeds 12", "sqlite:////" + "folder/" * 8
    for message in ("no such study; " + "there are many others, " * 5, f"Go on with: {command}", f"No database {path}"):
        output.say(message)
        printed = made[-1].export_text()
        assert " ".join(printed.split()) == " ".join(message.split())
        assert (max(map(len, printed.splitlines())) <= 40) == (message[:2] == "no")


def test_a_table_without_colour_has_no_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    made = screen(80)
    monkeypatch.setattr(output, "_console", lambda: made)
    output.print_table(ROWS, list(ROWS[0]))
    assert "\x1b[3" not in made.file.getvalue()  # type: ignore[attr-defined]


CELLS = st.lists(st.text("ab 9", max_size=20), min_size=3, max_size=3)


@given(st.lists(CELLS, max_size=4), st.lists(st.booleans(), min_size=3, max_size=3), st.integers(8, 60))
def test_a_layout_fits_and_what_stays_is_whole(rows: list[list[str]], numeric: list[bool], room: int) -> None:
    assert all(cell_len(word) <= room for row in rows for text in row for word in shortened(text, room).split())
    names = ["one", "second", "third column"]
    widths = layout(names, rows, numeric, room)
    assert sum(widths.values()) + GAP * (len(widths) - 1) <= room
    assert list(widths) == [name for name in names if name in widths]
    assert names[0] in widths
    natural = [max(len(text) for text in (name, *(row[i] for row in rows))) for i, name in enumerate(names)]
    if sum(natural) + GAP * 2 <= room:
        assert list(widths) == names
        assert all(widths[name] >= longest for name, longest in zip(names, natural, strict=True))


def counts(**changed: Any) -> TrialCounts:
    known: dict[str, Any] = dict.fromkeys(TrialCounts.__dataclass_fields__, 0)
    return TrialCounts(**(known | {"budget": 100_000} | changed))


@given(st.lists(st.sampled_from(["1 %", "95 % of", "worse", "a-long-word", "(3 %)."]), max_size=60))
def test_no_number_is_parted_from_its_per_cent_sign(words: list[str]) -> None:
    lines = wrapped(" ".join(words)).splitlines()
    assert " ".join(lines) == " ".join(words)
    assert all(len(line) <= WIDTH and not line.startswith("%") for line in lines)


@pytest.mark.parametrize("width", [80, 120])
def test_the_bar_stays_where_it_is_for_100000_trials(width: int) -> None:
    starts = set()
    for done in (0, 9, 99_999, 100_000):
        made = screen(width)
        bar = progress.live_bar(100_000, made)
        line = SearchProgress(counts(), 123456.789 if done else None, "a_metric_of_a_long_name").line()
        bar.add_task("", total=100_000, completed=done, line=line)
        made.print(bar.get_renderable())
        text = made.export_text()
        assert text.count("\n") == 1
        assert cell_len(text.rstrip("\n")) <= width
        starts.add(re.search("[━╸╺]", text).start())  # type: ignore[union-attr]
    assert len(starts) == 1


def test_best_says_what_is_waited_for() -> None:
    assert SearchProgress(counts(), None, "mse").line().startswith("best mse: no complete trial yet · ")
    assert SearchProgress(counts(), 1.5, "mse").line().startswith("best mse 1.5 · ")


def on_a_terminal(words: list[str], folder: Path, **environment: str) -> str:
    """What a command writes to a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    known = {key: value for key, value in os.environ.items() if key not in ("LRSEARCH_STORAGE", "NO_COLOR")}
    started = subprocess.Popen(
        [sys.executable, "-m", "lrsearch", *words], cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs,
        env={**known, "COLUMNS": "80", "TERM": "xterm-256color", **environment},
    )  # fmt: skip
    os.close(theirs)
    parts = []
    try:
        while part := os.read(ours, 65536):
            parts.append(part)
    except OSError:
        pass  # Linux says so when the other end is closed
    os.close(ours)
    assert started.wait() == 0, b"".join(parts).decode()
    return b"".join(parts).decode()


@pytest.mark.parametrize(
    ("environment", "moves", "colours"),
    [({"NO_COLOR": "1"}, True, False), ({"TERM": "dumb"}, False, False)],
    ids=["no colour", "dumb"],
)
def test_a_run_on_a_terminal(environment: dict[str, str], moves: bool, colours: bool, tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(
        '[study]\nname = "s"\ntrials = 3\n[task]\nname = "polynomial"\nrows = 60\n[training]\nepochs = 2\n'
        "[confirm]\ntop = 0\n"
    )
    text = on_a_terminal(["study", "run", "s.toml"], tmp_path, **environment)
    assert "Study s.toml: reading it" in text.splitlines()[0]  # before torch has come
    assert "trials 3/3" in text
    assert ("\x1b[2K" in text) == moves
    assert bool(re.search(r"\x1b\[[0-9;]*3[0-9]", text)) == colours


def test_piped_tables_are_whole(here: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    assert "whole number >= 2" in here("tasks").stdout
