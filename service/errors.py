"""Every error the service raises on purpose, with the stable ``code`` that clients may rely on.

    ServiceError
    ├── UploadError                the upload cannot become a job; nothing of it is kept
    │   ├── EmptyUpload            empty_upload
    │   ├── UploadTooLarge         upload_too_large         more bytes than allowed
    │   ├── MalformedRequest       malformed_request        not the multipart form that POST /jobs takes
    │   ├── InvalidOption          invalid_option           a form field with a value that is not allowed
    │   ├── NotAVideo              not_a_video              no container format that we accept
    │   ├── NoVideoStream          no_video_stream          for example audio only
    │   ├── DamagedVideo           damaged_video            truncated or undecodable
    │   ├── FrameSizeRejected      frame_size_rejected      too many pixels, or a side below the minimum
    │   ├── VideoTooLong           video_too_long           seconds or frames over the limit
    │   ├── WebhookRefused         webhook_refused          a webhook address that is malformed or not public
    │   ├── SubmissionInFlight     submission_in_flight     the same Idempotency-Key at this moment
    │   ├── IdempotencyKeyReused   idempotency_key_reused   the key was used for something else
    │   ├── UploadNotFound         upload_not_found         no such resumable upload, or it has expired
    │   ├── UploadIncomplete       upload_incomplete        a job was asked for before all bytes were there
    │   ├── UploadLocked           upload_locked            another request writes to it
    │   ├── UploadOffsetMismatch   upload_offset_mismatch   bytes for another place than the end
    │   ├── ChecksumMismatch       checksum_mismatch        other bytes than were announced
    │   ├── WrongContentType       wrong_content_type       not what tus asks for
    │   ├── TusVersionUnsupported  tus_version_unsupported
    │   ├── ExcerptEmpty           excerpt_empty            no frame between start and end
    │   ├── ProbeTimeout           probe_timeout            looking at the file took too long
    │   └── StorageFull            storage_full
    ├── JobError
    │   ├── JobNotFound            job_not_found
    │   ├── JobNotFinished         job_not_finished         no result yet
    │   ├── JobStateConflict       job_state_conflict       e.g. cancel of a finished job
    │   ├── JobCanceled            job_canceled             raised between windows when a cancel was asked for
    │   ├── ResultExpired          result_expired
    │   ├── FrameNotFound          frame_not_found          the video has no frame of this number
    │   ├── FrameNotRestored       frame_not_restored       its segment is still to do
    │   ├── DeliveryNotFound       delivery_not_found       no such webhook delivery
    │   └── SegmentGaveUp          segment_gave_up          a segment killed its worker too many times
    ├── ModelNotFound              model_not_found
    ├── EngineError
    │   ├── EngineUnavailable      engine_unavailable       retry later; the job does not fail at once
    │   ├── InferenceFailed        inference_failed         the engine refused or failed this window
    │   └── PrecisionTooLow        precision_too_low        the engine's pictures differ from the model's
    ├── PipelineError              restoration_failed       decode, encode or join failed
    │   └── FidelityLost           fidelity_lost            a strict job whose result would lack something
    ├── AccessError
    │   ├── Unauthenticated        unauthenticated          no key, or one that is wrong, revoked or expired
    │   ├── ScopeMissing           scope_missing            the key may not do this
    │   ├── OriginMissing          origin_missing           a browser's session used by what is no page
    │   └── KeyNotFound            key_not_found            no key of this prefix
    ├── LimitReached               limit_reached            try again later
    │   ├── RateLimited            rate_limited             more submissions than the key may make in a minute
    │   ├── TooManyJobs            too_many_jobs            as many unfinished jobs as the key may have
    │   ├── StorageQuotaExceeded   storage_quota_exceeded   more bytes than the key may keep
    │   └── QueueFull              queue_full               as many jobs wait as the service lets wait
    ├── BrokerUnavailable          broker_unavailable       Redis cannot be reached
    ├── StorageUnavailable         storage_unavailable      the object store cannot be reached; retry later
    ├── WebhookFailed              webhook_failed           a receiver cannot be reached or does not answer
    ├── DataInUse                  data_in_use              two services on one data directory
    ├── StackFailed                stack_failed             a part of the embedded service does not start or stay
    ├── InsecureAddress            insecure_address         a public address without keys
    ├── RequirementMissing         requirement_missing      e.g. no redis-server found
    └── ClientError                ``service.client.errors``: on the other side of the HTTP API

HTTP statuses live in ``service.api.errors`` alone.
"""

from __future__ import annotations


class ServiceError(Exception):
    """Base of all deliberate errors. ``str(error)`` says what was wrong and what is allowed."""

    code = "internal_error"


class UploadError(ServiceError):
    code = "upload_rejected"


class EmptyUpload(UploadError):
    code = "empty_upload"


class UploadTooLarge(UploadError):
    code = "upload_too_large"


class MalformedRequest(UploadError):
    code = "malformed_request"


class InvalidOption(UploadError):
    code = "invalid_option"


class NotAVideo(UploadError):
    code = "not_a_video"


class NoVideoStream(UploadError):
    code = "no_video_stream"


class DamagedVideo(UploadError):
    code = "damaged_video"


class FrameSizeRejected(UploadError):
    code = "frame_size_rejected"


class VideoTooLong(UploadError):
    code = "video_too_long"


class WebhookRefused(UploadError):
    code = "webhook_refused"


class SubmissionInFlight(UploadError):
    code = "submission_in_flight"


class IdempotencyKeyReused(UploadError):
    code = "idempotency_key_reused"


class UploadNotFound(UploadError):
    code = "upload_not_found"


class UploadIncomplete(UploadError):
    code = "upload_incomplete"


class UploadLocked(UploadError):
    code = "upload_locked"


class UploadOffsetMismatch(UploadError):
    code = "upload_offset_mismatch"


class ChecksumMismatch(UploadError):
    code = "checksum_mismatch"


class WrongContentType(UploadError):
    code = "wrong_content_type"


class TusVersionUnsupported(UploadError):
    code = "tus_version_unsupported"


class ExcerptEmpty(UploadError):
    code = "excerpt_empty"


class ProbeTimeout(UploadError):
    code = "probe_timeout"


class StorageFull(UploadError):
    code = "storage_full"


class JobError(ServiceError):
    code = "job_error"


class JobNotFound(JobError):
    code = "job_not_found"


class JobNotFinished(JobError):
    code = "job_not_finished"


class FrameNotFound(JobError):
    code = "frame_not_found"


class FrameNotRestored(JobError):
    code = "frame_not_restored"


class JobStateConflict(JobError):
    code = "job_state_conflict"


class JobCanceled(JobError):
    code = "job_canceled"


class ResultExpired(JobError):
    code = "result_expired"


class DeliveryNotFound(JobError):
    code = "delivery_not_found"


class SegmentGaveUp(JobError):
    code = "segment_gave_up"


class ModelNotFound(ServiceError):
    code = "model_not_found"


class EngineError(ServiceError):
    code = "engine_error"


class EngineUnavailable(EngineError):
    code = "engine_unavailable"


class InferenceFailed(EngineError):
    code = "inference_failed"


class PrecisionTooLow(EngineError):
    code = "precision_too_low"


class PipelineError(ServiceError):
    code = "restoration_failed"


class FidelityLost(PipelineError):
    code = "fidelity_lost"


class AccessError(ServiceError):
    code = "access_error"


class Unauthenticated(AccessError):
    code = "unauthenticated"


class ScopeMissing(AccessError):
    code = "scope_missing"


class OriginMissing(AccessError):
    code = "origin_missing"


class KeyNotFound(AccessError):
    code = "key_not_found"


class LimitReached(ServiceError):
    """``retry_after_s``: seconds after which it may be worth asking again."""

    code = "limit_reached"
    usual_wait_s = 30

    def __init__(self, message: str, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = self.usual_wait_s if retry_after_s is None else retry_after_s


class RateLimited(LimitReached):
    code = "rate_limited"


class TooManyJobs(LimitReached):
    code = "too_many_jobs"


class StorageQuotaExceeded(LimitReached):
    code = "storage_quota_exceeded"
    usual_wait_s = 3600


class QueueFull(LimitReached):
    code = "queue_full"


class BrokerUnavailable(ServiceError):
    code = "broker_unavailable"


class StorageUnavailable(ServiceError):
    code = "storage_unavailable"


class WebhookFailed(ServiceError):
    code = "webhook_failed"


class DataInUse(ServiceError):
    code = "data_in_use"


class StackFailed(ServiceError):
    code = "stack_failed"


class InsecureAddress(ServiceError):
    code = "insecure_address"


class RequirementMissing(ServiceError):
    code = "requirement_missing"
