"""The TLS layers of a payload, from the stream positions of records and messages."""

from collections.abc import Sequence

import pytest
from conversations import CLIENT, SERVER, stream, talk
from sessions_by_hand import ALERT, APPLICATION_DATA, HANDSHAKE, Hand, client_hello, message, server_hello

from analyzer.tls.events import Event, HandshakeMessage
from analyzer.tls.record.record_reader import RecordReader
from analyzer.tls.tls_layers import Payload, TlsLayer, message_layer, tls_layers

FRONT = b"<headers>"
SPANS_FRAMES = "it spans frames: byte numbers count from its beginning"
SPANS_RECORDS = "it spans records: byte numbers count from its beginning"
BEGUN = "begun in an earlier frame"
DONE, KEYS, HELLO = message(14), message(16, b"\4abcd"), client_hello()


def record(content_type: int, body: bytes) -> bytes:
    return bytes([content_type]) + b"\3\3" + len(body).to_bytes(2, "big") + body


class Stream:
    """A role's stream in payloads, each in a frame with headers before it, and its session."""

    def __init__(self, role: int = CLIENT) -> None:
        self.hand = Hand()
        self.role = role
        self.reader = RecordReader(self.hand.session, role)
        self.offset = 0

    def feed(self, payload: bytes, trailer: bytes = b"", known: bool = True) -> list[TlsLayer]:
        """The layers of the next payload; known: whether its stream position is known."""
        hand = self.hand
        n_events = len(hand.events)
        hand.frame += 1
        self.reader.feed(payload, 0, len(payload), self.offset, hand.frame, hand.at)
        place = Payload(FRONT + payload + trailer, len(FRONT), len(FRONT) + len(payload), self.offset if known else None)
        self.offset += len(payload)
        return list(tls_layers(place, self.reader, hand.events[n_events:]))


def shown(layers: Sequence[TlsLayer]) -> list[tuple[str, int, int, int, str]]:
    """Name, position in the payload, length, depth and note of each layer."""
    return [
        (one.layer.name, one.layer.offset - (0 if one.apart else len(FRONT)), one.layer.length, one.depth, one.note)
        for one in layers
    ]


def test_a_record_with_its_messages():
    layers = Stream().feed(record(HANDSHAKE, HELLO + KEYS))
    assert shown(layers) == [
        ("TLS record: handshake", 0, 5 + len(HELLO + KEYS), 0, ""),
        ("ClientHello", 5, len(HELLO), 1, ""),
        ("ClientKeyExchange", 5 + len(HELLO), len(KEYS), 1, ""),
    ]
    assert [field.name for field in layers[0].layer.fields] == ["type", "legacy_record_version", "length"]
    first = layers[1].layer.fields
    assert [(field.name, field.offset, field.length) for field in first[:4]] == [
        ("msg_type", len(FRONT) + 5, 1),
        ("length", len(FRONT) + 6, 3),
        ("legacy_version", len(FRONT) + 9, 2),
        ("random", len(FRONT) + 11, 32),
    ]


def test_several_records():
    layers = Stream().feed(record(HANDSHAKE, HELLO) + record(20, b"\1") + record(ALERT, b"\2\x28") + record(23, b"x" * 30))
    at = 5 + len(HELLO)
    assert shown(layers) == [
        ("TLS record: handshake", 0, at, 0, ""),
        ("ClientHello", 5, len(HELLO), 1, ""),
        ("TLS record: change_cipher_spec", at, 6, 0, ""),
        ("TLS record: alert", at + 6, 7, 0, ""),
        ("TLS record: application_data", at + 13, 35, 0, ""),
    ]
    plain = Stream().feed(record(HANDSHAKE, HELLO) + record(ALERT, b"\2\x28"))
    assert shown(plain)[2:] == [("TLS record: alert", at, 7, 0, ""), ("Alert", at + 5, 2, 1, "")]


def test_a_record_over_two_payloads():
    stream = Stream()
    data = record(HANDSHAKE, HELLO)
    rest = len(data) - 20
    assert shown(stream.feed(data[:20])) == [("TLS record: handshake", 0, 20, 0, f"{rest} bytes of it come in later frames")]
    assert shown(stream.feed(data[20:] + record(HANDSHAKE, KEYS))) == [
        ("TLS record: handshake", 0, rest, 0, BEGUN),
        ("ClientHello", 0, len(HELLO), 1, SPANS_RECORDS),
        ("TLS record: handshake", rest, 5 + len(KEYS), 0, ""),
        ("ClientKeyExchange", rest + 5, len(KEYS), 1, ""),
    ]


def test_a_record_over_three_payloads():
    stream = Stream()
    data = record(APPLICATION_DATA, bytes(100))
    stream.feed(data[:20])
    assert shown(stream.feed(data[20:60])) == [
        ("TLS record: application_data", 0, 40, 0, f"{BEGUN}, 45 bytes of it come in later ones")
    ]
    assert shown(stream.feed(data[60:])) == [("TLS record: application_data", 0, 45, 0, BEGUN)]


@pytest.mark.parametrize("cut", [1, 2, 3, 4])
def test_a_header_over_two_payloads(cut: int):
    stream = Stream()
    data = record(HANDSHAKE, HELLO)
    assert shown(stream.feed(data[:cut])) == [("Data", 0, cut, 0, "")]
    assert shown(stream.feed(data[cut:])) == [
        ("TLS record: handshake", 0, len(data) - cut, 0, BEGUN),
        ("ClientHello", 5 - cut, len(HELLO), 1, ""),
    ]


def test_the_last_message_of_a_record_that_began_earlier_has_its_place():
    stream = Stream(SERVER)
    data = record(HANDSHAKE, server_hello() + DONE)
    assert len(shown(stream.feed(data[:10]))) == 1
    assert shown(stream.feed(data[10:])) == [
        ("TLS record: handshake", 0, len(data) - 10, 0, BEGUN),
        ("ServerHello", 0, len(server_hello()), 1, SPANS_RECORDS),
        ("ServerHelloDone", len(data) - 14, 4, 1, ""),
    ]


def test_a_message_over_two_records_of_one_payload():
    data = record(HANDSHAKE, HELLO[:30]) + record(HANDSHAKE, HELLO[30:] + KEYS)
    assert shown(Stream().feed(data)) == [
        ("TLS record: handshake", 0, 35, 0, ""),
        ("TLS record: handshake", 35, len(data) - 35, 0, ""),
        ("ClientHello", 0, len(HELLO), 1, SPANS_RECORDS),
        ("ClientKeyExchange", len(data) - len(KEYS), len(KEYS), 1, ""),
    ]


def test_a_payload_whose_position_is_not_known_has_records_and_its_messages_after_them():
    layers = Stream().feed(record(HANDSHAKE, HELLO), known=False)
    assert shown(layers) == [
        ("TLS record: handshake", 0, 5 + len(HELLO), 0, ""),
        ("ClientHello", 0, len(HELLO), 0, SPANS_FRAMES),
    ]


def test_bytes_that_are_no_record():
    stream = Stream()
    stream.feed(record(HANDSHAKE, HELLO))
    layers = stream.feed(b"no record at all")
    assert [(name, at, length) for name, at, length, _, _ in shown(layers)] == [("Data", 0, 16)]
    assert layers[0].note.startswith("where records begin in it is not known")


def test_bytes_after_the_payload_do_not_belong_to_it():
    assert shown(Stream().feed(record(HANDSHAKE, HELLO), trailer=record(22, DONE))) == [
        ("TLS record: handshake", 0, 5 + len(HELLO), 0, ""),
        ("ClientHello", 5, len(HELLO), 1, ""),
    ]


def test_without_a_reader_only_what_events_locate_is_known():
    data = record(APPLICATION_DATA, bytes(100))
    layers = list(tls_layers(Payload(data[30:], 0, 75, 30), None, []))
    assert [(one.layer.name, one.layer.length) for one in layers] == [("Data", 75)]
    hand = Hand()
    events: list[Event] = hand.say(CLIENT, APPLICATION_DATA, bytes(100))
    layers = list(tls_layers(Payload(data[30:], 0, 75, 30), None, events))
    assert [(one.layer.name, one.layer.length, one.note) for one in layers] == [("TLS record: application_data", 75, BEGUN)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50, 700, 100_000])
@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
@pytest.mark.parametrize("role", [CLIENT, SERVER])
def test_records_cover_every_byte_of_every_payload_once(role: int, version: str, size: int):
    """And each message is shown once, in the payload that completes it."""
    said = stream(talk(version), role)
    fed = Stream(role)
    names: list[str] = []
    for place in range(0, len(said), size):
        payload = said[place : place + size]
        layers = fed.feed(payload)
        outer = [one for one in layers if one.depth == 0 and not one.apart]
        at = len(FRONT)
        for one in outer:
            assert one.layer.offset == at
            at += one.layer.length
            assert one.note != "where records begin in it is not known: it came out of order, or begins the stream"
        assert at == len(FRONT) + len(payload)
        for one in layers:
            inner = one.depth == 1 and not one.apart
            assert not inner or len(FRONT) <= one.layer.offset <= one.layer.offset + one.layer.length <= at
        names += [one.layer.name for one in layers if one.apart or one.depth == 1]
    messages = [event for event in fed.hand.events if isinstance(event, HandshakeMessage)]
    assert len([name for name in names if name != "Alert"]) == len(messages)


def test_the_fields_of_a_message_are_where_its_bytes_are():
    fed = Stream()
    fed.feed(record(HANDSHAKE, HELLO))
    (hello,) = fed.hand.of(HandshakeMessage)
    for place in (None, 1000):
        layer = message_layer(hello, place)
        base = place or 0
        assert (layer.name, layer.offset, layer.length) == ("ClientHello", base, len(HELLO))
        ends = [field.offset + field.length for field in layer.fields]
        assert layer.fields[0].offset == base
        assert [field.offset for field in layer.fields[1:]] == ends[:-1]
        assert ends[-1] <= base + len(HELLO)
        (random,) = [field for field in layer.fields if field.name == "random"]
        assert HELLO[random.offset - base :][: random.length] == b"C" * 32 == random.value
