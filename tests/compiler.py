"""Tests that compile code are skipped where there is no C++ compiler, unless the test run must not skip them."""

from __future__ import annotations

from databases import skip

from lrsearch.training.compiled import library
from lrsearch.training.compiled.values import NotCompiledError


def needs_compiler() -> None:
    """Skip the test that calls this, where it cannot compile."""
    try:
        library.compiler()
    except NotCompiledError as error:
        skip("compiler", str(error))
