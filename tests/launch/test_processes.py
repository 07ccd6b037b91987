"""Child processes: real ones, which say themselves how far they are."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import psutil
import pytest

from lrsearch.errors import InterruptedRunError
from lrsearch.launch import processes
from lrsearch.launch.processes import ChildProcess, ChildProcesses, Program
from lrsearch.signals import Interruption

SAY = "import os, signal, sys\ndef say(word): print(word, file=sys.stderr, flush=True)\n"
UNTIL_KILLED = f"{SAY}say('up')\nsignal.pause()\n"
KILLS_ITSELF = f"{SAY}say('up')\nos.kill(os.getpid(), signal.SIGKILL)\n"


def always(_: ChildProcess) -> bool:
    return True


def never(_: ChildProcess) -> bool:
    return False


class Run:
    """Child processes, and what became of them.

    Attributes:
        processes: The processes.
        said: Program and line of all that they wrote.
        pauses: Program and pause of each restart.
    """

    def __init__(
        self,
        *codes: str,
        wanted: Callable[[ChildProcess], bool] = always,
        limit: int | None = None,
        interruption: Interruption | None = None,
    ) -> None:
        programs = [
            Program(str(index), [sys.executable, "-c", code], {"INDEX": str(index)}) for index, code in enumerate(codes)
        ]
        self.said: list[tuple[str, str]] = []
        self.pauses: list[tuple[str, float]] = []
        self.processes = ChildProcesses(
            programs,
            interruption or Interruption(),
            wanted,
            lambda child, pause: self.pauses.append((child.program.name, pause)),
            lambda name, line: self.said.append((name, line)),
            limit=limit,
        )
        self.watching = self.processes.watch()

    def pid(self, index: int) -> int:
        process = self.processes.children[index].process
        assert process is not None
        return process.pid

    def until(self, happens: Callable[[], bool]) -> None:
        """Watch until then."""
        while not happens():
            next(self.watching)

    def close(self) -> None:
        self.watching.close()  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "LOOK_AGAIN", 0.01)
    monkeypatch.setattr(processes, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(processes, "LONGEST_PAUSE", 0.04)


@pytest.fixture
def run() -> Iterator[Callable[..., Run]]:
    """Makes runs, and ends them."""
    made: list[Run] = []

    def make(*codes: str, **options: object) -> Run:
        made.append(Run(*codes, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for own in made:
        own.close()


def test_programs_run_to_their_ends_and_all_their_lines_are_passed_on(run: Callable[..., Run]) -> None:
    code = f"{SAY}say('first')\nsay('last of ' + os.environ['INDEX'])\nsys.exit(3 * int(os.environ['INDEX']))"
    own = run(code, code, wanted=never)
    for _ in own.watching:
        pass
    assert sorted(own.said) == [("0", "first"), ("0", "last of 0"), ("1", "first"), ("1", "last of 1")]
    assert [child.exit_code for child in own.processes.children] == [0, 3]
    assert [child.ending for child in own.processes.children] == ["exit code 0", "exit code 3"]
    assert own.pauses == []


def test_nothing_runs_before_somebody_watches(run: Callable[..., Run]) -> None:
    own = run(UNTIL_KILLED)
    own.close()
    assert own.processes.children[0].exit_code is None
    assert own.said == []


def test_pauses_grow_to_the_longest_and_the_limit_ends_it(run: Callable[..., Run]) -> None:
    own = run(KILLS_ITSELF, limit=4)
    for _ in own.watching:
        pass
    assert [pause for _, pause in own.pauses] == [0.01, 0.02, 0.04, 0.04]
    assert own.said == [("0", "up")] * 5
    assert own.processes.children[0].ending == "signal 9"


def test_each_one_that_died_starts_again_while_the_others_run(run: Callable[..., Run]) -> None:
    """Also the last one, whoever else runs."""
    own = run(UNTIL_KILLED, UNTIL_KILLED)
    own.until(lambda: len(own.said) == 2)
    first, second = own.pid(0), own.pid(1)
    os.kill(second, signal.SIGKILL)
    own.until(lambda: own.said.count(("1", "up")) == 2)
    assert own.pid(0) == first
    assert own.pid(1) != second
    assert own.pauses == [("1", 0.01)]


def test_one_that_has_run_steadily_starts_again_as_after_its_first_death(
    run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "STEADY", 0.0)
    own = run(UNTIL_KILLED)
    for times in (1, 2, 3):
        own.until(lambda times=times: len(own.said) == times)  # type: ignore[misc]
        next(own.watching)  # a look at it while it runs
        os.kill(own.pid(0), signal.SIGKILL)
    own.until(lambda: len(own.pauses) == 3)
    assert own.pauses == [("0", 0.01)] * 3
    assert own.processes.children[0].restarts == 3


def test_one_that_is_asked_to_end_may_finish_what_it_does(run: Callable[..., Run]) -> None:
    own = run(f"{SAY}signal.signal(signal.SIGTERM, lambda *_: (say('handed back'), sys.exit(0)))\n{UNTIL_KILLED}")
    own.until(lambda: len(own.said) == 1)
    own.close()
    assert own.said == [("0", "up"), ("0", "handed back")]
    assert own.processes.children[0].exit_code == 0


def test_one_that_does_not_end_is_killed(run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "TERMINATION_TIMEOUT", 0.2)
    own = run(f"{SAY}signal.signal(signal.SIGTERM, signal.SIG_IGN)\nsay('up')\nwhile True: signal.pause()")
    own.until(lambda: len(own.said) == 1)
    pid = own.pid(0)
    own.close()
    assert own.processes.children[0].ending == "signal 9"
    assert not psutil.pid_exists(pid)


def test_an_interruption_ends_all(run: Callable[..., Run]) -> None:
    interruption = Interruption()
    own = run(UNTIL_KILLED, UNTIL_KILLED, interruption=interruption)
    own.until(lambda: len(own.said) == 2)
    interruption.received = True
    with pytest.raises(InterruptedRunError):
        next(own.watching)
    assert [child.ending for child in own.processes.children] == ["signal 15", "signal 15"]


def test_an_error_about_one_ends_the_others(run: Callable[..., Run]) -> None:
    def wanted(child: ChildProcess) -> bool:
        raise RuntimeError(child.ending)

    own = run(UNTIL_KILLED, f"{SAY}sys.exit(7)", wanted=wanted)
    with pytest.raises(RuntimeError, match="exit code 7"):
        for _ in own.watching:
            pass
    assert [child.process for child in own.processes.children] == [None, None]


def test_a_program_that_is_not_there_leaves_nothing_behind() -> None:
    programs = [Program("sleeper", [sys.executable, "-c", UNTIL_KILLED], {}), Program("gone", ["/no/such/file"], {})]
    own = ChildProcesses(programs, Interruption(), never, print)
    with pytest.raises(FileNotFoundError):
        next(own.watch())
    assert own.children[0].ending == "signal 15"


HOLDER = """
import sys
from lrsearch.launch.processes import ChildProcesses, Program
from lrsearch.signals import Interruption

def show(name, line):
    print(line, flush=True)

code = "import os, sys; print(os.getpid(), file=sys.stderr, flush=True); sys.stdin.read()"
program = Program("child", [sys.executable, "-c", code], {})
for _ in ChildProcesses([program], Interruption(), bool, print, show).watch():
    pass
"""


def test_the_stdin_of_a_child_ends_with_a_process_that_was_killed() -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True)
    with holder:
        assert holder.stdout is not None
        child = psutil.Process(int(holder.stdout.readline()))
        holder.kill()
    _, alive = psutil.wait_procs([child], timeout=60)
    assert not alive
