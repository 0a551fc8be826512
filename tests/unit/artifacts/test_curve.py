from pathlib import Path

import pytest

from service.artifacts.curve import Curve, merged, read_curve


def test_a_curve_survives_its_file(tmp_path: Path) -> None:
    curve = Curve(4, (1.25, 2.0), (3.5, None), (0.5, None), cuts=(5,))
    path = tmp_path / "curve.json"
    path.write_text(curve.to_json())

    assert read_curve(path) == curve


def test_segments_fall_into_their_places_and_gaps_stay_empty() -> None:
    late, early = Curve(3, (3.0,), (30.0,), (0.3,), (3,)), Curve(0, (1.0,), (10.0,), (0.1,))

    whole = merged([late, early], frames=4)

    assert whole == Curve(0, (1.0, None, None, 3.0), (10.0, None, None, 30.0), (0.1, None, None, 0.3), (3,))


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "curve.json"
    path.write_text('{"start": 0}')

    with pytest.raises(ValueError, match="before"):
        read_curve(path)
