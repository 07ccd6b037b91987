"""How long until a command says something, and until a study's first epoch is trained? Run it by hand.

    python tests/benchmarks/starts.py [--rounds 3] [--against CHECKOUT]

Each command is started afresh, on a terminal, as a person starts it. Its CPU seconds are measured, those of its child
processes included, because they hold on a busy machine, too: where a core is free, seconds by the clock are the same.
`study run` is measured with an empty cache folder, and again with what the first run found out; a study that is
compiled, with the code that its first run has kept. With `--against` another checkout takes turns, for instance of the
last release.
"""

from __future__ import annotations

import argparse
import json
import os
import pty
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent.parent.parent
STUDY = """
[study]
name = "start"
trials = 64
[task]
name = "polynomial"
[confirm]
top = 0
"""
PROGRAM = """
import sys, time, resource
from lrsearch.cli import output, app

wanted, place = sys.argv[1], sys.argv[2]
sys.argv = ["lrsearch", *sys.argv[3:]]
def spent():
    parts = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return sum(own.ru_utime + own.ru_stime for own in parts)
def note(*_, **__):
    with open(place, "x") as file:
        file.write(str(spent()))
    raise SystemExit(0)
if wanted == "line":
    output.Console.print = note
elif wanted == "epoch":
    from lrsearch.cli import progress
    take = progress.SearchProgress.take
    progress.SearchProgress.take = lambda self, event: (
        note() if type(event).__name__ == "EpochDone" and event.epoch == 1 else take(self, event)
    )
app.main()
"""
"""Ends a command at its first line, or at its first epoch, and notes what it has needed until then."""


def seconds(wanted: str, arguments: list[str], environment: dict[str, str], folder: Path) -> float:
    """CPU seconds of a command to its end, to its first line, or to its first epoch."""
    place = folder / "spent"
    place.unlink(missing_ok=True)
    program = ["-m", "lrsearch"] if wanted == "end" else ["program.py", wanted, str(place)]
    master, slave = pty.openpty()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        process = subprocess.Popen(
            [sys.executable, *program, *arguments], env=environment, cwd=folder,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=slave,
        )  # fmt: skip
        os.close(slave)
        with open(master, "rb", buffering=0, closefd=False) as screen:
            try:
                while screen.read(4096):
                    pass
            except OSError:  # the terminal is closed with the process
                pass
        process.wait()
    finally:
        os.close(master)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if wanted == "end":
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return float(place.read_text())


class Checkout:
    """One version of lrsearch, with a folder and a cache of its own."""

    def __init__(self, place: Path, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir()
        (folder / "start.toml").write_text(STUDY)
        (folder / "program.py").write_text(PROGRAM)  # in a file: of code that is typed in nothing is remembered
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(place),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "LRSEARCH_STORAGE": f"sqlite:///{folder}/start.db",
            "OMP_NUM_THREADS": "1",
            "TERM": "xterm",
        }
        self.measured: dict[str, list[float]] = {}

    def round(self) -> None:
        """Measure everything once, the first run with nothing in the cache."""
        for file in self.folder.glob("cache/**/*.json"):
            file.unlink()
        self._fresh_run("study run, first epoch, nothing known")
        self._note("run", "end", "study", "run", "start.toml", "--quiet")
        for name, wanted, *arguments in (
            ("--help", "end", "--help"),
            ("study list", "end", "study", "list"),
            ("report, first line", "line", "report", "start"),
            ("report of 64 trials", "end", "report", "start"),
        ):
            self._note(name, wanted, *arguments)
        self._fresh_run("study run, first epoch")
        self._fresh_run("study run, first line", "line")
        for name in (
            "compiled",
            "study run, compiled before, first epoch",
        ):  # by one program, which is part of the task
            self._fresh_run(name, "epoch", "--engine", "compiled")
        del self.measured["run"], self.measured["compiled"]

    def _fresh_run(self, name: str, wanted: str = "epoch", *options: str) -> None:
        for file in self.folder.glob("start.db*"):
            file.unlink()
        self._note(name, wanted, "study", "run", "start.toml", *options)

    def _note(self, name: str, wanted: str, *arguments: str) -> None:
        spent = seconds(wanted, list(arguments), self.environment, self.folder)
        self.measured.setdefault(name, []).append(spent)


def main() -> None:
    """Print a markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--against", type=Path, help="another checkout, which takes turns")
    options = parser.parse_args()
    places = [*([options.against.resolve()] if options.against else []), HERE]
    with tempfile.TemporaryDirectory() as temporary:
        checkouts = [Checkout(place, Path(temporary) / str(number)) for number, place in enumerate(places)]
        for _ in range(options.rounds):
            for checkout in checkouts:
                checkout.round()
    print("| command | " + " | ".join(["before, CPU s", "CPU s"][-len(places) :]) + " |")
    print("|---|" + "---:|" * len(places))
    for name in checkouts[-1].measured:
        cells = [f"{statistics.median(own.measured[name]):.2f}" for own in checkouts]
        print(f"| `{name}` | " + " | ".join(cells) + " |")
    print(json.dumps([own.measured for own in checkouts]), file=sys.stderr)


if __name__ == "__main__":
    main()
