"""A Retry, behind which the client sends its ClientHello again, or another one."""

import pytest
from quic_captures import frames_of, keys_of, read_frames, records_of

from analyzer.tls.events import HandshakeMessage
from analyzer.tls.quic.quic_events import SEALED, PacketSeen
from analyzer.tls.quic.repeated_hello import RepeatedHello

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
