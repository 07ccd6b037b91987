"""A storage that fails while a page is asked for: the page is told so, and the log in one line a minute."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from optuna.exceptions import OptunaError, StorageInternalError
from sqlalchemy.exc import SQLAlchemyError

from lrsearch.dashboard.pages import Headers, refusal
from lrsearch.dashboard.seldom import Seldom
from lrsearch.storage.reasons import is_outage, reason
from lrsearch.storage.retry import StorageFailedError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

logger = logging.getLogger(__name__)
OTHERS = ("optuna_dashboard._bottle_util", "optuna.storages._rdb.storage")
"""Who logs each of these errors, with its stack."""
_request = threading.local()
"""What happened to the storage in the request that a thread answers."""


class StorageAway:
    """WSGI application that answers 503 where another one fails because the storage does.

    Args:
        application: What reads the storage.
    """

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application
        _listen_to_others()
        if not logger.filters:
            logger.addFilter(Seldom())

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        _request.error = None
        said: list[Any] = []

        def start(status: str, headers: Headers, *error: Any) -> Any:
            said[:] = [status, headers, *error]
            return None if _request.error else start_response(status, headers, *error)

        try:
            chunks = self._application(environ, start)
        except (SQLAlchemyError, OptunaError, StorageFailedError) as error:
            _request.error = error
        if _request.error is None:
            return chunks
        if said and not said[0].startswith("500"):
            start_response(*said)
            return chunks
        answer = refusal(HTTPStatus.SERVICE_UNAVAILABLE, _told(_request.error))
        return answer.send(start_response, head=environ["REQUEST_METHOD"] == "HEAD")


class _Noted(logging.Filter):
    """Takes errors of the storage out of somebody's log, and notes them with the request."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = sys.exc_info()[1]
        if not isinstance(error, (SQLAlchemyError, StorageInternalError, StorageFailedError)):
            return True
        _request.error = error
        return False


def _listen_to_others() -> None:
    for name in OTHERS:
        other = logging.getLogger(name)
        if not any(isinstance(own, _Noted) for own in other.filters):
            other.addFilter(_Noted())


def _told(error: BaseException) -> str:
    """What a page is told; who looks after the server reads the database's own words in the log."""
    if isinstance(error, StorageFailedError):  # the database's file is gone
        logger.warning(str(error))
        return str(error)
    if is_outage(error):
        logger.warning("The storage is out of reach (%s); pages say so until it is back.", reason(error))
        return "the storage is out of reach"
    logger.warning("The storage refuses what a page asks for: %s", reason(error))
    return "the storage refuses this"
