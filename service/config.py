"""Settings from the environment (``CDVD_...``). Read only where a process is put together, nowhere below."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
)

from service.devices.names import DeviceOrder, Precision
from service.outbound.address import Reach
from service.quality import DefaultQuality
from service.redis_state.connection import with_password
from service.settings.gateway import GIB, GatewaySettings
from service.settings.transfers import TransferSettings
from service.storage.options import S3Options, StorageOptions
from service.types import Engine
from service.video.sandbox.probe_protocol import ProbeLimits
from service.webhooks.signature import secret_key
from service.window_limits import WindowLimits


def default_models() -> Path:
    """Returns the model repository that came with this cdvd: in a wheel's package, or at the top of a source tree."""
    package = Path(__file__).resolve().parent
    packaged = package / "model_repository"
    return packaged if packaged.is_dir() else package.parent / "model_repository"


class Settings(GatewaySettings, TransferSettings):
    """One value for every process of an installation; each reads what concerns it. Those of gateways are inherited."""

    redis_url: str = "redis://127.0.0.1:6379/0"
    """``redis://[user:password@]host:port/db``, ``rediss://`` the same over TLS (``?ssl_ca_certs=/path`` for a private
    authority), ``unix:///path?db=0``, or ``sentinel://[user:password@]host:port,host:port/<master>/<db>``
    (``sentinels://`` over TLS; ``?sentinel_auth=true`` where the Sentinels ask for the same password)."""
    redis_password: SecretStr | None = None
    """Kept apart from the address, so that it can come from a file; not for an address that holds one."""
    data: Path = Path("cdvd-data")
    """Uploads, pieces and results. Gateway and workers see the same files under this path, unless those are in
    an object store."""
    storage: Literal["filesystem", "s3"] = "filesystem"
    """``s3`` keeps files in an S3-compatible object store; gateway and workers then share no disk."""
    s3_bucket: str = "cdvd"
    s3_prefix: str = Field(default="", pattern=r"^$|/$")
    """In front of every key; empty or ending in a slash."""
    s3_endpoint: str | None = None
    """Such as ``http://minio:9000``; None is Amazon's."""
    s3_region: str = "us-east-1"
    s3_access_key_id: str | None = None
    s3_secret_access_key: SecretStr | None = None
    """Without keys they are looked for where Amazon's tools do: environment, files, the machine's role."""
    s3_public_url: str | None = None
    """The store as clients reach it: downloads are then redirected there. None: the gateway passes them on."""
    scratch: Path | None = None
    """A worker's local copies of objects in use; None is below ``data``."""
    scratch_bytes: int = Field(default=16 * GIB, gt=0)
    models: Path = Field(default_factory=default_models)
    """The model repository: ``<name>/1/model.onnx`` and ``<name>/model.json``."""
    model: str = "cdvd_lite"
    """The model of a job that names none, and of the qualities fast and good; workers load it before they take work."""
    best_model: str = "cdvd_base"
    """The model of the quality best; loaded when the first job needs it."""
    default_quality: DefaultQuality = "auto"
    """The quality of a job that names neither quality nor model nor looks. ``auto`` is the best at which Triton keeps
    up with the speed of the video, and ``fast`` where windows are restored in the worker."""
    log_format: Literal["text", "json"] = "text"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    retention_s: float = Field(default=7 * 86400.0, ge=0)
    """Seconds after its end when a job's files are removed and the job becomes ``expired``; 0 keeps them forever."""
    record_retention_s: float = Field(default=30 * 86400.0, ge=0)
    """Seconds for which an expired job stays on record."""

    webhook_secret: SecretStr | None = None
    """Signs webhooks: ``whsec_`` and base64. None: made at first use and kept in Redis."""
    webhook_allow_private: bool = False
    """Webhooks may go to this machine and to private networks: for tests and intranets."""
    webhook_ports: frozenset[int] | None = None
    """Ports (JSON) that webhooks may go to; None is 80 and 443, and any with ``webhook_allow_private``."""
    webhook_timeout_s: float = Field(default=10.0, gt=0)
    """Seconds for a receiver to answer."""
    webhook_first_delay_s: float = Field(default=5.0, gt=0)
    """Seconds before the second attempt; four times as many before each further one, at most six hours."""
    webhook_attempts: int = Field(default=10, ge=1)
    """Attempts after which a delivery is dead. Ten are spread over a day."""

    worker_name: str = Field(default_factory=socket.gethostname)
    """Unique among live workers and the same after a restart, so that a worker finds what it left behind."""
    worker_concurrency: int = Field(default=1, ge=1)
    """Segments in work at once. One keeps two CPU cores busy; an accelerator may want more."""
    tenant_weights: dict[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    """Shares of the workers by tenant (JSON, such as ``{"lab": 2}``); the others weigh 1."""
    segment_frames: int = Field(default=64, ge=1)
    """Output frames of one task: long enough that decoding from a keyframe and four extra context frames weigh
    little, short enough that a crash costs seconds and several workers can share a video."""
    window_pixels: int = Field(default=4_000_000, gt=0)
    """Output pixels of one call to the engine at most, on Triton and for models that do not state their memory; else
    the plan within ``memory_limit`` decides."""
    window_frames: int = Field(default=12, ge=1)
    """Output frames of one call at most. Beyond 12 the four context frames weigh little, and small videos would see
    a cancel late; with TensorRT no more than its profile has (``docs/models.md``)."""
    window_bytes: int | None = Field(default=None, gt=0)
    """Bytes that one call may take, for models whose ``model.json`` says what they need; ``window_pixels`` does not
    count then. For accelerators: T frames together cost 2T + 2 restorations, one alone costs four."""
    memory_limit: int | None = Field(default=None, gt=0)
    """Bytes that a worker may take. None: nine tenths of the container's limit or of the machine's free memory at its
    start, whichever is less. How videos are restored is planned within it, and what does not fit is refused."""
    windows_in_flight: int = Field(default=2, ge=1)
    """Windows of a segment at the engine at a time; two hide the transfer of one behind the work on the other."""
    engine: Engine = "onnx"
    """What restores windows. ``auto`` is the faster runtime of this machine's processor, measured at the first start
    and kept in ``data``: what `cdvd up` and `cdvd deblur` do by default. Runtimes differ by less than a level of 255 on
    average; workers that share jobs get one by name, so that all parts of a result come from the same."""
    device: str = "auto"
    """Where ONNX Runtime restores windows: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``tensorrt-rtx``, ``openvino``,
    ``coreml``, ``directml`` ... ``auto`` is the best that is here and computes what the model should. With commas, as
    in ``cuda,cpu``, the next one takes over where one fails, at start or in the midst of a job; else nothing does."""
    precision: Precision = "auto"
    """``auto`` takes the FP16 graph on accelerators, where the model has one and it is exact enough there."""
    triton_urls: Annotated[tuple[str, ...], NoDecode] = ("127.0.0.1:8001",)
    """gRPC addresses ``host:port`` of Triton, with commas between; a name stands for all that it resolves to."""
    triton_shared_memory: bool = True
    """Exchange windows by shared memory with a Triton that can: one on the same machine that allows it."""
    triton_timeout_s: float = Field(default=60.0, gt=0)
    """For one window at a Triton; one that takes longer gets no more until it has recovered."""
    triton_patience_s: float = Field(default=30.0, ge=0)
    """How long a window waits while no Triton answers; then its segment is put off and tried again."""
    engine_threads: int | None = Field(default=None, ge=1)
    """Threads of ONNX Runtime; None lets it take every core."""
    claim_ttl_s: int = Field(default=30, ge=2)
    """Seconds of silence after which a worker counts as dead, and its segments go to others."""
    stall_timeout_s: float = Field(default=900.0, gt=0)
    """Seconds without another frame after which a segment hangs; the worker then ends, to be started again."""
    drain_s: float = Field(default=0.0, ge=0)
    """Seconds after SIGTERM for segments in work to end; then, or with 0 at once, they stop at the next window and go
    to another worker."""
    metrics_host: str = "127.0.0.1"
    metrics_port: int | None = Field(default=None, ge=1, le=65535)
    """Where a worker serves ``/metrics`` for Prometheus; None is nowhere. The gateway's are at its own port."""

    @field_validator("webhook_secret")
    @classmethod
    def _usable(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            secret_key(value.get_secret_value())
        return value

    @field_validator("device")
    @classmethod
    def _known(cls, value: str) -> str:
        return str(DeviceOrder.parse(value))

    @field_validator("triton_urls", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in value.split(",") if part.strip())

    @property
    def broker(self) -> str:
        """``redis_url`` with the password in its place."""
        password = self.redis_password
        return (
            self.redis_url if password is None else with_password(self.redis_url, password.get_secret_value())
        )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Any setting can also be a file: ``$CDVD_SECRETS_DIR/cdvd_redis_password``, by default in /run/secrets."""
        usual = (init_settings, env_settings, dotenv_settings, file_secret_settings)
        directory = Path(os.environ.get("CDVD_SECRETS_DIR", "/run/secrets"))
        return (*usual, SecretsSettingsSource(settings_cls, directory)) if directory.is_dir() else usual

    def webhook_reach(self) -> Reach:
        """Returns where webhooks may go."""
        return Reach(self.webhook_allow_private, self.webhook_ports)

    def transfer_reach(self) -> Reach:
        """Returns where videos may be fetched from and results be sent to."""
        return Reach(self.transfer_allow_private, self.transfer_ports, self.transfer_hosts)

    def probe_limits(self) -> ProbeLimits:
        """Returns what a video may be, and how long looking at it may take."""
        return ProbeLimits(
            max_pixels=self.max_frame_pixels,
            max_duration_s=self.max_duration_s,
            max_frames=self.max_frames,
            timeout_s=self.probe_timeout_s,
        )

    def window_limits(self) -> WindowLimits:
        """Returns how workers with these settings cut videos."""
        return WindowLimits(
            segment_frames=self.segment_frames,
            frames=self.window_frames,
            pixels=self.window_pixels,
            bytes=self.window_bytes,
            in_flight=self.windows_in_flight,
        )

    def storage_options(self) -> StorageOptions:
        """How this process reaches the files of jobs."""
        scratch = self.scratch or self.data / "scratch"
        return StorageOptions(
            data=self.data,
            reserve_bytes=self.min_free_bytes,
            s3=self._s3_options() if self.storage == "s3" else None,
            scratch=scratch / self.worker_name,
            scratch_bytes=self.scratch_bytes,
        )

    def _s3_options(self) -> S3Options:
        secret = self.s3_secret_access_key
        return S3Options(
            bucket=self.s3_bucket,
            prefix=self.s3_prefix,
            endpoint=self.s3_endpoint,
            region=self.s3_region,
            access_key_id=self.s3_access_key_id,
            secret_access_key=secret.get_secret_value() if secret else None,
            public_url=self.s3_public_url,
        )
