"""A registry finds things by name, alias and group, and refuses what would be ambiguous."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lrsearch import registry as registries
from lrsearch import tasks
from lrsearch.errors import LrsearchError, LrsearchWarning
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


def provide(folder: Path, package: str, module: str, code: str) -> None:
    """Install a package by hand: a module, and metadata that name it under the entry point group."""
    (folder / f"{module}.py").write_text(code)
    metadata = folder / f"{package}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[lrsearch.tasks]\n{module} = {module}\n")


PROVIDED = """
import lrsearch, torch
X = torch.randn(40, 3)

@lrsearch.task
def {name}() -> lrsearch.Task:
    return lrsearch.Task(lambda: torch.nn.Linear(3, 3), (X[:30], X[:30]), (X[30:], X[30:]), "mse", "mse")
"""


def test_installed_packages_provide_tasks_and_a_broken_one_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(registries, "tasks", Registry("task", [tasks.__name__], provided="lrsearch.tasks"))
    provide(tmp_path, "their-tasks", "provided_by_a_package", PROVIDED.format(name="theirs"))
    provide(tmp_path, "broken-tasks", "broken_in_a_package", "import not_there")
    words = "package broken-tasks provides the task broken_in_a_package, which cannot be loaded: ModuleNotFoundError"
    with pytest.warns(LrsearchWarning, match=words):
        assert "theirs" in registries.tasks
    assert registries.tasks.get("theirs").build({}).train_rows == 30
    assert "theirs" in list(registries.tasks)


def test_packages_are_not_imported_for_what_is_built_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    provide(tmp_path, "harmful-tasks", "never_imported", "raise SystemExit(3)")
    registered = Registry[int]("number", [], provided="lrsearch.tasks")
    registered.add("one", 1)
    assert registered.get("one") == 1
    assert "one" in registered
    with pytest.warns(LrsearchWarning, match="harmful-tasks"):
        assert list(registered) == ["one"]
    assert list(registered) == ["one"]


def test_a_really_installed_package_is_found(tmp_path: Path) -> None:
    """Built and installed by pip, found by a new process."""
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    (source / "pip_made.py").write_text(PROVIDED.format(name="from_pip"))
    (source / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        '[project]\nname = "pip-made"\nversion = "1.0"\n[project.entry-points."lrsearch.tasks"]\nx = "pip_made"\n'
        '[tool.setuptools]\npy-modules = ["pip_made"]\n'
    )
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--target", str(target), str(source)], check=True, capture_output=True)
    found = os.pathsep.join([str(target), os.environ.get("PYTHONPATH", "")])
    check = [sys.executable, "-m", "lrsearch", "tasks", "check", "from_pip"]
    done = subprocess.run(check, env={**os.environ, "PYTHONPATH": found}, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("engine: batched\n")
