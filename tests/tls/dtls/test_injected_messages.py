"""Alerts and messages that a stranger sends, one or more of them: the session comes to what it came to without them."""

import itertools
from pathlib import Path
from typing import Any

import pytest
from dtls_forgeries import HEAD, fragments
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


def notes(record: dict[str, Any]) -> set[str]:
    return {one["code"] for one in record["findings"]}


@pytest.mark.parametrize(
    "name", ["dtls10-rsa", "dtls12-fragments", "dtls12-gnutls", "dtls13-cookie", "dtls13-client-certificate"]
)
@pytest.mark.parametrize("keys", [True, False])
@pytest.mark.parametrize("pieces", [1, 3])
def test_what_is_sent_again_contradicts_nothing(name: str, keys: bool, pieces: int, tmp_path: Path):
    """Also in other fragments (RFC 9147 section 5.5), and with new numbers of records."""
    (honest,) = Talk(name).read(tmp_path, keys)
    talk, numbers = Talk(name), itertools.count(700)
    for place, role, fragment in reversed(fragments(talk)):
        length, offset, data = int.from_bytes(fragment[1:4]), int.from_bytes(fragment[6:9]), fragment[HEAD:]
        size = max(1, -(-len(data) // pieces))
        for at in range(0, max(1, len(data)), size):
            part = message(fragment[0], int.from_bytes(fragment[4:6]), data[at : at + size], length, offset + at)
            talk.insert(place + 1, role, plain(HANDSHAKE, part, next(numbers)))
    (found,) = talk.read(tmp_path, keys)
    assert notes(found) - {"captured_twice"} == notes(honest)  # they have one IP identification
    assert found["authenticity"] == honest["authenticity"]


@pytest.mark.parametrize("keys", [True, False])
def test_another_cookie_is_legal(keys: bool, tmp_path: Path):
    """A server makes one for each ClientHello, and the client returns that of the one that it got."""
    (honest,) = Talk("dtls12-cookie").read(tmp_path, keys)
    for at in (1, 2):
        talk = Talk("dtls12-cookie")
        body = b"\xfe\xff" + b"\x05other"
        talk.insert(at, SERVER, plain(HANDSHAKE, message(HELLO_VERIFY_REQUEST, 0, body), 7))
        (found,) = talk.read(tmp_path, keys)
        assert notes(found) == notes(honest)
        (request,) = (one for one in found["handshake"] if one["type"] == "hello_verify_request")
        assert request["frame"] == (3 if at == 1 else 2)
        assert found["authenticity"] == honest["authenticity"]


def test_a_late_hello_in_plaintext_is_no_attack_on_a_legal_session(tmp_path: Path):
    """In DTLS 1.3 a role has two hellos at most, and anybody can send a third one."""
    for sequence in (2, 7):
        talk = Talk("dtls13-psk")
        talk.insert(1, SERVER, plain(HANDSHAKE, message(2, sequence, bytes(60)), LAST))
        (found,) = talk.read(tmp_path, False)
        assert "plaintext_record" not in notes(found)
        assert found["version"] == "DTLS 1.3"


def test_a_record_with_the_number_of_a_hidden_one(tmp_path: Path):
    """Without keys both count, so a forged record hides neither the Finished nor the end."""
    (honest,) = Talk("dtls12-cookie").read(tmp_path, False)
    for number in range(3):
        talk = Talk("dtls12-cookie")
        talk.insert(talk.first(16), CLIENT, plain(23, bytes(40), number, 1))
        (found,) = talk.read(tmp_path, False)
        assert len(found["alerts"]) == len(honest["alerts"])
        assert (found["established"], found["outcome"]["ended_by"]) == (True, "client")


def test_data_behind_what_looks_like_an_alert(tmp_path: Path):
    """Nobody says which of them its side has sent: so not who ended the session."""
    talk = Talk("dtls12-cookie")
    talk.insert(len(talk.packets), CLIENT, plain(23, bytes(40), 90, 1))
    (found,) = talk.read(tmp_path, False)
    assert (found["outcome"]["result"], found["outcome"]["ended_by"]) == ("established", None)


def test_records_of_another_version(tmp_path: Path):
    """They came before the ServerHello tells the version."""
    (honest,) = Talk("dtls13-psk").read(tmp_path)
    talk = Talk("dtls13-psk")
    talk.insert(1, SERVER, plain(23, bytes(40), 0, 1))
    (found,) = talk.read(tmp_path)
    assert found["decryption"] == honest["decryption"]


def test_a_record_of_the_next_epoch_in_a_renegotiation(tmp_path: Path):
    """It comes before the ServerHello, without whose random the keys are others."""
    (honest,) = Talk("dtls12-renegotiation").read(tmp_path)
    for place in range(15, 20):
        for role in (CLIENT, SERVER):
            talk = Talk("dtls12-renegotiation")
            talk.insert(place, role, plain(HANDSHAKE, bytes(40), 0, 2))
            (found,) = talk.read(tmp_path)
            assert found["decryption"] == honest["decryption"]
            assert found["authenticity"] == honest["authenticity"]
