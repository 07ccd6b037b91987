"""Processes of different kinds that serve together: one that ends is started again, until somebody ends them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from lrsearch.errors import input_error
from lrsearch.launch.processes import ChildProcess, ChildProcesses, Program
from lrsearch.signals import Interruption

WRONG_INPUT = 2
"""Exit code of a process that will never run, however often it is started."""


class Service:
    """Keeps every process running. What they write to stderr is passed on line by line.

    Args:
        programs: What the processes run.
        interruption: Where signals are looked for.
        say: Where a person is told what happens to them.
        take_output: Takes a program's name and each line that it writes.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        interruption: Interruption,
        say: Callable[[str], None],
        take_output: Callable[[str, str], None],
    ) -> None:
        self._say = say
        self._processes = ChildProcesses(programs, interruption, _may_run_again, self._announce, take_output)

    @property
    def children(self) -> Sequence[ChildProcess]:
        """The processes as they are now."""
        return self._processes.children

    def watch(self) -> Iterator[None]:
        """Start every process, and yield now and then while they run. However this ends, none of them is left.

        Raises:
            InterruptedRunError: A signal came.
            InputError: A program says at its start that its input is wrong.
        """
        yield from self._processes.watch()

    def _announce(self, child: ChildProcess, pause: float) -> None:
        self._say(f"The {child.program.name} ended ({child.ending}); it starts again in {pause:g} s.")


def _may_run_again(child: ChildProcess) -> bool:
    # Later it means that the storage is away: what was right once is not the person's mistake.
    if child.exit_code == WRONG_INPUT and not child.restarts:
        raise input_error("serve", f"the {child.program.name} cannot run; its message says why")
    return True
