from service.video.tracks.payloads import normalized

WITHOUT_CHECKSUM = bytes.fromhex("fff14c80020000")
WITH_CHECKSUM = bytes.fromhex("fff04c8002000012 34")


def test_the_header_is_taken_off() -> None:
    assert normalized(WITHOUT_CHECKSUM + b"sound", "aac") == b"sound"
    assert normalized(WITH_CHECKSUM + b"sound", "aac") == b"sound"


def test_other_payloads_stay_as_they_are() -> None:
    assert normalized(b"\x21\x10\x04sound", "aac") == b"\x21\x10\x04sound"
    assert normalized(WITHOUT_CHECKSUM + b"sound", "mp3") == WITHOUT_CHECKSUM + b"sound"
    assert normalized(b"\xff\xf1", "aac") == b"\xff\xf1"
