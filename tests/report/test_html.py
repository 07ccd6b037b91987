"""The report as one HTML file."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import optuna
import pytest
from optuna.trial import FrozenTrial

from lrsearch.report import html, interactive, markdown
from lrsearch.report.document import Form
from lrsearch.report.escaping import code_span
from lrsearch.report.frames import read

HOSTILE = 'a|b<script>alert("x")</script> **y** `z`'


class Tags(HTMLParser):
    """Every tag with its attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_needs_no_other_file(mixed: optuna.Study, tmp_path: Path) -> None:
    frames = read(mixed)
    file = markdown.write(frames, tmp_path, Form.HTML)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"] == [file.name]
    page = Tags(file.read_text(encoding="utf-8"))
    sources = [attrs["src"] or "" for tag, attrs in page.tags if tag == "img"]
    assert len(sources) == len(re.findall(r"!\[", markdown.text(frames)))
    narrow = [attrs["srcset"] or "" for tag, attrs in page.tags if tag == "source"]
    assert len(narrow) == len(sources)
    for source in [*sources, *narrow]:
        assert base64.b64decode(source.removeprefix("data:image/png;base64,")).startswith(b"\x89PNG")
    assert not {"link", "iframe"} & {tag for tag, _ in page.tags}
    assert not [attrs for tag, attrs in page.tags if tag == "script" and "src" in attrs]
    assert file.stat().st_size < 8e6
    assert "table" in {tag for tag, _ in page.tags}


def test_names_from_the_database_are_text(
    trial: Callable[..., FrozenTrial], study: Callable[..., optuna.Study]
) -> None:
    made = study([trial(scheduler=HOSTILE), trial(state="failed", error=HOSTILE)], HOSTILE)
    frames = read(made)
    page = Tags(html.page(markdown.text(frames), frames.name, {}))
    assert "script" not in {tag for tag, _ in page.tags}
    assert not [attrs for _, attrs in page.tags if any(name.startswith("on") for name in attrs)]
    assert f"Learning-rate report: {HOSTILE}" in page.text


def test_markdown_becomes_html_with_its_pictures_inside() -> None:
    text = "# A\n\n![b & c](figures/x.png)\n\n| d | e |\n|---|---|\n| 1 | `<f>` |\n\n![g](other.png) <i>h</i>\n"
    pictures = {"figures/x.png": html.Picture(b"x", b"n"), "figures/unused.png": html.Picture(b"y", b"y")}
    page = html.page(text, "i < j", pictures)
    head, body = page.split("<body>\n")
    assert "<title>i &lt; j</title>" in head
    assert body == (
        "<h1>A</h1>\n"
        '<p><picture><source media="(max-width: 600px)" srcset="data:image/png;base64,bg==">'
        '<img src="data:image/png;base64,eA==" alt="b &amp; c"></picture></p>\n'
        '<div class="wide"><table>\n<thead>\n<tr>\n<th>d</th>\n<th>e</th>\n</tr>\n</thead>\n'
        "<tbody>\n<tr>\n<td>1</td>\n<td><code>&lt;f&gt;</code></td>\n</tr>\n</tbody>\n</table></div>\n"
        '<p><img src="other.png" alt="g" /> &lt;i&gt;h&lt;/i&gt;</p>\n'
        "</body>\n</html>\n"
    )


@pytest.mark.parametrize("code", ["lrsearch study confirm a", "a `b` c", "``", "<b>&amp;</b>", "a\nb"])
def test_code_in_a_sentence_shows_as_it_is(code: str) -> None:
    page = Tags(html.page(code_span(code), "x", {}).split("<body>")[1])
    assert [tag for tag, _ in page.tags] == ["p", "code"]
    assert page.text.strip() == " ".join(code.split())


def test_data_cannot_end_its_script() -> None:
    text = interactive.as_json({"about": "</script><script>alert(1)</script>\u2028"})
    assert "<" not in text
    assert json.loads(text) == {"about": "</script><script>alert(1)</script>\u2028"}


def test_a_long_curve_is_thinned_and_keeps_its_ends(
    trial: Callable[..., FrozenTrial], study: Callable[..., optuna.Study]
) -> None:
    frames = read(study([trial(epochs=1000)], training={"epochs": 1000}))
    (drawn,) = interactive.page_data(frames)["trials"]
    epochs, values = drawn["curve"]
    assert len(epochs) == len(values) == interactive.MOST_POINTS
    assert (epochs[0], epochs[-1], values[-1]) == (1, 1000, 8.0)


def test_the_page_draws_what_is_stored(mixed: optuna.Study) -> None:
    frames = read(mixed)
    data = interactive.page_data(frames)
    stored = frames.curves.groupby("number")["test_metric"].apply(list)
    for drawn in data["trials"]:
        own = [value for value in stored[drawn["number"]] if not math.isnan(value)]
        assert drawn["curve"][1] == [float(f"{value:.5g}") if math.isfinite(value) else None for value in own]
    pruned = [drawn for drawn in data["trials"] if drawn["state"] == "pruned"]
    assert pruned
    assert all(drawn["end"] is None and drawn["early"] is not None for drawn in pruned)
