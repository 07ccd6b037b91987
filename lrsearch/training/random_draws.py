"""What a network's forward pass draws (dropout, noise), drawn once per seed for all lanes of that seed.

One by one, lanes of one seed see the same random stream at the same update, so they draw the same numbers. In a batch
these numbers are drawn outside of the network, from each seed's own stream, and given to it: a rehearsal with one
network notes which random operations its forward pass calls; before each update the same operations draw for each
seed; during the update each call is answered by what was drawn. So a lane's numbers do not depend on other lanes, and
what is computed is a function of tensors.
"""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch._ops import OpOverload

from lrsearch.tasks.data import same_random_numbers
from lrsearch.training.eager_mode import EagerMode
from lrsearch.training.one_by_one import OneByOneError

Arguments = tuple[Any, ...]

ONLY_ONE_BY_ONE = "draws random numbers in a way that only works one by one"


@dataclass(frozen=True)
class Draw:
    """A tensor that a forward pass fills with random numbers.

    Attributes:
        method: Of torch's tensors; it fills them in place, such as ``bernoulli_``.
        arguments: Of the method.
        size: Of the tensor, of one lane.
        stride: In memory, for numbers are drawn in that order.
        dtype: Of the tensor.
        device: Of the tensor.
    """

    method: str
    arguments: Arguments
    size: torch.Size
    stride: tuple[int, ...]
    dtype: torch.dtype
    device: torch.device

    def drawn(self, generator: torch.Generator) -> Tensor:
        """New random numbers.

        Args:
            generator: What they are drawn from; it moves on.
        """
        tensor = torch.empty_strided(self.size, self.stride, dtype=self.dtype, device=self.device)
        filled: Tensor = getattr(tensor, self.method)(*self.arguments, generator=generator)
        return filled


@dataclass
class SeedStreams:
    """The random streams of some seeds, and which of them each network follows.

    Attributes:
        generators: One for each seed.
        followed: Which of them; [networks].
    """

    generators: Sequence[torch.Generator]
    followed: Tensor

    def drawn(self, draws: Sequence[Draw]) -> tuple[Tensor, ...]:
        """What every seed draws in one forward pass: [seeds, ...] for each draw.

        Args:
            draws: In the order of the forward pass.
        """
        if not draws:
            return ()
        of_seeds = [[draw.drawn(generator) for draw in draws] for generator in self.generators]
        return tuple(torch.stack(of_each) for of_each in zip(*of_seeds, strict=True))

    def copied(self) -> SeedStreams:
        """Streams that go on from where these are, and leave these where they are."""
        return SeedStreams([generator.clone_state() for generator in self.generators], self.followed)


def stream_from(state: Tensor) -> torch.Generator:
    """A random stream that goes on from a state.

    Args:
        state: As `torch.get_rng_state` gives it.
    """
    generator = torch.Generator()
    generator.set_state(state)
    return generator


def rehearsed(forward: Callable[[], object]) -> tuple[Draw, ...]:
    """What one network's forward pass draws, in its order.

    Args:
        forward: Calls the network.

    Raises:
        OneByOneError: It draws what cannot be drawn ahead, such as a choice that depends on its weights.
    """
    with same_random_numbers():
        again = stream_from(torch.get_rng_state())
        others = random.getstate(), _numpy_state()
        with _Listening() as listening:
            forward()
        if any(draw.device.type != "cpu" for draw in listening.draws):
            raise OneByOneError(f"{ONLY_ONE_BY_ONE} (on a graphics processor)")
        for draw in listening.draws:
            draw.drawn(again)
        if not torch.equal(again.get_state(), torch.get_rng_state()):
            raise OneByOneError(ONLY_ONE_BY_ONE)
        if others != (random.getstate(), _numpy_state()):
            raise OneByOneError(f"{ONLY_ONE_BY_ONE} (Python's or numpy's)")
    return tuple(listening.draws)


def _torch_states() -> list[Tensor]:
    on_device = [torch.cuda.get_rng_state()] if torch.cuda.is_initialized() else []  # type: ignore[no-untyped-call]
    return [torch.get_rng_state(), *on_device]


def _numpy_state() -> bytes:
    return pickle.dumps(np.random.get_state())


class GivenDraws(EagerMode):  # type: ignore[no-untyped-call]
    """Within the block the random operations of many networks give what was drawn for them.

    Args:
        draws: What one network draws.
        numbers: The numbers of all networks, [networks, ...] for each draw.

    Raises:
        OneByOneError: The networks draw something else.
    """

    def __init__(self, draws: Sequence[Draw], numbers: Sequence[Tensor]) -> None:
        super().__init__()
        self._left = list(zip(draws, numbers, strict=True))

    @classmethod
    def of(cls, draws: Sequence[Draw], numbers: Sequence[Tensor]) -> AbstractContextManager[object]:
        """This block, or an ordinary one where nothing is drawn: every operation in this one takes longer."""
        return cls(draws, numbers) if draws else nullcontext()

    def __torch_dispatch__(
        self,
        function: OpOverload,
        types: Sequence[type],
        arguments: Arguments = (),
        named: Mapping[str, Any] | None = None,
    ) -> Any:
        filling = _FILLING.get(function)
        if filling is None:
            return function(*arguments, **(named or {}))
        if not self._left:
            raise OneByOneError(ONLY_ONE_BY_ONE)
        draw, numbers = self._left.pop(0)
        if (draw.method, draw.arguments) != (filling.method, filling.arguments(arguments)):
            raise OneByOneError(ONLY_ONE_BY_ONE)
        if function._schema.is_mutable:
            if arguments[0].shape != numbers.shape:
                raise OneByOneError(ONLY_ONE_BY_ONE)
            return arguments[0].copy_(numbers)
        return numbers.clone()  # the network may change it


@dataclass(frozen=True)
class _Filling:
    """How a random operation is done by a method that fills a tensor."""

    method: str
    first: int = 1
    last: int | None = None

    def arguments(self, given: Arguments) -> Arguments:
        """The method's arguments, from those of the operation."""
        return tuple(given[self.first : self.last])


_NONE = {"first": 0, "last": 0}
_ATEN = torch.ops.aten
_FILLING: dict[OpOverload, _Filling] = {
    _ATEN.bernoulli_.float: _Filling("bernoulli_"),
    _ATEN.bernoulli.p: _Filling("bernoulli_"),
    _ATEN.uniform_.default: _Filling("uniform_"),
    _ATEN.rand.default: _Filling("uniform_", **_NONE),
    _ATEN.rand_like.default: _Filling("uniform_", **_NONE),
    _ATEN.normal_.default: _Filling("normal_"),
    _ATEN.randn.default: _Filling("normal_", **_NONE),
    _ATEN.randn_like.default: _Filling("normal_", **_NONE),
    _ATEN.exponential_.default: _Filling("exponential_"),
    _ATEN.randint.default: _Filling("random_", 0, 1),
    _ATEN.randint.low: _Filling("random_", 0, 2),
    _ATEN.randint_like.default: _Filling("random_", 1, 2),
    _ATEN.randint_like.low_dtype: _Filling("random_", 1, 3),
}
"""Operations whose numbers depend on the random stream alone, and that `vmap` gives a lane axis in front."""


class _Listening(EagerMode):  # type: ignore[no-untyped-call]
    """Notes what is drawn within the block."""

    def __init__(self) -> None:
        super().__init__()
        self.draws: list[Draw] = []

    def __torch_dispatch__(
        self,
        function: OpOverload,
        types: Sequence[type],
        arguments: Arguments = (),
        named: Mapping[str, Any] | None = None,
    ) -> Any:
        filling = _FILLING.get(function)
        if filling is not None:
            result: Tensor = function(*arguments, **(named or {}))
            self.draws.append(
                Draw(
                    filling.method,
                    filling.arguments(arguments),
                    result.size(),
                    result.stride(),
                    result.dtype,
                    result.device,
                )
            )
            return result
        if torch.Tag.nondeterministic_seeded not in function.tags:
            return function(*arguments, **(named or {}))
        before = _torch_states()  # attention without dropout has the tag, too, and draws nothing
        found = function(*arguments, **(named or {}))
        if any(not torch.equal(*states) for states in zip(before, _torch_states(), strict=True)):
            raise OneByOneError(f"{ONLY_ONE_BY_ONE} ({function._schema.name})")
        return found
