"""TOML of any origin: text in any encoding, however large or deep, is a document or one message."""

from __future__ import annotations

import codecs
import tomllib
from typing import Any

from lrsearch.errors import InputError, input_error

LARGEST = 2**20
"""Bytes of a file; a study file has a few thousand."""
DEEPEST = 32
"""Tables and lists within each other; a study file has four."""
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def document(content: bytes, source: str) -> dict[str, Any]:
    """The document that TOML text describes.

    Args:
        content: The text as UTF-8, with or without a byte order mark.
        source: What to call it in messages.

    Raises:
        InputError: It is too large or too deep, in another encoding, or no TOML.
    """
    if len(content) > LARGEST:
        raise input_error(source, f"is too large; at most {LARGEST} bytes are read")
    try:
        # Python turns every line ending into one newline when it reads text; tomllib refuses a lone carriage return.
        found = tomllib.loads(_decoded(content, source).replace("\r\n", "\n"))
    except RecursionError:
        raise _too_deep(source) from None
    except (ValueError, OverflowError) as error:
        # tomllib's own, and Python's of numbers with thousands of digits and of dates that no calendar has.
        raise input_error(source, f"not valid TOML: {error}") from None
    _check_depth(found, source)
    return found


def _decoded(content: bytes, source: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        encoding = "UTF-16" if content[:2] in _UTF_16 else "another encoding"
        line = content[: error.start].count(b"\n") + 1
        rule = f"cannot be read: it is not UTF-8 text but {encoding} (line {line}); save it as UTF-8"
        raise input_error(source, rule) from None


def _check_depth(found: dict[str, Any], source: str) -> None:
    """Refuse what is deeper than anything that looks at a document by recursion can stand."""
    level: list[Any] = [found]
    for _ in range(DEEPEST):
        inner = [item.values() if isinstance(item, dict) else item for item in level]
        level = [item for items in inner for item in items if isinstance(item, (dict, list))]
        if not level:
            return
    raise _too_deep(source)


def _too_deep(source: str) -> InputError:
    return input_error(source, f"has tables or lists more than {DEEPEST} deep within each other")
