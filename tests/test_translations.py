"""The Chinese pages say what the English ones say: same headings, code, commands, numbers, links and outputs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parent.parent
PAGES = (ROOT / "README.md", ROOT / ".readme/README.zh-CN.md")
NOTEBOOKS = sorted((ROOT / "notebooks/zh-CN").glob("*.ipynb"))
NUMBER = r"\d+(?:,\d{3})*(?:\.\d+)?"
CHINESE = r"[\u3000-\u9fff\uff00-\uffef]"
OUTSIDE = re.compile(r"^[a-z]+://")

each = pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)


def tokens(text: str) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(text)


def flat(found: list[Token]) -> Iterator[Token]:
    for token in found:
        yield token
        yield from token.children or []


def sections(text: str) -> list[list[Token]]:
    """A heading and what follows it; what stands before the first heading is one, too."""
    found: list[list[Token]] = [[]]
    for token in tokens(text):
        if token.type == "heading_open":
            found.append([])
        found[-1].append(token)
    return found


def resolved(target: str, place: Path) -> str:
    """Where a link of a page in this folder leads, seen from the repository's root."""
    if OUTSIDE.match(target):
        return target
    path, _, anchor = target.partition("#")
    return f"{(place / path).resolve().relative_to(ROOT)}#{anchor}"


def links(found: list[Token], place: Path) -> list[str]:
    """Without those by which the two languages link to each other."""
    targets = [token.attrs.get("href") or token.attrs.get("src") for token in flat(found)]
    languages = {resolved(page.name, page.parent) for page in PAGES}
    return sorted({resolved(str(target), place) for target in targets if target} - languages)


def rows(found: list[Token]) -> list[list[list[str]]]:
    """The numbers of each cell of each row of the tables."""
    numbers: list[list[list[str]]] = []
    for before, token in pairwise(found):
        if token.type == "tr_open":
            numbers.append([])
        elif before.type in ("td_open", "th_open"):
            numbers[-1].append(re.findall(NUMBER, token.content))
    return numbers


def facts(found: list[Token], place: Path) -> dict[str, Any]:
    """What a section says in every language; a translator may repeat a number or a name."""
    words = " ".join(token.content for token in flat(found) if token.type in ("text", "code_inline"))
    kinds = [token.type for token in found]
    return {
        "level": [token.tag for token in found if token.type == "heading_open"],
        "code": [(token.info, token.content) for token in found if token.type == "fence"],
        "names": {token.content for token in flat(found) if token.type == "code_inline"},
        "numbers": set(re.findall(NUMBER, words)),
        "rows": rows(found),
        "links": links(found, place),
        # what a quotation means is told in a list below it
        "items": "quoted" if "blockquote_open" in kinds else kinds.count("list_item_open"),
    }


def told(text: str, place: Path) -> list[dict[str, Any]]:
    return [facts(section, place) for section in sections(text)]


def quoted(text: str) -> list[str]:
    """Output that a page quotes, without the targets of its links."""
    return [re.sub(r"\]\([^)]*\)", "]", line) for line in text.splitlines() if line.startswith(">")]


def markdown(file: Path) -> list[str]:
    """The text cells of a notebook."""
    cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]


def english(file: Path) -> Path:
    return ROOT / "notebooks" / file.name


def slips(text: str) -> list[str]:
    """What Chinese gets wrong in markdown: marks that are shown, and line ends, which become spaces."""
    words = [token.content for token in flat(tokens(text)) if token.type == "text"]
    return [word for word in words if re.search(r"[*`]", word)] + re.findall(rf"{CHINESE}\n{CHINESE}", text)


def test_the_first_page_says_the_same() -> None:
    page, translated = (told(file.read_text(encoding="utf-8"), file.parent) for file in PAGES)
    assert translated == page, "say what has changed in .readme/README.zh-CN.md, too"


def test_quoted_output_stays_as_it_is() -> None:
    page, translated = (file.read_text(encoding="utf-8") for file in PAGES)
    assert quoted(page)
    assert quoted(translated) == quoted(page)


@pytest.mark.parametrize(
    ("file", "word", "other"),
    [(PAGES[0], "简体中文", PAGES[1]), (PAGES[1], "English", PAGES[0])],
    ids=["there", "back"],
)
def test_the_two_languages_link_to_each_other_at_the_top(file: Path, word: str, other: Path) -> None:
    first_lines = file.read_text(encoding="utf-8").splitlines()[:4]
    link = re.search(rf"\[{word}\]\((.*?)\)", "\n".join(first_lines))
    assert link is not None
    assert (file.parent / link[1]).resolve() == other


def test_the_first_three_notebooks_are_translated() -> None:
    first = sorted(file.name for file in (ROOT / "notebooks").glob("*.ipynb"))[:3]
    assert [file.name for file in NOTEBOOKS] == first


@each
def test_a_notebook_differs_in_its_words_only(file: Path) -> None:
    """Code, outputs, order and kinds of cells, and what is stored about them."""
    books = [json.loads(one.read_text(encoding="utf-8")) for one in (file, english(file))]
    for book in books:
        for cell in book["cells"]:
            if cell["cell_type"] == "markdown":
                cell["source"] = []
    same = books[0] == books[1]
    assert same, "copy the cells of code and their outputs from the English notebook"


@each
def test_the_words_of_a_notebook_say_the_same(file: Path) -> None:
    for text, translated in zip(markdown(english(file)), markdown(file), strict=True):
        assert told(translated, file.parent) == told(text, english(file).parent)


def test_every_text_is_in_chinese_and_well_set() -> None:
    texts = [PAGES[1].read_text(encoding="utf-8"), *(text for file in NOTEBOOKS for text in markdown(file))]
    assert len(texts) > len(NOTEBOOKS)
    assert [text for text in texts if not re.search(CHINESE, text)] == []
    assert [slip for text in texts for slip in slips(text)] == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("### ", "## "),
        ("60 次试验", "50 次试验"),
        ("0.76", "0.67"),
        ("`lrsearch judge`", "`lrsearch train`"),
        ("studies/quickstart.toml &&", "studies/other.toml &&"),
        ("(../.deploy/README.md)", "(.deploy/README.md)"),
        ("#find-a-range-first", "#find-a-range"),
        ("| recommended | 13.7", "| recommended | 13.5"),
        ("- **预算精确**", "**预算精确**"),
    ],
)
def test_what_a_translation_gets_wrong_is_found(right: str, wrong: str) -> None:
    translated = PAGES[1].read_text(encoding="utf-8")
    assert right in translated
    place = PAGES[1].parent
    assert told(translated.replace(right, wrong, 1), place) != told(translated, place)


def test_slips_of_the_setting_are_found() -> None:
    assert slips("这是**要点。**然后") == ["这是**要点。**然后"]
    assert slips("一行\n两行") == ["行\n两"]
    assert slips("这是**要点**。\n\n- `a * b` 然后") == []
