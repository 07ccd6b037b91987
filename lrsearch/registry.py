"""Name -> thing, checked fully before it is registered.

The built-in things live in layers above this one. A registry knows only the names of their modules
and imports them at the first look-up, so that a command that needs no torch never waits for it. What installed
packages provide (entry points) is imported when a name is not built in, or when everything is listed.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar

from lrsearch.errors import Fault, InputError, LrsearchError, LrsearchWarning, nearest

Thing = TypeVar("Thing")


class UnknownNameError(InputError):
    """A name that is not registered; carries the nearest ones that are."""


class Registry(Generic[Thing]):
    """The things of one kind, by name, with aliases and groups.

    Args:
        kind: What one of them is called in messages, such as ``scheduler``.
        builtin: Modules that register the built-in ones when they are imported.
        provided: Entry point group under which installed packages name modules that register further ones.
    """

    def __init__(self, kind: str, builtin: Sequence[str], provided: str | None = None) -> None:
        self.kind = kind
        self._builtin = tuple(builtin)
        self._provided = provided
        self._beyond: Callable[[str], Thing | None] = _nothing
        self._loading = False
        self._loaded = not builtin
        self._things: dict[str, Thing] = {}
        self._aliases: dict[str, str] = {}
        self._groups: dict[str, list[str]] = {}
        self._retired: dict[str, str] = {}
        self._prefixes: dict[str, tuple[Callable[[str], Thing | None], Callable[[], Iterable[str]]]] = {}

    def add(
        self,
        name: str,
        thing: Thing,
        *,
        aliases: Iterable[str] = (),
        groups: Iterable[str] = (),
        retired: Mapping[str, str] | None = None,
    ) -> None:
        """Register a thing.

        Args:
            name: Its name in study files and on the command line.
            thing: What the name stands for.
            aliases: Other names that are understood for it.
            groups: Names that stand for several things, this one among them.
            retired: Names that are not understood, though somebody may try them -> what to write instead.

        Raises:
            LrsearchError: A name or alias is taken, or is the name of a group.
        """
        self._load()
        aliases, groups = tuple(aliases), tuple(groups)
        for taken in (name, *aliases):
            if taken in self._things or taken in self._aliases or taken in self._groups:
                raise LrsearchError(f"{self.kind} {taken!r} is registered already; choose another name")
        for group in groups:
            if group in self._things or group in self._aliases:
                raise LrsearchError(f"{self.kind} group {group!r} of {name!r} is the name of a {self.kind}")
        self._things[name] = thing
        self._aliases.update(dict.fromkeys(aliases, name))
        self._retired.update(retired or {})
        for group in groups:
            self._groups.setdefault(group, []).append(name)

    def look_beyond(self, find: Callable[[str], Thing | None]) -> None:
        """Ask a function about names that nobody registered; what it finds is registered under that name.

        Args:
            find: Name -> thing, or None if it knows none.
        """
        self._beyond = find

    def add_prefix(self, prefix: str, make: Callable[[str], Thing | None], names: Callable[[], Iterable[str]]) -> None:
        """Make known the things of another library, under names that begin in one way. They are not listed.

        Args:
            prefix: Such as ``optuna:``.
            make: Gives the thing of a whole name; None if the library has none.
            names: All of these names, to find the nearest one.
        """
        self._load()
        self._prefixes[prefix] = (make, names)

    def get(self, name: str) -> Thing:
        """The thing of that name or alias.

        Raises:
            UnknownNameError: Nothing is registered under it.
        """
        resolved = self.resolve(name)
        made = self._prefixed(resolved)
        return self._things[resolved] if made is None else made

    def _prefixed(self, name: str) -> Thing | None:
        return next((make(name) for prefix, (make, _) in self._prefixes.items() if name.startswith(prefix)), None)

    def resolve(self, name: str) -> str:
        """The registered name for a name or alias.

        Raises:
            UnknownNameError: Nothing is registered under it.
        """
        self._load_for(name)
        known = name in self._things or self._prefixed(name) is not None
        found = name if known else self._aliases.get(name)
        if found is None:
            raise UnknownNameError(self.kind, [self.unknown(name)])
        return found

    def expand(self, names: Iterable[str]) -> list[str]:
        """Groups and aliases spelled out, each name once, in the order first mentioned.

        Raises:
            UnknownNameError: With a fault for every name that is neither.
        """
        self._load()
        expanded: dict[str, None] = {}
        faults = []
        for name in names:
            if name in self._groups:
                expanded.update(dict.fromkeys(self._groups[name]))
            elif name in self._things or name in self._aliases:
                expanded[self._aliases.get(name, name)] = None
            else:
                faults.append(self.unknown(name))
        if faults:
            raise UnknownNameError(self.kind, faults)
        return list(expanded)

    def unknown(self, name: str, key: str = "") -> Fault:
        """The fault that says a name is unknown, which are close, and which there are.

        Args:
            name: What was received.
            key: The key it was received for.
        """
        if name in self._retired:
            return Fault(key=key, rule=f"unknown {self.kind}; {self._retired[name]}", received=f'"{name}"')
        for prefix, (_, names) in self._prefixes.items():
            if name.startswith(prefix):
                there = list(names())
                close = nearest(name, there)
                rule = f"unknown {self.kind}" + ("" if close else f"; there are {', '.join(there)}")
                return Fault(key=key, rule=rule, received=f'"{name}"', nearest=close)
        close = nearest(name, [*self._things, *self._groups]) or nearest(name, self._aliases)
        rule = f"unknown {self.kind}"
        if not close:
            rule += f"; there are {', '.join([*self._things, *self._groups])}"
        return Fault(key=key, rule=rule, received=f'"{name}"', nearest=close)

    def aliases_of(self, name: str) -> list[str]:
        self._load()
        return [alias for alias, target in self._aliases.items() if target == name]

    def groups(self) -> dict[str, list[str]]:
        """Group name -> names of its members, in the order of registration."""
        self._load()
        return {group: list(members) for group, members in self._groups.items()}

    def __contains__(self, name: str) -> bool:
        self._load_for(name)
        return name in self._things or name in self._aliases or self._prefixed(name) is not None

    def __iter__(self) -> Iterator[str]:
        self._load()
        self._load_provided()
        return iter(list(self._things))

    def _load_for(self, name: str) -> None:
        self._load()
        if name not in self._things and name not in self._aliases and not name.startswith(tuple(self._prefixes)):
            self._load_provided()
        if name not in self._things and name not in self._aliases and (found := self._beyond(name)) is not None:
            self._things[name] = found

    def _load(self) -> None:
        if self._loaded or self._loading:
            return
        self._loading = True
        try:
            for module in self._builtin:
                importlib.import_module(module)
            self._loaded = True
        finally:
            self._loading = False

    def _load_provided(self) -> None:
        """Import what installed packages provide, once. One that is broken must not stop the others."""
        group, self._provided = self._provided, None
        for provided in entry_points(group=group) if group else ():
            try:
                provided.load()
            except (Exception, SystemExit) as error:
                words = f"{_owner(provided)} provides the {self.kind} {provided.name}, which cannot be loaded"
                text = " ".join(str(error).split())
                warnings.warn(f"{words}: {type(error).__name__}: {text}", LrsearchWarning, stacklevel=4)


def _nothing(_: str) -> None:
    return None


def _owner(provided: EntryPoint) -> str:
    return f"package {provided.dist.name}" if provided.dist else "an installed package"


# The values are classes and functions of the layers above, which state their types at the point of use.
schedules: Registry[Any] = Registry("scheduler", ["lrsearch.schedules"])
tasks: Registry[Any] = Registry("task", ["lrsearch.tasks"], provided="lrsearch.tasks")
samplers: Registry[Any] = Registry("sampler", ["lrsearch.sampling.samplers"])
pruners: Registry[Any] = Registry("pruner", ["lrsearch.pruning.pruners"])
optimizers: Registry[Any] = Registry("optimizer", ["lrsearch.training.torch_optimizers"])
