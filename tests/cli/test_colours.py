"""What is printed can be read on light and dark terminals: screens are rendered in the colours of themes in use."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import pytest
from rich.ansi import AnsiDecoder
from rich.color import blend_rgb
from rich.color_triplet import ColorTriplet
from rich.table import Table
from rich.terminal_theme import TerminalTheme
from typer import rich_utils
from typer.testing import CliRunner

from lrsearch.cli import output, progress
from lrsearch.cli.app import app

PALETTES = {
    "xterm": "000000 cd0000 00cd00 cdcd00 0000ee cd00cd 00cdcd e5e5e5 7f7f7f ff0000 00ff00 ffff00 5c5cff ff00ff 00ffff "
    "ffffff",
    "Tango": "2e3436 cc0000 4e9a06 c4a000 3465a4 75507b 06989a d3d7cf 555753 ef2929 8ae234 fce94f 729fcf ad7fa8 34e2e2 "
    "eeeeec",
    "Campbell": "0c0c0c c50f1f 13a10e c19c00 0037da 881798 3a96dd cccccc 767676 e74856 16c60c f9f1a5 3b78ff b4009e "
    "61d6d6 f2f2f2",
    "Solarized": "073642 dc322f 859900 b58900 268bd2 d33682 2aa198 eee8d5 002b36 cb4b16 586e75 657b83 839496 6c71c4 "
    "93a1a1 fdf6e3",
}
"""The sixteen colours of terminals: xterm, GNOME, Windows, and a theme of many editors."""
THEMES = {
    "black on white": ("xterm", "ffffff", "000000"),
    "white on black": ("xterm", "000000", "e5e5e5"),
    "GNOME, light": ("Tango", "ffffff", "171421"),
    "Ubuntu": ("Tango", "300a24", "ffffff"),
    "Windows": ("Campbell", "0c0c0c", "cccccc"),
    "Solarized, light": ("Solarized", "fdf6e3", "657b83"),
    "Solarized, dark": ("Solarized", "002b36", "839496"),
}
"""Palette, ground and text."""
LEAST, LEAST_DIM = 3.0, 2.0
"""Contrast that the Web Content Accessibility Guidelines (1.4.3, 1.4.11) ask of large text and of shapes, and what we
ask of text that is dimmed on purpose: one of these themes has no more than 4 for its plain text."""
DIMMED = 2 / 3
"""Share of the text's colour in dimmed text, the rest being the ground's."""


def triplet(text: str) -> tuple[int, int, int]:
    return tuple(bytes.fromhex(text))  # type: ignore[return-value]


def theme_of(name: str) -> TerminalTheme:
    palette, ground, text = THEMES[name]
    colours = [triplet(own) for own in PALETTES[palette].split()]
    return TerminalTheme(triplet(ground), triplet(text), colours[:8], colours[8:])


def luminance(colour: ColorTriplet) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: ColorTriplet, other: ColorTriplet) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def unreadable(screen: str, theme: TerminalTheme) -> Iterator[str]:
    """Parts of a screen that cannot be told from their ground."""
    for line in AnsiDecoder().decode(screen):
        for span in line.spans:
            style, words = span.style, line.plain[span.start : span.end]
            assert not isinstance(style, str)
            ground = style.bgcolor.get_truecolor(theme, foreground=False) if style.bgcolor else theme.background_color
            colour = style.color.get_truecolor(theme) if style.color else theme.foreground_color
            colour = blend_rgb(ground, colour, DIMMED) if style.dim else colour
            if words.strip() and contrast(colour, ground) < (LEAST_DIM if style.dim else LEAST):
                yield words


@pytest.fixture(scope="module")
def screens() -> dict[str, str]:
    """What a terminal of 256 colours is sent by help, messages, a table, a bar and a spinner."""
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rich_utils, "FORCE_TERMINAL", True)
        patch.setattr(rich_utils, "COLOR_SYSTEM", "256")
        patch.delenv("NO_COLOR", raising=False)
        for words in ("", "study run", "train", "serve", "tasks new"):
            found[f"{words} --help"] = CliRunner().invoke(app, [*words.split(), "--help"], color=True).output
    told = io.StringIO()
    screen = output.SafeConsole(
        file=told, force_terminal=True, color_system="256", highlight=False, width=80, theme=output.THEME
    )
    for style in ("warning", "error", "aside"):
        screen.print(f"this is said as {style}", style=style)
    bar = progress.live_bar(100, screen)
    for done in (0, 40, 100):
        bar.add_task("", total=100, completed=done, line="best mse 1.5")
    screen.print(bar.get_renderable())
    screen.print(screen.status("looking at the storage").renderable)
    table = Table("name", "value")
    table.add_row("a", "1")
    screen.print(table)
    return {**found, "messages": told.getvalue()}


@pytest.mark.parametrize("name", THEMES)
def test_nothing_vanishes(name: str, screens: dict[str, str]) -> None:
    theme = theme_of(name)
    assert {words: list(unreadable(screen, theme)) for words, screen in screens.items()} == {
        words: [] for words in screens
    }


def test_what_would_vanish_is_found(screens: dict[str, str]) -> None:
    assert all(re.search(r"\x1b\[[0-9;]*[12]", screen) for screen in screens.values()), "styles were sent at all"
    for code, name in (
        ("33", "black on white"),
        ("1;36", "black on white"),
        ("34", "white on black"),
        ("31", "Ubuntu"),
    ):
        assert list(unreadable(f"\x1b[{code}mwords\x1b[0m", theme_of(name))) == ["words"]
    assert list(unreadable("\x1b[90mwords\x1b[0m", theme_of("Solarized, dark"))) == ["words"]
