"""Every error the service raises on purpose, with the stable ``code`` that clients may rely on.

    ServiceError
    ├── VideoError ``video``       a video cannot be used: an upload, a stored source or a result
    │   ├── NotAVideo              not_a_video              no container format that we accept
    │   ├── NoVideoStream          no_video_stream          for example audio only
    │   ├── DamagedVideo           damaged_video            truncated or undecodable
    │   ├── FrameSizeRejected      frame_size_rejected      too many pixels, or a side below the minimum
    │   ├── VideoTooLong           video_too_long           seconds or frames over the limit
    │   ├── ExcerptEmpty           excerpt_empty            no frame between start and end
    │   └── ProbeTimeout           probe_timeout            looking at the file took too long
    ├── UploadError ``upload``     the transport of a file failed; nothing of it is kept
    │   ├── EmptyUpload            empty_upload
    │   ├── UploadTooLarge         upload_too_large         more bytes than allowed
    │   ├── MalformedRequest       malformed_request        not the form or the headers that a route takes
    │   ├── RequestTimeout         request_timeout          its header or body came too slowly
    │   ├── UploadNotFound         upload_not_found         no such resumable upload
    │   │   └── UploadExpired      upload_expired           its time is over, and its bytes are removed
    │   ├── UploadIncomplete       upload_incomplete        a job was asked for before all bytes were there
    │   ├── UploadLocked           upload_locked            another request writes to it
    │   ├── UploadOffsetMismatch   upload_offset_mismatch   bytes for another place than the end
    │   ├── ChecksumMismatch       checksum_mismatch        other bytes than were announced
    │   ├── WrongContentType       wrong_content_type       not what tus asks for
    │   └── TusVersionUnsupported  tus_version_unsupported
    ├── SubmissionError ``submission``
    │   ├── InvalidOption          invalid_option           an option with a value that is not allowed
    │   │   └── UnknownParameter   unknown_parameter        a query parameter or a field that nobody knows
    │   ├── NeedsMoreMemory        needs_more_memory        frames of this size fit no worker
    │   ├── SubmissionInFlight     submission_in_flight     the same Idempotency-Key at this moment
    │   └── IdempotencyKeyReused   idempotency_key_reused   the key was used for something else
    ├── StorageError ``storage``
    │   ├── StorageFull            storage_full             retry later; a job waits for space
    │   ├── LocalCopiesTooSmall    local_copies_too_small   a file that the limit of local copies can never hold
    │   └── StorageUnavailable     storage_unavailable      the object store cannot be reached; retry later
    ├── JobError ``job``
    │   ├── JobNotFound            job_not_found
    │   ├── JobNotFinished         job_not_finished         no result yet
    │   ├── JobStateConflict       job_state_conflict       for example a cancel of a finished job
    │   ├── JobCanceled            job_canceled             raised between windows when a cancel was asked for
    │   ├── ResultExpired          result_expired
    │   ├── SourceMissing          source_missing           the video of a job that is not done is gone from storage
    │   ├── FrameNotFound          frame_not_found          the video has no frame of this number
    │   ├── FrameNotRestored       frame_not_restored       its segment is still to do
    │   └── SegmentGaveUp          segment_gave_up          a segment killed its worker too many times
    ├── EngineError ``engine``
    │   ├── EngineUnavailable      engine_unavailable       retry later; the job does not fail at once
    │   ├── InferenceFailed        inference_failed         the engine refused or failed this window
    │   │   └── OutOfMemory        out_of_memory            smaller parts may do
    │   ├── PrecisionTooLow        precision_too_low        the engine's pictures differ from the model's
    │   ├── DeviceUnavailable      device_unavailable       a device that was asked for does not work here
    │   ├── InvalidDevice          invalid_device           no name of a device
    │   └── ModelNotFound          model_not_found
    ├── PipelineError ``pipeline`` restoration_failed       decode, encode or join failed
    │   └── FidelityLost           fidelity_lost            a strict job whose result would lack something
    ├── AccessError ``access``
    │   ├── Unauthenticated        unauthenticated          no key, or one that is wrong, revoked or expired
    │   ├── ScopeMissing           scope_missing            the key may not do this
    │   ├── OriginMissing          origin_missing           a browser's session used by what is no page
    │   └── KeyNotFound            key_not_found            no key of this prefix
    ├── LimitReached ``limit``     limit_reached            try again later
    │   ├── RateLimited            rate_limited             more submissions than the key may make in a minute
    │   ├── TooManyJobs            too_many_jobs            as many unfinished jobs as the key may have
    │   ├── StorageQuotaExceeded   storage_quota_exceeded   more bytes than the key may keep
    │   ├── TooManyConnections     too_many_connections     as many as the service, or one address, may have
    │   ├── TooManyStreams         too_many_streams         as many event streams as the service, or a tenant, may have
    │   └── QueueFull              queue_full               as many jobs wait as the service lets wait
    ├── OutboundError ``outbound``
    │   ├── AddressRefused         address_refused          malformed, or leads where the service does not go
    │   ├── FetchRefused           fetch_refused            a server will not give the video of an input_url
    │   ├── FetchFailed            fetch_failed             it cannot be reached or breaks off; tried again
    │   └── SendFailed             send_failed              a server does not take the result at its output_url
    ├── WebhookError ``webhook``
    │   ├── WebhookRefused         webhook_refused          an address that is malformed or not public
    │   ├── WebhookFailed          webhook_failed           a receiver cannot be reached or does not answer
    │   └── DeliveryNotFound       delivery_not_found       no such webhook delivery
    ├── BrokerUnavailable          broker_unavailable       Redis cannot be reached
    │   ├── BrokerFull             broker_full              Redis has no memory left
    │   └── BrokerDiskFull         broker_disk_full         Redis cannot write to its disk
    ├── StartupError ``startup``
    │   ├── DataInUse              data_in_use              two services on one data directory
    │   ├── DataVersionUnsupported data_version_unsupported a data directory of a newer release
    │   ├── StackFailed            stack_failed             a part of the embedded service does not start or stay
    │   ├── InsecureAddress        insecure_address         a public address without keys
    │   └── RequirementMissing     requirement_missing      for example no redis-server found
    └── ClientError                ``service.client.errors``: on the other side of the HTTP API

Each branch is a module of this package, named beside it. Catch the branch that you mean: a pipeline that
reads a result catches ``VideoError``. HTTP statuses live in ``service.api.answers.problems`` alone.
"""

from __future__ import annotations


class ServiceError(Exception):
    """Base of all deliberate errors. ``str(error)`` says what was wrong and what is allowed."""

    code = "internal_error"
    retry_after_s: float | None = None
    """Seconds after which the same request may succeed, where that is known."""
