"""Where a lane sits among the networks, so that its last bits do not depend on the others.

A sum of floats depends on the order in which the processor takes the numbers, and that depends in two ways on where in
memory they lie. torch computes the numbers at the end of an array that do not fill two vector registers (32 numbers
with AVX-512) one by one; with a multiple of 32 networks there are no such numbers. MKL multiplies a narrow matrix in
another order when it does not begin at a multiple of 16 bytes, which in an array [networks, rows, features] of floats
depends on the network's index modulo 4; so that is what a lane keeps when others leave.
"""

from __future__ import annotations

from collections.abc import Sequence

BLOCK = 32
"""The number of networks is a multiple of this, and so is any part of them that is computed at once."""

CLASSES = 4
"""A lane's seat, modulo this, is its place in its generation, modulo this."""


def seats(places: Sequence[int]) -> list[int]:
    """A seat for each lane: the first free one of its class.

    Args:
        places: Where each stood in its generation.
    """
    free = list(range(CLASSES))
    given = []
    for place in places:
        home = place % CLASSES
        given.append(free[home])
        free[home] += CLASSES
    return given


def filled(networks: int) -> int:
    """The next multiple of `BLOCK`.

    Args:
        networks: How many there are at least.
    """
    return -(-networks // BLOCK) * BLOCK
