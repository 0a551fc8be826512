"""Shows the newest restored frame of a segment while the segment is in work."""

from __future__ import annotations

import time

from service.artifacts.newest_pictures import write_newest
from service.errors.storage import StorageError
from service.jobs.job import Job
from service.pipeline.newest import newest_pictures
from service.pipeline.segment import NewestFrame
from service.storage.store import NEWEST, Storage

PAUSE_S = 1.0
"""Seconds between two pictures at least: nobody sees more, and a fast device should not wait for them."""


class NewestFrameShow:
    """Publishes pictures of the newest frame of one segment, now and then."""

    def __init__(self, storage: Storage, job: Job) -> None:
        self._storage = storage
        self._job = job
        self._not_before = 0.0

    def show(self, newest: NewestFrame) -> int | None:
        """Publishes a frame and returns its number; None where it is too soon, or the storage takes no files now."""
        if time.monotonic() < self._not_before:
            return None
        try:
            with self._storage.writing(self._job.id, NEWEST) as file:
                write_newest(file, newest.number, newest_pictures(newest))
        except (StorageError, FileNotFoundError):
            return None  # The work is what counts, and it will meet the same trouble if that stays.
        finally:
            self._not_before = time.monotonic() + PAUSE_S
        return newest.number
