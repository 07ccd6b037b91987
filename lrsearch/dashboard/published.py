"""What lrsearch has put into the dashboard for a study, so that it is replaced and not added to the next time."""

from __future__ import annotations

import hashlib
import io
import json
import mimetypes
import re
import uuid
from pathlib import PurePath
from typing import Any

import optuna

from lrsearch.dashboard.artifacts import Artifacts

PUBLISHED = "lrsearch:published"
"""Study system attribute: what was published, by name. The dashboard does not show it."""
_STUDY_ARTIFACT, _TRIAL_ARTIFACT = "artifacts:", "dashboard:artifacts:"
"""Study system attributes in which optuna-dashboard looks for artifacts, those of finished trials too."""

MOST_LETTERS = 80
"""Of a title as a file name: at three bytes a letter, a file system takes no more."""
_FORBIDDEN = re.compile(r'[<>:"\\|?*\x00-\x1f]')
"""What Windows refuses in a file name; others refuse less."""


class Published:
    """The artifacts of one study. Each keeps its identity, so that links to it stay good.

    Args:
        study: The study.
        artifacts: Where the files are.
    """

    def __init__(self, study: optuna.Study, artifacts: Artifacts) -> None:
        self._storage, self._study_id = study._storage, study._study_id
        self._artifacts = artifacts
        stored = self._storage.get_study_system_attrs(self._study_id).get(PUBLISHED)
        self._kept: dict[str, Any] = stored if isinstance(stored, dict) else {}
        self._before = json.dumps(self._kept)

    @property
    def state(self) -> object:
        """Whatever `remember` was given the last time."""
        return self._kept.get("state")

    def remember(self, state: object) -> None:
        """Note what the published things were made from, and store everything.

        Args:
            state: Anything that JSON can hold.
        """
        self._kept["state"] = state
        if json.dumps(self._kept) != self._before:
            self._storage.set_study_system_attr(self._study_id, PUBLISHED, self._kept)

    def put(self, name: str, content: bytes, trial_id: int | None = None, title: str | None = None) -> str:
        """Add an artifact, or replace it if its content or its title has changed.

        Args:
            name: Its file name, by which it is known.
            content: What is in it.
            trial_id: Optuna's id of the trial that it belongs to; None for the study.
            title: What the dashboard calls it, in words; None for its file name.

        Returns:
            Where the dashboard serves it.
        """
        key = name if trial_id is None else f"{trial_id}/{name}"
        digest, shown = hashlib.sha256(content).hexdigest(), name if title is None else titled(title, name)
        entry = self._files.get(key) or {"id": str(uuid.uuid4())}
        if entry.get("shown") != shown:
            kind, encoding = mimetypes.guess_type(name)
            meta = {"artifact_id": entry["id"], "filename": shown, "encoding": encoding,
                    "mimetype": kind or "application/octet-stream"}  # fmt: skip
            self._storage.set_study_system_attr(self._study_id, _attribute(entry["id"], trial_id), json.dumps(meta))
        if entry.get("digest") != digest or not self._artifacts.has(entry["id"]):
            self._artifacts.write(entry["id"], io.BytesIO(content))
        self._files[key] = {**entry, "digest": digest, "shown": shown, "trial": trial_id}
        place = self._study_id if trial_id is None else f"{self._study_id}/{trial_id}"
        return f"/artifacts/{place}/{entry['id']}"

    def has(self, name: str, trial_id: int | None = None) -> bool:
        """Whether there is an artifact of that name, with its file.

        Args:
            name: Its file name.
            trial_id: The trial that it belongs to; None for the study.
        """
        entry = self._files.get(name if trial_id is None else f"{trial_id}/{name}")
        return entry is not None and self._artifacts.has(entry["id"])

    def ending(self, suffix: str) -> set[tuple[str, int | None]]:
        """The artifacts whose file name ends so: file name and trial id of each.

        Args:
            suffix: Such as ``.csv``.
        """
        found = ((key.rpartition("/")[2], entry["trial"]) for key, entry in self._files.items())
        return {(name, trial_id) for name, trial_id in found if name.endswith(suffix)}

    def keep_only(self, keys: set[tuple[str, int | None]]) -> None:
        """Take away the artifacts that are not among these.

        Args:
            keys: File name and trial id of each.
        """
        names = {name if trial_id is None else f"{trial_id}/{name}" for name, trial_id in keys}
        for key in [key for key in self._files if key not in names]:
            entry = self._files.pop(key)
            # What optuna-dashboard itself writes when a person deletes one.
            self._storage.set_study_system_attr(self._study_id, _attribute(entry["id"], entry["trial"]), "null")
            self._artifacts.remove(entry["id"])

    @property
    def _files(self) -> dict[str, Any]:
        files: dict[str, Any] = self._kept.setdefault("files", {})
        return files


def titled(title: str, name: str) -> str:
    """A title as a file name that every system can save, with the ending of the artifact's own.

    Args:
        title: In words; a colon becomes a dash, what else no file name may have is left out.
        name: The artifact's file name.
    """
    words = _FORBIDDEN.sub("", title.replace(": ", " - ").replace("/", " per "))
    return f"{' '.join(words.split())[:MOST_LETTERS]}{PurePath(name).suffix}"


def _attribute(artifact_id: str, trial_id: int | None) -> str:
    return f"{_STUDY_ARTIFACT}{artifact_id}" if trial_id is None else f"{_TRIAL_ARTIFACT}{trial_id}:{artifact_id}"
