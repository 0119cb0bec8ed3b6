"""Tunnels in streams of HTTP/2 whose method is CONNECT."""

import hpack
import pytest
from conversations import CLIENT, SERVER, packetise
from keyed import Talk, page, talk_of, without
from nested_talks import sessions
from work import at_most

from analyzer.codec.build import build
from analyzer.engine.inner_http2 import FirstSection

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS = 0, 1, 4
END_STREAM, END_HEADERS = 1, 4


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def tunnels(*talks: Talk, huffman: bool = True, extended: bool = False, alpn: str | None = "h2") -> Talk:
    """A session in HTTP/2 with a tunnel for each of these sessions, one flight of each in turn."""
    encoders = hpack.Encoder(), hpack.Encoder()
    script = [(CLIENT, PREFACE + frame(SETTINGS, 0, 0)), (SERVER, frame(SETTINGS, 0, 0))]
    for number, _ in enumerate(talks):
        asked = [(":method", "CONNECT"), (":authority", f"target{number}.example:443")]
        if extended:
            asked += [(":protocol", "other"), (":scheme", "https"), (":path", "/")]
        section = encoders[0].encode(asked, huffman=huffman)
        script.append((CLIENT, frame(HEADERS, END_HEADERS, 2 * number + 1, section)))
        script.append((SERVER, frame(HEADERS, END_HEADERS, 2 * number + 1, encoders[1].encode([(":status", "200")]))))
    for turn in range(max(len(talk.flights) for talk in talks)):
        for number, talk in enumerate(talks):
            if turn < len(talk.flights):
                side, data = talk.flights[turn]
                script.append((side, frame(DATA, 0, 2 * number + 1, data)))
    for number, _ in enumerate(talks):
        script += [(side, frame(DATA, END_STREAM, 2 * number + 1)) for side in (CLIENT, SERVER)]
    outer = talk_of(script, alpn=alpn)
    return Talk(outer.flights, outer.sent, outer.keylog + "".join(talk.keylog for talk in talks))


@pytest.mark.parametrize("huffman", [True, False], ids=["huffman", "literal"])
def test_each_tunnel_is_a_session(tmp_path, huffman):
    inner = [talk_of(page(f"/{number}", b"inside"), version=version) for number, version in enumerate(("TLSv1_2", "TLSv1_3"))]
    outer, *found = sessions(tmp_path, tunnels(*inner, huffman=huffman))
    assert (outer["alpn"], [one["request"]["method"] for one in outer["http"]]) == ("h2", ["CONNECT", "CONNECT"])
    assert [one["inside"] for one in found] == [0, 0]
    assert [one["version"] for one in found] == ["TLS 1.2", "TLS 1.3"]
    assert [one["before"][0]["target"]["host"] for one in found] == ["target0.example", "target1.example"]
    assert [one["decryption"]["status"] for one in found] == ["decrypted", "decrypted"]
    assert [one["http"][0]["request"]["path"] for one in found] == ["/0", "/1"]


def test_the_preface_tells_http2_too(tmp_path):
    """The extension that chooses the protocol may be missing, or not agreed on."""
    outer, inner = sessions(tmp_path, tunnels(talk_of(page("/", b"inside")), alpn=None))
    assert (outer["alpn"], inner["inside"], inner["decryption"]["status"]) == (None, 0, "decrypted")


def test_other_protocols_of_an_extended_connect_are_no_tunnels(tmp_path):
    assert len(sessions(tmp_path, tunnels(talk_of(page("/", b"inside")), extended=True))) == 1


def test_the_first_section_is_found_when_it_is_whole():
    settings, section = frame(SETTINGS, 0, 0, bytes(6)), frame(HEADERS, END_HEADERS, 1, b"section")
    whole = PREFACE + settings + section
    assert FirstSection().feed(whole) == b"section"
    dripped = FirstSection()
    assert [dripped.feed(whole[n : n + 1]) for n in range(len(whole))] == [None] * (len(whole) - 1) + [b"section"]
    assert FirstSection().feed(b"GET / HTTP/1.1\r\n") == b""


def lines_for(n_frames: int) -> int:
    """The lines of Python that run for so many small frames before the first section."""
    first = FirstSection()
    with at_most(1 << 40) as work:
        first.feed(PREFACE)
        for _ in range(n_frames):
            assert first.feed(frame(SETTINGS, 1, 0)) is None
    return work.n_lines


def test_many_small_frames_before_the_first_section_take_linear_time():
    one, two = lines_for(1000), lines_for(2000)
    assert two <= 2.2 * one
    if "not compiled" in build():
        assert one > 1000


@pytest.mark.parametrize("status", ["200", "407"])
def test_bytes_before_the_answer_belong_to_the_tunnel_if_there_is_one(tmp_path, status):
    inner = talk_of(page("/early", b"inside"))
    encoders = hpack.Encoder(), hpack.Encoder()
    asked = [(":method", "CONNECT"), (":authority", "target.example:443")]
    (_, hello), *rest = inner.flights
    script = [
        (CLIENT, PREFACE + frame(SETTINGS, 0, 0)),
        (CLIENT, frame(HEADERS, END_HEADERS, 1, encoders[0].encode(asked)) + frame(DATA, 0, 1, hello[:50])),
        (CLIENT, frame(DATA, 0, 1, hello[50:])),
        (SERVER, frame(SETTINGS, 0, 0) + frame(HEADERS, END_HEADERS, 1, encoders[1].encode([(":status", status)]))),
        *((side, frame(DATA, 0, 1, data)) for side, data in rest),
    ]
    outer = talk_of(script, alpn="h2")
    _, *found = sessions(tmp_path, Talk(outer.flights, outer.sent, outer.keylog + inner.keylog))
    paths = [(one["decryption"]["status"], one["http"][0]["request"]["path"]) for one in found]
    assert paths == ([("decrypted", "/early")] if status == "200" else [])


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_losses_end_tunnels_and_are_nobodys_fault(tmp_path, version):
    """Behind missing bytes nobody knows which frames are where: what is known of the tunnels ends there, not the tunnels."""
    inner = talk_of([*page("/a", b"a" * 3000), *page("/b", b"b" * 3000)], version=version)
    talk = tunnels(inner, talk_of(page("/c", b"c"), version=version))
    segments = packetise(talk.flights)
    for side in (CLIENT, SERVER):
        for number in range(sum(1 for one in segments if one.side == side and one.payload)):
            outer, *found = sessions(tmp_path, talk, without(segments, side, number))
            assert {finding["code"] for finding in outer["findings"] if finding["severity"] != "info"} <= {
                "gap",
                "header_table_lost",
            }
            for record in found:
                assert {finding["code"] for finding in record["findings"] if finding["severity"] != "info"} <= {"gap"}
                assert record["established"] is not False
                assert record["outcome"]["result"] != "unknown" or record["outcome"]["ended_by"] is None
                if record["gaps"]:
                    assert record["outcome"]["ended_by"] is None
