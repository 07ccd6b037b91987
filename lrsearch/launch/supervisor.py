"""The worker processes of one run: one that died is started again, and the run ends when each has ended by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from lrsearch.errors import LrsearchError
from lrsearch.launch.processes import ChildProcess, ChildProcesses, Program
from lrsearch.signals import Interruption

RESTARTS = 5
"""So often a worker is restarted before it is given up."""


class Supervisor:
    """Keeps worker processes running until each has ended by itself.

    Args:
        command: The worker's command line. Nothing secret: everybody on the machine can read it.
        environments: For each worker, what its environment has beside this process's own.
        interruption: Where signals are looked for.
        say: Where a person is told of restarts.
        take_line: Takes every line that a worker writes to stderr. By default workers write to this process's stderr.
    """

    def __init__(
        self,
        command: Sequence[str],
        environments: Sequence[Mapping[str, str]],
        interruption: Interruption,
        say: Callable[[str], None],
        take_line: Callable[[str], None] | None = None,
    ) -> None:
        self._say = say
        self._processes = ChildProcesses(
            [Program(f"worker {index}", command, own) for index, own in enumerate(environments)],
            interruption,
            _has_died,
            self._announce,
            None if take_line is None else lambda _, line: take_line(line),
            limit=RESTARTS,
        )

    @property
    def exit_codes(self) -> list[int | None]:
        """How each worker ended last; None for one that has not."""
        return [child.exit_code for child in self._processes.children]

    def watch(self) -> Iterator[None]:
        """Start the workers, and yield now and then while they run. However this ends, none of them is left.

        Raises:
            InterruptedRunError: A signal came; every worker has handed its trials back or was ended.
            LrsearchError: A worker failed, or died too often.
        """
        yield from self._processes.watch()
        failed = [child for child in self._processes.children if child.exit_code]
        if failed:
            endings = ", ".join(f"{child.program.name}: {child.ending}" for child in failed)
            raise LrsearchError(f"not every worker ended well ({endings}); what was finished is stored")

    def _announce(self, child: ChildProcess, pause: float) -> None:
        done = f"{child.restarts} of {RESTARTS}"
        name = child.program.name.capitalize()
        self._say(f"{name} died ({child.ending}); restarting it in {pause:g} s ({done}).")


def _has_died(child: ChildProcess) -> bool:
    """Whether it ended by a signal: the machine's doing, not an answer of the program."""
    return child.exit_code is not None and (child.exit_code < 0 or child.exit_code > 130)
