"""What a few trials say that differ in their learning rate alone: which rates are too small, and which too large."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lrsearch.report import figures, standings
from lrsearch.report.frames import StudyFrames
from lrsearch.report.wording import exact, percent
from lrsearch.sampling.space import LR_NAMES, rate_name, rate_of

STILL_FALLING = 0.03
"""A curve that improves by more than this share over its last quarter has not arrived."""
JUMP = 0.25
"""A curve that worsens by more than this share from one epoch to the next is unsteady."""
LEAST = 3
"""So many rates make a comparison."""


def sentences(frames: StudyFrames) -> list[str]:
    """Which rate did best, which were still improving at the end, and which jumped or diverged.

    Args:
        frames: A study of few trials.

    Returns:
        One to three sentences; none where trials differ in anything but the rate, or the metric has no share (it is
        maximised, or not above zero).
    """
    trials = standings.counted(frames)
    ended = trials[trials["state"] == "complete"]
    steady = ended[~ended["diverged"]].sort_values("value")
    if frames.maximise or not figures.few(frames) or not _only_rates_differ(ended) or not len(steady):
        return []
    if not (steady["value"] > 0).all():
        return []
    said = [f"On this seed {exact(steady.iloc[0]['lr'])} did best."]
    right = _right(frames, float(steady.iloc[0]["lr"]))
    smaller, larger = ended[ended["lr"] < min(right)], ended[ended["lr"] > max(right)]
    slow = [row["lr"] for row in smaller.to_dict("records") if _falls(_curve(frames, row["number"]))]
    if slow:
        said.append(f"{_names(slow)} {_are(slow)} too small: still improving at the end.")
    lost = [row["lr"] for row in larger.to_dict("records") if row["diverged"]]
    said += _jumps(frames, steady[steady["lr"] > steady.iloc[0]["lr"]], above=max(right))
    if lost:
        said.append(f"{_names(lost)} {_are(lost)} far too large: training diverged.")
    return said


def _right(frames: StudyFrames, best: float) -> list[float]:
    """Rates that may be right: on fresh seeds, where that was tried, or else the best of the search."""
    evidence = frames.evidence
    if evidence is None or not evidence.complete:
        return [best]
    rates = [rate_of(one.params) for one in (evidence.recommended, evidence.leader, *evidence.tied)]
    return [float(rate) for rate in rates if isinstance(rate, (int, float))] or [best]


def _jumps(frames: StudyFrames, larger: pd.DataFrame, above: float) -> list[str]:
    """Rates whose error jumps: too large, or nearly so where they cannot be told apart from the right one."""
    said = []
    for lr, number in zip(larger["lr"], larger["number"], strict=True):
        if (jump := _jump(_curve(frames, number))) > JUMP:
            word = "too large" if lr > above else "nearly too large"
            rises = f"rises by up to {percent(jump)} within one {frames.unit}"
            said.append(f"{exact(lr)} is {word}: the error {rises}.")
    return said


def _only_rates_differ(trials: pd.DataFrame) -> bool:
    others = {
        repr({k: v for k, v in params.items() if k not in (*LR_NAMES, rate_name(params))})
        for params in trials["params"]
    }
    return len(others) == 1 and trials["lr"].nunique() >= LEAST


def _curve(frames: StudyFrames, number: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    curves = frames.curves
    values = curves[curves["number"] == number]["test_metric"].to_numpy(dtype=np.float64)
    return np.asarray(values[np.isfinite(values)])


def _falls(curve: np.ndarray[tuple[int], np.dtype[np.float64]]) -> bool:
    return len(curve) > 1 and bool(curve[-1] < (1 - STILL_FALLING) * curve[-1 - max(len(curve) // 4, 1)])


def _jump(curve: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    if len(curve) < 2 or not (curve > 0).all():
        return 0.0
    return float((curve[1:] / curve[:-1] - 1).max())


def _names(rates: list[float]) -> str:
    words = [exact(lr) for lr in sorted(rates)]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _are(rates: list[float]) -> str:
    return "is" if len(rates) == 1 else "are"
