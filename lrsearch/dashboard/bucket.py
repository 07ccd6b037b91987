"""Artifacts in a bucket that speaks S3, for machines that share no folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO
from urllib.parse import urlsplit

from optuna.artifacts import Boto3ArtifactStore
from optuna.artifacts.exceptions import ArtifactNotFound

from lrsearch import extras
from lrsearch.errors import InputError, LrsearchError, input_error

SCHEME = "s3://"


class ArtifactBucket(Boto3ArtifactStore):
    """Artifacts as objects of a bucket, each there whole or not at all.

    Credentials, region and endpoint come from where boto3 looks for them: ``AWS_ACCESS_KEY_ID``,
    ``AWS_SECRET_ACCESS_KEY``, ``AWS_ENDPOINT_URL`` and its files.

    Args:
        url: Such as ``s3://bucket/prefix``.

    Raises:
        InputError: boto3 is not installed, or the bucket cannot be reached.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        parts = urlsplit(self._url)
        if not parts.netloc:
            raise _input_error(url, "must name a bucket, such as s3://bucket/prefix")
        try:
            import botocore.exceptions
        except ImportError:
            rule = f"needs boto3; install it, {extras.install('s3')}"
            raise _input_error(url, rule) from None
        self._errors = (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError)
        prefix = parts.path.strip("/")
        self._prefix = f"{prefix}/" if prefix else ""
        try:
            super().__init__(parts.netloc)
            self.client.head_bucket(Bucket=self.bucket)
        except (*self._errors, ValueError) as error:
            raise _input_error(url, f"cannot be reached: {error}") from None

    def __str__(self) -> str:
        return self._url

    def has(self, artifact_id: str) -> bool:
        """See `Artifacts.has`."""
        try:
            self.client.head_object(Bucket=self.bucket, Key=self._prefix + artifact_id)
        except self._errors as error:
            if getattr(error, "response", {}).get("ResponseMetadata", {}).get("HTTPStatusCode") == 404:
                return False
            raise LrsearchError(f"the artifacts at {self} are out of reach: {error}") from error
        return True

    def open_reader(self, artifact_id: str) -> BinaryIO:
        """See `Artifacts.open_reader`."""
        with self._explained():
            return super().open_reader(self._prefix + artifact_id)

    def write(self, artifact_id: str, content_body: BinaryIO) -> None:
        """See `Artifacts.write`."""
        with self._explained():
            super().write(self._prefix + artifact_id, content_body)

    def remove(self, artifact_id: str) -> None:
        """See `Artifacts.remove`."""
        with self._explained():
            super().remove(self._prefix + artifact_id)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        import boto3.exceptions

        try:
            yield
        except ArtifactNotFound:
            raise
        except (*self._errors, boto3.exceptions.Boto3Error) as error:
            raise LrsearchError(f"the artifacts at {self} are out of reach: {error}") from error


def _input_error(url: str, rule: str) -> InputError:
    return input_error("command line", rule, key="--artifacts", received=f'"{url}"')
