from service.video.tracks.adts import without_adts_header

WITHOUT_CHECKSUM = bytes.fromhex("fff14c80020000")
WITH_CHECKSUM = bytes.fromhex("fff04c8002000012 34")


def test_the_header_is_taken_off() -> None:
    assert without_adts_header(WITHOUT_CHECKSUM + b"sound", "aac") == b"sound"
    assert without_adts_header(WITH_CHECKSUM + b"sound", "aac") == b"sound"


def test_other_payloads_stay_as_they_are() -> None:
    assert without_adts_header(b"\x21\x10\x04sound", "aac") == b"\x21\x10\x04sound"
    assert without_adts_header(WITHOUT_CHECKSUM + b"sound", "mp3") == WITHOUT_CHECKSUM + b"sound"
    assert without_adts_header(b"\xff\xf1", "aac") == b"\xff\xf1"
