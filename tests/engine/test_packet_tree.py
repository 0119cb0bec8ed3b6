"""The TLS layers in the field tree of a packet: every record and message has the position of its bytes."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from conversations import CLIENT, SERVER, Segment, packetise, talk
from keyed import page, pcapng_of, talk_of

from analyzer.capture.capture_reader import CaptureReader
from analyzer.cli.main import main
from analyzer.engine import Engine, Listener, run
from analyzer.engine.packet_tree import packet_tree
from analyzer.packet.field_tree import Field
from analyzer.packet.layers import tree
from analyzer.secrets.keylog import KeyLog
from analyzer.tls.events import HandshakeMessage
from analyzer.tls.tls_layers import TlsLayer

CAPTURES = Path(__file__).parents[2] / "captures"
HEADERS = 54
"""Bytes before the payload in the frames of a test."""

LATER, EARLIER = "bytes of it come in later frames", "begun in an earlier frame"


class Seen:
    """One frame: its bytes, its layers, those without TLS, and the messages that it completed."""

    def __init__(self, data: bytes, layers: list[TlsLayer], plain: list[object], messages: list[HandshakeMessage]) -> None:
        self.data = data
        self.layers = layers
        self.plain = plain
        self.messages = messages

    @property
    def tls(self) -> list[TlsLayer]:
        """Return the layers after TCP."""
        names = [part.layer.name for part in self.layers]
        return self.layers[names.index("TCP") + 1 :] if "TCP" in names else []

    def names(self) -> list[str]:
        return [part.layer.name for part in self.tls]


class Trees(Listener):
    sees_packets = True

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.seen: list[Seen] = []

    def packet(self, packet, frame, events) -> None:
        layers = packet_tree(self.engine, frame, events)
        messages = [event for event in events if isinstance(event, HandshakeMessage)]
        self.seen.append(Seen(bytes(frame.data[frame.start : frame.end]), layers, tree(frame), messages))


def trees_of(path: Path, keylog: str = "") -> list[Seen]:
    keys = None
    if keylog:
        keys = KeyLog()
        keys.feed(keylog.encode())
    engine = Engine(detailed=True, keylog=keys, reads_data=False)
    trees = Trees(engine)
    run(CaptureReader([str(path)]), engine, [trees])
    for one in trees.seen:
        check(one)
    return trees.seen


@pytest.fixture
def trees_of_segments(tmp_path: Path):
    """Return a function from segments to their trees, one for each segment."""

    def build(segments: Sequence[Segment], keylog: str = "") -> list[Seen]:
        path = tmp_path / "capture.pcapng"
        path.write_bytes(pcapng_of(segments))
        return trees_of(path, keylog)

    return build


def leaves(fields: Sequence[Field]) -> Iterator[Field]:
    for field in fields:
        if field.children:
            yield from leaves(field.children)
        else:
            yield field


def check(seen: Seen) -> None:
    """Check that every value matches the bytes at its position. The records must cover the payload without gap or overlap."""
    raws = {message.raw for message in seen.messages}
    begin, at = 0, None
    for part in seen.tls:
        layer = part.layer
        if part.apart:
            assert layer.offset == 0
            fitting = [raw for raw in raws if len(raw) == layer.length and not misplaced(layer.fields, raw)]
            assert fitting or layer.name == "Alert", layer.name
            continue
        assert misplaced(layer.fields, seen.data) == []
        if part.depth == 0:
            assert at in (None, layer.offset), "records follow each other"
            begin, at = layer.offset, layer.offset + layer.length
        else:
            assert at is not None
            assert begin <= layer.offset <= layer.offset + layer.length <= at, "a message lies in its record"
    if at is not None:
        assert at == len(seen.data) or "padding" in {part.layer.name.lower() for part in seen.layers}


def misplaced(fields: Sequence[Field], data: bytes) -> list[Field]:
    """Return the fields whose value differs from the bytes at their position. Bytes may have a length prefix."""
    found = []
    for field in leaves(fields):
        octets = data[field.offset : field.offset + field.length]
        if isinstance(field.value, bytes):
            size = len(octets) - len(field.value)
            right = 0 <= size <= 3 and octets == (len(field.value).to_bytes(size, "big") if size else b"") + field.value
        else:
            right = field.value == (int.from_bytes(octets, "big") if isinstance(field.value, int) else "")
        if not right:
            found.append(field)
    return found


def records_of(seen: Seen) -> list[tuple[str, int, int]]:
    """Return name, offset and length of the records, and of the parts that are not records."""
    return [(part.layer.name, part.layer.offset, part.layer.length) for part in seen.tls if not part.depth and not part.apart]


def named(seen: Seen, layer: str, name: str) -> list[Field]:
    """Return the fields with that name in layers with that name, at any depth."""
    found = []

    def walk(fields):
        for field in fields:
            if field.name == name:
                found.append(field)
            walk(field.children)

    for part in seen.tls:
        if part.layer.name == layer:
            walk(part.layer.fields)
    return found


def test_messages_have_their_fields_at_the_bytes_of_the_frame(trees_of_segments):
    segments = packetise(talk("TLSv1_2"), mss=60_000)
    seen = trees_of_segments(segments)
    told = [message.name for one in seen for message in one.messages]
    hello, answer = seen[3], seen[4]
    assert hello.names() == ["TLS record: handshake", "ClientHello"]
    assert [(part.layer.offset, part.depth) for part in hello.tls] == [(HEADERS, 0), (HEADERS + 5, 1)]
    (random,) = named(hello, "ClientHello", "random")
    assert (random.offset, random.value) == (HEADERS + 11, segments[3].payload[11:43])
    (name,) = named(hello, "ClientHello", "host_name") or named(hello, "ClientHello", "name")
    assert hello.data[name.offset : name.offset + name.length] == b"\0\x0cexample.test"
    assert answer.names()[:4] == ["TLS record: handshake", "ServerHello", "TLS record: handshake", "Certificate"]
    (suite,) = named(answer, "ServerHello", "cipher_suite")
    at = HEADERS + 5 + 4 + 2 + 32
    at += 1 + answer.data[at]
    assert (suite.offset, suite.length) == (at, 2)
    shown = [part.layer.name for one in seen for part in one.tls if part.depth == 1]
    assert len(shown) == len(told)


def test_several_messages_in_one_record_follow_each_other(trees_of_segments):
    flights = list(talk("TLSv1_2"))
    side, flight = flights[1]
    bodies, pos = b"", 0
    while pos < len(flight):
        length = int.from_bytes(flight[pos + 3 : pos + 5], "big")
        bodies += flight[pos + 5 : pos + 5 + length]
        pos += 5 + length
    flights[1] = (side, flight[:3] + len(bodies).to_bytes(2, "big") + bodies)
    answer = trees_of_segments(packetise(flights, mss=60_000))[4]
    assert answer.names() == ["TLS record: handshake", "ServerHello", "Certificate", "ServerKeyExchange", "ServerHelloDone"]
    at = HEADERS + 5
    for part in answer.tls[1:]:
        assert (part.layer.offset, part.depth, part.apart) == (at, 1, False)
        at += part.layer.length


def test_a_record_in_several_frames_is_shown_in_its_parts(trees_of_segments):
    segments = packetise(talk("TLSv1_2"), mss=100)
    seen = trees_of_segments(segments)
    carriers = [number for number, segment in enumerate(segments) if segment.side == SERVER and segment.payload]
    first, second = seen[carriers[0]], seen[carriers[1]]
    assert first.names()[0] == "TLS record: handshake"
    assert LATER in [part for part in first.tls if part.depth == 0][-1].note
    assert EARLIER in second.tls[0].note
    assert second.tls[0].layer.offset == HEADERS
    shown = [(number, part) for number in carriers for part in seen[number].tls if part.layer.name == "Certificate"]
    ((number, part),) = shown
    assert part.apart
    (message,) = [message for message in seen[number].messages if message.name == "certificate"]
    assert part.layer.length == len(message.raw)
    assert b"example.test" in b"".join(field.value for field in leaves(part.layer.fields) if isinstance(field.value, bytes))


@pytest.mark.parametrize("mss", [3, 7, 100, 333])
def test_every_message_is_shown_once_for_any_segmentation(trees_of_segments, mss):
    segments = packetise(talk("TLSv1_2"), mss=mss)
    for one in trees_of_segments(segments):
        shown = [part.layer.name.lower() for part in one.tls if part.layer.name[:10] not in ("TLS record", "Data")]
        told = [
            "encrypted handshake message" if message.encrypted else message.name.replace("_", "") for message in one.messages
        ]
        assert shown == told


def test_a_frame_sent_again_shows_its_record_and_no_message_again(trees_of_segments):
    segments = packetise(talk("TLSv1_2"), mss=60_000)
    seen = trees_of_segments([*segments[:4], segments[3], *segments[4:]])
    first, again = seen[3:5]
    assert first.names() == ["TLS record: handshake", "ClientHello"]
    assert again.names() == ["TLS record: handshake"]
    assert [(part.layer.offset, part.layer.length) for part in again.tls] == [(HEADERS, len(segments[3].payload))]
    assert "ServerHello" in seen[5].names()


def test_a_part_of_a_record_sent_again_is_recognized(trees_of_segments):
    segments = packetise(talk("TLSv1_2"), mss=60)
    seen = trees_of_segments([*segments[:5], segments[4], *segments[5:]])
    assert EARLIER in seen[4].tls[0].note
    assert (EARLIER in seen[5].tls[0].note, seen[5].messages) == (True, [])
    assert [part.layer.name for one in seen for part in one.tls].count("ClientHello") == 1


@pytest.mark.parametrize("nth", [2, 3])
def test_frames_out_of_order_show_the_messages_that_they_complete(trees_of_segments, nth):
    """The frames are those of the server's certificate, without which the handshake cannot continue."""
    segments = packetise(talk("TLSv1_2"), mss=100)
    carriers = [number for number, segment in enumerate(segments) if segment.side == SERVER and segment.payload]
    one, other = carriers[nth : nth + 2]
    segments[one], segments[other] = segments[other], segments[one]
    seen = trees_of_segments(segments)
    early, late = seen[one], seen[other]
    assert early.data[HEADERS:] == segments[one].payload
    assert early.tls[0].layer.offset == HEADERS
    assert "Certificate" not in early.names()
    assert late.tls[0].layer.offset == HEADERS
    assert EARLIER in late.tls[0].note
    certificates = [part for one in seen for part in one.tls if part.layer.name == "Certificate"]
    assert [part.apart for part in certificates] == [True]


def test_a_frame_whose_records_cannot_be_known_says_so(trees_of_segments):
    segments = packetise(talk("TLSv1_2", (300, 5000)), mss=1000)
    data = [
        number for number, segment in enumerate(segments) if segment.side == SERVER and segment.payload[:3] == b"\x17\x03\x03"
    ]
    big = data[-1]
    early = segments.pop(big + 2)
    seen = trees_of_segments([*segments[:big], early, *segments[big:]])
    assert seen[big].names() == ["Data"]
    assert "came out of order" in seen[big].tls[0].note
    assert [one for one in seen[big + 1 : big + 3] if one.names() == ["Data"]] == []


def test_the_first_bytes_of_a_header_are_in_order(trees_of_segments):
    for one in trees_of_segments(packetise(talk("TLSv1_2"), mss=3)):
        assert [part.note for part in one.tls if part.layer.name == "Data" and part.note] == []


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_decrypted_messages_are_apart_after_the_records(trees_of_segments, version):
    one = talk_of(page("/", b"x" * 3000), version)
    segments = packetise(one.flights)
    closed, opened = trees_of_segments(segments), trees_of_segments(segments, one.keylog)
    for without, having in zip(closed, opened, strict=True):
        assert records_of(having) == records_of(without)
    finished = [part for one in opened for part in one.tls if part.layer.name == "Finished"]
    assert [part.apart for part in finished] == [True, True]
    assert all("decrypted" in part.note for part in finished)
    assert all(named(one, "Finished", "verify_data") for one in opened if "Finished" in one.names())
    assert "Finished" not in [name for one in closed for name in one.names()]


def test_without_tls_the_layers_are_those_of_the_packet(trees_of_segments):
    said = [(CLIENT, b"GET / HTTP/1.1\r\n\r\n"), (SERVER, b"\x16\x03\x01\x00\x05hello" * 3)]
    for one in trees_of_segments(packetise(said)):
        assert [part.layer for part in one.layers] == one.plain
        assert all((part.depth, part.note, part.apart) == (0, "", False) for part in one.layers)


@pytest.mark.parametrize(
    "name", ["tcp-trouble", "vlan", "ipv6", "tls12-renegotiation", "tls13-hello-retry-request", "smtp-starttls", "http-connect"]
)
def test_the_trees_of_captures_match_their_bytes(name):
    """`check` is true for every frame, with keys and without."""
    (path,) = (CAPTURES / name).glob("*.pcap*")
    closed, opened = trees_of(path), trees_of(path, path.with_suffix(".keys").read_text())
    assert len(closed) == len(opened) > 10
    assert any("ClientHello" in one.names() for one in closed)
    assert sum(len(one.layers) for one in opened) > sum(len(one.layers) for one in closed)


def test_what_is_printed_is_the_tree(capfd, tmp_path):
    """Compares the names and positions that `analyzer packet` prints."""
    path = tmp_path / "capture.pcapng"
    segments = packetise(talk("TLSv1_2"), mss=300)
    path.write_bytes(pcapng_of(segments))
    seen = trees_of(path)
    for number in (4, 5, 6, 7, 9):
        assert main(["packet", str(path), str(number)]) == 0
        lines = capfd.readouterr().out.splitlines()
        printed = [line for line in lines[2 : lines.index("")] if not line.lstrip().startswith("(")]
        assert [line[:13].strip() for line in printed] == [
            position(*one) for part in seen[number - 1].layers for one in flat(part)
        ]
        names = [line[13:].strip().partition(":" if ":" in line else "  ")[0] for line in printed]
        for name, (wanted, *_) in zip(names, (one for part in seen[number - 1].layers for one in flat(part)), strict=True):
            assert wanted.startswith(name.partition("  ")[0])


def flat(part: TlsLayer) -> Iterator[tuple[str, int, int, bool]]:
    """Yield name, offset, length and `apart` of a layer and all its fields, in order."""

    def walk(fields):
        for field in fields:
            yield field.name, field.offset, field.length, part.apart
            yield from walk(field.children)

    yield part.layer.name, part.layer.offset, part.layer.length, part.apart
    yield from walk(part.layer.fields)


def position(name: str, offset: int, length: int, apart: bool) -> str:
    if offset < 0 or not length:
        return ""
    mark = "+" if apart else ""
    return f"{mark}{offset:04x}" + (f"-{offset + length - 1:04x}" if length > 1 else "")
