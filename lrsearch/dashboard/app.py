"""The dashboard as one WSGI application: optuna-dashboard behind the gate."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import optuna_dashboard
from optuna.storages import BaseStorage

from lrsearch.dashboard.allowed_hosts import names
from lrsearch.dashboard.artifacts import Artifacts, Hardened
from lrsearch.dashboard.authentication import Authentication
from lrsearch.dashboard.away import StorageAway
from lrsearch.dashboard.front_page import FrontPage
from lrsearch.dashboard.guests import Guests
from lrsearch.dashboard.page_script import PageScript
from lrsearch.dashboard.request_validation import RequestValidation
from lrsearch.dashboard.response_cache import ResponseCache
from lrsearch.dashboard.sessions import Sessions
from lrsearch.dashboard.thinning import thin_answers
from lrsearch.storage.first_look import quicken

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def application(
    storage: BaseStorage,
    artifacts: Artifacts,
    *,
    host: str = "127.0.0.1",
    token: str | None = None,
    allowed_hosts: Iterable[str] = (),
    read_only: bool = False,
    guests: Guests | None = None,
) -> WSGIApplication:
    """The dashboard of a storage.

    Args:
        storage: A storage with a cache in front of it: without one every poll of a page reads every trial.
        artifacts: Where artifacts are.
        host: Where it will listen, which decides under which names it may be addressed.
        token: What everybody must show; None lets all in.
        allowed_hosts: Further names under which it may be addressed.
        read_only: Whether every changing request is refused.
        guests: Is told whose requests are let in.

    Raises:
        InputError: A host is no name.
    """
    thin_answers()
    quicken(storage)
    shown: Any = optuna_dashboard.wsgi(storage, artifact_store=artifacts)
    shown.catchall = False  # an outage is not its fault
    asked = PageScript(FrontPage(RequestValidation(shown, storage, artifacts), storage))
    inner = ResponseCache(StorageAway(asked))
    sessions = None if token is None else Sessions(token)
    gate = Authentication(inner, names(host, allowed_hosts), sessions, read_only=read_only, guests=guests)
    return Hardened(gate)
