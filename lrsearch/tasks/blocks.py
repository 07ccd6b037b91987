"""A metric block by block: what each block of rows adds to the metric of all rows.

The rows that score a run are a sample, as its seeds are. The values here have the metric of all rows as their mean, so
that their scatter says how far other rows of the same kind would have moved it. A metric that is a mean over rows is
looked at in each block. Any other one (AUC, F1, R2) is looked at without each block: pseudo-values of the jackknife
(source: J. W. Tukey, "Bias and confidence in not-quite large samples", Annals of Mathematical Statistics 29, 1958).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lrsearch.tasks import nest
from lrsearch.tasks.attempt import attempt
from lrsearch.tasks.data import Data, Rows, Streamed, count
from lrsearch.tasks.metrics import ROW_MEANS, Metric, is_mean
from lrsearch.tasks.task import Task
from lrsearch.tasks.untrained import untrained_outputs

BLOCKS = "metric per block"
"""Under this name a task's `details` hold its metric per block of the rows that score it."""
MOST_BLOCKS = 200
"""More of them would say no more about the scatter of their mean, and would have to be stored."""
ADDS_UP = 1e-4
"""By how much the mean of the blocks may differ from the whole, as a share of it, in a metric that adds up."""
SAMPLE_ROWS = 256
"""Rows that an untrained network sees when a metric is tried out."""
SCALES = (1.0, 3.0)
"""Noise that a metric is tried out with, in sizes of the outputs: with too little all rows may be on one side of a
threshold, where F1 and the like are the same in every block."""


def blocks_of(rows: int) -> list[Tensor]:
    """Blocks that hold each row once, the same ones everywhere; sizes differ by one at most.

    Args:
        rows: How many rows there are.

    Returns:
        Row numbers of each block. Up to `MOST_BLOCKS` rows are a block each; more are mixed, for neighbours may be
        alike.
    """
    if rows <= MOST_BLOCKS:
        return [torch.tensor([row]) for row in range(rows)]
    number = math.ceil(rows / math.ceil(rows / MOST_BLOCKS))
    mixed = np.random.default_rng(0).permutation(rows)
    return [torch.from_numpy(np.sort(block)) for block in np.array_split(mixed, number)]


@dataclass(frozen=True, eq=False)
class PerBlock:
    """A metric that gives a value per block, whose mean is the metric of all rows. `vmap` can batch it.

    Attributes:
        metric: The metric.
        blocks: Row numbers of each block; together all rows.
        additive: Whether the metric of all rows is the mean of the blocks', each counted by its rows.
    """

    metric: Metric
    blocks: Sequence[Tensor]
    additive: bool

    def __call__(self, outputs: Any, targets: Any) -> Tensor:
        """The values of the blocks.

        Args:
            outputs: [rows, ...], or a nest of such tensors.
            targets: [rows, ...], or a nest of such tensors.

        Returns:
            float64, [blocks].

        Raises:
            ValueError: There are not as many rows as the blocks speak of.
        """
        rows = nest.rows(outputs)
        if rows != sum(map(len, self.blocks)) or rows != nest.rows(targets):
            # on CUDA a wrong row number would end the process
            raise ValueError(f"{rows} rows where blocks of others were expected")
        whole = _number(self.metric, outputs, targets)
        if len(self.blocks) == 1:
            return whole[None]
        values = self._in_each(outputs, targets) if self.additive else self._without_each(outputs, targets, whole)
        # Nothing but rounding for a metric that adds up.
        return values + (whole - values.mean())

    def _in_each(self, outputs: Any, targets: Any) -> Tensor:
        means = _block_means(self.metric, outputs, targets, self.blocks)
        return contributions(means, [len(block) for block in self.blocks])

    def _without_each(self, outputs: Any, targets: Any, whole: Tensor) -> Tensor:
        number = len(self.blocks)
        values = []
        for place in range(number):
            others = torch.cat([*self.blocks[:place], *self.blocks[place + 1 :]])
            values.append(number * whole - (number - 1) * _of_rows(self.metric, outputs, targets, others))
        return torch.stack(values)


def per_block(task: Task, rows: Rows) -> Metric:
    """A task's metric per block of some rows, for its `details`.

    Args:
        task: Whose metric.
        rows: Those that it will be called with. If a DataLoader reads them, a metric that is a mean over rows is given
            as it is, for each batch is a block there (`of_batches`).
    """
    if isinstance(rows, Streamed):
        if task.reduce == "mean" or is_mean(task.metric_function):
            return task.metric_function
        return PerBlock(task.metric_function, blocks_of(count(rows)), additive=False)
    blocks = blocks_of(count(rows))
    additive = task.metric in ROW_MEANS if isinstance(task.metric, str) else _adds_up(task, rows, blocks)
    return PerBlock(task.metric_function, blocks, additive)


def is_additive(metric: Metric, outputs: Any, targets: Any, blocks: Sequence[Tensor]) -> bool:
    """Whether a metric of all rows is the mean of that of the blocks, each counted by its rows.

    Args:
        metric: The metric.
        outputs: Outputs to try it with; [rows, ...].
        targets: [rows, ...].
        blocks: Row numbers of each block.

    Returns:
        Whether it is; not so if the metric fails in a block, or is no number there.
    """

    def both() -> tuple[float, Tensor]:
        return float(metric(outputs, targets)), _block_means(metric, outputs, targets, blocks)

    with torch.no_grad():
        found = attempt(both, "the metric of a block")
    if found is None:
        return False
    whole, means = found
    mean = float(contributions(means, [len(block) for block in blocks]).mean())
    return math.isclose(mean, whole, rel_tol=ADDS_UP, abs_tol=1e-12)


def contributions(means: Tensor, counts: Sequence[int]) -> Tensor:
    """What each block adds to the mean of all rows, as values whose plain mean that is.

    Args:
        means: Of each block; [blocks].
        counts: How many rows each has.

    Returns:
        [blocks]; the means themselves where all blocks have the same number of rows.
    """
    rows = torch.tensor(counts, dtype=means.dtype, device=means.device)
    whole = (rows * means).sum() / rows.sum()
    return whole + rows * (len(counts) / rows.sum()) * (means - whole)


def of_batches(means: Sequence[float], counts: Sequence[int]) -> Tensor:
    """The same of batches, neighbours taken together where there are more than `MOST_BLOCKS`.

    Args:
        means: The metric of each batch.
        counts: How much each counts.
    """
    groups = np.array_split(np.arange(len(means)), min(len(means), MOST_BLOCKS))
    values, weights = np.array(means, dtype=np.float64), np.array(counts, dtype=np.float64)
    together = [float(np.average(values[group], weights=weights[group])) for group in groups]
    return contributions(torch.tensor(together, dtype=torch.float64), [int(weights[group].sum()) for group in groups])


def _adds_up(task: Task, rows: Data, blocks: Sequence[Tensor]) -> bool:
    """Whether a task's own metric does, tried out on what an untrained network might give for some rows."""
    inputs, targets = rows

    def tried() -> list[Any]:
        few = untrained_outputs(task, nest.taken(inputs, slice(SAMPLE_ROWS)))
        generator = torch.Generator().manual_seed(0)
        chosen = torch.randint(nest.rows(few) or 0, (count(rows),), generator=generator)
        outputs = nest.taken(few, chosen)
        noise = nest.mapped(lambda tensor: torch.randn(tensor.shape, generator=generator).to(tensor), outputs)
        return [nest.mapped(partial(_noisy, scale), outputs, noise) for scale in SCALES]

    found = attempt(tried, "an untrained network")  # whatever is wrong with it, training will say it
    metric = task.metric_function
    return found is not None and all(is_additive(metric, outputs, targets, blocks) for outputs in found)


def _noisy(scale: float, values: Tensor, noise: Tensor) -> Tensor:
    if not values.is_floating_point():
        return values
    size = values.square().mean().sqrt() + torch.finfo(values.dtype).tiny
    return values + scale * size * noise


def _block_means(metric: Metric, outputs: Any, targets: Any, blocks: Sequence[Tensor]) -> Tensor:
    return torch.stack([_of_rows(metric, outputs, targets, block) for block in blocks])


def _of_rows(metric: Metric, outputs: Any, targets: Any, rows: Tensor) -> Tensor:
    rows = rows.to(nest.tensors(outputs)[0].device)
    return _number(metric, nest.taken(outputs, rows), nest.taken(targets, rows))


def _number(metric: Metric, outputs: Any, targets: Any) -> Tensor:
    """The metric as one float64; differences of almost equal ones are taken later."""
    return metric(outputs, targets).reshape(()).double()
