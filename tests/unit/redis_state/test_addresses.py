from __future__ import annotations

import pytest
import redis

from service.redis_state.celery_address import broker_url, tls_options, transport_options
from service.redis_state.connection import reason, with_password
from service.redis_state.sentinel import sentinel_address


def test_sentinel_address_is_read_whole() -> None:
    address = sentinel_address(
        "sentinels://me:p%40ss@one,two:26380/jobs/3?ssl_ca_certs=/ca.pem&sentinel_auth=true"
    )

    assert address
    assert address.nodes == (("one", 26379), ("two", 26380))
    assert (address.master, address.db, address.username, address.password) == ("jobs", 3, "me", "p@ss")
    secured = {"ssl": True, "ssl_ca_certs": "/ca.pem"}
    assert address.redis_options() == {"db": 3, "username": "me", "password": "p@ss", **secured}
    assert address.sentinel_options() | {"password": "p@ss", **secured} == address.sentinel_options()


def test_sentinels_get_no_password_unless_asked_for() -> None:
    address = sentinel_address("sentinel://:secret@one:26379/jobs")

    assert address
    assert "password" not in address.sentinel_options()
    assert (address.db, address.tls) == (0, None)


@pytest.mark.parametrize("url", ["redis://one:6379/0", "unix:///run/redis.sock?db=0", "rediss://one/0"])
def test_other_addresses_are_left_to_others(url: str) -> None:
    assert sentinel_address(url) is None


@pytest.mark.parametrize("url", ["sentinel:///jobs", "sentinel://one:26379", "sentinel://one,,two/jobs"])
def test_incomplete_sentinel_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"sentinel://|Sentinel"):
        sentinel_address(url)


@pytest.mark.parametrize(
    ("url", "celerys"),
    [
        ("redis://:pw@one:6379/2", "redis://:pw@one:6379/2"),
        ("rediss://:pw@one:6380/2?ssl_ca_certs=/ca.pem", "redis://:pw@one:6380/2"),
        ("unix:///run/redis.sock?db=4", "redis+socket:///run/redis.sock?virtual_host=4"),
        ("sentinel://:p%2Fw@one,two:1/jobs/5", "sentinel://:p%2Fw@one:26379/5;sentinel://:p%2Fw@two:1/5"),
    ],
)
def test_celery_is_told_the_same_place_in_its_own_words(url: str, celerys: str) -> None:
    assert broker_url(url) == celerys


@pytest.mark.parametrize("url", ["rediss://one/0", "sentinels://one/jobs"])
def test_tls_is_verified_unless_the_address_says_otherwise(url: str) -> None:
    assert tls_options(url) == {"ssl_cert_reqs": "required", "ssl_check_hostname": True}
    assert tls_options(f"{url}?ssl_ca_certs=/ca.pem")["ssl_ca_certs"] == "/ca.pem"  # type: ignore[index]
    assert tls_options(url.replace("s:", ":")) is None


def test_master_is_a_transport_option() -> None:
    assert transport_options("sentinel://one/jobs")["master_name"] == "jobs"
    assert transport_options("unix:///run/redis.sock?db=0") == {}


def test_password_from_elsewhere_finds_its_place() -> None:
    assert with_password("sentinel://one,two:1/jobs/0", "p/w") == "sentinel://:p%2Fw@one,two:1/jobs/0"


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            "Error 2 connecting to unix:///run/cdvd/redis.sock. No such file or directory.",
            "Error 2 connecting to its socket. No such file or directory.",
        ),
        ("Error 111 connecting to 127.0.0.1:6379. Connection refused.",) * 2,
        ("Timeout reading from /run/redis.sock", "Timeout reading from its socket."),
        ("OOM command not allowed", "OOM command not allowed."),
        ("", "ConnectionError."),
    ],
)
def test_reasons_are_sentences_without_the_path_of_a_socket(said: str, sentence: str) -> None:
    assert reason(redis.ConnectionError(said)) == sentence
