"""How a result is encoded: what is asked for, what follows from the upload, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from tests.support.clips import Clip, write_clip
from tests.support.stack import QUICK, Service, running_stack

pytestmark = pytest.mark.integration
VP9 = Clip(frames=6, codec="libvpx-vp9", encoder={"crf": "20", "cpu-used": "8"})
CLIP = Clip(frames=6)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_stack(tmp_path_factory.mktemp("outputs"), {"CDVD_SEGMENT_FRAMES": "3"}) as running:
        yield running


@pytest.mark.parametrize(
    ("name", "clip", "fields", "codec", "ending", "media_type"),
    [
        ("hand.mov", CLIP, {}, "h264", "mov", "video/quicktime"),
        ("hand.mkv", CLIP, {}, "h264", "mkv", "video/x-matroska"),
        ("hand.webm", VP9, {}, "vp9", "webm", "video/webm"),
        ("hand.avi", CLIP, {}, "h264", "mp4", "video/mp4"),
        ("hand.mp4", CLIP, {"codec": "prores"}, "prores", "mov", "video/quicktime"),
        ("hand.mp4", CLIP, {"codec": "av1", "container": "webm"}, "av1", "webm", "video/webm"),
        ("hand.mp4", CLIP, {"codec": "hevc", "encode_quality": "draft"}, "hevc", "mp4", "video/mp4"),
    ],
)
def test_a_result_has_the_codec_and_the_container_that_fit(
    service: Service,
    tmp_path: Path,
    name: str,
    clip: Clip,
    fields: dict[str, str],
    codec: str,
    ending: str,
    media_type: str,
) -> None:
    job_id = service.submit(write_clip(tmp_path / name, clip), filename=name, model=QUICK, **fields)
    job = service.until_status(job_id, "succeeded")

    result = service.http.get(f"/jobs/{job_id}/result")
    (tmp_path / "result").write_bytes(result.content)
    with av.open(str(tmp_path / "result")) as container:
        assert container.streams.video[0].codec_context.codec.canonical_name == codec
        assert len(list(container.decode(video=0))) == 6
    assert result.headers["content-type"] == media_type
    assert f'filename="hand_deblurred.{ending}"' in result.headers["content-disposition"]
    assert (job["output"]["codec"], job["output"]["container"]) == (codec, ending)
    assert (job["options"]["codec"], job["options"]["container"]) == (codec, ending)
    preview = service.http.get(f"/jobs/{job_id}/preview/5.jpg", params={"view": "side"})
    assert preview.headers["content-type"] == "image/jpeg"


IMPOSSIBLE = [
    ({"codec": "prores", "container": "webm"}, "The container webm does not hold ProRes"),
    ({"codec": "ffv1", "container": "mp4"}, "The container mp4 does not hold FFV1"),
    ({"codec": "vp9", "bit_depth": 10}, "VP9 is encoded with a bit depth of 8, not 10"),
    ({"codec": "hevc", "crf": 60}, "The option crf is at most 51 for HEVC, not 60"),
    ({"crf": 20, "encode_quality": "good"}, "give either it or crf"),
    ({"codec": "prores", "encoder": "hardware"}, "No hardware encodes ProRes"),
]


@pytest.mark.parametrize(("options", "sentence"), IMPOSSIBLE)
def test_what_no_video_can_become_is_refused_by_jobs_and_estimates(
    service: Service, tmp_path: Path, options: dict[str, object], sentence: str
) -> None:
    clip = write_clip(tmp_path / "clip.mp4", CLIP)
    before = service.lasting_files()

    refused = service.post(clip, model=QUICK, **{name: str(value) for name, value in options.items()})
    estimated = service.http.post("/estimates", json={"width": 640, "height": 360, "frames": 9, **options})

    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_option")
    assert sentence in refused.json()["detail"]
    assert estimated.status_code == 422
    assert sentence in estimated.text
    assert service.lasting_files() == before
