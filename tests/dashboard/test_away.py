"""A storage that goes away under the dashboard: pages are told, and the log stays short."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
from dashboard_client import Client
from databases import close
from outages import door_to

from lrsearch.dashboard.app import application
from lrsearch.dashboard.artifacts import ArtifactFolder
from lrsearch.storage.rdb import open_storage, parse

Serve = Callable[..., Client]
READS = ("/api/studies", "/api/studies/1?after=0", "/csv/1", "/api/studies/1/param_importances")


@pytest.mark.parametrize("database_url", ["postgres", "mysql"], indirect=True)
def test_an_outage_is_said_to_pages_and_once_in_the_log(
    database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever is asked; a connection that has ended in between is made again."""
    caplog.set_level("WARNING")
    logging.getLogger("lrsearch.dashboard.away").filters.clear()
    with door_to(parse(database_url).render_as_string(hide_password=False)) as door:
        storage = open_storage(door.url, create=True)
        number = optuna.create_study(storage=storage, study_name="small")._study_id
        client = Client(application(storage, ArtifactFolder(tmp_path)))
        paths = [path.replace("1", str(number)) for path in READS]
        expected = [client(path).status for path in paths]
        assert 500 not in expected
        door.shut(10**6)
        answers = [client(f"{path}{'&' if '?' in path else '?'}x=1") for path in paths]
        door.shut(0)
        assert [client(path).status for path in paths] == expected
        close(storage)
    assert [answer.status for answer in answers] == [503] * len(READS)
    assert all(b"the storage is out of reach" in answer.body for answer in answers)
    assert [record.message.split(" (")[0] for record in caplog.records] == ["The storage is out of reach"]
    assert "Traceback" not in "".join(capfd.readouterr())


def test_a_database_whose_file_is_gone_is_named(
    copy: tuple[Path, Callable[..., Client]], caplog: pytest.LogCaptureFixture
) -> None:
    place, make = copy
    client = make(token=None)
    assert client("/api/studies").status == 200
    (place / "s.db").rename(place / "elsewhere.db")
    gone = client("/api/studies?x=1")
    assert (gone.status, b"was removed while it was in use" in gone.body) == (503, True)
    assert "Exception" not in caplog.text
    (place / "elsewhere.db").rename(place / "s.db")
