"""Files whose clocks break or whose bytes are damaged, made of healthy clips."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from tests.support.clips import Clip, write_clip

_FLV_HEADER = 13
"""Bytes before the first tag: the file's header, and the size of no tag."""
_TS_PACKET = 188


def remux(given: Path, path: Path, move: Callable[[Any], None], **options: str) -> Path:
    """Copy all packets of ``given``, each changed by ``move``; the container follows from the suffix."""
    with av.open(str(given)) as source, av.open(str(path), "w", options=options) as output:
        copies = {one.index: output.add_stream_from_template(one, opaque=True) for one in source.streams}
        for packet in source.demux():
            if packet.size:
                move(packet)
                packet.stream = copies[packet.stream.index]
                output.mux(packet)
    return path


def later(seconds: Fraction) -> Callable[[Any], None]:
    """What moves packets by ``seconds``."""

    def move(packet: Any) -> None:
        shift = round(seconds / packet.time_base)
        packet.pts += shift
        packet.dts = packet.pts if packet.dts is None else packet.dts + shift

    return move


def joined(folder: Path, suffix: str, clip: Clip, starts: Sequence[Fraction | int]) -> Path:
    """Put copies of one clip behind each other, whose clocks begin at ``starts``, without changing their times."""
    whole = write_clip(folder / f"whole{suffix}", clip)
    parts = [
        remux(whole, folder / f"part{number}{suffix}", later(Fraction(start))).read_bytes()
        for number, start in enumerate(starts)
    ]
    skipped = _FLV_HEADER if suffix == ".flv" else 0
    path = folder / f"joined{suffix}"
    path.write_bytes(b"".join([parts[0], *(part[skipped:] for part in parts[1:])]))
    return path


def step_back_in_ts(path: Path, pid: int, after_s: Fraction, by: int) -> Path:
    """Subtract ``by`` ticks from the presentation times of one stream of a transport stream, from ``after_s`` on."""
    data = bytearray(path.read_bytes())
    for packet in range(0, len(data), _TS_PACKET):
        begins, here = data[packet + 1] & 0x40, (data[packet + 1] & 0x1F) << 8 | data[packet + 2]
        if here != pid or not begins:
            continue
        extra = 1 + data[packet + 4] if data[packet + 3] & 0x20 else 0
        at = packet + 4 + extra + 9  # behind the header of the PES packet
        one, two, three = (
            data[at] >> 1 & 7,
            int.from_bytes(data[at + 1 : at + 3]),
            int.from_bytes(data[at + 3 : at + 5]),
        )
        pts = one << 30 | two >> 1 << 15 | three >> 1
        if pts >= after_s * 90_000:
            pts -= by
            data[at] = data[at] & 0xF1 | pts >> 30 << 1
            data[at + 1 : at + 3] = ((pts >> 15 & 0x7FFF) << 1 | 1).to_bytes(2)
            data[at + 3 : at + 5] = ((pts & 0x7FFF) << 1 | 1).to_bytes(2)
    path.write_bytes(data)
    return path


def damage_frame(path: Path, packet: int, byte: int = 0xFF, kept: int = 0) -> Path:
    """Overwrite the data of one video packet, counted in the order of the file, behind its first ``kept`` bytes."""
    with av.open(str(path)) as container:
        places = [(one.pos, one.size) for one in container.demux(video=0) if one.size]
    position, size = places[packet]
    data = bytearray(path.read_bytes())
    data[position + kept : position + size] = bytes([byte]) * (size - kept)
    path.write_bytes(data)
    return path


def reshaped(path: Path, shapes: Sequence[Fraction] = (Fraction(1), Fraction(4, 3))) -> Path:
    """Write a transport stream whose pixels have another shape after each 10 frames of 1/25 s."""
    parts = []
    for number, shape in enumerate(shapes):
        part = path.with_name(f"shape{number}.ts")
        with av.open(str(part), "w") as output:
            video = output.add_stream("libx264", rate=25, width=96, height=64, options={"bf": "0"})
            video.codec_context.sample_aspect_ratio = shape
            for pts in range(10):
                frame = av.VideoFrame(96, 64, "yuv420p")
                frame.pts = pts
                output.mux(video.encode(frame))
            output.mux(video.encode(None))
        parts.append(part.read_bytes())
    path.write_bytes(b"".join(parts))
    return path


def cut_off(path: Path, share: float) -> Path:
    """Keep only the beginning of a file."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path
