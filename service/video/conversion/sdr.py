"""Shows pictures of HDR and of wide color on ordinary screens, in sRGB. What is restored is never treated so.

The white of paper and subtitles in HDR, 203 cd/m2 (ITU-R BT.2408), is about that of sRGB; what is brighter is
compressed by the curve of ITU-R BT.2390, 5.4.1, by the largest of red, green and blue, so that colors keep their hue.
Loads no numpy: the gateway's child processes use it, too.
"""

from __future__ import annotations

from array import array
from fractions import Fraction
from functools import lru_cache
from itertools import product
from typing import TypeAlias

from av.filter import Graph
from av.video.frame import VideoFrame

from service.types import ColorTags

Color: TypeAlias = tuple[float, float, float]

_PQ, _HLG = 16, 18
_WHITE = 203.0
"""The brightness in cd/m2 that becomes white."""
_PQ_PEAK, _USUAL_PEAK = 10_000.0, 1000.0
"""The brightest that PQ can say, and that videos mostly have, in cd/m2."""
_TO_BT709 = {
    9: ((1.660491, -0.587641, -0.072850), (-0.124550, 1.132900, -0.008349), (-0.018151, -0.100579, 1.118730)),
    12: ((1.224940, -0.224940, 0.0), (-0.042057, 1.042057, 0.0), (-0.019638, -0.078636, 1.098274)),
}
"""From linear light of BT.2020 and of Display P3, by FFmpeg's codes of primaries."""
_SAME = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
_LUMA = (0.2627, 0.6780, 0.0593)
"""Of BT.2020."""
_LEVEL = 6
_STEPS, _SIDE = _LEVEL**2, _LEVEL**3
"""Steps of each color in the table, between which the filter interpolates; pixels of the table's side as a picture."""
_MOST = 65535
_TIME_BASE = Fraction(1, 25)
"""Single pictures have no times, but filters require a unit of them."""


def is_foreign(color: ColorTags) -> bool:
    """Returns whether a picture with these tags looks wrong where it is taken for sRGB."""
    return color.transfer in (_PQ, _HLG) or color.primaries in _TO_BT709


def in_srgb(frame: VideoFrame, color: ColorTags, peak: float | None) -> VideoFrame:
    """Returns an RGB frame, whose values mean what ``color`` says, with the values of sRGB.

    ``peak``: the brightest that the video has, in cd/m2; None where nobody knows.
    """
    peak = min(max(peak or _USUAL_PEAK, _WHITE), _PQ_PEAK)
    pictures = (frame, _table(color.transfer, color.primaries, peak))
    graph = Graph()
    mapping, sink = graph.add("haldclut"), graph.add("buffersink")
    mapping.link_to(sink)
    inputs = []
    for number, each in enumerate(pictures):
        inputs.append(
            graph.add_buffer(width=each.width, height=each.height, format=each.format, time_base=_TIME_BASE)
        )
        inputs[-1].link_to(mapping, 0, number)
    graph.configure()
    for given, each in zip(inputs, pictures, strict=True):
        each.pts, each.time_base = 0, _TIME_BASE
        given.push(each)
        given.push(None)
    shown = sink.pull()
    assert isinstance(shown, VideoFrame)
    return shown


@lru_cache(maxsize=2)
def _table(transfer: int, primaries: int, peak: float) -> VideoFrame:
    """Returns what each color becomes, as a picture with the colors in order; red changes fastest, blue slowest."""
    matrix = _TO_BT709.get(primaries, _SAME)
    light = [_light(transfer, step / (_STEPS - 1)) for step in range(_STEPS)]
    values = array("H")
    for blue, green, red in product(light, repeat=3):
        color = _on_screen(transfer, (red, green, blue), peak)
        values.extend(round(_srgb(_dot(row, color)) * _MOST) for row in matrix)
    table = VideoFrame(_SIDE, _SIDE, "rgb48le")
    table.planes[0].update(values.tobytes())
    return table


def _light(transfer: int, value: float) -> float:
    """Returns the light that a value in 0..1 means: in cd/m2 for PQ, else in 0..1."""
    if transfer == _PQ:
        return _of_pq(value)
    return _of_hlg(value) if transfer == _HLG else _of_srgb(value)


def _on_screen(transfer: int, light: Color, peak: float) -> Color:
    """Returns the light that a screen shows, where 1 is white."""
    if transfer == _HLG:  # ITU-R BT.2100: what a display of 1000 cd/m2 makes of the scene
        gain, peak = _USUAL_PEAK * _dot(_LUMA, light) ** 0.2, _USUAL_PEAK
    elif transfer == _PQ:
        gain = 1.0
    else:
        return light
    largest = gain * max(light)
    gain *= _compressed(largest, peak) / largest / _WHITE if largest else 0
    red, green, blue = (gain * one for one in light)
    return red, green, blue


def _compressed(light: float, peak: float) -> float:
    """Brings up to ``peak`` cd/m2 to as much as white has, by the curve of BT.2390."""
    brightest = _to_pq(peak)
    value, most = min(_to_pq(light) / brightest, 1.0), _to_pq(_WHITE) / brightest
    knee = 1.5 * most - 0.5
    if value > knee:
        t = (value - knee) / (1 - knee)
        value = (
            (2 * t**3 - 3 * t**2 + 1) * knee
            + (t**3 - 2 * t**2 + t) * (1 - knee)
            + (3 * t**2 - 2 * t**3) * most
        )
    return _of_pq(value * brightest)


def _of_pq(value: float) -> float:
    """Returns cd/m2 (SMPTE ST 2084)."""
    root = value ** (32 / 2523)
    return float(_PQ_PEAK * (max(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)) ** (8192 / 1305))


def _to_pq(light: float) -> float:
    root = (light / _PQ_PEAK) ** (1305 / 8192)
    return float(((0.8359375 + 18.8515625 * root) / (1 + 18.6875 * root)) ** (2523 / 32))


def _of_hlg(value: float) -> float:
    """Returns the light of the scene, 0..1 (ITU-R BT.2100)."""
    if value <= 0.5:
        return value**2 / 3
    return float((2.718281828459045 ** ((value - 0.55991073) / 0.17883277) + 0.28466892) / 12)


def _of_srgb(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


def _srgb(light: float) -> float:
    light = min(max(light, 0.0), 1.0)
    return 12.92 * light if light <= 0.0031308 else float(1.055 * light ** (1 / 2.4) - 0.055)


def _dot(one: Color, other: Color) -> float:
    return one[0] * other[0] + one[1] * other[1] + one[2] * other[2]
