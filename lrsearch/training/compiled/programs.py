"""The compiled updates and evaluations of one task, each made when it is first needed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence

import torch
from torch import Tensor

from lrsearch.tasks.metrics import Metric
from lrsearch.training.compiled import one_lane, source
from lrsearch.training.compiled.library import Function, function_of
from lrsearch.training.compiled.source import Layout
from lrsearch.training.compiled.state import BlockState
from lrsearch.training.lane_optimizers import LaneOptimizer
from lrsearch.training.networks import StackedNetworks
from lrsearch.training.random_draws import Draw
from lrsearch.study_file.model import TrainingSection

Pair = tuple[Tensor, Tensor]


class Programs:
    """Makes programs, and keeps those of this process."""

    def __init__(self) -> None:
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
        names = one_lane.remembered(optimizer), one_lane.settings(optimizer)

        def made() -> str:
            graph = one_lane.update_graph(networks, training, names, batch, draws)
            layout = Layout(state.lane, batch, _drawn(draws), len(names[1]), state.changed)
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
            graph = one_lane.evaluation_graph(networks, data, metrics, draws)
            parts = 1 + len(networks.still) + len(networks.buffers)
            return source.evaluation_source(graph, Layout(state.lane[:parts], data, _drawn(draws)))

        return self._once(("evaluation", *metrics, data[0].shape, repr(draws)), made)

    def _once(self, key: Hashable, made: Callable[[], str]) -> Function:
        if key not in self._made:
            self._made[key] = function_of(made())
        return self._made[key]


def _drawn(draws: Sequence[Draw]) -> list[Tensor]:
    """Tensors like those that are drawn."""
    return [torch.empty(draw.size, dtype=draw.dtype) for draw in draws]
