"""How a confirmation goes on: who stays in, on how many seeds, and how sure a look may be. Numbers in, numbers out.

Everybody is trained on `SCREENING` seeds. Then the ladder's other constant rates and the worse half of the others
leave, and all that stay are trained on the same further seeds; that twice more, at equal cost. After the second and the
third round there is a look at whether the question is answered. Rules like these decide only who leaves, never what is
claimed. `tests/benchmarks/rounds_simulated.py` says what they are worth.

Sources: Karnin, Koren and Somekh, "Almost optimal exploration in multi-armed bandits" (2013), for halving in rounds of
equal cost; Lan and DeMets, "Discrete sequential boundaries for clinical trials" (1983), for what each look may spend,
and Jennison and Turnbull, "Interim analyses: the repeated confidence interval approach" (1989), for intervals that hold
whatever ended the rounds.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

SCREENING = 2
"""Seeds that everybody is trained on, before the ladder's other rates leave."""
CONSTANTS = 3
"""Constant rates that stay after that."""
SEEDS_AT_LEAST = 5
"""The budget has so many seeds for everybody who stays then."""
ROUNDS = 3
"""Rounds at most, after the screening."""
FIRST_LOOK = 2
"""The round after which the question may be answered for the first time."""
SPENT = (0.005, 0.045)
"""How often each look may be wrong; 0.05 in all, however many of them there are. Most is kept for the last one."""
STAY = 0.5
"""After a round so many of those that are in stay, the better ones."""
FEWEST = 2
"""So many stay at least."""


def budget(searched: float, entrants: int) -> int:
    """Runs that a confirmation may take, the ladder's other rates not counted.

    Args:
        searched: What the search has cost, in runs of all epochs.
        entrants: The search's best and the tried settings.
    """
    return max(math.ceil(searched), SEEDS_AT_LEAST * (entrants + CONSTANTS))


def best(values: Sequence[float], number: int = CONSTANTS) -> list[int]:
    """Places of the lowest values, lowest first; those that are not finite are never among them.

    Args:
        values: Any.
        number: How many.
    """
    steady = [place for place, value in enumerate(values) if math.isfinite(value)]
    return sorted(steady, key=lambda place: values[place])[:number]


def survivors(values: Sequence[float], keep: Collection[int]) -> set[int]:
    """Places of those that stay in after a round.

    Args:
        values: What each has come to on the same seeds, smaller is better; infinite where it diverged.
        keep: Places of those that stay in any case.
    """
    return {*best(values, max(math.ceil(STAY * len(values)), FEWEST)), *keep}


def next_seeds(seeds: int, staying: int, runs_left: int, rounds: int) -> int:
    """On how many seeds the next round is: those that are left cost the same each.

    Args:
        seeds: Those that all who stay were trained on.
        staying: How many stay.
        runs_left: Of the budget.
        rounds: Rounds that there were.

    Returns:
        Seeds in all; the same number where nothing is left to spend.
    """
    if rounds >= ROUNDS:
        return seeds
    affordable = runs_left // staying
    return seeds + min(max(round(affordable / (ROUNDS - rounds)), 1), affordable)


def confidence(rounds: int) -> float:
    """How sure an interval is after a round, so that all looks together are wrong in 5 of 100 cases at most.

    Args:
        rounds: How many rounds there were; 0 where it was settled beforehand that there is one look only.
    """
    return 1 - (SPENT[max(min(rounds, ROUNDS) - FIRST_LOOK, 0)] if rounds else sum(SPENT))
