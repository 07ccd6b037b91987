"""Letters that no font here has, and scripts that cannot be drawn."""

from __future__ import annotations

from collections.abc import Callable

import optuna
import pytest
from optuna.trial import FrozenTrial

from lrsearch.report import gallery
from lrsearch.report.figures import letters
from lrsearch.report.frames import read

ARABIC = "\N{ARABIC LETTER MEEM}\N{ARABIC LETTER REH} \N{ARABIC LETTER BEH}"
CHINESE = "\N{CJK UNIFIED IDEOGRAPH-5B66}\N{CJK UNIFIED IDEOGRAPH-4E60}"


@pytest.fixture
def latin_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose fonts have ASCII letters alone."""
    monkeypatch.setattr(letters, "_fonts", lambda: [lambda code: code < 128])


def test_a_word_that_cannot_be_drawn_becomes_its_number(latin_only: None) -> None:
    words = letters.undrawable([f"{CHINESE} net", f"a {ARABIC}", CHINESE])
    assert words == {CHINESE: 1, ARABIC: 2}
    with letters.numbered(words):
        assert letters.plain(f"{CHINESE}, lr 0.1 {ARABIC}") == "[1], lr 0.1 [2]"
    assert letters.plain(CHINESE) == "[?]"


def test_a_script_that_must_be_shaped_is_never_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letters, "_fonts", lambda: [bool])
    assert letters.plain(CHINESE) == CHINESE
    assert letters.plain(ARABIC) == "[?]"


def test_cyrillic_needs_no_other_font() -> None:
    assert letters.plain("\N{CYRILLIC CAPITAL LETTER SHA}") == "\N{CYRILLIC CAPITAL LETTER SHA}"


def test_a_report_says_what_the_numbers_stand_for(
    latin_only: None, trial: Callable[..., FrozenTrial], study: Callable[..., optuna.Study]
) -> None:
    trials = [trial(8.0 + n, scheduler=CHINESE, lr=0.01 * (n + 1)) for n in range(3)]
    frames = read(study(trials, name=ARABIC))
    for picture in gallery.pictures(frames):
        assert picture.reading.endswith(f"In the figure [1] is {ARABIC}; [2] is {CHINESE}.")
    curves = next(picture for picture in gallery.pictures(frames) if picture.file == "learning_curves.png")
    shown = [text.get_text() for found in curves.draw(frames).legends for text in found.get_texts()]
    assert CHINESE not in " ".join(shown)
