"""Finds the videos that arrive in folders, once nothing writes them any more.

Folders are looked through again and again rather than watched by the kernel: whether a file still grows has to be
looked at in any case, and events do not arrive from network drives, where hot folders mostly are.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from service.cli.batch.finding import Folder
from service.cli.batch.plan import Item, Planner, item_in
from service.cli.batch.sources import Pictures, VideoFile

SETTLED_S = 3.0
"""Seconds without a change after which a video is taken to be whole; some cameras and copies pause for a second."""
PICTURES_SETTLED_S = 15.0
"""The same for a folder of pictures, where seconds may pass from one to the next."""
LATER_S = 30.0
"""Seconds until a video is sent again that the service could not take."""


@dataclass
class _Seen:
    """A video as it was found, when it will have settled, and whether it was handed out like that."""

    identity: str
    settled_at: float
    taken: bool = False


class HotFolder:
    """The videos in folders, each handed out once for every time that it is written."""

    def __init__(
        self,
        folders: Sequence[Folder],
        output: Path | None,
        fields: Mapping[str, str],
        planner: Planner,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folders, self._output, self._fields = folders, output, fields
        self._planner, self._clock = planner, clock
        self._seen: dict[str, _Seen] = {}
        self._results: dict[Path, Path] = {}
        self.clashes: list[tuple[Item, FileExistsError]] = []
        """Videos whose results would take the place of others' results, since this list was last emptied."""

    def arrived(self) -> list[Item]:
        """Returns the videos without results that are whole by now and were not returned before."""
        found: dict[str, _Seen] = {}
        items = []
        for folder, video in self._videos():
            seen = self._look(video)
            if seen is None:
                continue
            found[str(video)] = seen
            if not seen.taken and video.size and self._clock() >= seen.settled_at:
                seen.taken = True
                items += self._item(folder, video)
        self._seen = found
        return items

    def again_later(self, item: Item) -> None:
        """Hands a video out again after a while, without waiting for it to change."""
        seen = self._seen.get(str(item.source))
        if seen:
            seen.taken, seen.settled_at = False, self._clock() + LATER_S

    def _videos(self) -> Iterator[tuple[Folder, VideoFile | Pictures]]:
        for folder in self._folders:
            for video in folder.sources(self._output):
                yield folder, video

    def _look(self, video: VideoFile | Pictures) -> _Seen | None:
        """Returns what is known of a video; None for one that has just gone."""
        try:
            identity = video.identity
        except OSError:
            return None
        seen = self._seen.get(str(video))
        if seen and seen.identity == identity:
            return seen
        settled_s = PICTURES_SETTLED_S if isinstance(video, Pictures) else SETTLED_S
        return _Seen(identity, self._clock() + settled_s)

    def _item(self, folder: Folder, video: VideoFile | Pictures) -> list[Item]:
        try:
            item = self._planner.judged(item_in(folder, video, self._output, self._fields))
        except OSError:  # it has just gone
            return []
        other = self._results.setdefault(item.output.resolve(), video.path)
        if other.resolve() != video.path.resolve():
            clash = f"{other} and {video} would both become {item.output}."
            self.clashes.append((item, FileExistsError(clash)))
            return []
        return [] if item.done else [item]
