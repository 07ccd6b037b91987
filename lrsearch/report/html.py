"""A report as one HTML file: the markdown rendered, with its figures inside."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from html import escape

from markdown_it import MarkdownIt

STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.55 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; color: #1b1b1b; background: #fff;
  max-width: 62rem; margin: 2.5rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 1.25rem; }
h2 { font-size: 1.3rem; margin: 2.6rem 0 .8rem; padding-bottom: .3rem; border-bottom: 1px solid #d5d5d5; }
h3 { font-size: 1.05rem; margin: 2rem 0 .6rem; }
p { margin: .7rem 0; max-width: 46rem; }
img { max-width: 100%; height: auto; display: block; margin: 1.2rem 0 .4rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .86rem; font-variant-numeric: tabular-nums; margin: .8rem 0 1.2rem; }
th { border-bottom: 2px solid #555; vertical-align: bottom; }
th, td { padding: .3rem .7rem; text-align: left; }
td { border-bottom: 1px solid #e2e2e2; }
pre { background: #f5f5f3; border: 1px solid #e2e2de; border-radius: 4px; padding: .75rem 1rem; overflow-x: auto;
  font-size: .84rem; line-height: 1.45; }
code { font-family: ui-monospace, "SF Mono", Consolas, "DejaVu Sans Mono", monospace; }
@page { margin: 15mm; }
@media print {
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


def page(text: str, title: str, pictures: Mapping[str, bytes]) -> str:
    """A page that needs no other file and runs no script.

    Args:
        text: The report in markdown; raw HTML in it shows as it is written.
        title: Of the page; any text.
        pictures: What the text links to -> the PNG file's bytes.

    Returns:
        The page; the same for the same arguments.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(text)
    for token in tokens:
        for part in token.children or []:
            source = str(part.attrGet("src") or "")
            if part.type == "image" and source in pictures:
                part.attrSet("src", "data:image/png;base64," + base64.b64encode(pictures[source]).decode())
    body = parser.renderer.render(tokens, parser.options, {})
    body = body.replace("<table>", '<div class="wide"><table>').replace("</table>", "</table></div>")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{STYLE}\n</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )
