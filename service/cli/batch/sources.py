"""What becomes a job: a video in a file, numbered pictures, a video at an address, or the video of another job."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from service.cli.batch.journal import digest_of, identity_of
from service.cli.batch.pictures import packed, rate_of
from service.cli.options import job_options
from service.client import RESUMABLE_FROM_BYTES, Client, Job, TransferCallback
from service.submission.filenames import filename_in


@dataclass(frozen=True)
class Sending:
    """How a source is sent. ``fields`` are the text parts of POST /jobs, ``key`` is the Idempotency-Key."""

    fields: Mapping[str, str]
    key: str | None = None
    on_sent: TransferCallback | None = None
    resumable_from: int = RESUMABLE_FROM_BYTES
    upload: str | None = None
    """A resumable upload that was begun earlier."""
    on_upload: Callable[[str], None] | None = None


class Source(ABC):
    """Something that becomes one job. As text it is what a person calls it."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The name of the video, with its ending."""

    @property
    def stem(self) -> str:
        """The name without its ending."""
        return Path(self.name).stem

    @property
    def ending(self) -> str:
        """The ending of the name, in lower case, such as ``.mp4``; "" where there is none."""
        return Path(self.name).suffix.lower()

    @property
    @abstractmethod
    def place(self) -> Path:
        """The folder of the result, unless another one is named."""

    @property
    @abstractmethod
    def identity(self) -> str:
        """Another text as soon as the video is another one, as far as that can be seen from here. Raises OSError."""

    @abstractmethod
    def submit(self, client: Client, sending: Sending) -> Job:
        """Makes a job of it. Raises ClientError, OSError."""

    @property
    def files(self) -> Sequence[Path]:
        """The files on this machine that it consists of."""
        return ()

    @property
    def size(self) -> int:
        """Bytes of its files; 0 where one of them is gone or still empty."""
        with suppress(OSError):
            sizes = [file.stat().st_size for file in self.files]
            return sum(sizes) if all(sizes) else 0
        return 0


@dataclass(frozen=True)
class VideoFile(Source):
    """A video in a file."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def place(self) -> Path:
        return self.path.parent

    @property
    def identity(self) -> str:
        return identity_of([self.path])

    @property
    def files(self) -> Sequence[Path]:
        return (self.path,)

    def submit(self, client: Client, sending: Sending) -> Job:
        return _sent(client, self.path, sending)


@dataclass(frozen=True)
class Pictures(Source):
    """Numbered pictures of one folder, in their order: the frames of one video."""

    pictures: tuple[Path, ...]
    given_rate: str | None = None
    """Frames per second; None leaves it to the folder's ``fps.txt``."""

    def __str__(self) -> str:
        return str(self.path)

    @property
    def path(self) -> Path:
        """The folder."""
        return self.pictures[0].parent

    @property
    def name(self) -> str:
        return self.path.resolve().name or "frames"

    @property
    def stem(self) -> str:
        return self.name

    @property
    def ending(self) -> str:
        return ""

    @property
    def place(self) -> Path:
        return self.path.resolve().parent if self.path.name in ("", "..") else self.path.parent

    @property
    def identity(self) -> str:
        return identity_of(self.pictures, self._rate)

    @property
    def files(self) -> Sequence[Path]:
        return self.pictures

    def submit(self, client: Client, sending: Sending) -> Job:
        with packed(self.pictures, self._rate) as archive:
            return _sent(client, archive, sending)

    @property
    def _rate(self) -> str:
        return self.given_rate or rate_of(self.path)


@dataclass(frozen=True)
class Address(Source):
    """A video on another server, which the service fetches by itself."""

    url: str

    def __str__(self) -> str:
        return self.url

    @property
    def name(self) -> str:
        return filename_in(self.url)

    @property
    def place(self) -> Path:
        return Path()

    @property
    def identity(self) -> str:
        return digest_of(["url", self.url])

    def submit(self, client: Client, sending: Sending) -> Job:
        options = job_options(sending.fields).model_dump(mode="json", exclude_unset=True)
        return client.submit_url(self.url, idempotency_key=sending.key, **options)


@dataclass(frozen=True)
class SentBefore(Source):
    """The video of another job, which the service has."""

    job_id: str

    def __str__(self) -> str:
        return self.job_id

    @property
    def name(self) -> str:
        return self.job_id

    @property
    def place(self) -> Path:
        return Path()

    @property
    def identity(self) -> str:
        return digest_of(["job", self.job_id])

    def submit(self, client: Client, sending: Sending) -> Job:
        return client.submit_again(self.job_id, idempotency_key=sending.key, **sending.fields)


def _sent(client: Client, file: Path, sending: Sending) -> Job:
    return client.submit(
        file,
        options=sending.fields,
        on_sent=sending.on_sent,
        idempotency_key=sending.key,
        resumable_from=sending.resumable_from,
        upload=sending.upload,
        on_upload=sending.on_upload,
    )
