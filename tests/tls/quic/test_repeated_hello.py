"""A Retry, behind which the client sends its ClientHello again, or another one."""

from types import SimpleNamespace
from typing import Any

import pytest
from quic_captures import frames_of, keys_of, read_frames, records_of
from quic_talks import CLIENT, Talk, read_talk

from analyzer.tls.events import HandshakeMessage
from analyzer.tls.quic.quic_events import SEALED, PacketSeen
from analyzer.tls.quic.repeated_hello import LONGEST_HELLO, RepeatedHello, begin_handshake_again, take_void
from analyzer.tls.quic.stream_reassembly import Reassembly

NAME = "quic-retry"


def test_the_packet_list_opens_what_comes_behind_another_client_hello() -> None:
    tap = read_frames(list(frames_of(NAME)), keys_of(NAME), detailed=True)
    tap.close()
    packets = [one for one in tap.events if isinstance(one, PacketSeen)]
    assert len(packets) > 20
    assert [one.frame for one in packets if one.number == SEALED] == []
    hellos = [one for one in tap.events if isinstance(one, HandshakeMessage) and one.type == 1]
    assert [one.frame for one in hellos] == [1, 3]


@pytest.mark.parametrize("detailed", [False, True])
def test_a_retry_that_the_capture_lacks(detailed: bool) -> None:
    frames = list(frames_of(NAME))
    (record,) = records_of([frames[0], *frames[2:]], keys_of(NAME), detailed)
    assert record["decryption"]["status"] == "decrypted"
    assert record["decryption"]["failed"] == record["quic"]["unopened"] == 0
    assert record["established"] is True
    assert record["outcome"]["result"] == "established"
    assert record["quic"]["retries"] == []
    assert record["findings"] == []


@pytest.mark.parametrize("detailed", [False, True])
@pytest.mark.parametrize("place", [2, 3, 4, 6])
def test_the_first_initial_again_behind_the_retry(place: int, detailed: bool) -> None:
    frames = list(frames_of(NAME))
    again = frames[0][:18] + b"\1\1" + frames[0][20:]  # another identification: no copy of the capture
    (plain,) = records_of(frames, keys_of(NAME), detailed)
    (record,) = records_of([*frames[:place], again, *frames[place:]], keys_of(NAME), detailed)
    for key in ("decryption", "authenticity", "certificates", "findings", "ja4", "established", "resumed"):
        assert record[key] == plain[key], key


def test_the_same_hello_is_read_once() -> None:
    hello = RepeatedHello()
    assert [hello.take(b"abc"), hello.take(b"def")] == [(False, b"abc"), (False, b"def")]
    hello.begin()
    assert [hello.take(b"ab"), hello.take(b"cdef"), hello.take(b"gh")] == [(False, b""), (False, b""), (False, b"gh")]
    assert hello.take(b"i") == (False, b"i")


def test_another_hello_is_read_whole() -> None:
    hello = RepeatedHello()
    hello.take(b"abcdef")
    hello.begin()
    assert [hello.take(b"ab"), hello.take(b"cxef"), hello.take(b"gh")] == [(False, b""), (True, b"abcxef"), (False, b"gh")]


@pytest.mark.parametrize("place", [2, 3, 4])
def test_a_forged_version_negotiation_behind_the_retry(place: int) -> None:
    frames = list(frames_of(NAME))
    retry = frames[1]
    client, original = retry[42 + 6 : 42 + 14], frames[0][42 + 6 : 42 + 14]
    payload = b"\xc0\0\0\0\0\x08" + client + b"\x08" + original + (0xFF00001D).to_bytes(4, "big")
    length = 8 + len(payload)
    head = retry[:16] + (20 + length).to_bytes(2, "big") + b"\1\1" + retry[20:24] + b"\0\0" + retry[26:38]
    forged = head + length.to_bytes(2, "big") + b"\0\0" + payload
    (plain,) = records_of(frames, keys_of(NAME))
    (record,) = records_of([*frames[:place], forged, *frames[place:]], keys_of(NAME))
    for key in ("decryption", "authenticity", "certificates", "findings", "ja4", "established", "resumed"):
        assert record[key] == plain[key], key
    assert record["quic"]["offered_versions"] is None


def test_the_retry_stands_behind_the_initial_that_answers_it() -> None:
    frames = list(frames_of(NAME))
    (plain,) = records_of(frames, keys_of(NAME))
    (record,) = records_of([frames[0], frames[2], frames[1], *frames[3:]], keys_of(NAME))
    for key in ("decryption", "authenticity", "certificates", "findings", "ja4", "established", "resumed"):
        assert record[key] == plain[key], key
    assert record["quic"]["retries"] == [3]


def test_a_retry_that_comes_twice_is_listed_once() -> None:
    frames = list(frames_of(NAME))
    again = frames[1][:18] + b"\1\1" + frames[1][20:]
    (record,) = records_of([*frames[:2], again, *frames[2:]], keys_of(NAME))
    assert record["quic"]["retries"] == [2]


def test_early_data_from_before_another_hello_goes_with_its_handshake() -> None:
    tickets: dict[bytes, Any] = {}
    ticket = Talk(tickets=tickets).connect().close().tickets[0]
    talk = Talk(ticket=ticket, tickets=tickets)
    talk.client.connect(("10.0.0.2", 443), now=0)
    talk.client.send_stream_data(0, b"early", True)
    talk.carry()
    talk.say(CLIENT, 4, b"late").close()
    tap = read_talk(talk.sent[:1], talk.keys, detailed=True, in_order=False)
    connection, _ = next(iter(tap.engine.dispatcher.datagram_protocols[-1].quic.by_id.values()))
    session = connection.session
    before = session.handshake.decryption
    assert [one[3] for one in session.streams.early] == [b"early"]
    begin_handshake_again(session)
    assert session.streams is None
    connection.frames.hello = RepeatedHello()
    connection.crypto[0].reset()
    for one in talk.sent:
        tap.feed_bytes(one.frame())
        tap.at += 1_000_000
    tap.close()
    assert before.sent == [0, 0]
    assert session.handshake.decryption.sent[CLIENT] == len(b"late")


def test_bytes_from_before_a_retry_are_bounded() -> None:
    connection = SimpleNamespace(crypto=(None, None, Reassembly()), void=[])
    for number in range(200):
        take_void(connection, 2000 * number, bytes(2000), number, number)
    assert [one.frame for one in connection.void] == list(range(LONGEST_HELLO // 2000))
