"""All studies of a storage in a list: counted by the database, with the answers that are kept, computing none.

Neither Optuna nor pydantic is imported, as long as the storage holds what this lrsearch writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from lrsearch.errors import InputError
from lrsearch.storage.attributes import (
    BUDGET,
    DEFINITION,
    EXCLUDED,
    ORIGIN,
    PLAN,
    RECOMMENDATION,
    SEEDS,
    VERSION,
    excluded,
)
from lrsearch.storage.glance import Glimpse, glance, is_known
from lrsearch.storage.looking import looked_at
from lrsearch.storage.url import MissingStorageError, check_file, parse
from lrsearch.study.answer_basis import basis
from lrsearch.version import __version__

KEYS = (BUDGET, DEFINITION, EXCLUDED, ORIGIN, PLAN, RECOMMENDATION, SEEDS, VERSION)
"""The attributes of a study that a list needs."""


def overview(url: str, leave_out: Callable[[str, Exception], None]) -> list[dict[str, Any]]:
    """The studies of a storage that stand for themselves, oldest first.

    Args:
        url: The storage.
        leave_out: Told of a study that cannot be listed, and why.

    Returns:
        A row for each, with the keys of ``lrsearch study list --format json``.

    Raises:
        InputError: The storage cannot be used.
    """
    parsed = parse(url)
    try:
        check_file(parsed)
    except MissingStorageError:
        return []
    try:
        with looked_at(parsed) as engine:
            seen = glance(engine, KEYS) if engine is not None and is_known(engine) else None
    except (SQLAlchemyError, OSError, ImportError, TypeError, ValueError):
        seen = None  # opening it in full says what is wrong, in words; drivers raise the last two for odd URLs
    return rows(_opened(url) if seen is None else seen, leave_out)


def rows(seen: Sequence[Glimpse], leave_out: Callable[[str, Exception], None]) -> list[dict[str, Any]]:
    """See `overview`.

    Args:
        seen: All studies of a storage, those that belong to another one, too.
        leave_out: See `overview`.
    """
    linked = {own.name: own for own in seen if _origin(own) is not None}
    beside: dict[str, list[Glimpse]] = {}
    for own in linked.values():
        beside.setdefault(str(_origin(own)), []).append(own)
    found = []
    for own in seen:
        if _origin(own) is not None:
            continue
        try:
            _check(own)
            found.append(_row(own, linked.get(f"{own.name}/confirm"), beside.get(own.name, [])))
        except (InputError, ValueError, TypeError, LookupError, AttributeError) as error:
            # What one study stores is input; it must not hide the others.
            leave_out(own.name, error)
    return found


def _opened(url: str) -> list[Glimpse]:
    """The same through Optuna: a storage that does not answer, or whose tables are others, is told of there."""
    from lrsearch.study.opened_overview import glimpses  # takes a while

    return glimpses(url, KEYS)


def _check(seen: Glimpse) -> None:
    """Refuse a definition that nobody here can train; one that this version wrote is taken at its word.

    Raises:
        InputError: It cannot be understood, or runs a command that the storage tells.
    """
    stored = seen.attributes
    definition = stored.get(DEFINITION)
    if DEFINITION not in stored or (stored.get(VERSION) == __version__ and _is_whole(definition)):
        return
    from lrsearch.study.stored import definition_of  # takes a while

    definition_of(seen.name, stored)


def _is_whole(definition: Any) -> bool:
    """Whether a stored definition has the parts that a list shows, and no command."""
    if not isinstance(definition, Mapping) or "command" in definition:
        return False
    study, task = definition.get("study"), definition.get("task")
    return (
        isinstance(study, Mapping)
        and isinstance(study.get("trials"), int)
        and isinstance(task, Mapping)
        and isinstance(task.get("name"), str)
    )


def _origin(seen: Glimpse) -> str | None:
    link = seen.attributes.get(ORIGIN)
    found = link.get("study") if isinstance(link, Mapping) else None
    return None if found is None else str(found)


def _row(seen: Glimpse, linked: Glimpse | None, beside: Sequence[Glimpse]) -> dict[str, Any]:
    stored, counts = seen.attributes, seen.tally
    definition = stored.get(DEFINITION)
    kept = stored.get(RECOMMENDATION)
    answer = kept if isinstance(kept, Mapping) and len(seen.directions) == 1 else {}
    params = answer.get("params") or {}
    return {
        "name": seen.name,
        "task": _task(definition),
        "trials": _budget(stored),
        "finished": counts.complete + counts.pruned + counts.failed,
        "running": counts.running,
        "waiting": counts.waiting,
        "best": seen.best,
        "expected": answer.get("expected"),
        "scheduler": params.get("scheduler"),
        "lr": params.get("lr", params.get(f"{params.get('optimizer')}.lr")),
        "confirmed": _confirmed(answer, linked),
        "out_of_date": answer.get("made_from") != made_from(seen, linked, beside) if answer else None,
    }


def made_from(seen: Glimpse, linked: Glimpse | None, beside: Sequence[Glimpse] = ()) -> dict[str, Any]:
    """What an answer that is kept now would rest on; `recommendation` says the same of an opened study.

    Args:
        seen: The study.
        linked: Its confirmation, if it has one.
        beside: All studies that belong to it.
    """
    definition = seen.attributes.get(DEFINITION)
    own: Mapping[str, Any] = definition if isinstance(definition, Mapping) else {}
    there = {} if linked is None else linked.attributes
    return basis(
        trials=_counts(seen),
        excluded=excluded(seen.attributes),
        confirmed=None if linked is None else _counts(linked),
        seeds=[] if linked is None else _seeds(linked),
        plan=there.get(PLAN),
        margin=(own.get("confirm") or {}).get("margin"),
        tries=own.get("try", []),
        wanted=(own.get("confirm") or {}).get("contestants"),
        contestants={one.name: _counts(one) for one in beside if one.name.startswith(f"{seen.name}/contestants")},
    )


def _confirmed(answer: Mapping[str, Any], linked: Glimpse | None) -> int | None:
    """On how many fresh seeds a study is confirmed: as its answer says or, where none is kept, its confirmation."""
    if answer or linked is None:
        return answer.get("seeds") if answer.get("basis") == "confirmed" else None
    budget, tally, plan = _budget(linked.attributes), linked.tally, linked.attributes.get(PLAN)
    ended = tally.running + tally.waiting == 0 and tally.complete + tally.pruned + tally.failed >= (budget or 0)
    done = plan.get("done", True) if isinstance(plan, Mapping) else True
    return len(_seeds(linked)) or None if ended and done else None


def _seeds(confirmation: Glimpse) -> list[int]:
    definition = confirmation.attributes.get(DEFINITION)
    if not isinstance(definition, Mapping):
        return list(confirmation.attributes.get(SEEDS) or [])
    return list((definition.get("training") or {}).get("seeds") or [])


def _counts(seen: Glimpse) -> dict[str, Any]:
    return {"budget": _budget(seen.attributes), **asdict(seen.tally)}


def _budget(stored: Mapping[str, Any]) -> int | None:
    definition, fewer = stored.get(DEFINITION), stored.get(BUDGET)
    if not isinstance(definition, Mapping):
        return None
    trials: int | None = (definition.get("study") or {}).get("trials")
    return fewer if isinstance(fewer, int) and fewer > 0 else trials


def _task(definition: Any) -> str | None:
    if not isinstance(definition, Mapping):
        return None
    return "command" if "command" in definition else str(definition["task"]["name"])
