"""The batched engine: all lanes take each step together."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import torch

from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.task import Task
from lrsearch.training.batches import updates_per_epoch
from lrsearch.training.engine import Lane, LaneStream
from lrsearch.training.graph_replay import Recordings
from lrsearch.training.lane_optimizers import OF_OPTIMIZER, PER_LANE
from lrsearch.training.network_batch import NetworkBatch
from lrsearch.training.packing import packed

RECORDING = 120
"""Updates of one block of lanes that take as long as recording the operations of another number of lanes."""


class BatchedEngine:
    """Trains lanes together with torch.func.

    On one CPU thread a lane's numbers are the same to the last bit whichever lanes are trained beside it, as long as
    its place, modulo `seats.CLASSES`, is the same.

    Args:
        device: Where, such as ``cpu`` or ``cuda``.
        memory: Bytes for intermediate results; by default what suits the device. It changes no result.
    """

    name = "batched"
    together = True
    one_pass = True
    may_differ: Collection[str] = (*PER_LANE, *OF_OPTIMIZER)
    in_memory = True
    fixed_cost = 1.0
    """Of an epoch, in units of what 32 lanes cost; see `pruning.lane_cost`."""

    def __init__(self, device: str = "cpu", memory: int | None = None) -> None:
        self.device = torch.device(device)
        self.memory = memory
        self._task: Task | None = None
        self._packed: Task
        self._recordings = Recordings()

    def recording_cost(self, task: Task, training: TrainingSection) -> float:
        """What it costs to go on with another number of lanes; see `pruning.lane_cost`.

        Args:
            task: What is trained.
            training: Batch size, and how often is evaluated.
        """
        return RECORDING / (training.evaluate_every or updates_per_epoch(task, training))

    def train(
        self,
        task: Task,
        lanes: Sequence[Lane],
        training: TrainingSection,
        pauses: Collection[int] = (),
    ) -> LaneStream:
        """See `Engine.train`."""
        if task is not self._task:
            self._task, self._packed, self._recordings = task, packed(task), Recordings()
        batch = self.batch(self._packed, lanes, training)
        records = batch.before_training()
        kept = yield records
        for _ in range(batch.evaluations.count):
            gone = {lane for lane, is_gone in zip(records.lanes, records.diverged, strict=True) if is_gone}
            gone |= records.stopped
            live = [lane for lane in records.lanes if lane not in gone and (kept is None or lane in kept)]
            if not live:
                return
            batch.keep(live)
            records = batch.epoch()
            kept = yield records

    def batch(self, task: Task, lanes: Sequence[Lane], training: TrainingSection) -> NetworkBatch:
        """Lanes that are about to be trained.

        Args:
            task: What is trained, of plain tensors.
            lanes: Settings and seed of each.
            training: Epochs, batch size, optimizer.
        """
        return NetworkBatch(task, lanes, training, self.device, self.memory, self._recordings)
