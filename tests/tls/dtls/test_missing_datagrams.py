"""What the capture lacks of a DTLS handshake is never told as something that a side did not send."""

import struct
from pathlib import Path
from typing import Any

import pytest
from conversations import read_sessions
from dtls_injection import CHANGE_CIPHER_SPEC, HEAD, SERVER, Talk

from analyzer.capture.capture_reader import CaptureReader
from analyzer.engine import Engine
from analyzer.store.session_record import session_record

SERVER_HELLO, CLIENT_KEY_EXCHANGE = 2, 16


def unproved(record: dict[str, Any]) -> None:
    """Nothing is said of what was not seen."""
    assert record["chain"]["verdict"] == "unknown"
    assert record["authenticity"]["server_signature"] == "unverifiable"
    assert record["resumed"] is not True


def lacking(name: str, *places: int) -> Talk:
    """A talk without some of its packets."""
    talk = Talk(name)
    talk.packets = [packet for place, packet in enumerate(talk.packets) if place not in places]
    return talk


@pytest.mark.parametrize("keys", [True, False])
def test_the_server_hello_and_some_fragments_of_certificates(keys: bool, tmp_path: Path):
    """Messages wait for what is missing until the end, and are given up before the records behind them are taken."""
    (found,) = lacking("dtls10-rsa", 3, 4, 5, 8, 9, 13, 15).read(tmp_path, keys)
    unproved(found)
    assert found["established"] is True


@pytest.mark.parametrize("keys", [True, False])
def test_all_messages_before_the_change_of_keys(keys: bool, tmp_path: Path):
    """Nothing waits then: a ChangeCipherSpec shows that messages were before it."""
    talk = Talk("dtls10-rsa")
    first = talk.first(SERVER_HELLO)
    places = range(first, talk.first(CLIENT_KEY_EXCHANGE) + 2)
    (found,) = lacking("dtls10-rsa", *places).read(tmp_path, keys)
    unproved(found)
    assert found["client_chain"]["verdict"] == "unknown"
    assert found["authenticity"]["client_signature"] == "unverifiable"


@pytest.mark.parametrize("keys", [True, False])
def test_the_last_messages_before_the_change_of_keys(keys: bool, tmp_path: Path):
    """The numbers of messages have no hole there, those of records do."""
    talk = Talk("dtls12-gnutls")
    (honest,) = talk.read(tmp_path, keys)
    assert honest["chain"]["verdict"] != "unknown"
    hello = talk.first(SERVER_HELLO)
    sent = [place for place in range(hello + 1, len(talk.packets)) if talk.role(place) == SERVER]
    change = next(place for place in sent if talk.parts_at(place)[0][0] == CHANGE_CIPHER_SPEC)
    unproved(lacking("dtls12-gnutls", *(place for place in sent if place < change)).read(tmp_path, keys)[0])


def test_a_cut_flight_is_no_resumption(tmp_path: Path):
    """The certificates wait for the rest of one that the capture cut, while records behind them open already."""
    name = "dtls12-srtp"
    (honest,) = Talk(name).read(tmp_path)
    assert honest["resumed"] is False
    talk, sizes = Talk(name), {4: 206, 10: 99, 14: 88}
    path = tmp_path / "cut.pcap"
    records = [(at, frame[: sizes.get(place)], len(frame)) for place, (at, frame) in enumerate(talk.packets)]
    path.write_bytes(
        HEAD + b"".join(struct.pack("<4I", at // 10**6, at % 10**6, len(cut), size) + cut for at, cut, size in records)
    )
    (session,) = read_sessions(CaptureReader([str(path)]), Engine(keylog=talk.keys))
    found = session_record(session, False)
    assert found["resumed"] is not True
    assert found["resumption"] is None
