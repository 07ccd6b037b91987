"""Bring a person's own tasks in: import the file or module that registers them."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType

from lrsearch.errors import InputError, LrsearchError, input_error, nearest
from lrsearch.tasks.error_location import sentence
from lrsearch.tasks.fixed_seed import fixed_seed

PREFIX = "lrsearch_loaded_"
"""How the names of modules begin that are files which `load` has imported."""


def load(sources: Iterable[str], relative_to: Path | None = None) -> None:
    """Import files or modules, each once, so that their tasks are registered.

    A file may import what lies beside it, and a module may lie where relative paths start.

    Args:
        sources: A path ending in ``.py``, or a dotted module name, each.
        relative_to: Folder that relative paths start from; the working directory by default.

    Raises:
        InputError: A source is not there, or fails while it is imported.
    """
    folder = relative_to or Path()
    for source in sources:
        try:
            with fixed_seed():
                _import(folder, source)
        except InputError:
            raise
        except LrsearchError as error:
            raise input_error("--load", str(error), received=f'"{source}"') from error
        except (Exception, SystemExit) as error:
            # Whatever a person's own file raises, she should see it as one line with the place, not our stack.
            raise input_error(
                "--load", f"fails on import: {_sentence(error, source)}", received=f'"{source}"'
            ) from error


def loaded_files() -> list[Path]:
    """The files that `load` has imported into this process and that are still there, in their order."""
    there = [module.__file__ for name, module in sys.modules.items() if name.startswith(PREFIX)]
    return [Path(file) for file in there if file is not None and Path(file).is_file()]


def loaded(source: str) -> ModuleType | None:
    """A module that is imported, or a file that was loaded; None if it is not.

    Args:
        source: A dotted module name, or the path of a file, of which the last parts are enough.
    """
    wanted = Path(source).with_suffix("").parts if source.endswith(".py") else tuple(source.split("."))
    for name, module in list(sys.modules.items()):
        if name.startswith(PREFIX) and Path(str(module.__file__)).with_suffix("").parts[-len(wanted) :] == wanted:
            return module
    return sys.modules.get(source)


def _import(folder: Path, source: str) -> None:
    if source.endswith(".py"):
        _import_file(folder / source, source)
    elif loaded(source) is None:
        _search_in(folder)
        importlib.import_module(source)


def _import_file(path: Path, source: str) -> None:
    path = path.resolve()
    name = f"{PREFIX}{path.stem}_{abs(hash(str(path))):x}"
    if name in sys.modules:
        return
    if not path.is_file():
        beside = [file.name for file in path.parent.glob("*.py")] if path.parent.is_dir() else []
        raise input_error("--load", "no such file", received=f'"{source}"', nearest=nearest(path.name, beside))
    _search_in(path.parent)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    with ExitStack() as unfinished:
        unfinished.callback(sys.modules.pop, name, None)
        spec.loader.exec_module(module)
        unfinished.pop_all()


def _package_of(file: Path) -> str:
    """The dotted name of a file's module, as its relative imports want it."""
    parts, folder = [file.parent.name, file.stem], file.parent.parent
    while (folder / "__init__.py").is_file():
        parts, folder = [folder.name, *parts], folder.parent
    return ".".join(parts)


def _search_in(folder: Path) -> None:
    place = str(folder.resolve())
    if place not in sys.path:
        sys.path.append(place)  # last, so that nothing installed is hidden by what lies there


def _sentence(error: BaseException, source: str) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name and source.startswith(error.name):
        return "there is no such module here; a file's name ends in .py"
    if isinstance(error, ImportError) and "relative import" in str(error) and source.endswith(".py"):
        package = _package_of(Path(source).resolve())
        return f"{sentence(error)}; a file of a package is named by its module, here {package}, from the folder above"
    if isinstance(error, SyntaxError):
        return f"SyntaxError: {error.msg} (line {error.lineno} of {Path(error.filename or source).name})"
    return sentence(error)
