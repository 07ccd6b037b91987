"""Many networks of one architecture, computed as one: every weight has a lane axis in front.

The module itself only says what to compute (`functional_call`); `vmap` computes it for all lanes in one go, and one
backward pass through the sum of all losses gives each lane the gradient of its own. Source: torch.func, "Model
ensembling" in PyTorch's documentation.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from lrsearch.tasks.attempt import attempt
from lrsearch.tasks.data import Data, same_random_numbers
from lrsearch.tasks.metrics import Metric
from lrsearch.training.devices import plain_kernels
from lrsearch.training.evaluation import EVALUATION_ROWS
from lrsearch.training.graph_replay import Recordings
from lrsearch.training.memory import Width
from lrsearch.training.plain_functions import PlainFunctions
from lrsearch.training.random_draws import Draw, GivenDraws, SeedStreams, rehearsed

Named = dict[str, Tensor]
State = tuple[Tensor, Named, Named]
"""Of some lanes: trained parameters, the others, and buffers."""


class StackedNetworks:
    """Networks that differ in their numbers only.

    Args:
        models: At least one; all of one architecture.
        loss_function: What is minimised.
        batch: A batch of training rows; it shows which parameters get a gradient.
        recordings: Of earlier networks of the same task.

    Attributes:
        trained: The parameters that updates change, flattened: [lanes, numbers].
        still: The others (frozen, or in no gradient's path): name -> [lanes, ...].
        buffers: Running statistics and the like: name -> [lanes, ...].
    """

    def __init__(
        self, models: Sequence[nn.Module], loss_function: Metric, batch: Data, recordings: Recordings | None = None
    ) -> None:
        self.module = models[0]
        self._recordings = recordings or Recordings()
        self.loss_function = loss_function
        # Tied weights have one name here, and `functional_call` puts them wherever they are used.
        parameters = [dict(model.named_parameters()) for model in models]
        names = _with_gradient(self.module, loss_function, batch)
        self.shapes = {name: parameters[0][name].shape for name in names}
        self.trained = torch.stack([_flat([lane[name].detach() for name in names]) for lane in parameters])
        still = [{name: lane[name].detach() for name in lane if name not in self.shapes} for lane in parameters]
        self.still = _stacked(still)
        self.buffers = _stacked([dict(model.named_buffers()) for model in models])
        # "different": a random operation is called for all lanes at once, and then gives what was drawn for them.
        self._losses = vmap(self._loss, randomness="different")
        self._outputs = vmap(self._forward, in_dims=(0, 0, None), randomness="different")
        self._draws: dict[Hashable, tuple[Draw, ...]] = {}

    def __len__(self) -> int:
        return len(self.trained)

    def parameters(self) -> Named:
        """All parameters: name -> [lanes, ...]."""
        return {**self._named(self.trained), **self.still}

    def take(self, slots: Tensor) -> None:
        """Go on with these lanes only; one that is named twice becomes two.

        Args:
            slots: Positions of lanes, [new lanes].
        """
        self.trained = self.trained[slots]
        self.still = {name: value[slots] for name, value in self.still.items()}
        self.buffers = {name: value[slots] for name, value in self.buffers.items()}

    def gradients(self, batches: Data, streams: SeedStreams, width: Width) -> tuple[Tensor, Tensor]:
        """Losses and gradients of one batch, in training mode; buffers move on.

        Args:
            batches: Inputs and targets of every seed's batch: [seeds, rows, ...].
            streams: What the forward pass draws from; a lane sees the batch of the seed that it follows.
            width: Lanes at once.

        Returns:
            Losses [lanes] and gradients [lanes, numbers].
        """
        inputs, targets = batches
        self.module.train()
        draws = self.draws_in(inputs[0], targets[0])
        numbers = streams.drawn(draws)

        def of_lanes(state: State, inputs: Tensor, targets: Tensor, *drawn: Tensor) -> tuple[Tensor, Tensor, Named]:
            return self._gradients(state, inputs, targets, draws, drawn)

        def compute(part: slice) -> tuple[Tensor, Tensor, Named]:
            seen = streams.followed[part]
            given = self._state(part), inputs[seen], targets[seen], *(drawn[seen] for drawn in numbers)
            shape = inputs.shape[1:]
            result: tuple[Tensor, Tensor, Named] = self._recordings.call(
                ("gradients", len(seen), shape), of_lanes, *given, kind=("gradients", shape)
            )
            return result

        with plain_kernels():
            parts = width.parts(len(self), compute)
        losses, gradients, buffers = zip(*parts, strict=True)
        self.buffers = {name: torch.cat([part[name] for part in buffers]) for name in self.buffers}
        return torch.cat(losses), torch.cat(gradients)

    def evaluate(
        self,
        data: Data,
        metrics: Mapping[str, Metric],
        width: Width,
        details: Mapping[str, Metric],
        streams: SeedStreams,
    ) -> tuple[Named, Named]:
        """Metrics over whole tensors, in eval mode, and beside them details of the same outputs.

        Args:
            data: Inputs and targets [rows, ...], the same for every lane.
            metrics: Name -> metric.
            width: Lanes at once.
            details: Name -> metric that gives a vector.
            streams: What the forward pass draws from.

        Returns:
            Name -> [lanes], and name -> [lanes, parts] of those details that did not fail.
        """
        inputs, targets = data
        self.module.eval()
        # Rows are split as the sequential loop splits them: some modules look at the other rows beside one.
        chunks = torch.split(inputs, EVALUATION_ROWS)
        draws = tuple(draw for rows in chunks for draw in self.draws_in(rows))
        numbers = streams.drawn(draws)

        def values(state: State, inputs: Tensor, targets: Tensor, *drawn: Tensor) -> tuple[Named, Named]:
            trained, still, buffers = state
            weights = {**self._named(trained), **still}
            with GivenDraws.of(draws, drawn):
                parts = [self._outputs(weights, buffers, rows) for rows in torch.split(inputs, EVALUATION_ROWS)]
            outputs = torch.cat(parts, dim=1)
            of_all = {name: vmap(metric, in_dims=(0, None))(outputs, targets) for name, metric in metrics.items()}
            return of_all, _details(details, outputs, targets)

        def compute(part: slice) -> tuple[Named, Named]:
            state = self._state(part)
            given = inputs, targets, *(drawn[streams.followed[part]] for drawn in numbers)
            if details:  # rare, and long to record
                return values(state, *given)
            kind = ("metrics", *metrics, inputs.shape)
            result: tuple[Named, Named] = self._recordings.call((kind, len(state[0])), values, state, *given, kind=kind)
            return result

        with torch.no_grad(), plain_kernels():
            of_all, kept = zip(*width.parts(len(self), compute), strict=True)
        whole = [name for name in details if all(name in part for part in kept)]
        return _joined(of_all, metrics), _joined(kept, whole)

    def first(self) -> State:
        """Copies of the first lane's state, without a lane axis."""
        trained, still, buffers = self._state(slice(1))
        return trained[0].clone(), _of_first(still), _of_first(buffers)

    def loss_of_one(
        self, trained: Tensor, still: Named, buffers: Named, inputs: Tensor, targets: Tensor
    ) -> tuple[Tensor, Named]:
        """The loss of one lane, from its state as `first` gives it, and its buffers, which the forward pass changes."""
        return self._loss(self._named(trained), still, buffers, inputs, targets)

    def outputs_of_one(self, trained: Tensor, still: Named, buffers: Named, inputs: Tensor) -> Tensor:
        """The outputs of one lane, from its state as `first` gives it."""
        return self._forward({**self._named(trained), **still}, buffers, inputs)

    def draws_in(self, inputs: Tensor, targets: Tensor | None = None) -> tuple[Draw, ...]:
        """What one lane draws for such inputs, and in its loss; found out in the mode in which the module is."""
        key = self.module.training, inputs.shape
        if key not in self._draws:
            weights, buffers = self._lane(0)
            with torch.set_grad_enabled(self.module.training):
                self._draws[key] = rehearsed(partial(self._one_by_one, {**weights, **buffers}, inputs, targets))
        return self._draws[key]

    def _one_by_one(self, members: Named, inputs: Tensor, targets: Tensor | None) -> None:
        """A forward pass of one lane as the sequential loop does it."""
        outputs = functional_call(self.module, members, (inputs,))
        if targets is not None:
            self.loss_function(outputs, targets)

    def _gradients(
        self, state: State, inputs: Tensor, targets: Tensor, draws: Sequence[Draw], drawn: Sequence[Tensor]
    ) -> tuple[Tensor, Tensor, Named]:
        """Losses, gradients and new buffers of some lanes, from a batch for each: [lanes, rows, ...]."""
        trained, still, buffers = state
        # A copy, so that a part that runs out of memory half way can be computed again.
        buffers = {name: value.clone() for name, value in buffers.items()}
        trained = trained.detach().requires_grad_()
        with GivenDraws.of(draws, drawn):
            losses, buffers = self._losses(self._named(trained), still, buffers, inputs, targets)
        # No lane's loss depends on another lane's weights, so the sum's gradient is each lane's own.
        (gradients,) = torch.autograd.grad(losses.sum(), trained)
        return losses.detach(), gradients, buffers

    def _loss(
        self, trained: Named, still: Named, buffers: Named, inputs: Tensor, targets: Tensor
    ) -> tuple[Tensor, Named]:
        """One lane's loss, and beside it what the forward pass made of the buffers."""
        outputs = self._forward({**trained, **still}, buffers, inputs)
        return self.loss_function(outputs, targets), buffers

    def _forward(self, weights: Named, buffers: Named, inputs: Tensor) -> Tensor:
        """One lane's outputs; modules change the given buffers in place."""
        with PlainFunctions():
            outputs: Tensor = functional_call(self.module, (weights, buffers), (inputs,))
        return outputs

    def _named(self, trained: Tensor) -> Named:
        """Views of the trained parameters of lanes [lanes, numbers], or of one [numbers]: name -> [..., *shape]."""
        sizes = [shape.numel() for shape in self.shapes.values()]
        pieces = torch.split(trained, sizes, dim=-1)
        return {
            name: piece.view(*piece.shape[:-1], *shape)
            for (name, shape), piece in zip(self.shapes.items(), pieces, strict=True)
        }

    def _lane(self, lane: int) -> tuple[Named, Named]:
        """Copies of one lane's parameters and buffers; the gradient of the first is what an optimizer would want."""
        trained, still, buffers = self._state(slice(lane, lane + 1))
        weights = {name: value[0].clone().requires_grad_() for name, value in self._named(trained).items()}
        weights |= {name: value[0].clone() for name, value in still.items()}
        return weights, {name: value[0].clone() for name, value in buffers.items()}

    def _state(self, part: slice) -> State:
        still = {name: value[part] for name, value in self.still.items()}
        return self.trained[part], still, {name: value[part] for name, value in self.buffers.items()}


def _with_gradient(module: nn.Module, loss_function: Metric, batch: Data) -> list[str]:
    """Names of the parameters that an optimizer updates: torch's skip those whose gradient is None."""
    weights = {
        name: value.detach().clone().requires_grad_(value.requires_grad) for name, value in module.named_parameters()
    }
    buffers = {name: value.clone() for name, value in module.named_buffers()}
    open_to_change = [name for name, value in weights.items() if value.requires_grad]
    module.train()
    with torch.random.fork_rng(devices=[]):
        loss = loss_function(functional_call(module, (weights, buffers), (batch[0],)), batch[1])
    gradients = torch.autograd.grad(loss, [weights[name] for name in open_to_change], allow_unused=True)
    return [name for name, gradient in zip(open_to_change, gradients, strict=True) if gradient is not None]


def _details(details: Mapping[str, Metric], outputs: Tensor, targets: Tensor) -> Named:
    """Details of some lanes' outputs [lanes, rows, ...]: name -> [lanes, parts]."""
    found: Named = {}
    for name, metric in details.items():
        with same_random_numbers():
            values = attempt(partial(vmap(metric, in_dims=(0, None)), outputs, targets), name)
        if values is not None:  # no run fails because of what is only looked at
            found[name] = values
    return found


def _joined(parts: Sequence[Named], names: Iterable[str]) -> Named:
    """The parts of the lanes as one."""
    return {name: torch.cat([part[name] for part in parts]) for name in names}


def _flat(tensors: Sequence[Tensor]) -> Tensor:
    """All numbers of some tensors in one row."""
    return torch.cat([tensor.flatten() for tensor in tensors])


def _of_first(lanes: Named) -> Named:
    return {name: value[0].clone() for name, value in lanes.items()}


def _stacked(lanes: Sequence[Named]) -> Named:
    return {name: torch.stack([lane[name] for lane in lanes]) for name in lanes[0]}
