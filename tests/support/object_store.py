"""A real S3 server of its own process for tests, with a bucket."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import httpx
from botocore.config import Config

from service.local.children import Child, ChildSpec
from service.storage.options import S3Options
from tests.support.stack import until

BUCKET = "videos"
KEY_ID, SECRET = "tester", "a secret of the tests"


@contextmanager
def running_object_store(directory: Path, host: str = "127.0.0.1") -> Iterator[S3Options]:
    """An empty store at ``host``; ends with the block, or with this process."""
    port = free_port(host)
    command = [sys.executable, "-m", "moto.server", "-H", host, "-p", str(port)]
    child = Child(ChildSpec("s3", command, directory / "s3.log"))
    child.start()
    endpoint = f"http://{host}:{port}"
    try:
        until(lambda: _answers(endpoint), "the object store answers")
        options = S3Options(BUCKET, "tests/", endpoint, "us-east-1", KEY_ID, SECRET, None)
        client(options).create_bucket(Bucket=BUCKET)
        yield options
    finally:
        child.stop()


def client(options: S3Options):  # type: ignore[no-untyped-def]
    """For looking at the bucket from outside the service."""
    return boto3.client(
        "s3",
        endpoint_url=options.endpoint,
        region_name=options.region,
        aws_access_key_id=options.access_key_id,
        aws_secret_access_key=options.secret_access_key,
        config=Config(s3={"addressing_style": "path"}),
    )


def keys(options: S3Options) -> set[str]:
    """Everything in the bucket, without the prefix."""
    found = client(options).list_objects_v2(Bucket=options.bucket).get("Contents", [])
    return {entry["Key"].removeprefix(options.prefix) for entry in found}


def settings(options: S3Options) -> dict[str, str]:
    """The ``CDVD_...`` variables of processes that use it."""
    return {
        "CDVD_STORAGE": "s3",
        "CDVD_S3_BUCKET": options.bucket,
        "CDVD_S3_PREFIX": options.prefix,
        "CDVD_S3_ENDPOINT": str(options.endpoint),
        "CDVD_S3_ACCESS_KEY_ID": KEY_ID,
        "CDVD_S3_SECRET_ACCESS_KEY": SECRET,
    }


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _answers(endpoint: str) -> bool:
    try:
        return httpx.get(endpoint, timeout=5, trust_env=False).is_success
    except httpx.TransportError:
        return False
