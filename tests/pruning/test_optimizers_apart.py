"""Where several optimizers are searched, trials are compared within theirs as long as each has enough of them."""

from __future__ import annotations

from lrsearch.pruning.comparison import AtRung, halve, of_like


def arrived(numbers: dict[str, int]) -> dict[int, AtRung]:
    """Trials of one type, those of the first optimizer all better than those of the next."""
    names = [name for name, number in numbers.items() for _ in range(number)]
    return {place: AtRung(place, "cosine", float(place), optimizer=name) for place, name in enumerate(names)}


def test_each_optimizer_keeps_its_best_where_each_has_more_than_three() -> None:
    ended, compared = halve(arrived({"sgd": 4, "adam": 6}), 0.5)
    assert (ended, compared) == ({2, 3, 7, 8, 9}, set(range(10)))


def test_all_of_a_type_are_compared_where_one_has_fewer() -> None:
    ended, _ = halve(arrived({"sgd": 3, "adam": 7}), 0.5)
    assert ended == set(range(5, 10))


def test_one_by_one_the_same() -> None:
    own, *others = reversed(arrived({"sgd": 3, "adam": 4}).values())
    assert {other.optimizer for other in of_like(own, others, 3)} == {"adam"}
    assert of_like(own, others[:-1], 3) == others[:-1]
    plain = [AtRung(number, "cosine", 1.0) for number in range(9)]
    assert of_like(plain[0], plain[1:], 3) == plain[1:]
