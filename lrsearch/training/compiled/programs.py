"""The compiled updates and evaluations of one task, each made when it is first needed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from weakref import ref

import torch
from torch import Tensor

from lrsearch import found_out
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.metrics import Metric
from lrsearch.tasks.task import Task
from lrsearch.training.compiled import library
from lrsearch.training.compiled.library import Function
from lrsearch.training.compiled.state import BlockState, remembered, settings
from lrsearch.training.known_outcome import KnownOutcome
from lrsearch.training.lane_optimizers import LaneOptimizer
from lrsearch.training.networks import StackedNetworks
from lrsearch.training.random_draws import Draw

Pair = tuple[Tensor, Tensor]


class Programs:
    """Makes programs, and keeps those of this process.

    Args:
        question: All that decides about them, where that can be said: what an earlier process came to is taken then.
    """

    def __init__(self, question: str | None = None) -> None:
        self._question = question
        self._made: dict[Hashable, Function] = {}

    def update(
        self,
        networks: StackedNetworks,
        training: TrainingSection,
        optimizer: LaneOptimizer,
        state: BlockState,
        batch: Pair,
        draws: Sequence[Draw],
    ) -> Function:
        """Updates of all lanes.

        Args:
            networks: The lanes.
            training: Optimizer.
            optimizer: Of the lanes.
            state: Of the lanes.
            batch: Inputs and targets of one [rows, ...].
            draws: What a forward pass and the loss draw.

        Raises:
            NotCompiledError: It cannot be made, or not here.
        """
        names = remembered(optimizer), settings(optimizer)

        def made() -> str:
            from lrsearch.training.compiled import one_lane, source  # their imports take seconds

            graph = one_lane.update_graph(networks, training, names, batch, draws)
            layout = source.Layout(state.lane, batch, _drawn(draws), len(names[1]), state.changed)
            return source.update_source(graph, layout)

        return self._once(("update", len(batch[0]), names, repr(draws)), made)

    def evaluation(
        self,
        networks: StackedNetworks,
        state: BlockState,
        data: Pair,
        metrics: Mapping[str, Metric],
        draws: Sequence[Draw],
    ) -> Function:
        """Evaluations of all lanes.

        Args:
            networks: The lanes.
            state: Of the lanes.
            data: Inputs and targets [rows, ...].
            metrics: Name -> metric.
            draws: What the forward passes draw.

        Raises:
            NotCompiledError: It cannot be made, or not here.
        """

        def made() -> str:
            from lrsearch.training.compiled import one_lane, source

            graph = one_lane.evaluation_graph(networks, data, metrics, draws)
            parts = 1 + len(networks.still) + len(networks.buffers)
            return source.evaluation_source(graph, source.Layout(state.lane[:parts], data, _drawn(draws)))

        return self._once(("evaluation", *metrics, data[0].shape, repr(draws)), made)

    def _once(self, key: Hashable, made: Callable[[], str]) -> Function:
        if key not in self._made:
            self._made[key] = self._found(f"program {key} of {self._question}", made)
        return self._made[key]

    def _found(self, question: str, made: Callable[[], str]) -> Function:
        """From an earlier process where that is possible; without a look at the network, which takes seconds."""
        name = found_out.recall(question) if self._question is not None else None
        if isinstance(name, str) and (kept := library.kept(name)) is not None:
            return kept
        source = made()
        function = library.function_of(source)
        if self._question is not None:
            found_out.keep(question, library.name_of(source))
        return function


_PROGRAMS: dict[int, tuple[ref[Task], dict[str, Programs]]] = {}


def programs_of(task: Task, training: TrainingSection, known_as: str | None) -> Programs:
    """The programs of a task and section; the same for all that ask for them in this process.

    Args:
        task: What is trained, of plain tensors.
        training: Of it only the optimizer's form matters, for batches have their own programs by their rows.
        known_as: See `choice.choose`.
    """
    key = f"{training.optimizer} {training.nesterov} {training.eps}"
    for gone in [place for place, (own, _) in _PROGRAMS.items() if own() is None]:
        del _PROGRAMS[gone]
    made = _PROGRAMS.setdefault(id(task), (ref(task), {}))[1]
    if key not in made:
        name = None if known_as is None else f"programs {known_as}"
        made[key] = Programs(KnownOutcome(name, task, training, "cpu").question)
    return made[key]


def _drawn(draws: Sequence[Draw]) -> list[Tensor]:
    """Tensors like those that are drawn."""
    return [torch.empty(draw.size, dtype=draw.dtype) for draw in draws]
