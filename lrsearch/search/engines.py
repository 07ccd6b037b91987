"""The engine of each study that a run trains: chosen once, stored with the study, and used from then on."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from lrsearch.errors import InputError, LrsearchError, input_error
from lrsearch.search import paying
from lrsearch.search.recipe import identity, only_here, recipe_of
from lrsearch.search.training_process import program
from lrsearch.search.variants import corners
from lrsearch.storage.attributes import ENGINE_OF_STUDY
from lrsearch.study import open as opening
from lrsearch.study import stored as studies
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file.model import Definition
from lrsearch.tasks.command_task import CommandTask
from lrsearch.tasks.task import Task
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.choice import ENGINES, Choice, choose
from lrsearch.training.command_engine import CommandEngine
from lrsearch.training.compiled.engine import CompiledEngine
from lrsearch.training.devices import resolve
from lrsearch.training.engine import Engine, SequentialEngine
from lrsearch.training.lane_checkpoints import LaneCheckpoints
from lrsearch.training.parallel import ParallelEngine
from lrsearch.training.processes import TrainingProcesses


@dataclass(frozen=True)
class Machine:
    """What a run may use of this machine.

    Attributes:
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:1``.
        threads: CPU threads of torch in each process.
        environments: For each process that can train beside the others, what its environment has beside this one's.
        sources: Files and modules with the person's code.
    """

    device: str = "auto"
    threads: int = 1
    environments: tuple[Mapping[str, str], ...] = ({},)
    sources: tuple[str, ...] = ()


class Engines:
    """Makes the engines of a run, and has the processes that train beside each other.

    Args:
        wanted: What `--engine` says.
        machine: What the run may use.
        say: Where a person is told what she should know.
    """

    def __init__(self, wanted: str, machine: Machine, say: Callable[[str], None]) -> None:
        self._wanted, self._machine, self._say = wanted, machine, say
        self._processes: TrainingProcesses | None = None
        self._chosen: dict[str, Choice] = {}

    def __enter__(self) -> Engines:
        return self

    def __exit__(self, *error: object) -> None:
        if self._processes is not None:
            self._processes.close()

    def choice(self, stored: StoredStudy, task: Task, key: str | None = None) -> Choice:
        """Which engine trains a study: the one that is named, the one that has trained it, or the one that suits it.

        Args:
            stored: The study.
            task: What it trains.
            key: Studies of the same key train alike, so that what suits them is found out once.

        Raises:
            InputError: The engine cannot train the task, or not here.
        """
        assert stored.definition is not None
        if isinstance(task, CommandTask):
            return choose(self._wanted, task, stored.definition.training)
        there = engine_of(stored)
        wanted = self._wanted
        if stored.trains_contestants and wanted in (BatchedEngine.name, CompiledEngine.name):
            wanted = "auto"  # it trains the search as it was asked to; contestants may have optimizers that it has not
        if wanted == "auto" and there is not None:
            return self._as_stored(stored, task, there)
        chosen = self._tried(task, stored, key, wanted)
        kept = there or str(stored.settle(ENGINE_OF_STUDY, chosen.engine))
        if kept == chosen.engine:
            return chosen
        if wanted == "auto":  # somebody else was a moment earlier, and came to another choice
            return self._as_stored(stored, task, kept)
        self._say(
            f"Study {stored.name} was begun by the {kept} engine; --engine {chosen.engine} goes on with another one."
        )
        return chosen

    @property
    def device(self) -> str:
        """Where training is, as a person said it."""
        return self._machine.device

    def make(self, chosen: Choice, stored: StoredStudy, task: Task) -> Engine:
        """The engine.

        Args:
            chosen: Which.
            stored: The study.
            task: What it trains.
        """
        if chosen.engine == CommandEngine.name:
            return CommandEngine()
        place = str(resolve(self._machine.device))
        checkpoints = LaneCheckpoints(identity(stored), self._say)
        if chosen.engine == BatchedEngine.name:
            return BatchedEngine(place)
        if chosen.engine == CompiledEngine.name:
            assert stored.definition is not None
            return CompiledEngine(place, known_as=_known_as(stored, stored.definition))
        if chosen.engine == SequentialEngine.name:
            return SequentialEngine(place, checkpoints)
        if len(self._machine.environments) == 1:
            return ParallelEngine(place, checkpoints=checkpoints)
        if reason := only_here(stored):
            self._say(f"Trials are trained in this process, one after the other: {reason}.")
            return ParallelEngine(place, checkpoints=checkpoints)
        # A device of its own is all that a process sees of several.
        there = "cuda" if place.startswith("cuda") else place
        recipe = recipe_of(stored, self._machine.sources, there, self._machine.threads)
        return ParallelEngine(place, self._started().crew(recipe), task, checkpoints, self._say)

    def _started(self) -> TrainingProcesses:
        if self._processes is None:
            threads = str(self._machine.threads)
            shared = {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
            environments = [{**shared, **own} for own in self._machine.environments]
            self._processes = TrainingProcesses(program(), environments, self._say)
        return self._processes

    def _tried(self, task: Task, stored: StoredStudy, key: str | None, wanted: str) -> Choice:
        assert stored.definition is not None
        if key is not None and key in self._chosen:
            return self._chosen[key]
        number = len(self._machine.environments)
        reason = only_here(stored) if number > 1 and wanted == "auto" else None
        chosen = self._right_for_all(wanted, stored, task, 1 if reason else number)
        if reason and chosen.engine == SequentialEngine.name:
            chosen = replace(chosen, reason=f"{chosen.reason}; {reason}")
        if wanted == "auto" and chosen.right_in_batches and stored.origin is None:
            known_as = _known_as(stored, stored.definition)
            processes = number if chosen.engine == ParallelEngine.name else 1
            chosen = paying.weighed(chosen, stored.definition, task, self._machine.device, known_as, processes)
        if key is not None:
            self._chosen[key] = chosen
        return chosen

    def _right_for_all(self, wanted: str, stored: StoredStudy, task: Task, number: int) -> Choice:
        """What can train every trial, whatever its optimizer, batch size and options of the task."""
        assert stored.definition is not None
        if stored.definition.search.options.task:
            if wanted == ParallelEngine.name:
                rule = "cannot train trials that differ in options of the task: leave the option out"
                raise input_error("command line", rule, key="--engine", received=f'"{wanted}"')
            number = 1
        for own in corners(stored.definition):
            same = own.task == stored.definition.task
            made = task if same else opening.task_with(stored, own.task.options)
            chosen = choose(wanted, made, own.training, self._machine.device, number, _known_as(stored, own))
            if chosen.engine != BatchedEngine.name and wanted == "auto":
                break
        return chosen

    def _as_stored(self, stored: StoredStudy, task: Task, engine: str) -> Choice:
        """What has trained a study trains it on, or nothing does: its numbers must not change halfway."""
        assert stored.definition is not None
        others = [name for name in ENGINES if name not in ("auto", engine)]
        way = f"to go on with another one, whose numbers differ, write --engine {' or --engine '.join(others)}"
        if engine not in ENGINES:
            rule = f'is trained by the engine "{engine}", which this lrsearch does not have; {way}'
            raise input_error(f"study {stored.name}", rule)
        try:
            self._right_for_all(engine, stored, task, 1)
        except InputError as error:
            reason = "; ".join(fault.rule for fault in error.faults)
            rule = f"is trained by the {engine} engine since it began, which {reason.removeprefix('which ')}; {way}"
            raise input_error(f"study {stored.name}", rule) from None
        return Choice(engine, "as this study was begun")


def engine_of(stored: StoredStudy) -> str | None:
    """Which engine trains a study since it was first trained; a confirmation has that of its search.

    Contestants with another optimizer have their own: not every engine has every optimizer.

    Args:
        stored: The study.
    """
    if stored.engine is not None or stored.origin is None:
        return stored.engine
    try:
        search = studies.load(stored.storage, stored.origin, stored.patience)
        one, other = (own.definition and own.definition.training.optimizer for own in (stored, search))
        return search.engine if one == other else None
    except LrsearchError:  # the search was deleted, or another tool made it
        return None


def _known_as(stored: StoredStudy, definition: Definition) -> str:
    """The task's name and options, and whether it is scored as a confirmation is."""
    return json.dumps([definition.document().get("task"), stored.is_confirmation], sort_keys=True)


def environments(visible: Sequence[str | None]) -> tuple[Mapping[str, str], ...]:
    """What the environment of each process has beside this one's.

    Args:
        visible: The graphics processors that each sees; None where there is nothing to say.
    """
    return tuple({} if device is None else {"CUDA_VISIBLE_DEVICES": device} for device in visible)
