"""The compiled engine: the batched engine, whose updates and evaluations are compiled code."""

from __future__ import annotations

import ctypes
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from typing import Any

import torch
from torch import Tensor

from lrsearch.errors import input_error
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.data import Data
from lrsearch.tasks.metrics import Metric
from lrsearch.tasks.task import Task
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.compiled.library import Function
from lrsearch.training.compiled.pace import Pace
from lrsearch.training.compiled.programs import Programs, programs_of
from lrsearch.training.compiled.state import BlockState, lanes_of_block
from lrsearch.training.compiled.values import NotCompiledError
from lrsearch.training.engine import Lane, LaneStream, Numbers
from lrsearch.training.evaluation import EVALUATION_ROWS
from lrsearch.training.lane_optimizers import PER_LANE
from lrsearch.training.network_batch import NetworkBatch
from lrsearch.training.random_draws import SeedStreams

MOST_UPDATES = 64
"""Whose rows and rates are laid out at once."""


class CompiledEngine(BatchedEngine):
    """Trains lanes together, by code that is compiled for the task.

    A lane's numbers are the same to the last bit whichever lanes are trained beside it: no operation looks at two
    lanes, and none is done otherwise for some lanes than for others.

    Args:
        device: The CPU.
        memory: As in `BatchedEngine`.
        known_as: The task's name and options: what an earlier process compiled for it is taken without tracing the task
            again. By default it is traced, and taken if it is the same.
    """

    name = "compiled"
    may_differ: Collection[str] = PER_LANE
    fixed_cost = 0.5

    def __init__(self, device: str = "cpu", memory: int | None = None, known_as: str | None = None) -> None:
        super().__init__(device, memory)
        self._known_as = known_as

    def recording_cost(self, task: Task, training: TrainingSection) -> float:
        """See `BatchedEngine.recording_cost`: the same code trains any number of lanes."""
        return 0.0

    def train(
        self, task: Task, lanes: Sequence[Lane], training: TrainingSection, pauses: Collection[int] = ()
    ) -> LaneStream:
        """See `Engine.train`."""
        try:
            yield from super().train(task, lanes, training, pauses)
        except NotCompiledError as error:
            raise input_error("engine", f"compiled code cannot train this task: {error}") from error

    def batch(
        self, task: Task, lanes: Sequence[Lane], training: TrainingSection, device: torch.device | None = None
    ) -> CompiledBatch:
        """See `BatchedEngine.batch`."""
        programs = programs_of(task, training, self._known_as)
        return CompiledBatch(task, lanes, training, device or self.device, self.memory, programs)


class CompiledBatch(NetworkBatch):
    """Lanes on their way, whose state is where compiled code finds it.

    Args:
        task: As in `NetworkBatch`, as are `lanes`, `training`, `device` and `memory`.
        lanes: See there.
        training: See there.
        device: See there.
        memory: See there.
        programs: Of earlier batches of the same task and section.
    """

    def __init__(
        self,
        task: Task,
        lanes: Sequence[Lane],
        training: TrainingSection,
        device: torch.device,
        memory: int | None,
        programs: Programs,
    ) -> None:
        super().__init__(task, lanes, training, device, memory)
        self._programs = programs
        self._pace, self._looking = Pace(), Pace()
        self._state = self._new_state()

    def keep(self, live: Iterable[int]) -> None:
        """See `NetworkBatch.keep`."""
        wanted = set(live)
        if all(position in wanted for position in self.positions):
            return
        self._state.give_back()
        super().keep(wanted)
        self._state = self._new_state()

    def update(self, rows: Tensor, rates: Tensor) -> Tensor:
        """See `NetworkBatch.update`; networks and optimizer are brought to where they are then."""
        losses = self._updates([rows], [rates])[0]
        self._state.give_back()
        return losses

    def train_on(self, rates: Numbers) -> Tensor:
        """See `NetworkBatch.train_on`."""
        losses = []
        for _, alike in groupby(self.updates(rates), lambda own: own[0].shape[1]):
            while some := list(islice(alike, self._pace.updates(MOST_UPDATES))):
                losses.append(self._updates([rows for rows, _ in some], [of_lanes for _, of_lanes in some]))
        return torch.cat(losses).amax(dim=0)

    def evaluate(
        self,
        data: Data,
        metrics: Mapping[str, Metric],
        details: Mapping[str, Metric] | None = None,
        streams: SeedStreams | None = None,
    ) -> tuple[dict[str, Numbers], dict[str, Numbers]]:
        """See `NetworkBatch.evaluate`."""
        kept: dict[str, Numbers] = {}
        if details:  # rare, and a person's code that may fail
            self._state.give_back()
            kept = super().evaluate(data, {}, details, streams)[1]
        self.networks.module.eval()
        draws = tuple(draw for rows in torch.split(data[0], EVALUATION_ROWS) for draw in self.networks.draws_in(rows))
        drawn = (streams or self.seed_streams().copied()).drawn(draws)
        program = self._programs.evaluation(self.networks, self._state, data, metrics, draws)
        results = torch.empty(len(metrics), len(self.networks), dtype=torch.float64)
        self._run(program, (self._looking, 1), data, drawn, results)
        return {name: self._of_lanes(values) for name, values in zip(metrics, results, strict=True)}, kept

    def _updates(self, rows: Sequence[Tensor], rates: Sequence[Tensor]) -> Tensor:
        """Some updates with batches of as many rows; their losses [updates, networks]."""
        inputs, targets = self.train
        batch = inputs[rows[0][0]], targets[rows[0][0]]
        self.networks.module.train()
        draws = self.networks.draws_in(*batch)
        program = self._programs.update(self.networks, self.training, self.optimizer, self._state, batch, draws)
        results = torch.empty(len(rows), len(self.networks), dtype=torch.float64)
        for begin, end in self._calls(len(rows), alone=bool(draws)):
            numbers = torch.stack(list(rows[begin:end])), torch.stack([own[:, 0] for own in rates[begin:end]])
            drawn = self.seed_streams().drawn(draws)
            self._run(program, (self._pace, end - begin), self.train, drawn, results[begin:end], *numbers)
        return results

    @staticmethod
    def _calls(updates: int, *, alone: bool) -> Iterator[tuple[int, int]]:
        """Begin and end of what is done in one call: where numbers are drawn for each update, each alone."""
        step = 1 if alone else updates
        return ((begin, begin + step) for begin in range(0, updates, step))

    def _run(
        self,
        program: Function,
        amount: tuple[Pace, int],
        data: Data,
        drawn: Sequence[Tensor],
        results: Tensor,
        rows: Tensor | None = None,
        rates: Tensor | None = None,
    ) -> None:
        """Call a program for all blocks, so many at once as take a moment; how many changes no number."""
        pace, updates = amount
        state = self._state
        tensors = [part.contiguous() for part in data]
        given = [own.contiguous() for own in drawn]
        lanes = len(self.networks)
        first, blocks = 0, lanes // lanes_of_block()
        while first < blocks:
            last = min(first + pace.blocks(updates), blocks)
            with pace.measured((last - first) * updates):
                failed = program(
                    _pointers(state.arrays), _pointer(self.order_of), *_numbers(lanes, first, last, updates),
                    _pointers(tensors), _pointer(rows), *_numbers(len(self.streams)), _pointers(given),
                    _pointer(rates), _pointer(state.settings), _pointer(results),
                )  # fmt: skip
            if failed:
                raise MemoryError("there is no memory for a block of lanes")
            first = last

    def _new_state(self) -> BlockState:
        return BlockState(self.networks, self.optimizer, lanes_of_block())


def _numbers(*values: int) -> list[ctypes.c_int64]:
    return [ctypes.c_int64(value) for value in values]


def _pointer(tensor: Tensor | None) -> ctypes.c_void_p:
    return ctypes.c_void_p(None if tensor is None else tensor.data_ptr())


def _pointers(tensors: Sequence[Tensor]) -> Any:
    return (ctypes.c_void_p * max(len(tensors), 1))(*(tensor.data_ptr() for tensor in tensors))
