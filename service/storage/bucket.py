"""Reads and writes one bucket of an S3-compatible object store.

This is the only module that knows boto3; it turns boto3's errors into those of the service.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from service.errors.storage import StorageFull, StorageUnavailable
from service.storage.options import S3Options
from service.storage.store import DownloadHeaders

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import CopySourceTypeDef

SIGNED_FOR_S = 3600
"""Seconds for which a signed address is valid: long enough for a player that is paused and goes on."""

TRANSFER = TransferConfig(multipart_threshold=32 << 20, multipart_chunksize=16 << 20, max_concurrency=4)
"""Big files travel in ranges, four at a time: one connection rarely fills the line to an object store."""

_GONE = frozenset({"404", "NoSuchKey", "NoSuchUpload", "NotFound"})
_FULL = frozenset({"507", "InsufficientStorage", "QuotaExceeded", "XMinioStorageFull"})


@dataclass(frozen=True)
class ListedObject:
    """An object, or an unfinished upload, as a listing has it."""

    key: str
    changed: datetime
    """When the object, or the latest part of the upload, was written."""
    upload_id: str = ""
    """Identifies an unfinished upload; empty for an object."""


class Bucket:
    """Stores objects under keys.

    Methods raise StorageUnavailable, StorageFull when there is no room, and FileNotFoundError for a key or an upload
    that does not exist.
    """

    def __init__(self, options: S3Options) -> None:
        self._name = options.bucket
        self._client = _client(options, options.endpoint)
        self.public = options.public_url is not None
        self._signer = _client(options, options.public_url) if options.public_url else self._client

    def size(self, key: str) -> int | None:
        """Returns the bytes of an object, or None where there is none."""
        found = self.version(key)
        return None if found is None else found[0]

    def version(self, key: str) -> tuple[int, str] | None:
        """Returns the bytes of an object and the tag of its contents, or None where there is none."""
        try:
            with _errors():
                found = self._client.head_object(Bucket=self._name, Key=key)
        except FileNotFoundError:
            return None
        return found["ContentLength"], found["ETag"]

    def put(self, key: str, data: bytes) -> None:
        """Writes a whole object."""
        with _errors():
            self._client.put_object(Bucket=self._name, Key=key, Body=data)

    def begin_parts(self, key: str) -> str:
        """Begins an upload in parts and returns its id. No object appears before ``join_parts``."""
        with _errors():
            return self._client.create_multipart_upload(Bucket=self._name, Key=key)["UploadId"]

    def put_part(self, key: str, upload_id: str, number: int, data: bytes) -> str:
        """Sends a part and returns its tag for ``join_parts``.

        Parts are numbered from 1; all but the last have at least 5 MiB.
        """
        with _errors():
            answer = self._client.upload_part(
                Bucket=self._name, Key=key, UploadId=upload_id, PartNumber=number, Body=data
            )
        return answer["ETag"]

    def join_parts(self, key: str, upload_id: str, tags: list[str]) -> None:
        """Makes an object of the parts, whose ``tags`` are in the order of their numbers."""
        parts = [{"ETag": tag, "PartNumber": number} for number, tag in enumerate(tags, 1)]
        with _errors():
            self._client.complete_multipart_upload(
                Bucket=self._name,
                Key=key,
                UploadId=upload_id,
                MultipartUpload={"Parts": parts},  # type: ignore[typeddict-item]
            )

    def drop_parts(self, key: str, upload_id: str) -> None:
        """Gives up an upload and removes its parts."""
        with _errors():
            self._client.abort_multipart_upload(Bucket=self._name, Key=key, UploadId=upload_id)

    def sign(self, key: str, headers: DownloadHeaders | None) -> str:
        """Returns an address for GET that needs no credentials.

        With ``headers`` it is for clients of the service, who may reach the store at another address.
        """
        wanted = {"Bucket": self._name, "Key": key}
        if headers:
            wanted["ResponseContentType"] = headers.media_type
            wanted["ResponseContentDisposition"] = headers.disposition
            wanted["ResponseCacheControl"] = "private, no-cache"
        signer = self._signer if headers else self._client
        return signer.generate_presigned_url("get_object", Params=wanted, ExpiresIn=SIGNED_FOR_S)

    def download(self, key: str, target: Path) -> None:
        """Writes an object to the file ``target``."""
        with _errors():
            self._client.download_file(self._name, key, str(target), Config=TRANSFER)

    def upload(self, source: Path, key: str) -> None:
        """Sends a file. The object appears whole or not at all."""
        with _errors():
            self._client.upload_file(str(source), self._name, key, Config=TRANSFER)

    def copy(self, source: str, key: str) -> None:
        """Copies an object within the bucket. The copy appears whole or not at all."""
        place: CopySourceTypeDef = {"Bucket": self._name, "Key": source}
        with _errors():
            self._client.copy(place, self._name, key, Config=TRANSFER)

    def objects(self, prefix: str) -> Iterator[ListedObject]:
        """Lists the objects whose keys begin with ``prefix``."""
        pages = self._client.get_paginator("list_objects_v2")
        with _errors():
            for page in pages.paginate(Bucket=self._name, Prefix=prefix):
                for entry in page.get("Contents", []):
                    yield ListedObject(entry["Key"], entry["LastModified"])

    def unfinished(self, prefix: str) -> Iterator[ListedObject]:
        """Lists uploads in parts that were neither joined nor dropped, with the time of their latest part."""
        pages = self._client.get_paginator("list_multipart_uploads")
        with _errors():
            for page in pages.paginate(Bucket=self._name, Prefix=prefix):
                for entry in page.get("Uploads", []):
                    key, upload_id = entry["Key"], entry["UploadId"]
                    yield ListedObject(key, self._latest_part(key, upload_id, entry["Initiated"]), upload_id)

    def _latest_part(self, key: str, upload_id: str, begun: datetime) -> datetime:
        """Returns when the latest part came: an upload over a slow line takes hours and is not abandoned."""
        pages = self._client.get_paginator("list_parts")
        parts = pages.paginate(Bucket=self._name, Key=key, UploadId=upload_id)
        return max((part["LastModified"] for page in parts for part in page.get("Parts", [])), default=begun)

    def remove(self, key: str) -> None:
        """Removes an object; one that does not exist is no error."""
        with _errors():
            self._client.delete_object(Bucket=self._name, Key=key)

    def check(self) -> None:
        """Raises StorageUnavailable unless the bucket answers to these credentials."""
        try:
            with _errors():
                self._client.head_bucket(Bucket=self._name)
        except FileNotFoundError as error:
            raise StorageUnavailable(f"There is no bucket {self._name!r} in the object store.") from error


def _client(options: S3Options, endpoint: str | None) -> S3Client:
    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": "path" if endpoint else "auto"},  # a host name per bucket is Amazon's way
        connect_timeout=5,
        read_timeout=60,
        retries={"mode": "standard", "total_max_attempts": 4},
        max_pool_connections=32,
        request_checksum_calculation="when_required",  # other stores do not know Amazon's newer checksums
        response_checksum_validation="when_required",
    )
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=options.region,
        aws_access_key_id=options.access_key_id,
        aws_secret_access_key=options.secret_access_key,
        config=config,
    )


@contextmanager
def _errors() -> Iterator[None]:
    """Turns boto3's errors into StorageUnavailable, StorageFull and FileNotFoundError."""
    try:
        yield
    except ClientError as error:
        raise _translated(error) from error
    except (BotoCoreError, Boto3Error) as error:
        raise StorageUnavailable(f"The object store cannot be used: {error}") from error


def _translated(error: ClientError) -> Exception:
    code = str(error.response.get("Error", {}).get("Code", ""))
    if code in _GONE:
        return FileNotFoundError(str(error))
    if code in _FULL:
        return StorageFull("The object store is full. Try again later.")
    return StorageUnavailable(f"The object store refused a request: {error}")
