"""The errors that reach a person: one clear message, never a traceback."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class LrsearchError(Exception):
    """Something failed while running. The command line prints it and exits with 1."""

    exit_code = 1


class LrsearchWarning(UserWarning):
    """Something that a person should know and that stops nothing. The command line prints it as one line."""


class InterruptedRunError(LrsearchError):
    """A person or the system asked the run to end (ctrl-C, SIGTERM)."""

    exit_code = 130


class StorageFailedError(LrsearchError):
    """The storage does not take what is written to it, or give what is asked for. What it has stays in it."""


class DeletedStudyError(LrsearchError, KeyError):
    """Somebody deleted the study while it was in use; Optuna says so with a `KeyError`."""

    def __init__(self) -> None:
        super().__init__("the study was deleted while it was in use")

    __str__ = Exception.__str__  # a KeyError would put it in quotation marks


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with an input.

    Attributes:
        key: Dotted path of the key, such as ``search.lr.low``; empty for the input as a whole.
        rule: What must hold.
        received: The value received, as it would be written in the file; None if it is missing.
        nearest: The nearest valid choices, best first.
    """

    key: str
    rule: str
    received: str | None = None
    nearest: tuple[str, ...] = ()

    def __str__(self) -> str:
        subject = " = ".join(part for part in (self.key, self.received) if part)
        hint = f"; did you mean {' or '.join(self.nearest)}?" if self.nearest else ""
        return f"{subject}: {self.rule}{hint}" if subject else f"{self.rule}{hint}"


class InputError(LrsearchError):
    """What the person gave is wrong. Holds every fault, not only the first; exits with 2.

    Args:
        source: Where the input came from: a file, a flag, a storage.
        faults: What is wrong, in the order of the input.
    """

    exit_code = 2

    def __init__(self, source: str, faults: Sequence[Fault]) -> None:
        self.source = source
        self.faults = tuple(faults)
        super().__init__(str(self))

    def __str__(self) -> str:
        if len(self.faults) == 1:
            return f"{self.source}: {self.faults[0]}"
        lines = "\n".join(f"  {fault}" for fault in self.faults)
        return f"{self.source}: {len(self.faults)} faults\n{lines}"


def input_error(
    source: str, rule: str, *, key: str = "", received: str | None = None, nearest: Sequence[str] = ()
) -> InputError:
    """`InputError` with a single fault.

    Args:
        source: Where the input came from.
        rule: What must hold.
        key: The key that is wrong.
        received: The value received, as it would be written.
        nearest: The nearest valid choices.
    """
    return InputError(source, [Fault(key, rule, received, tuple(nearest))])


def nearest(name: str, choices: Iterable[str]) -> tuple[str, ...]:
    """The choices that look most like a mistyped name, best first, at most two.

    Args:
        name: What was received.
        choices: What would have been valid.

    Returns:
        Choices, compared without regard to case; empty when none is close.
    """
    spelled = {choice.lower(): choice for choice in choices}
    return tuple(spelled[match] for match in difflib.get_close_matches(name.lower(), spelled, n=2, cutoff=0.55))
