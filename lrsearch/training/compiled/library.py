"""From C++ source to a function that can be called: compiled once, and kept in the person's cache folder.

A kept library's name says which source it was made of, and what its bytes come to: one that is damaged is not loaded,
nor is one that another person of the machine could have written. What is not kept is compiled again, from the same
source to the same arithmetic.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import torch

from lrsearch import atomic_file
from lrsearch.cache_folder import cache_folder
from lrsearch.training.compiled.values import NotCompiledError

MOST = 256
"""Libraries that are kept; of more the oldest go."""
FLAGS = ("-std=c++17", "-O2", "-shared", "-fPIC", "-fno-strict-aliasing", "-fno-math-errno", "-ffp-contract=off", "-w")
"""Every operation is rounded as it is written: no sum and product become one, and no sum takes another order."""
FEATURES = {
    "AVX512": ("-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl", "-mavx2", "-mfma"),
    "AVX2": ("-mavx2", "-mfma"),
}
COMPILERS = ("c++", "g++", "clang++")
Function = Callable[..., int]
"""Returns 0, or 1 where there is no memory."""


def function_of(source: str) -> Function:
    """The function ``run`` of a source.

    Args:
        source: C++.

    Raises:
        NotCompiledError: There is no compiler, or it fails.
    """
    name = name_of(source)
    if (found := kept(name)) is not None:
        return found
    with tempfile.TemporaryDirectory(prefix="lrsearch-") as folder:
        made = _compiled(source, Path(folder))
        return _loaded(_keep(name, made) or made)


def name_of(source: str) -> str:
    """What a source's library is called: a hash of all that decides about it.

    Args:
        source: C++.
    """
    return hashlib.sha256("\n".join([source, *_options(), torch.__version__]).encode()).hexdigest()[:32]


def kept(name: str) -> Function | None:
    """The function ``run`` of a library that is kept; None if it is not, or is not whole, or not this person's.

    Args:
        name: See `name_of`.
    """
    file = _kept(name)
    return None if file is None else _loaded(file)


def compiler() -> str:
    """The C++ compiler of this machine.

    Raises:
        NotCompiledError: There is none.
    """
    wanted = os.environ.get("CXX")
    for name in (wanted,) if wanted else COMPILERS:
        if found := shutil.which(name):
            return found
    looked = f"CXX names {wanted}, which is not there" if wanted else f"looked for {', '.join(COMPILERS)}"
    raise NotCompiledError(f"there is no C++ compiler on this machine ({looked})")


def _options() -> tuple[str, ...]:
    return (*FLAGS, *FEATURES.get(torch.backends.cpu.get_cpu_capability(), ()))


def _compiled(source: str, folder: Path) -> Path:
    text, made = folder / "lanes.cpp", folder / "lanes.so"
    text.write_text(source, encoding="utf-8")
    libraries = Path(torch.__file__).parent / "lib"
    command = [compiler(), *_options(), str(text), "-o", str(made), f"-L{libraries}", "-ltorch_cpu"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    if found.returncode:
        said = next((line for line in found.stderr.splitlines() if "error" in line), "it said nothing")
        raise NotCompiledError(f"the C++ compiler {command[0]} failed: {said.strip()[:200]}")
    return made


def _loaded(file: Path) -> Function:
    try:
        run = ctypes.CDLL(str(file)).run
    except OSError as error:
        raise NotCompiledError(f"the compiled library cannot be loaded: {error}") from error
    run.restype = ctypes.c_int
    function: Function = run
    return function


def _folder() -> Path:
    return cache_folder("compiled")


def _kept(key: str) -> Path | None:
    """A library that was compiled before, whole and by this person."""
    with suppress(OSError, RuntimeError):
        folder = _folder()
        if not _is_own(folder):
            return None
        for file in folder.glob(f"{key}-*.so"):
            if _is_own(file) and _name(key, file.read_bytes()) == file.name:
                file.touch()
                return file
    return None


def _keep(key: str, made: Path) -> Path | None:
    """Keep a library for later processes, if that is possible."""
    with suppress(OSError, RuntimeError):
        folder = _folder()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not _is_own(folder):
            return None
        content = made.read_bytes()
        file = folder / _name(key, content)
        atomic_file.write(file, content)
        file.chmod(0o600)
        _forget_oldest(folder)
        return file
    return None


def _name(key: str, content: bytes) -> str:
    return f"{key}-{hashlib.sha256(content).hexdigest()[:32]}.so"


def _is_own(path: Path) -> bool:
    """Whether nobody but this person can have written it."""
    found = path.lstat()
    mine = not hasattr(os, "getuid") or found.st_uid == os.getuid()
    return mine and not stat.S_ISLNK(found.st_mode) and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _forget_oldest(folder: Path) -> None:
    by_age: list[tuple[float, Path]] = []
    for library in folder.glob("*.so"):
        with suppress(OSError):  # another process has just taken it away
            by_age.append((library.stat().st_mtime, library))
    for _, library in sorted(by_age)[: max(len(by_age) - MOST, 0)]:
        library.unlink(missing_ok=True)
