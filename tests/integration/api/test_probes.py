"""Uploads are looked at a few at a time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from tests.support.clips import write_clip
from tests.support.stack import QUICK, running_stack

pytestmark = pytest.mark.integration


def test_no_more_are_probed_at_once_than_are_allowed_and_all_get_their_turn(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4")
    with running_stack(tmp_path, {"CDVD_PROBES": "2"}) as service, ThreadPoolExecutor(12) as pool:
        children = psutil.Process().children(recursive=True)
        [gateway] = [child for child in children if child.cmdline()[-2:] == ["-m", "service.api"]]
        over, most = threading.Event(), [0]

        def watch() -> None:
            while not over.is_set():
                most[0] = max(most[0], len(gateway.children()))

        watcher = threading.Thread(target=watch)
        watcher.start()
        answers = list(pool.map(lambda _: service.post(clip, model=QUICK).status_code, range(12)))
        over.set()
        watcher.join()

    assert answers == [202] * 12
    assert 1 <= most[0] <= 2
