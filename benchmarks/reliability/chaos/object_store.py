"""A service whose files lie in an object store, which the second host reaches over links that go bad."""

from __future__ import annotations

from typing import Self
from urllib.parse import urlsplit

from benchmarks.reliability.chaos.faults import link_faults
from benchmarks.reliability.chaos.links import Link, State
from benchmarks.reliability.chaos.stack import OTHERS, Stack
from tests.support.object_store import running_object_store, settings


class ObjectStoreStack(Stack):
    """A stack whose store is elsewhere: a loss of power leaves it whole."""

    def __enter__(self) -> Self:
        super().__enter__()
        directory = self.data.with_name("store")
        directory.mkdir()
        options = self._resources.enter_context(running_object_store(directory))
        self._settings |= settings(options)
        address = urlsplit(str(options.endpoint))
        store = (str(address.hostname), int(address.port or 0))
        for name in OTHERS:
            self.links[f"{name} and S3"] = self._resources.enter_context(Link(lambda: store))
        return self

    def _settings_of(self, name: str) -> dict[str, str]:
        endpoint = f"http://127.0.0.1:{self.links[f'{name} and S3'].port}"
        scratch = str(self.data / "scratch" / name)
        return {**super()._settings_of(name), "CDVD_S3_ENDPOINT": endpoint, "CDVD_SCRATCH": scratch}


FAULTS = link_faults(
    ("second worker and S3", "stalled for a while", State.STALLED),
    ("second worker and S3", "broken for a while", State.BROKEN),
    ("second worker and S3", "slow for a while", State.SLOW),
    ("second gateway and S3", "stalled for a while", State.STALLED),
    ("second gateway and S3", "broken for a while", State.BROKEN),
)
