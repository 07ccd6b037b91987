"""Where artifacts lie, and how they are served: as data to save or show, never as a page that runs scripts."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from optuna.artifacts import FileSystemArtifactStore

from lrsearch import atomic_file
from lrsearch.dashboard.bucket import SCHEME, ArtifactBucket
from lrsearch.dashboard.pages import Headers
from lrsearch.errors import input_error
from lrsearch.storage.rdb import parse, sqlite_file

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"
SAFE_TYPES = ("image/", "audio/", "video/", "text/plain", "text/csv", "application/json", "application/pdf")
"""Types that a browser may be told. A script or a style sheet must not be loaded from an artifact."""


class Artifacts(Protocol):
    """Where artifacts lie: a folder, or a bucket that machines without a common folder share."""

    def has(self, artifact_id: str) -> bool:
        """Whether there is an artifact of that name.

        Args:
            artifact_id: Its name, without any path.
        """

    def open_reader(self, artifact_id: str) -> BinaryIO:
        """An artifact's content.

        Args:
            artifact_id: Its name.
        """

    def write(self, artifact_id: str, content_body: BinaryIO) -> None:
        """Store an artifact; who reads meanwhile gets the former one.

        Args:
            artifact_id: Its name; one that is there is replaced.
            content_body: Its content.
        """

    def remove(self, artifact_id: str) -> None:
        """Remove an artifact; one that is gone already must not stop a study from being deleted.

        Args:
            artifact_id: Its name.
        """


class ArtifactFolder(FileSystemArtifactStore):
    """Artifacts as files of a folder, each there whole or not at all.

    Args:
        folder: It is made when the first artifact is written.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.folder = folder

    def __str__(self) -> str:
        return str(self.folder)

    def has(self, artifact_id: str) -> bool:
        """See `Artifacts.has`."""
        return (self.folder / artifact_id).is_file()

    def write(self, artifact_id: str, content_body: BinaryIO) -> None:
        """See `Artifacts.write`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        atomic_file.write(self._get_filepath(artifact_id), content_body.read())

    def remove(self, artifact_id: str) -> None:
        """See `Artifacts.remove`."""
        self._get_filepath(artifact_id).unlink(missing_ok=True)


def artifacts_of(url: str, named: str | None) -> Artifacts:
    """Where the artifacts of a storage are.

    Args:
        url: The storage.
        named: A folder, or a bucket as ``s3://bucket/prefix``; by default a folder beside an SQLite file, or in the
            working directory.

    Raises:
        InputError: The folder is there and is none, or cannot be written; the bucket cannot be reached.
    """
    if named is not None and named.startswith(SCHEME):
        return ArtifactBucket(named)
    file = sqlite_file(parse(url))
    beside = Path("lrsearch.artifacts") if file is None else file.with_suffix(".artifacts")
    folder = beside if named is None else Path(named)
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        rule = "must be a folder that can be written"
        raise input_error("command line", rule, key="--artifacts", received=f'"{folder}"')
    return ArtifactFolder(folder)


class Hardened:
    """WSGI application that adds to every response what makes it safe to show.

    Args:
        application: What makes the responses.
    """

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        path = environ.get("PATH_INFO", "")

        def start(status: str, headers: Headers, *rest: Any) -> Any:
            return start_response(status, hardened(path, headers), *rest)

        return self._application(environ, start)


def hardened(path: str, headers: Headers) -> Headers:
    """A response's headers with ours, and without those that let other sites read it.

    Args:
        path: What was asked for.
        headers: What the application says.
    """
    kept = [(name, value) for name, value in headers if not name.lower().startswith("access-control-")]
    added = [
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
    ]
    if not path.startswith("/static/"):
        added.append(("Cache-Control", "no-store"))
        kept = [(name, value) for name, value in kept if name.lower() != "cache-control"]
    if path.startswith("/artifacts"):
        kept = [(name, _type(value) if name.lower() == "content-type" else value) for name, value in kept]
        added += [("Content-Security-Policy", POLICY), ("Content-Disposition", "attachment")]
    return kept + added


def _type(stored: str) -> str:
    """The stored type of an artifact, if nothing can be done with it but to show it."""
    return stored if stored.lower().startswith(SAFE_TYPES) else "application/octet-stream"
