"""Which worker uses which graphics processor of a machine."""

from __future__ import annotations

from collections.abc import Sequence

from lrsearch.errors import input_error


def to_share(device: str) -> list[str]:
    """The graphics processors of this machine that workers share: none where the CPU, or one of them, was named.

    Args:
        device: What `--device` says.
    """
    from lrsearch.training.engine import devices  # torch takes a while

    return devices() if device in ("auto", "cuda") else []


def pins(visible: Sequence[str], workers: int, share: float | None) -> list[str | None]:
    """What `CUDA_VISIBLE_DEVICES` is for each worker.

    Args:
        visible: The devices of the machine, as that variable names them.
        workers: How many workers.
        share: Devices of each worker, between 0 and 1. None gives each one of its own where there are enough, and
            deals them out in turn where there are not.

    Returns:
        A device for each worker, in turn, so that all devices have the same number of workers or one more; an empty
        text where it sees none; None where there is nothing to say.

    Raises:
        InputError: The machine has no device, or too few for these shares.
    """
    if share is None:
        return [visible[worker % len(visible)] if visible else None for worker in range(workers)]
    if share == 0:
        return [""] * workers
    if not visible:
        raise input_error("command line", "torch finds no GPU here", key="--gpus-per-worker", received=f"{share:g}")
    places = fitting(len(visible), share)
    if workers > places:
        there = f"{len(visible)} GPU" + "s" * (len(visible) > 1)
        rule = f"there is room for {places} such workers on {there}, and --workers asks for {workers}"
        raise input_error("command line", rule, key="--gpus-per-worker", received=f"{share:g}")
    return [visible[worker % len(visible)] for worker in range(workers)]


def by_default(visible: Sequence[str], share: float | None) -> int:
    """How many workers a machine gets that nobody has counted: as many as its graphics processors have room for.

    Args:
        visible: The devices of the machine.
        share: Devices of each worker; None for one, where there are any.
    """
    if not visible or share == 0:
        return 1
    return fitting(len(visible), share or 1.0)


def fitting(gpus: float, share: float) -> int:
    """How many workers so many graphics processors have room for; none is split between two workers' whole shares.

    Args:
        gpus: How many there are.
        share: Devices of each worker, above 0 and at most 1.
    """
    return int(gpus) * int(1 / share + 1e-9)
