"""Bring a person's own tasks in: import the file or module that registers them."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path

from lrsearch.errors import InputError, LrsearchError, input_error


def load(sources: Iterable[str], relative_to: Path | None = None) -> None:
    """Import files or modules, each once, so that their tasks are registered.

    Args:
        sources: A path ending in ``.py``, or a dotted module name, each.
        relative_to: Folder that relative paths start from; the working directory by default.

    Raises:
        InputError: A source is not there, or fails while it is imported.
    """
    for source in sources:
        try:
            if source.endswith(".py"):
                _import_file((relative_to or Path()) / source, source)
            else:
                importlib.import_module(source)
        except (InputError, LrsearchError):
            raise
        except Exception as error:
            # Whatever a person's own file raises, she should see it as one line with the place, not our stack.
            raise input_error("load", f"fails on import: {_where(error)}", received=f'"{source}"') from error


def _import_file(path: Path, source: str) -> None:
    path = path.resolve()
    name = f"lrsearch_loaded_{path.stem}_{abs(hash(str(path))):x}"
    if name in sys.modules:
        return
    if not path.is_file():
        raise input_error("load", "no such file", received=f'"{source}"')
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise


def _where(error: Exception) -> str:
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    line = f" (line {place.tb_lineno} of {Path(place.tb_frame.f_code.co_filename).name})" if place else ""
    return f"{type(error).__name__}: {error}{line}"
