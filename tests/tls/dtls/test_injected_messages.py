"""Alerts and messages that a stranger sends, one or more of them: the session comes to what it came to without them."""

from pathlib import Path

import pytest
from dtls_injection import ALERT, CLIENT, HANDSHAKE, SERVER, Talk, message, plain

CERTIFICATE, HELLO_VERIFY_REQUEST, LAST = 11, 3, 2**32 - 1


@pytest.mark.parametrize("keys", [True, False])
@pytest.mark.parametrize("body", [b"\1\x2a", b"\1\x30", b"\1\xff", b"\1\x0a"], ids=["bad", "unknown_ca", "none", "unexpected"])
@pytest.mark.parametrize("name", ["dtls13-psk", "dtls13-cookie"])
def test_an_alert_whose_level_is_a_warning(name: str, body: bytes, keys: bool, tmp_path: Path):
    """In DTLS 1.3 the level says nothing (RFC 9846 section 6), and the role goes on."""
    (honest,) = Talk(name).read(tmp_path, keys)
    for place in (1, 2, 3):
        talk = Talk(name)
        talk.insert(place, CLIENT, plain(ALERT, body, LAST))
        (found,) = talk.read(tmp_path, keys)
        assert (found["outcome"]["result"], found["outcome"]["cause"]) == (honest["outcome"]["result"], None)


@pytest.mark.parametrize("keys", [True, False])
@pytest.mark.parametrize("name", ["dtls12-srtp", "dtls13-key-update"])
def test_several_alerts(name: str, keys: bool, tmp_path: Path):
    (honest,) = Talk(name).read(tmp_path, keys)
    for role in (CLIENT, SERVER):
        talk = Talk(name)
        for number in range(3):
            talk.insert(3, role, plain(ALERT, b"\2\x28", LAST - number))
        (found,) = talk.read(tmp_path, keys)
        assert found["outcome"]["result"] == honest["outcome"]["result"]
        assert "fatal_alert" not in {one["code"] for one in found["findings"]}


@pytest.mark.parametrize("sequence", [2, 4, 5, 6])
@pytest.mark.parametrize("name", ["dtls12-client-certificate", "dtls12-cookie"])
def test_a_request_for_a_cookie_with_a_late_number(name: str, sequence: int, tmp_path: Path):
    """A server has sent nothing before it asks for a cookie (RFC 6347 section 4.2.1)."""
    (honest,) = Talk(name).read(tmp_path)
    for place in range(2, 14):
        talk = Talk(name)
        talk.insert(place, SERVER, plain(HANDSHAKE, message(HELLO_VERIFY_REQUEST, sequence, bytes(40)), LAST))
        (found,) = talk.read(tmp_path)
        assert found["authenticity"] == honest["authenticity"], place
        assert not {one["severity"] for one in found["findings"]} & {"medium", "high"}, place


def test_a_message_with_a_number_behind_the_finished(tmp_path: Path):
    """What opened has shown that the handshake of its role is over."""
    name = "dtls12-rsa-key-exchange"
    (honest,) = Talk(name).read(tmp_path)
    for place in range(8, 14):
        for sequence in range(4, 8):
            talk = Talk(name)
            talk.insert(place, CLIENT, plain(HANDSHAKE, message(CERTIFICATE, sequence, bytes(300)), LAST))
            (found,) = talk.read(tmp_path)
            assert found["client_chain"]["verdict"] == honest["client_chain"]["verdict"], (place, sequence)
            assert found["authenticity"] == honest["authenticity"], (place, sequence)


@pytest.mark.parametrize("keys", [True, False])
def test_a_message_with_the_number_of_the_second_hello(keys: bool, tmp_path: Path):
    """None of the two is used then, and the client has not left out its hello."""
    talk = Talk("dtls12-rsa-key-exchange")
    talk.insert(7, CLIENT, plain(HANDSHAKE, message(16, 1, b""), LAST))
    (found,) = talk.read(tmp_path, keys)
    assert not {one["severity"] for one in found["findings"]} & {"medium", "high"}
