"""What was tried out once on this machine and need not be tried again: small answers in the person's cache folder.

Each answer is a file of its own that appears whole or not at all, so processes that write at the same moment do not
disturb each other. A file that is damaged, or was meant for another question, counts as none. So does a folder that
cannot be read or written: then everything is tried out again, which is slower and nothing else.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from lrsearch import atomic_file
from lrsearch.cache_folder import cache_folder

MOST = 256
"""Answers that are kept; of more the oldest go."""


def recall(question: str) -> Any:
    """The answer that was kept for a question.

    Args:
        question: All that the answer depends on.

    Returns:
        What `keep` was given; None where there is none.
    """
    with suppress(OSError, RuntimeError, ValueError, KeyError, TypeError):
        kept = json.loads(_file(question).read_bytes())
        if kept["question"] == _hash(question) and kept["seal"] == _seal(question, kept["answer"]):
            return kept["answer"]
    return None


def keep(question: str, answer: Any) -> None:
    """Keep an answer for later processes, if that is possible.

    Args:
        question: All that the answer depends on.
        answer: Plain values, not None.
    """
    with suppress(OSError, RuntimeError):
        file = _file(question)
        file.parent.mkdir(parents=True, exist_ok=True)
        kept = {"question": _hash(question), "answer": answer, "seal": _seal(question, answer)}
        atomic_file.write(file, json.dumps(kept).encode())
        _forget_oldest(file.parent)


def _file(question: str) -> Path:
    return cache_folder("found") / f"{_hash(question)[:32]}.json"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _seal(question: str, answer: Any) -> str:
    return _hash(f"{question}\n{json.dumps(answer, sort_keys=True)}")


def _forget_oldest(folder: Path) -> None:
    answers = list(folder.glob("*.json"))
    if len(answers) <= MOST:
        return
    by_age: list[tuple[float, Path]] = []
    for answer in answers:
        with suppress(OSError):  # another process has just taken it away
            by_age.append((answer.stat().st_mtime, answer))
    for _, answer in sorted(by_age)[: max(len(by_age) - MOST, 0)]:
        answer.unlink(missing_ok=True)
