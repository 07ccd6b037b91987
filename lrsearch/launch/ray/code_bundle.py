"""A person's own code, on its way to machines that do not have it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lrsearch.errors import input_error, nearest

LARGEST = 10 * 2**20
"""Bytes of Python files that travel at most: more than that is no task, but a folder that holds everything."""


@dataclass(frozen=True)
class Source:
    """One `--load`.

    Attributes:
        name: What the person wrote: a file, or a module that is installed on every machine.
        file: The file's place on this machine; None for a module.
        content: Path beside the file -> its bytes: the file, its neighbours, and the packages beside it.
    """

    name: str
    file: str | None
    content: Mapping[str, bytes]


def pack(sources: Sequence[str]) -> tuple[Source, ...]:
    """What must travel so that these files and modules can be loaded elsewhere.

    Args:
        sources: Paths ending in ``.py``, or module names.

    Raises:
        InputError: There is no such file, or its folder holds too much.
    """
    return tuple(_packed(source) for source in sources)


def unpack(sources: Sequence[Source], folder: Path) -> list[str]:
    """What to load on this machine.

    A file that lies here in the same place with the same content is used from there, with the data beside it.

    Args:
        sources: From `pack`.
        folder: Where the others are written.
    """
    return [_unpacked(source, folder / str(number)) for number, source in enumerate(sources)]


def _packed(source: str) -> Source:
    if not source.endswith(".py"):
        return Source(source, None, {})
    path = Path(source).resolve()
    if not path.is_file():
        beside = [file.name for file in path.parent.glob("*.py")] if path.parent.is_dir() else []
        raise input_error("--load", "no such file", received=f'"{source}"', nearest=nearest(path.name, beside))
    content: dict[str, bytes] = {}
    size = 0
    for file in _python_files(path.parent):
        size += file.stat().st_size
        if size > LARGEST:
            rule = f"the Python files in {path.parent} exceed {LARGEST >> 20} MiB; give it a folder of its own"
            raise input_error("--load", rule, received=f'"{source}"')
        content[file.relative_to(path.parent).as_posix()] = file.read_bytes()
    return Source(source, str(path), content)


def _python_files(folder: Path) -> Iterator[Path]:
    """Those that a file in the folder can import: its neighbours, and packages."""
    yield from (file for file in sorted(folder.glob("*.py")) if file.is_file())
    for child in sorted(folder.iterdir()):
        if child.is_dir() and (child / "__init__.py").is_file():
            yield from _python_files(child)


def _unpacked(source: Source, folder: Path) -> str:
    if source.file is None:
        return source.name
    here = Path(source.file)
    if here.is_file() and here.read_bytes() == source.content[here.name]:
        return str(here)
    for name, content in source.content.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return str(folder / here.name)
