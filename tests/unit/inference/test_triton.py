from __future__ import annotations

import numpy as np
import pytest

from service.errors.engine import EngineUnavailable, InferenceFailed
from service.inference.triton import TritonEngine, TritonOptions, resolver, split
from tests.support.fake_engines import AveragingEngine

FRAME = 64 * 80 * 3


@pytest.fixture
def window() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (11, 64, 80, 3), np.uint8)


@pytest.mark.parametrize("most_frames", [5, 6, 7, 10, 11, 100])
def test_a_window_that_was_cut_gives_the_same_frames(window: np.ndarray, most_frames: int) -> None:
    parts = split(window, most_frames * FRAME)
    engine = AveragingEngine()

    assert max(len(part) for part in parts) <= most_frames
    np.testing.assert_array_equal(
        np.concatenate([engine.restore(part) for part in parts]), engine.restore(window)
    )


def test_a_window_within_the_limit_is_not_cut(window: np.ndarray) -> None:
    (part,) = split(window, window.nbytes)

    assert part.shape == window.shape


def test_a_frame_that_fits_in_no_message_is_refused_before_it_is_sent(window: np.ndarray) -> None:
    with pytest.raises(InferenceFailed, match="80 x 64 pixels"):
        split(window, 5 * FRAME - 1)


@pytest.mark.parametrize(
    ("address", "resolved"),
    [
        ("127.0.0.1:9001", "127.0.0.1:9001"),
        ("127.0.0.1", "127.0.0.1:8001"),
        ("[::1]:9001", "[::1]:9001"),
        ("[::1]", "[::1]:8001"),
    ],
)
def test_an_address_is_a_host_and_perhaps_a_port(address: str, resolved: str) -> None:
    assert resolver([address])() == {resolved}


def test_a_name_stands_for_all_its_addresses() -> None:
    assert "127.0.0.1:8001" in resolver(["localhost:8001", "127.0.0.1:8001"])()


@pytest.mark.parametrize("address", ["triton:grpc", ":8001", "http://triton:8001/"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="host:port"):
        resolver([address])


def test_no_server_means_that_the_engine_is_away_for_now() -> None:
    with pytest.raises(EngineUnavailable, match="connect"):
        TritonEngine("any", TritonOptions(["127.0.0.1:1"], timeout_s=5))
