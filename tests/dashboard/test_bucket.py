"""Artifacts in a bucket: published from one machine, shown by the dashboard of another. A real server speaks S3."""

from __future__ import annotations

import io
import json
import re
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dashboard_client import Client
from databases import close, skip
from optuna.artifacts.exceptions import ArtifactNotFound

from lrsearch.dashboard.app import application
from lrsearch.dashboard.artifacts import artifacts_of
from lrsearch.dashboard.bucket import ArtifactBucket
from lrsearch.dashboard.publish import publish
from lrsearch.errors import InputError, LrsearchError
from lrsearch.search.runner import Runner
from lrsearch.signals import Interruption
from lrsearch.storage.rdb import open_storage
from lrsearch.study import open as opening
from lrsearch.study import stored as studies
from lrsearch.study_file.model import Definition
from lrsearch.training.engine import SequentialEngine

# boto3 and moto still ask the clock in a way that Python 3.12 warns of.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """URL of the server."""
    try:
        from moto.server import ThreadedMotoServer
    except ImportError as error:
        skip("s3", str(error))
    made = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    made.start()
    host, port = made.get_host_and_port()
    yield f"http://{host}:{port}"
    made.stop()


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """URL of an empty bucket; the environment says where the server is."""
    import boto3

    environment = {"ENDPOINT_URL": server, "ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b"}
    for name, value in {**environment, "DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    name = f"lrsearch-{uuid.uuid4().hex}"
    boto3.client("s3").create_bucket(Bucket=name)
    return f"s3://{name}/team/one"


def test_what_one_machine_publishes_another_ones_dashboard_shows(
    bucket: str, define: Callable[..., Definition], tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/s.db"
    storage = open_storage(url, create=True)
    stored = studies.create(storage, define(pruner={"name": "none"}), "mse")
    for _ in Runner(stored, opening.task_of(stored), SequentialEngine(), Interruption()).events():
        pass
    assert publish(stored, artifacts_of(url, bucket))
    assert not publish(stored, artifacts_of(url, bucket))
    client = Client(application(storage, artifacts_of(url, bucket + "/")))
    pictures = re.findall(r"\]\((/artifacts/[^)]+)\)", json.loads(client("/api/studies/1").body)["note"]["body"])
    assert len(pictures) >= 3
    for path in pictures:
        answer = client(path)
        assert (answer.status, answer.body[:4]) == (200, b"\x89PNG")
    assert client(pictures[0][:-4] + "0000").status == 404
    close(storage)


def test_artifacts_are_replaced_and_removed_under_their_prefix(bucket: str) -> None:
    place, beside = ArtifactBucket(bucket), ArtifactBucket(bucket.removesuffix("/team/one"))
    place.write("one", io.BytesIO(b"first"))
    place.write("one", io.BytesIO(b"second"))
    assert place.open_reader("one").read() == b"second"
    assert place.has("one")
    assert not beside.has("one")
    assert beside.has("team/one/one")
    for _ in range(2):
        place.remove("one")
    assert not place.has("one")
    with pytest.raises(ArtifactNotFound):
        place.open_reader("one")


@pytest.mark.parametrize(("named", "said"), [("s3://", "must name a bucket"), ("s3://nowhere/x", "cannot be reached")])
def test_a_bucket_that_is_not_there_is_an_input_error(bucket: str, named: str, said: str) -> None:
    with pytest.raises(InputError, match=f"--artifacts = .*{said}"):
        artifacts_of("sqlite:///s.db", named)


def test_without_boto3_the_way_to_install_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("botocore", "botocore.exceptions"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InputError, match=r'pip install "\.\[s3\]"'):
        artifacts_of("sqlite:///s.db", "s3://bucket")


def test_a_bucket_that_goes_away_is_said_in_one_line(bucket: str) -> None:
    place = ArtifactBucket(bucket)
    place.client.delete_bucket(Bucket=place.bucket)
    with pytest.raises(LrsearchError, match=f"artifacts at {bucket} are out of reach"):
        place.write("one", io.BytesIO(b""))
