"""A registry finds things by name, alias and group, and refuses what would be ambiguous."""

from __future__ import annotations

import sys

import pytest

from lrsearch.errors import LrsearchError
from lrsearch.registry import Registry, UnknownNameError


@pytest.fixture
def fruit() -> Registry[int]:
    registry: Registry[int] = Registry("fruit", [])
    registry.add("apple", 1, aliases=["pomme"], groups=["pome", "all"])
    registry.add("pear", 2, groups=["pome", "all"])
    registry.add("cherry", 3, aliases=["Kirsche"], groups=["all"])
    return registry


def test_finds_by_name_and_alias(fruit: Registry[int]) -> None:
    assert fruit.get("apple") == fruit.get("pomme") == 1
    assert fruit.resolve("Kirsche") == "cherry"
    assert "pomme" in fruit
    assert "pome" not in fruit
    assert fruit.aliases_of("apple") == ["pomme"]
    assert fruit.aliases_of("pear") == []


def test_iterates_in_the_order_of_registration(fruit: Registry[int]) -> None:
    assert list(fruit) == ["apple", "pear", "cherry"]
    assert fruit.groups() == {"pome": ["apple", "pear"], "all": ["apple", "pear", "cherry"]}


def test_groups_handed_out_are_copies(fruit: Registry[int]) -> None:
    fruit.groups()["pome"].clear()
    assert fruit.groups()["pome"] == ["apple", "pear"]


def test_expands_groups_and_aliases_without_repeats(fruit: Registry[int]) -> None:
    """The order is that of the first mention."""
    assert fruit.expand(["Kirsche", "pome", "pear", "all"]) == ["cherry", "apple", "pear"]
    assert fruit.expand([]) == []


def test_expand_reports_every_unknown_name(fruit: Registry[int]) -> None:
    with pytest.raises(UnknownNameError) as refused:
        fruit.expand(["aple", "pear", "chery"])
    assert [fault.nearest[0] for fault in refused.value.faults] == ["apple", "cherry"]


def test_unknown_name_suggests_the_nearest_regardless_of_case(fruit: Registry[int]) -> None:
    with pytest.raises(UnknownNameError, match="unknown fruit; did you mean cherry") as refused:
        fruit.get("CHERRI")
    assert refused.value.exit_code == 2


def test_unknown_name_lists_what_there_is_when_none_is_near(fruit: Registry[int]) -> None:
    with pytest.raises(UnknownNameError, match="there are apple, pear, cherry, pome, all"):
        fruit.get("xylophone")


@pytest.mark.parametrize("name", ["apple", "pomme", "all"])
def test_taken_name_is_refused_and_changes_nothing(fruit: Registry[int], name: str) -> None:
    """A name, an alias and a group are all taken, whether they come as a name or as an alias."""
    with pytest.raises(LrsearchError, match="registered already"):
        fruit.add(name, 9)
    with pytest.raises(LrsearchError, match="registered already"):
        fruit.add("plum", 9, aliases=[name])
    assert list(fruit) == ["apple", "pear", "cherry"]


@pytest.mark.parametrize("group", ["apple", "pomme"])
def test_group_must_not_be_the_name_of_a_thing(fruit: Registry[int], group: str) -> None:
    with pytest.raises(LrsearchError, match="is the name of a fruit"):
        fruit.add("plum", 9, groups=[group])
    assert "plum" not in fruit


def test_builtin_modules_are_imported_at_the_first_lookup(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Making a registry imports nothing; adding to it loads the built-in things first."""
    folder = tmp_path_factory.mktemp("builtin")
    (folder / "orchard_of_the_test.py").write_text("")
    monkeypatch.syspath_prepend(folder)
    registry: Registry[int] = Registry("fruit", ["orchard_of_the_test"])
    assert "orchard_of_the_test" not in sys.modules
    assert list(registry) == []
    assert "orchard_of_the_test" in sys.modules


def test_failed_import_is_tried_again() -> None:
    """A registry whose built-in module cannot be imported says so every time, not only once."""
    registry: Registry[int] = Registry("fruit", ["no_such_module_of_the_test"])
    for _ in range(2):
        with pytest.raises(ModuleNotFoundError):
            registry.get("apple")
