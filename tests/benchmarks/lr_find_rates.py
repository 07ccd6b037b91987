"""Which single rate should lr-find suggest? Rules beside the best of nine real runs. Run it by hand.

    python tests/benchmarks/lr_find_rates.py --bank FOLDER [--cases 0,1,2]

Nine rates over the range that the ramp finds are trained for real in every case of `rate_cases.py`. A rule's rate is
trained, too. Printed, per case and per rule: its metric as a multiple of the best of nine. To both a ten-thousandth of
the untrained network's metric is added, for nobody tells nothing from nearly nothing.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from rate_bank import PLAN, CaseBank
from rate_cases import CASES

from lrsearch.training.finding import rounded
from lrsearch.training.range_test import RangeTest, look_back
from lrsearch.training.second_look import tried
from lrsearch.training.weighing import FLOOR, Brief, Weighed, weigh

MARKS = (50, 100, 200, 400)
"""Updates after which short runs are looked at."""
OURS = 200
PAIRS = ((24, 25), (26, 27), (24, 27), (25, 26))
"""Seeds of second looks; the first pair is that of lr-find's defaults."""


def nine(low: float, high: float) -> list[float]:
    return [float(f"{low * (high / low) ** (place / 8):.2e}") for place in range(9)]


def ends_of(test: RangeTest) -> tuple[float, float]:
    assert test.finding.range is not None
    return test.finding.range


def of_the_curve(test: RangeTest) -> Iterator[tuple[str, float]]:
    """Rules that need the ramp only."""
    assert test.finding.lr is not None
    low, high = ends_of(test)
    curve = test.centre[~np.isnan(test.centre)]
    reach = look_back(PLAN.updates)
    yield "steepest fall (before)", test.finding.lr
    yield "lowest point / 10", rounded(test.rates[reach + int(curve[reach:].argmin())] / 10)
    first, last = longest_fall(curve)
    yield "valley: two thirds of the longest fall", rounded(test.rates[first + (last - first) * 2 // 3])
    yield "middle of the range", rounded((low * high) ** 0.5)


def longest_fall(curve: np.ndarray) -> tuple[int, int]:
    """Ends of the longest decreasing subsequence, as fastai's valley has it."""
    length, first = np.ones(len(curve), dtype=int), np.arange(len(curve))
    for place in range(1, len(curve)):
        before = np.flatnonzero(curve[:place] > curve[place])
        if len(before):
            longest = before[length[before].argmax()]
            length[place], first[place] = length[longest] + 1, first[longest]
    last = int(length.argmax())
    return int(first[last]), last


def briefs(bank: CaseBank, seeds: tuple[int, ...], updates: int, *, by_loss: bool = False) -> list[Brief]:
    """Short runs of a second look, judged by the test metric or by the training loss."""
    at, untrained = MARKS.index(updates), bank.untrained()
    found = []
    for lr in tried(*ends_of(bank.ramp())):
        for seed in seeds:
            run = bank.look(lr, MARKS, seed)
            value = run[at][0 if by_loss else 1] if at < len(run) else None
            found.append(Brief(lr, seed, value if value is not None and value < 1e3 * untrained else None, untrained))
    return found


def lowest(runs: list[Brief], within: float = 1.0) -> float:
    """The lowest rate whose mean over the seeds is within so many times the least; what diverged is last."""
    rates = list(dict.fromkeys(run.lr for run in runs))
    values = [np.mean([np.inf if run.value is None else run.value for run in runs if run.lr == lr]) for lr in rates]
    floored = np.array(values) + FLOOR * runs[0].untrained
    return rates[int(np.flatnonzero(floored <= within * floored.min())[0])]


def of_looks(bank: CaseBank) -> Iterator[tuple[str, float]]:
    """Rules that look a second time."""
    first = PAIRS[0]
    yield f"best of 5, {OURS} updates, 1 seed", lowest(briefs(bank, first[:1], OURS))
    yield f"best of 5, {OURS} updates, 2 seeds, by training loss", lowest(briefs(bank, first, OURS, by_loss=True))
    for within in (1.1, 1.2):
        for number, pair in enumerate(PAIRS, start=1):
            rule = f"lowest within {within:g}x, {OURS} updates, 2 seeds (pair {number})"
            yield rule, lowest(briefs(bank, pair, OURS), within)
    for updates in MARKS:
        for number, pair in enumerate(PAIRS, start=1):
            mark = " (ours)" if updates == OURS and pair == first else ""
            yield f"best of 5, {updates} updates, 2 seeds (pair {number}){mark}", rate_of(ours(bank, pair, updates))


def rate_of(weighed: Weighed) -> float:
    assert weighed.finding.lr is not None
    return weighed.finding.lr


def ours(bank: CaseBank, seeds: tuple[int, ...], updates: int) -> Weighed:
    return weigh(bank.ramp().finding, briefs(bank, seeds, updates), maximise=False)


def report(bank: CaseBank, ratios: dict[str, list[float]]) -> str:
    """One case: a row of the table, and what each rule's rate is worth."""
    low, high = ends_of(bank.ramp())
    values = {lr: bank.real(lr) for lr in nine(low, high)}
    floor = FLOOR * bank.untrained()
    least = min(values.values())
    own = {}
    for rule, lr in (*of_the_curve(bank.ramp()), *of_looks(bank)):
        own[rule] = (bank.real(lr) + floor) / (least + floor)
        ratios.setdefault(rule, []).append(own[rule])
    found = ours(bank, PAIRS[0], OURS)
    before = bank.ramp().finding.lr
    assert found.finding.range is not None
    after_name = next(rule for rule in own if rule.endswith("(ours)"))
    near = [lr for lr, value in values.items() if value + floor <= 1.2 * (least + floor)]
    return (
        f"| {bank.case.name} | {least:.3g} | {near[0]:.2g} to {near[-1]:.2g} | {low:g} to {high:g} | "
        f"{found.finding.range[1]:g} | {before:g}: {own['steepest fall (before)']:.2f}x | "
        f"{found.finding.lr:g}: {own[after_name]:.2f}x | {found.confidence} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bank", type=Path, default=Path(tempfile.gettempdir()) / "lrsearch-rates")
    parser.add_argument("--cases", help="Numbers of cases, such as 0,1,2.")
    options = parser.parse_args()
    torch.set_num_threads(1)
    chosen = CASES if options.cases is None else [CASES[int(number)] for number in options.cases.split(",")]
    ratios: dict[str, list[float]] = {}
    print(
        "| case | best of nine | within 1.2x of it | range before | its upper end now | before | now | confidence |\n"
        "|---|---:|---:|---:|---:|---:|---:|---|"
    )
    for case in chosen:
        print(report(CaseBank(case, options.bank), ratios), flush=True)
    print("\n| rule | median | worst | above 1.2x | above 2x |\n|---|---:|---:|---:|---:|")
    for rule, own in ratios.items():
        above = [sum(ratio > limit for ratio in own) for limit in (1.2, 2)]
        print(
            f"| {rule} | {np.median(own):.2f} | {max(own):.2f} | {above[0]} of {len(own)} | {above[1]} of {len(own)} |"
        )


if __name__ == "__main__":
    main()
