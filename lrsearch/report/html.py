"""A report as one HTML file: the markdown rendered, with its figures inside."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from markdown_it import MarkdownIt

from lrsearch.report import interactive

POLICY = "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
"""Nothing from elsewhere is loaded or asked."""

PERCENT = re.compile(r"(?<=\d) %")
"""A number and its sign stay on one line."""
STYLE = """
:root { color-scheme: light dark; --text: #1b1b1b; --page: #fff; --line: #d5d5d5; --faint: #e2e2e2; --code: #f5f5f3; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e4e4e4; --page: #16181c; --line: #474b52; --faint: #33373d; --code: #22252a; }
}
body { font: 16px/1.55 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; color: var(--text); background: var(--page);
  max-width: 62rem; margin: 2.5rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 1.25rem; }
h2 { font-size: 1.3rem; margin: 2.6rem 0 .8rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 2rem 0 .6rem; }
p { margin: .7rem 0; max-width: 46rem; }
img { max-width: 100%; height: auto; display: block; margin: 1.2rem 0 .4rem; background: #fff; border-radius: 4px; }
.said { font-size: .9rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .86rem; font-variant-numeric: tabular-nums; margin: .8rem 0 1.2rem; }
th { border-bottom: 2px solid var(--line); vertical-align: bottom; }
th, td { padding: .3rem .7rem; text-align: left; }
td { border-bottom: 1px solid var(--faint); }
pre { background: var(--code); border: 1px solid var(--faint); border-radius: 4px; padding: .75rem 1rem;
  overflow-x: auto; font-size: .84rem; line-height: 1.45; }
code { font-family: ui-monospace, "SF Mono", Consolas, "DejaVu Sans Mono", monospace; }
@page { margin: 15mm; }
@media (max-width: 600px) {
  body { margin: 1rem auto; padding: 0 .8rem; overflow-wrap: break-word; }
}
@media print {
  :root { --text: #1b1b1b; --page: #fff; --line: #d5d5d5; --faint: #e2e2e2; --code: #f5f5f3; }
  body { font-size: 10pt; line-height: 1.45; margin: 0; padding: 0; max-width: none; }
  h2 { margin-top: 1.8rem; }
  h3 { margin-top: 1.4rem; }
  h2, h3, p:has(> img), p:has(+ pre), p:has(+ .wide) { break-after: avoid; }
  img, tr, .wide { break-inside: avoid; }
  img { max-height: 20cm; }
  pre { font-size: 8pt; line-height: 1.35; white-space: pre-wrap; orphans: 5; widows: 5;
    box-decoration-break: clone; -webkit-box-decoration-break: clone; }
  table { font-size: 8pt; margin: .5rem 0 .8rem; }
  th, td { padding: .2rem .6rem; }
  .wide { overflow: visible; }
}
""".strip()


@dataclass(frozen=True)
class Picture:
    """A figure as two PNG files.

    Attributes:
        wide: For a screen.
        narrow: For a phone.
    """

    wide: bytes
    narrow: bytes


def page(text: str, title: str, pictures: Mapping[str, Picture], data: dict[str, Any] | None = None) -> str:
    """A page that needs no other file and opens without a network.

    Args:
        text: The report in markdown; raw HTML in it shows as it is written.
        title: Of the page; any text.
        pictures: What the text links to -> the figure.
        data: What its script draws in place of pictures, from `interactive.page_data`; without it no script runs.

    Returns:
        The page; the same for the same arguments.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(text)
    for token in tokens:
        for part in token.children or []:
            if part.type == "text":
                part.content = PERCENT.sub("\N{NO-BREAK SPACE}%", part.content)
            source = str(part.attrGet("src") or "")
            if part.type == "image" and source in pictures:
                part.type = "html_inline"
                part.content = _picture(part.content, source, pictures[source], [] if data is None else data["plots"])
    body = parser.renderer.render(tokens, parser.options, {})
    body = body.replace("<table>", '<div class="wide"><table>').replace("</table>", "</table></div>")
    scripts = "" if data is None else _scripts(data)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f"<title>{escape(title)}</title>\n<style>\n{STYLE}\n</style>\n</head>\n<body>\n{body}{scripts}</body>\n</html>\n"
    )


def _picture(alt: str, source: str, picture: Picture, plots: Sequence[str]) -> str:
    name = source.rpartition("/")[2]
    plot = f' data-plot="{escape(name)}"' if name in plots else ""
    return (
        f'<picture{plot}><source media="(max-width: 600px)" srcset="{_inside(picture.narrow)}">'
        f'<img src="{_inside(picture.wide)}" alt="{escape(alt)}"></picture>'
    )


def _inside(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode()


def _scripts(data: dict[str, Any]) -> str:
    parts = (
        f'<script type="application/json" id="study">{interactive.as_json(data)}</script>',
        f"<script>{interactive.plotly()}</script>",
        f"<script>\n{interactive.script()}</script>",
    )
    return "\n".join(parts) + "\n"
