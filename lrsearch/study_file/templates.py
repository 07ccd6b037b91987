"""The study files that travel with the package."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from lrsearch import atomic_file
from lrsearch.errors import input_error, nearest


def folder() -> Path:
    """Where they are: inside an installed package, or beside it in a checkout."""
    packaged = Path(str(resources.files("lrsearch"))) / "studies"
    return packaged if packaged.is_dir() else packaged.parent.parent / "studies"


def names() -> list[str]:
    return sorted(path.stem for path in folder().glob("*.toml"))


def copy(name: str, target: Path) -> None:
    """Write a shipped study file somewhere.

    Args:
        name: Its name, without ``.toml``.
        target: The file to write; it must not exist.

    Raises:
        InputError: There is no such study file, or the target cannot be written.
    """
    if name not in names():
        rule = f"no such study file; there are {', '.join(names())}"
        raise input_error("study new", rule, key="--from", received=f'"{name}"', nearest=nearest(name, names()))
    text = (folder() / f"{name}.toml").read_text(encoding="utf-8")
    try:
        atomic_file.create(target, text.encode())
    except FileExistsError:
        raise input_error(str(target), "exists already; nothing was changed") from None
    except OSError as error:
        raise input_error(str(target), f"cannot be written: {error.strerror}") from None
