"""Somebody's training script without any framework: a small network in numpy, for `own_tuners.py`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
EPOCHS, ROWS, BATCH, HIDDEN, MOMENTUM = 10, 200, 20, 16, 0.9


def rows_of(count: int, seed: int) -> tuple[Array, Array]:
    inputs = np.random.default_rng(seed).normal(size=(count, 3))
    return inputs, inputs.prod(axis=1, keepdims=True)


def train(lr: float, seed: int, factors: Sequence[float], *, say: bool) -> list[Array]:
    """The weights after all epochs."""
    rng, (inputs, targets) = np.random.default_rng(seed), rows_of(ROWS, 100)
    weights = [rng.normal(size=(3, HIDDEN)) / 3**0.5, np.zeros(HIDDEN), rng.normal(size=(HIDDEN, 1)) / 4, np.zeros(1)]
    moved = [np.zeros_like(own) for own in weights]
    for epoch in range(EPOCHS):
        for rows in rng.permutation(ROWS).reshape(-1, BATCH):
            hidden = np.tanh(inputs[rows] @ weights[0] + weights[1])
            off = 2 * (hidden @ weights[2] + weights[3] - targets[rows]) / BATCH
            back = off @ weights[2].T * (1 - hidden**2)
            slopes = [inputs[rows].T @ back, back.sum(axis=0), hidden.T @ off, off.sum(axis=0)]
            for own, speed, slope in zip(weights, moved, slopes, strict=True):
                speed *= MOMENTUM
                speed += slope
                own -= lr * factors[epoch] * speed
        if say:
            print(f"epoch={epoch + 1} test={error_of(weights, *rows_of(100, 101))}", flush=True)
    return weights


def error_of(weights: Sequence[Array], inputs: Array, targets: Array) -> float:
    guessed = np.tanh(inputs @ weights[0] + weights[1]) @ weights[2] + weights[3]
    return float(((guessed - targets) ** 2).mean())


def holdout_error(lr: float, seed: int, factors: Sequence[float]) -> float:
    return error_of(train(lr, seed, factors, say=False), *rows_of(2000, 102))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--settings", type=Path)
    given = parser.parse_args()
    told = [1.0] * EPOCHS
    if given.settings is not None:
        told = json.loads(given.settings.read_text(encoding="utf-8"))["factors"]["epochs"]
    np.seterr(all="ignore")
    train(given.lr, given.seed, told, say=True)
