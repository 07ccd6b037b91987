"""How to do a study again: its study file, versions, seeds and commands."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections import Counter

import pandas as pd

from lrsearch.report import standings, wording
from lrsearch.report.escaping import code_block, code_span, inline
from lrsearch.report.frames import StudyFrames
from lrsearch.sampling.space import LR_NAMES
from lrsearch.storage.rdb import DEFAULT_URL
from lrsearch.study_file import load
from lrsearch.study_file.model import Definition
from lrsearch.study_file.write import to_toml

WHERE = (
    f"The commands of this report use {code_span(DEFAULT_URL)} in the working directory; a study that is elsewhere "
    f"needs {code_span('--storage URL')} after them, or the URL in {code_span('LRSEARCH_STORAGE')}."
)


def reproduce(frames: StudyFrames) -> list[str]:
    """The paragraphs of the last section.

    Args:
        frames: The study.

    Returns:
        Markdown, everything escaped.
    """
    made = _made_by(frames)
    if frames.definition is None:
        return [*made, _missing(frames)]
    file = file_name(frames.name)
    again = f"Save this as `{file}`; it is the study's definition, complete with defaults."
    if own := load.sources(frames.definition.document()):
        again += f" The code of its own tasks belongs beside it: {', '.join(map(inline, own))}."
    name = shlex.quote(" ".join(frames.name.split()))
    guard = "-- " if frames.name.startswith("-") else ""  # or else the name would be read as an option
    confirm = ""
    if frames.evidence is not None:
        top = sum(contender.role == "search" for contender in frames.evidence.contenders)
        seeds = "" if frames.evidence.rounds else f" --seeds {len(frames.evidence.seeds)}"
        confirm = f"lrsearch study confirm --top {max(top, 1)}{seeds} {guard}{name}\n"
    commands = f"lrsearch study run {file}\n{confirm}lrsearch report {guard}{name}"
    return [*made, again, code_block(to_toml(frames.definition), "toml"), code_block(commands, "bash"), WHERE]


def file_name(name: str) -> str:
    """A harmless name for a study's file.

    Args:
        name: The study's name.
    """
    return (re.sub(r"[^0-9A-Za-z._-]+", "-", name).strip("-._") or "study") + ".toml"


def _made_by(frames: StudyFrames) -> list[str]:
    said = []
    if frames.version:
        said.append(f"Created by lrsearch {inline(frames.version)}.")
    if frames.definition:
        said.append(_seeds(frames.definition))
    trials = standings.counted(frames)
    said += [*_provenance(frames), *_data(frames)]
    engines = _engines(trials)
    if engines:
        said.append(f"Trained by {engines}.")
    seconds = trials[["seconds", "audit_seconds"]].sum().sum()
    if seconds > 0:
        said.append(f"All trials together trained for {wording.number(float(seconds))} s.")
    return [" ".join(said)] if said else []


def _provenance(frames: StudyFrames) -> list[str]:
    """What was noted when the study was created."""
    versions, commit = frames.provenance.get("versions"), frames.provenance.get("commit")
    said = []
    if isinstance(versions, dict) and versions:
        named = ", ".join(f"{inline(name)} {inline(version)}" for name, version in versions.items())
        said.append(f"Versions then: {named}.")
    if commit:
        changed = ", with changes that were not committed" if frames.provenance.get("dirty") else ""
        said.append(f"The working directory's repository was at commit {inline(commit)}{changed}.")
    return said


def _data(frames: StudyFrames) -> list[str]:
    """The data in so many characters that two reports can be compared; lrsearch itself compares the whole."""
    if not frames.data:
        return []
    rows = ", ".join(f"{inline(own['rows'])} {inline(part)}" for part, own in frames.data.items())
    short = hashlib.sha256(json.dumps(frames.data, sort_keys=True).encode()).hexdigest()[:12]
    said = [f"Rows: {rows}; fingerprint of the data {short}."]
    if isinstance(frames.data.get("train", {}).get("rows"), str):
        said.append("Training rows come from a stream, in an order of its own, which no seed of lrsearch shuffles.")
    return said


def _seeds(definition: Definition) -> str:
    seeds = definition.training.seeds
    words = f"Training {'seed' if len(seeds) == 1 else 'seeds'} {', '.join(map(str, seeds))}"
    sampler = inline(definition.sampler.name)
    seed = definition.sampler.options.get("seed")
    return f"{words}; sampler {sampler}" + (f" with seed {inline(seed)}." if seed is not None else ", no seed.")


def _engines(trials: pd.DataFrame) -> str:
    """Such as ``the sequential engine with 2 threads (60 trials)``: both change the last bits of a result."""
    known = trials[trials["engine"].notna()]
    kinds = Counter(map(tuple, known[["engine", "device", "threads"]].map(str).to_numpy()))
    parts = []
    for (engine, device, threads), count in sorted(kinds.items()):
        where = "" if device == "None" else f" on {inline(device)}"
        with_threads = "" if threads == "None" else f" with {inline(threads)} thread{'' if threads == '1' else 's'}"
        parts.append(f"the {inline(engine)} engine{where}{with_threads} ({wording.plural(count, 'trial')})")
    return ", ".join(parts)


def _missing(frames: StudyFrames) -> str:
    if frames.definition_fault:
        fault = inline(frames.definition_fault)
        return f"The stored definition cannot be read by this version of lrsearch: {fault}"
    called = frames.lr_parameter not in (None, *LR_NAMES)
    named = f" What this report calls lr is its parameter {code_span(str(frames.lr_parameter))}." if called else ""
    return (
        "This study was not made by lrsearch: the storage holds its trials, but not the task, the training "
        f"and the search that would be needed to do it again.{named}"
    )
