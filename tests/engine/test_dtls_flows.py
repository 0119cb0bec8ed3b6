"""DTLS from datagrams to sessions: captures with known answers, and what can happen to their packets."""

import json
import random
import struct
from pathlib import Path
from typing import Any

import pytest
from conversations import read_sessions
from dtls_injection import Packet, captured, written
from dtls_talks import DtlsTalk, extension, sized

from analyzer.capture.capture_reader import CaptureReader
from analyzer.engine import Engine
from analyzer.secrets.keylog import KeyLog
from analyzer.store.session_record import session_record
from analyzer.tls.dtls.dtls_events import PartSeen
from analyzer.tls.events import Event, HandshakeMessage

CAPTURES = ("dtls1_0", "dtls1_2", "dtls13-wolfssl", "dtls13-cid", "dtls-sequence-number-jumps", "webrtc-stun")


KEYS = ("protocol", "client", "server", "first_frame", "version", "cipher_suite_id", "group", "ja3", "ja3s", "established")


def sessions_of(path: Path) -> list[dict[str, Any]]:
    """The records of the sessions of a capture."""
    return [session_record(session, False) for session in read_sessions(CaptureReader([str(path)]), Engine())]


@pytest.mark.parametrize("name", CAPTURES)
def test_captures_with_known_answers(name: str, corpus: Path):
    found = sessions_of(corpus / "zeek/tls" / f"{name}.pcap")
    lines = (corpus / "expected/zeek/tls" / f"{name}.pcap.jsonl").read_text().splitlines()
    assert len(found) == len(lines)
    for record, line in zip(found, lines, strict=True):
        expected = json.loads(line)
        names = [one["type"] for one in record["handshake"] if not one["encrypted"]]
        assert names == [one[0] for one in expected["handshake"]]
        for key in expected.keys() & {
            "protocol",
            "version",
            "cipher_suite_id",
            "group",
            "ja3",
            "ja3s",
            "established",
            "client",
        }:
            assert record[key] == expected[key], key
        made = {"faulty_offer", "faulty_answer"} if name == "dtls-sequence-number-jumps" else set()  # its hellos lack key_share
        allowed = {"deprecated_version", "mac_then_encrypt", "self_signed_service"} | made
        assert {one["code"] for one in record["findings"]} <= allowed


def test_a_server_that_answers_what_the_client_did_not_offer(tmp_path: Path):
    """The same rules as over TCP, with the versions of DTLS."""
    talk = DtlsTalk(answer=(extension(16, sized(sized(b"coap", 1), 2)),)).shake_hands()
    (record,) = sessions_of(talk.write(tmp_path / "a.pcapng"))
    found = {one["code"]: one for one in record["findings"]}
    assert "the ServerHello has the extension application_layer_protocol_negotiation" in found["not_offered"]["detail"]
    assert found["misplaced_extension"]["frames"] == [2]


@pytest.mark.parametrize(
    ("old", "new", "detail"),
    [
        (b"\0\x2b\0\2\xfe\xfc", b"\0\x2b\0\2\xfe\xfd", "the server chose DTLS 1.2 by supported_versions"),
        (b"SS\0\x13\1", b"SS\0\x13\3", "the server chose TLS_CHACHA20_POLY1305_SHA256 as the cipher suite"),
    ],
)
def test_a_version_or_a_suite_that_the_client_did_not_offer(tmp_path: Path, old: bytes, new: bytes, detail: str):
    talk = DtlsTalk().shake_hands()
    at, frame = talk.packets[1]
    assert old in frame
    talk.packets[1] = at, frame.replace(old, new)
    (record,) = sessions_of(talk.write(tmp_path / "a.pcapng"))
    assert [one for one in record["findings"] if one["detail"].startswith(detail)]


@pytest.mark.parametrize("keyed", [False, True])
def test_encrypted_client_hello_is_named(tmp_path: Path, keyed: bool):
    """As in TLS: secrets under the outer random show that the server did not take the inner hello."""
    name = extension(0, sized(b"\0" + sized(b"public.example", 2), 2))
    outer = extension(0xFE0D, b"\0" + b"\0\1\0\1" + b"\x2a" + sized(bytes(32), 2) + sized(bytes(100), 2))
    talk = DtlsTalk((b"", b""), name, outer).shake_hands()
    keys = KeyLog()
    keys.take(talk.key_log() if keyed else b"", "keys")
    reader = CaptureReader([str(talk.write(tmp_path / "a.pcapng"))])
    (session,) = read_sessions(reader, Engine(keylog=keys))
    record = session_record(session, False)
    assert record["server_name"] == "public.example"
    assert record["ech"]["status"] == ("rejected" if keyed else "offered")
    assert (record["ech"]["config_id"], record["ech"]["outer_server_name"]) == (42, "public.example")
    assert record["decryption"]["status"] == ("decrypted" if keyed else "none")


def test_a_hello_that_comes_again_with_a_cookie_is_judged_once(tmp_path: Path):
    """It has an extension twice, before and behind the HelloVerifyRequest."""
    head, packets, _ = captured("dtls12-cookie")
    changed = [(at, frame.replace(b"\0\x16\0\0", b"\0\x17\0\0")) for at, frame in packets]
    (record,) = sessions_of(written(tmp_path / "a.pcap", head, changed))
    assert [one["frames"] for one in record["findings"] if one["code"] == "repeated_extension"] == [[1]]


# What can happen to datagrams on the path and in a capture.


def packets_of(path: Path) -> tuple[bytes, list[Packet]]:
    """The header and the packets of a capture in the classic format of little-endian machines."""
    data = path.read_bytes()
    assert data[:4] == bytes.fromhex("d4c3b2a1")
    found, pos = [], 24
    while pos < len(data):
        seconds, micros, kept, _ = struct.unpack_from("<4I", data, pos)
        found.append((seconds * 1_000_000 + micros, data[pos + 16 : pos + 16 + kept]))
        pos += 16 + kept
    return data[:24], found


def facts_of(record: dict[str, Any]) -> tuple[Any, ...]:
    """What does not depend on the frames in which it came."""
    return (
        record["version"], record["cipher_suite"], record["established"], record["ja3"], record["ja3s"],
        sorted(one["type"] for one in record["handshake"]), [one["sha256"] for one in record["certificates"]["server"]],
        sorted(one["code"] for one in record["findings"] if one["code"] != "captured_twice"),
    )  # fmt: skip


@pytest.fixture
def talk(corpus: Path) -> tuple[bytes, list[Packet]]:
    """DTLS 1.2 with a cookie, and a certificate in five fragments."""
    return packets_of(corpus / "zeek/tls/dtls1_2.pcap")


@pytest.mark.parametrize("seed", range(8))
def test_datagrams_that_come_twice_and_out_of_order(talk: tuple[bytes, list[Packet]], tmp_path: Path, seed: int):
    head, packets = talk
    chance = random.Random(seed)
    flights = [packets[:2], packets[2:3], packets[3:5], packets[5:12], packets[12:13], packets[13:15], packets[15:]]
    shuffled = []
    for flight in flights:
        twice = [*flight, *chance.sample(flight, 1)]
        chance.shuffle(twice)
        shuffled += twice
    times = [packets[0][0] + 1000 * place for place in range(len(shuffled))]
    mixed = [(at, frame) for at, (_, frame) in zip(times, shuffled, strict=True)]
    (whole,) = sessions_of(written(tmp_path / "a.pcap", head, packets))
    (found,) = sessions_of(written(tmp_path / "b.pcap", head, mixed))
    assert facts_of(found) == facts_of(whole)


@pytest.mark.parametrize("lost", range(16))
def test_what_is_lost_is_no_claim(talk: tuple[bytes, list[Packet]], tmp_path: Path, lost: int):
    head, packets = talk
    (whole,) = sessions_of(written(tmp_path / "a.pcap", head, packets))
    found = sessions_of(written(tmp_path / "b.pcap", head, packets[:lost] + packets[lost + 1 :]))
    assert len(found) == 1
    assert found[0]["established"] in (True, None)
    assert {one["code"] for one in found[0]["findings"]} <= {one["code"] for one in whole["findings"]} | {"gap"}
    assert found[0]["resumed"] in (False, None)


def test_nothing_but_a_part(talk: tuple[bytes, list[Packet]], tmp_path: Path):
    head, packets = talk
    for first in range(len(packets)):
        for record in sessions_of(written(tmp_path / "a.pcap", head, packets[first:])):
            assert record["established"] is not False
            assert not [one for one in record["findings"] if one["severity"] in ("medium", "high")]
    for last in range(len(packets)):
        for record in sessions_of(written(tmp_path / "a.pcap", head, packets[:last])):
            assert record["established"] is not False


def test_the_next_session_on_the_same_ports(talk: tuple[bytes, list[Packet]], tmp_path: Path):
    """Until a server answers the new hello, protected records are those of the session before (RFC 6347 section 4.2.8)."""
    head, packets = talk
    other = [(at + 10_000_000, frame.replace(frame_random(packets), bytes(range(24)))) for at, frame in packets]
    found = sessions_of(written(tmp_path / "a.pcap", head, packets + other))
    assert [record["id"] for record in found] == [0, 1]
    assert [record["established"] for record in found] == [True, True]
    assert found[0]["last_frame"] == len(packets)


def frame_random(packets: list[Packet]) -> bytes:
    """A part of the client's random, which stands in both ClientHellos."""
    return packets[0][1][14 + 20 + 8 + 25 + 6 : 14 + 20 + 8 + 25 + 30]


def events_of(path: Path) -> list[Event]:
    engine = Engine(detailed=True)
    events: list[Event] = []
    with_events = CaptureReader([str(path)])
    for frame_reader in with_events.packet_readers():
        engine.run(frame_reader)
        events += engine.take()
    engine.close()
    return events + engine.take()


def test_events_of_parts(talk: tuple[bytes, list[Packet]], tmp_path: Path):
    head, packets = talk
    twice = [packets[0], *packets]
    events = events_of(written(tmp_path / "a.pcap", head, twice))
    parts = [(event.frame, event.text) for event in events if isinstance(event, PartSeen)]
    assert parts[:3] == [
        (1, "Client Hello (Fragment)"), (2, "Record (Retransmission)"), (5, "Client Hello (Fragment)"),
    ]  # fmt: skip
    names = [event.name for event in events if isinstance(event, HandshakeMessage)]
    assert names[:4] == ["client_hello", "hello_verify_request", "client_hello", "server_hello"]


@pytest.mark.parametrize("first", [0x00, 0x01, 0x40, 0x80, 0x14, 0x20, 0x3F])
def test_other_protocols_on_the_ports_of_a_session(talk: tuple[bytes, list[Packet]], tmp_path: Path, first: int):
    """STUN, ZRTP, TURN channels, RTP, and bytes that only begin like DTLS (RFC 7983 section 7)."""
    head, packets = talk
    strange = bytes((first,)) + bytes(range(60))
    at, frame = packets[0]
    other = frame[:38] + (8 + len(strange)).to_bytes(2, "big") + b"\0\0" + strange
    mixed = [(at, other), *[one for packet in packets for one in (packet, (packet[0], other))]]
    (whole,) = sessions_of(written(tmp_path / "a.pcap", head, packets))
    (found,) = sessions_of(written(tmp_path / "b.pcap", head, mixed))
    assert facts_of(found) == facts_of(whole)


HARMLESS = {"gap", "captured_twice"}
"""Findings that what is lost may add."""


@pytest.mark.parametrize(
    "name",
    ["dtls10-rsa", "dtls12-client-certificate", "dtls12-cookie", "dtls12-renegotiation", "dtls13-cookie", "dtls13-key-update"],
)
@pytest.mark.parametrize("change", ["one is lost", "two change places", "two are lost"])
def test_nobody_is_blamed_for_lost_and_late_datagrams(name: str, change: str, tmp_path: Path):
    """With keys: no finding about a peer, no failed proof, no failed handshake."""
    head, packets, keys = captured(name)
    (whole,) = read_sessions(CaptureReader([str(written(tmp_path / "a.pcap", head, packets))]), Engine(keylog=keys))
    allowed = HARMLESS | {one["code"] for one in session_record(whole, False)["findings"]}
    last = len(packets)
    changed: list[list[Packet]] = []
    if change == "one is lost":
        changed = [packets[:place] + packets[place + 1 :] for place in range(last)]
    elif change == "two are lost":
        pairs = [(one, one + apart) for apart in (1, 3) for one in range(last - apart)]
        changed = [[one for place, one in enumerate(packets) if place not in pair] for pair in pairs]
    else:
        for apart in (1, 2, 4):
            for place in range(last - apart):
                later = packets.copy()
                later[place], later[place + apart] = later[place + apart], later[place]
                times = [at for at, _ in packets]
                changed.append([(at, frame) for at, (_, frame) in zip(times, later, strict=True)])
    for few in changed:
        for session in read_sessions(CaptureReader([str(written(tmp_path / "b.pcap", head, few))]), Engine(keylog=keys)):
            record = session_record(session, False)
            assert {one["code"] for one in record["findings"]} <= allowed
            assert record["established"] is not False
            assert "failed" not in record["authenticity"]["finished"].values()
            assert "failed" not in (record["authenticity"]["server_signature"], record["authenticity"]["client_signature"])


def test_a_protected_record_that_comes_first_is_no_sign_of_a_resumption(tmp_path: Path):
    """Without a ChangeCipherSpec nobody knows what was sent before it."""
    head, packets, _ = captured("dtls12-connection-ids")
    client = packets[0][1][26:30]
    sealed = next(frame for _, frame in reversed(packets) if frame[26:30] != client)
    for place in range(3, len(packets)):
        few = [*packets[:place], (packets[place - 1][0], sealed)]
        for record in sessions_of(written(tmp_path / "a.pcap", head, few)):
            assert record["resumed"] is not True


def test_a_client_that_moves_is_known_by_its_connection_id(tmp_path: Path):
    """Its datagrams come from another port, then from the first again (RFC 9146 section 6)."""
    head, packets, keys = captured("dtls13-connection-ids")
    port = (49202).to_bytes(2, "big")
    sealed = [place for place, (_, frame) in enumerate(packets) if 0x30 <= frame[42] < 0x40]
    moved = {place: packets[place] for place in sealed[4:8]}
    for place, (at, frame) in moved.items():
        ends = frame[34:38].replace(port, b"\xc0\x01")
        packets[place] = at, frame[:34] + ends + frame[38:]
    path = written(tmp_path / "moved.pcap", head, packets)
    (session,) = read_sessions(CaptureReader([str(path)]), Engine(keylog=keys))
    record = session_record(session, False)
    assert record["decryption"]["status"] == "decrypted"
    assert record["decryption"]["bytes"] == {"client": 17, "server": 19}
    assert record["client"]["port"] == 49202
    assert record["authenticity"]["finished"] == {"client": "verified", "server": "verified"}
