"""Text from a database does nothing."""

from __future__ import annotations

import pytest

from lrsearch.report.escaping import LONGEST, code_block, inline


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a|b<script>", r"a\|b&lt;script&gt;"),
        ("one_cycle", "one_cycle"),
        ("_a_", r"\_a\_"),
        ("`rm`", r"\`rm\`"),
        ("**bold** [x](y)", r"\*\*bold\*\* \[x\](y)"),
        ("two\nlines\r\n\tend", "two lines end"),
        ("&lt;", "&amp;lt;"),
        (r"\|", r"\\\|"),
        ("$x$ ~~y~~", r"\$x\$ \~\~y\~\~"),
        ("\u202eevil\x00", "evil"),
    ],
)
def test_markdown_is_escaped(text: str, shown: str) -> None:
    assert inline(text) == shown


def test_a_book_is_cut() -> None:
    assert len(inline("x" * 10_000)) == LONGEST


def test_a_code_block_cannot_be_closed_from_within() -> None:
    block = code_block("name = '````'\n```\n# not a heading", "toml")
    first, *inside, last = block.split("\n")
    assert first == "`````toml"
    assert last == "`````"
    assert "`````" not in "\n".join(inside)
