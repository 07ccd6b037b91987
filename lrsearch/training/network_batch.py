"""Lanes that take each step together: their state, and one pass over the rows after the other.

A lane on its way through this file: `NetworkBatch` puts its network beside the others (one start per seed, as the
sequential loop does it); `epoch` looks up its rates, takes it through every batch of its seed's own order, and
evaluates it; `keep` drops it when it has diverged or nobody wants it any more.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.data import Data, pair
from lrsearch.tasks.metrics import Metric
from lrsearch.tasks.task import Task
from lrsearch.training import lane_optimizers
from lrsearch.training.batches import SeedOrders
from lrsearch.training.devices import moved
from lrsearch.training.divergence import ConstantValues, diverged
from lrsearch.training.early_stopping import LaneStops
from lrsearch.training.engine import Lane, LaneRecords, Numbers, stacked_details
from lrsearch.training.evaluation import details_after, shows_train_metric
from lrsearch.training.graph_replay import Recordings
from lrsearch.training.loop import begin
from lrsearch.training.memory import widths
from lrsearch.training.networks import StackedNetworks
from lrsearch.training.random_draws import SeedStreams, stream_from
from lrsearch.training.rates import LaneRates
from lrsearch.training.seats import filled, seats


class NetworkBatch:
    """Lanes on their way: all state that the batched loop advances.

    Each lane has a seat among the networks (see `seats`); what sits on the other seats is a copy that nobody looks at.

    Args:
        task: What is trained.
        lanes: Settings and seed of each.
        training: Epochs, batch size, optimizer; a lane's own section may have another optimizer.
        device: Where.
        memory: Bytes for intermediate results.
        recordings: Of earlier batches of the same task.

    Attributes:
        positions: Which lanes these are, as positions in the list given; [lanes].
        places: Where each stood in its generation; [lanes].
        seats: Where each sits; [lanes].
        sitting: Which lane sits on each seat, as a place in `positions`; [networks].
        order_of: Which of `orders` each network follows, and which of `streams`; [networks].
    """

    def __init__(
        self,
        task: Task,
        lanes: Sequence[Lane],
        training: TrainingSection,
        device: torch.device,
        memory: int | None,
        recordings: Recordings | None = None,
    ) -> None:
        self.task = task = moved(task, device)
        self.train, self.test = pair(task.train), pair(task.test)
        self.constants = ConstantValues(task)
        self.device = device
        self.finished = 0
        self.training = training
        # Lanes with the same seed begin alike and see the same batches, so each seed is started once.
        seeds = list(dict.fromkeys(lane.seed for lane in lanes))
        runs = [begin(task, training, seed) for seed in seeds]
        self.orders = SeedOrders([run.order for run in runs], device)
        self.streams = [stream_from(run.random_state) for run in runs]
        place = {seed: index for index, seed in enumerate(seeds)}
        seed_of = [place[lane.seed] for lane in lanes]
        self.before = [runs[index].before for index in seed_of]
        directed = [replace(lane, schedule=lane.schedule.directed(task.maximises)) for lane in lanes]
        self.rates = [LaneRates(lane, training, runs[0].order.batches_per_epoch) for lane in directed]
        self.evaluations = self.rates[0].evaluations
        self.stops = LaneStops(training, maximise=task.maximises)
        self.positions = tuple(range(len(lanes)))
        self.places = [index if lane.place is None else lane.place for index, lane in enumerate(lanes)]

        first = tuple(part[: training.batch_size] for part in self.train)
        models = [run.model for run in runs]
        self.networks = StackedNetworks(models, task.loss_function, (first[0], first[1]), recordings)
        self.update_width, self.evaluation_width = widths(task, training, device, memory)
        self.order_of = torch.arange(len(seeds), device=device)
        self._sit()
        self._take([seed_of[lane] for lane in self.sitting])
        sections = [lane.section(training) for lane in lanes]
        self.optimizer = lane_optimizers.build([sections[lane] for lane in self.sitting])

    def before_training(self) -> LaneRecords:
        """The record of epoch 0."""
        return LaneRecords(
            epoch=0,
            lanes=self.positions,
            lr=np.array([rates.of_epoch(0)[0] for rates in self.rates]),
            train_metric=np.array([before.train_metric for before in self.before]),
            test_metric=np.array([before.test_metric for before in self.before]),
            diverged=np.zeros(len(self.positions), dtype=np.bool_),
            extra={name: np.array([before.extra[name] for before in self.before]) for name in self.before[0].extra},
            seconds=0.0,
            details=stacked_details([before.details for before in self.before]),
        )

    def keep(self, live: Iterable[int]) -> None:
        """Go on with these lanes only.

        Args:
            live: Positions, a part of `positions`.
        """
        wanted = set(live)
        kept = [lane for lane, position in enumerate(self.positions) if position in wanted]
        if len(kept) == len(self.positions):
            return
        left = [self.seats[lane] for lane in kept]
        self.positions = tuple(self.positions[lane] for lane in kept)
        self.places = [self.places[lane] for lane in kept]
        self.before = [self.before[lane] for lane in kept]
        self.rates = [self.rates[lane] for lane in kept]
        self._sit()
        networks = [left[lane] for lane in self.sitting]
        self._take(networks)
        self.optimizer.take(torch.tensor(networks, device=self.device))

    def epoch(self) -> LaneRecords:
        """Train all lanes up to the next evaluation, for one epoch by default, and evaluate them."""
        began = time.perf_counter()
        rates = np.array([lane.of_epoch(self.finished) for lane in self.rates])
        worst_loss = self.train_on(rates)
        train_metric = np.full(len(self.positions), np.nan)
        metrics = {"metric": self.task.metric_function}
        if shows_train_metric(self.finished + 1, self.training, self.evaluations.count):
            train_metric = self.evaluate(self.train, metrics)[0]["metric"]
        details = details_after(self.finished + 1, self.task, self.evaluations.count)
        test, kept = self.evaluate(self.test, {**metrics, **self.task.extra}, details)
        self.finished += 1
        test_metric = test.pop("metric")
        for lane, value in zip(self.rates, test_metric, strict=True):
            lane.evaluated(float(value))
        return LaneRecords(
            epoch=self.finished,
            lanes=self.positions,
            lr=rates[:, 0],
            train_metric=train_metric,
            test_metric=test_metric,
            diverged=self._diverged(self._of_lanes(worst_loss), test_metric),
            extra=test,
            seconds=time.perf_counter() - began,
            details=kept,
            stopped=self.stops.take(self.positions, test_metric),
        )

    def train_on(self, rates: Numbers) -> Tensor:
        """All updates up to the next evaluation.

        Args:
            rates: Learning rates; [lanes, updates].

        Returns:
            The largest loss of each network, NaN if any is; [networks].
        """
        return torch.stack([self.update(rows, of_update) for rows, of_update in self.updates(rates)]).amax(dim=0)

    def seed_streams(self) -> SeedStreams:
        """What forward passes draw from, as each run's own random stream one by one."""
        return SeedStreams(self.streams, self.order_of)

    def evaluate(
        self,
        data: Data,
        metrics: Mapping[str, Metric],
        details: Mapping[str, Metric] | None = None,
        streams: SeedStreams | None = None,
    ) -> tuple[dict[str, Numbers], dict[str, Numbers]]:
        """Metrics of every lane.

        Args:
            data: Inputs and targets.
            metrics: Name -> metric.
            details: Name -> metric that gives a vector.
            streams: What the forward pass draws from; by default a copy of the streams of training.

        Returns:
            Name -> [lanes], and name -> [lanes, parts] of those details that did not fail.
        """
        streams = streams or self.seed_streams().copied()
        values, kept = self.networks.evaluate(data, metrics, self.evaluation_width, details or {}, streams)
        return (
            {name: self._of_lanes(value) for name, value in values.items()},
            {name: self._of_lanes(value) for name, value in kept.items()},
        )

    def updates(self, rates: Numbers) -> Iterator[tuple[Tensor, Tensor]]:
        """What each update up to the next evaluation needs; where an epoch begins, every seed's stream moves on by one.

        Args:
            rates: Learning rates; [lanes, updates].

        Yields:
            Row numbers of the batch in each of `orders` [orders, rows], and learning rates [networks, 1].
        """
        of_update = torch.from_numpy(rates.T[:, self.sitting, None]).to(self.device)
        first = self.evaluations.updates_until(self.finished)
        yield from ((self.orders.batch(number), of_lanes) for number, of_lanes in enumerate(of_update, first))

    def update(self, rows: Tensor, rates: Tensor) -> Tensor:
        """One update of every network.

        Args:
            rows: Row numbers of the batch in each of `orders`; [orders, rows].
            rates: Learning rates, float64; [networks, 1].

        Returns:
            Losses before the update; [networks].
        """
        inputs, targets = self.train
        batches = inputs[rows], targets[rows]
        losses, gradients = self.networks.gradients(batches, self.seed_streams(), self.update_width)
        self.optimizer.step(self.networks.trained, gradients, rates)
        return losses

    def _diverged(self, worst_loss: Numbers, test_metric: Numbers) -> NDArray[np.bool_]:
        return np.array(
            [
                diverged(float(loss), before.train_loss, constant=self.constants.loss)
                or diverged(
                    float(metric), before.test_metric, maximise=self.task.maximises, constant=self.constants.metric
                )
                for loss, metric, before in zip(worst_loss, test_metric, self.before, strict=True)
            ]
        )

    def _sit(self) -> None:
        """Give every lane its seat."""
        self.seats = seats(self.places)
        self.sitting = [len(self.positions) - 1] * filled(max(self.seats) + 1)
        for lane, seat in enumerate(self.seats):
            self.sitting[seat] = lane

    def _take(self, networks: Sequence[int]) -> None:
        """Go on with these networks only, and with the orders that they follow."""
        chosen = torch.tensor(networks, device=self.device)
        self.networks.take(chosen)
        followed, self.order_of = torch.unique(self.order_of[chosen], return_inverse=True)
        self.orders.take(followed)
        self.streams = [self.streams[index] for index in followed.tolist()]

    def _of_lanes(self, values: Tensor) -> Numbers:
        """Values of the lanes [lanes, ...] from values of the networks [networks, ...]."""
        return values.double().cpu().numpy()[self.seats]
