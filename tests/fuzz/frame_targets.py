"""Targets of the fuzzer that take frames of any link type, or what a session carries behind its encryption.

They read what `targets` does not reach: every field of a filter, capture forms other than Ethernet, copies of packets, sealed
handshakes of TLS 1.3, and sessions inside the data of others.
"""

import json
from functools import cache
from typing import Any

import hpack
import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fuzz.chunked import chunks, joined
from fuzz.seeds import END, GAP, LINK_TYPES, heard, key_log
from sealed_by_hand import LABELS, SECRETS, SealedHand
from sessions_by_hand import CLIENT, SERVER, TLS13, client_hello, extension, message, server_hello
from torture import Tcp, record

from analyzer.capture.frame import Frame
from analyzer.engine import Engine
from analyzer.engine.inner_streams import MAX_DEPTH
from analyzer.filters.field import Field
from analyzer.filters.field_table import field_table
from analyzer.filters.field_text import bulk_value, layer_writer_of, writer_of
from analyzer.filters.frame_values import FrameValues
from analyzer.filters.header_places import header_fields
from analyzer.filters.value_sources import needs_facts
from analyzer.flows.packet_copies import WINDOW, PacketCopies
from analyzer.packet.headers import read
from analyzer.packet.packet import Packet
from analyzer.secrets import key_schedule13
from analyzer.secrets.keylog import KeyLog
from analyzer.store.chain_verdicts import Chains
from analyzer.store.http_messages import HttpMessages
from analyzer.store.packet_info import Describer
from analyzer.store.session_json import session_json
from analyzer.store.session_record import session_record
from analyzer.tls.events import SessionEnded

REPEATED, FLIPPED = 0x40, 0x20
"""Marks of a chunk of `packet_copies`: the frame before it again; and with a byte changed."""

MAX_FRAMES = 4
"""Frames of an input whose fields are all asked for."""


def frame_of(number: int, link_type: int, data: bytes) -> Frame:
    """A frame that was captured whole, a millisecond after the one before it."""
    frame = Frame()
    frame.number, frame.at, frame.link_type = number, 1_700_000_000_000_000_000 + number * 1_000_000, link_type
    frame.data, frame.start, frame.end, frame.wire_length = data, 0, len(data), len(data)
    return frame


def check_records(engine: Engine) -> list[dict[str, Any]]:
    """Both writers of session records agree on every session that ended, and its record is JSON. Return the records.

    Each has chains of its own: those of a process share what they have seen, and the limits of a run, between all inputs.
    """
    found = []
    for event in engine.take():
        if isinstance(event, SessionEnded):
            record = session_record(event.ended, True, Chains())
            found.append(json.loads(orjson.dumps(record)))
            assert json.loads(session_json(event.ended, True, Chains())) == found[-1]
    return found


# Fields.


@cache
def _fields() -> tuple[Field, ...]:
    headers = header_fields()
    return tuple(field for field in field_table() if field.name in headers or not needs_facts(field.name))


def field_values(data: bytes) -> None:
    """Every field of every link type, and the line of the packet list: values have their texts, and bytes of the frame."""
    engine = Engine(detailed=True, keylog=key_log())
    messages, values = HttpMessages(), FrameValues(_fields(), engine)
    describer = Describer(engine, messages)
    for number, chunk in enumerate(chunks(data)[:MAX_FRAMES], 1):
        frame = frame_of(number, LINK_TYPES[chunk.marks % len(LINK_TYPES)], chunk.data[:1600])
        engine.feed(frame)
        events = engine.take()
        assert all(isinstance(text, str) for text in describer.describe(frame, events))
        values.take(frame, events)
        for field in _fields():
            for one in values.occurrences(field) if values.has(field) else ():
                assert one.layer >= 0
                assert one.raw is None or isinstance(one.raw, bytes)
                if field.type.name != "PROTOCOL":
                    writer_of(field)(one.value).encode("utf-8", "surrogatepass")
                    layer_writer_of(field)(one.value)
                    bulk_value(field, one.value)
    engine.close()
    check_records(engine)


def field_seeds() -> list[bytes]:
    """A few frames of each capture, and one frame in each capture form."""
    kinds = [joined((_link(link), data[:1600]) for link, data in frames[:MAX_FRAMES]) for frames in heard().frames]
    return [*kinds, *(joined([(_link(link), data)]) for link, data in capture_forms())]


def _link(link_type: int) -> int:
    return LINK_TYPES.index(link_type) if link_type in LINK_TYPES else 0


def capture_forms() -> list[tuple[int, bytes]]:
    """A frame of each link type and of each tunnel, around one TCP segment: link type and bytes."""
    ethernet = Tcp().segment(0, 2)
    ip, macs = ethernet[14:], ethernet[:12]
    forms = [
        (0, b"\2\0\0\0" + ip), (12, ip), (101, ip), (228, ip), (108, b"\0\0\0\2" + ip), (9, b"\xff\3\0\x21" + ip),
        (50, b"\xff\3\0\x21" + ip), (104, b"\x0f\0\x08\0" + ip), (10, bytes(13) + b"\xaa\xaa\3\0\0\0\x08\0" + ip),
        (105, b"\x08\2\0\0" + bytes(20) + b"\xaa\xaa\3\0\0\0\x08\0" + ip),
        (127, b"\0\0\x08\0\0\0\0\0\x08\2" + bytes(22) + ip), (113, b"\0\0\0\1\0\6" + bytes(8) + b"\x08\0" + ip),
        (276, b"\x08\0\0\0\0\0\0\1\0\1\0\6" + bytes(8) + ip), (242, bytes(16) + ip), (149, bytes(8) + ip),
        (239, b"\2\0\0\0\x08\0\x01\0\x08\0\0\0" + (4 + len(ip)).to_bytes(2, "little") + b"\x09\0" + ip),
        (117, b"\x3d\2\0\0" + bytes(60) + ip), (192, b"\0\0\x08\0\x01\0\0\0" + ip), (163, b"\0\0\0\x40" + bytes(60) + ip),
        (119, b"\0\0\0\x44" + bytes(140) + ip), (166, b"\1\0" + b"\0\x21" + ip), (189, bytes(48)),
        (220, bytes(64) + b"\x12\1"), (249, b"\x1b\0" + bytes(25)), (201, b"\0\0\0\0\2\1\2\3"), (187, b"\1\3\x0c\0"),
        (251, b"\xd6\xbe\x89\x8e\0\6" + bytes(9)), (256, bytes(10) + b"\xd6\xbe\x89\x8e\0\6" + bytes(9)),
    ]  # fmt: skip
    over_udp = (
        (4789, b"\x08\0\0\0\0\0\1\0"), (4790, b"\x0c\0\0\3\0\0\1\0"), (6081, b"\0\0\x65\x58\0\0\1\0"),
        (2152, b"\x30\xff\0\x28\0\0\0\1"), (5247, b"\0\x10\2\0\0\0\0\0"), (37008, b"\1\0\1\1"), (47808, b""),
        (4500, bytes(8)), (3544, b""), (1701, b"\0\2\0\1\0\1"),
    )  # fmt: skip
    for port, head in over_udp:
        body = head + (ethernet if port in (4789, 6081, 37008) else ip)
        datagram = b"\xc0\0" + port.to_bytes(2) + (8 + len(body)).to_bytes(2) + b"\0\0" + body
        forms.append((1, macs + b"\x08\0" + _ip(17, datagram)))
    over_ip = (
        (4, ip), (47, b"\0\0\x08\0" + ip), (47, b"\x10\0\x88\xbe\0\0\0\1" + bytes(8) + ethernet),
        (47, b"\x10\0\x22\xeb\0\0\0\1" + bytes(12) + ethernet), (51, b"\4\4\0\0" + bytes(20) + ip), (50, bytes(40)),
        (97, b"\x30\0" + ethernet), (137, b"\0\1\1\x40" + ip), (1, b"\3\4\0\0\0\0\5\0" + ip), (115, bytes(4) + ip),
        (58, b"\2" + bytes(40)), (132, bytes(12)),
    )  # fmt: skip
    forms += [(1, macs + b"\x08\0" + _ip(protocol, body)) for protocol, body in over_ip]
    over_ethernet = (
        (0x8100, b"\0\7\x08\0" + ip), (0x88A8, b"\0\1\x81\0\0\2\x08\0" + ip), (0x8864, b"\x11\0\0\1\0\x2a\0\x21" + ip),
        (0x8847, b"\0\1\1\x40" + ip), (0x88E5, b"\x2c\0" + bytes(40)), (0x88E7, bytes(4) + ethernet),
        (0x894F, b"\0\6\1\1" + bytes(20) + ip), (0x0806, b"\0\1\x08\0\6\4\0\1" + bytes(20)), (0x88CC, b"\2\7\4" + bytes(9)),
        (0x8926, b"\0\0\0\0\x08\0" + ip), (0x892F, bytes(6) + ip), (0x888E, b"\1\0\0\6\1\1\0\6\x0d\x20"),
    )  # fmt: skip
    return [*forms, *((1, macs + kind.to_bytes(2) + body) for kind, body in over_ethernet)]


def _ip(protocol: int, body: bytes) -> bytes:
    return b"\x45\0" + (20 + len(body)).to_bytes(2) + b"\0\1\0\0\x40" + bytes([protocol]) + b"\0\0\x0a\0\0\1\x0a\0\0\2" + body


# Copies.


def packet_copies(data: bytes) -> None:
    """Copies of packets: what is called one has the ports, the length and the flags of a packet shortly before it."""
    memory, packet, at, last = PacketCopies(), Packet(), 0, b""
    seen: list[tuple[Any, ...]] = [()]
    for number, chunk in enumerate(chunks(data), 1):
        at += (chunk.marks & 0x1F) * 90_000
        frame = last if chunk.marks & REPEATED else chunk.data
        if chunk.marks & FLIPPED and frame and len(chunk.data) >= 2:
            changed = bytearray(frame)
            changed[chunk.data[0] % len(frame)] ^= chunk.data[1]
            frame = bytes(changed)
        last = frame
        facts: tuple[Any, ...] = ()
        if read(packet, frame, 0, len(frame), 1, len(frame)):
            n_bytes = packet.payload_end - packet.payload + packet.missing
            hops = packet.data[packet.ip + (8 if packet.ip_version == 4 else 7)]
            kind = (packet.protocol, packet.ip_version, packet.source_port, packet.destination_port, n_bytes, packet.flags)
            first = memory.first_of(packet, chunk.marks >> 7, number, at)
            assert 0 <= first < number
            if first:
                before, then, _ = seen[first]
                assert before == kind
                assert at - then <= WINDOW * number
            assert first == 0 or seen[first][2] >= hops
            facts = (kind, at, hops)
        seen.append(facts)


def copy_seeds() -> list[bytes]:
    """Packets of captures, each with a copy behind it: as it is, with a byte changed, at another place."""
    found = []
    for frames in heard().frames[::4]:
        listed: list[tuple[int, bytes]] = []
        for _, data in frames[:6]:
            listed += [(9, data[:400]), (1 | REPEATED, b""), (1 | REPEATED | FLIPPED, b"\x16\1"), (0x81 | REPEATED, b"")]
        found.append(joined(listed))
    return found


# Behind encryption.


def sealed(data: bytes) -> None:
    """TLS 1.3 whose records are encrypted: any content in any of them; its record is JSON, and both writers agree."""
    hand = SealedHand()
    for number, chunk in enumerate(chunks(data)[:60]):
        if chunk.marks & GAP:
            hand.gap(chunk.side, 1 + len(chunk.data), bool(chunk.marks & END))
        elif number == 0 or not chunk.marks & 0x08:
            hand.seal(chunk.side, 20 + (chunk.marks >> 5) % 5, chunk.data[:16_384], padding=chunk.marks >> 1 & 3)
        else:
            hand.finish_handshake()
    hand.end()
    record = session_record(hand.session, True, Chains())
    assert json.loads(session_json(hand.session, True, Chains())) == json.loads(orjson.dumps(record))


def sealed_seeds() -> list[bytes]:
    """Messages of handshakes of the captures, and what comes behind a handshake."""
    kinds = {
        "EncryptedExtensions": 8,
        "Certificate": 11,
        "CertificateRequest": 13,
        "NewSessionTicket": 4,
        "CertificateVerify": 15,
    }
    seen = [
        message(number, body)
        for name, body in dict.fromkeys(heard().messages)
        for start, number in kinds.items()
        if name.startswith(start)
    ]
    handshake, data, alert = 2 << 5, 3 << 5, 1 << 5
    late = [
        (8, b""),
        (handshake | 1, message(4, bytes(9) + b"\0\4abcd\0\0")),
        (handshake, message(24, b"\1")),
        (data, b"GET / HTTP/1.1\r\n\r\n"),
    ]
    return [
        joined(late),
        joined([(alert, b"\2\x28")]),
        *(joined([(handshake | 1, one), (8, b""), (handshake, one)]) for one in seen[:150]),
    ]


class _Tunnel:
    """A session of TLS 1.3 in frames, whose application data is given: sealed here, opened by the engine."""

    def __init__(self, engine: Engine, alpn: bytes) -> None:
        self.engine, self.tcp, self.numbers, self.n_frames = engine, Tcp(), [0, 0], 0
        self.ciphers = []
        for role in (CLIENT, SERVER):
            key, iv = key_schedule13.traffic_keys("SHA256", SECRETS[role][1], 16, key_schedule13.label_prefix(0))
            self.ciphers.append((AESGCM(key), int.from_bytes(iv)))
        for data in self.tcp.open():
            self._feed(data)
        names = extension(16, (1 + len(alpn)).to_bytes(2) + bytes([len(alpn)]) + alpn) if alpn else b""
        self.say(CLIENT, record(22, client_hello(TLS13, names, suites=b"\x13\1")))
        self.say(SERVER, record(22, server_hello(extension(43, b"\3\4"), suite=b"\x13\1")))
        sealed_by = [self._handshake_cipher(role) for role in (CLIENT, SERVER)]
        ready = (
            message(8, len(names).to_bytes(2) + names) + message(11, b"\0\0\0\x09\0\0\4cert\0\0") + message(15, b"\4\3\0\3sig")
        )
        self.say(SERVER, _sealed(*sealed_by[SERVER], 0, ready + message(20, b"f" * 32), 22))
        self.say(CLIENT, _sealed(*sealed_by[CLIENT], 0, message(20, b"f" * 32), 22))

    @staticmethod
    def _handshake_cipher(role: int) -> tuple[AESGCM, int]:
        key, iv = key_schedule13.traffic_keys("SHA256", SECRETS[role][0], 16, key_schedule13.label_prefix(0))
        return AESGCM(key), int.from_bytes(iv)

    def seal(self, role: int, data: bytes) -> None:
        """Send application data."""
        self.say(role, _sealed(*self.ciphers[role], self.numbers[role], data, 23))
        self.numbers[role] += 1

    def say(self, side: int, data: bytes) -> None:
        """Send bytes of the connection."""
        for one in self.tcp.say(side, data):
            self._feed(one)

    def _feed(self, data: bytes) -> None:
        self.n_frames += 1
        self.engine.feed(frame_of(self.n_frames, 1, data))


def _sealed(cipher: AESGCM, iv: int, number: int, content: bytes, content_type: int) -> bytes:
    inner = content + bytes([content_type])
    header = b"\x17\3\3" + (len(inner) + 16).to_bytes(2)
    return header + cipher.encrypt((iv ^ number).to_bytes(12), inner, header)


@cache
def _tunnel_keys() -> KeyLog:
    log = KeyLog()
    for labels, secrets in zip(LABELS, SECRETS, strict=True):
        for label, secret in zip(labels, secrets, strict=True):
            log.feed(f"{label} {(b'C' * 32).hex()} {secret.hex()}\n".encode())
    log.close()
    return log


def inner_streams(data: bytes) -> None:
    """TLS inside TLS, behind CONNECT, SOCKS or PROXY, or in streams of HTTP/2: each is inside one before it, not too deep."""
    engine = Engine(detailed=True, keylog=_tunnel_keys(), watches_http=True)
    tunnel = _Tunnel(engine, b"h2" if data[:1] == b"\2" else b"")
    for chunk in chunks(data[1:])[:80]:
        if chunk.marks & GAP:
            tunnel.tcp.next[chunk.side] += 1 + len(chunk.data)
        else:
            tunnel.seal(chunk.side, chunk.data[:16_384])
    engine.close()
    depths: dict[int, int] = {}
    for one in sorted(check_records(engine), key=lambda one: one["id"]):
        outer = one["inside"]
        depths[one["id"]] = 0 if outer is None else depths[outer] + 1
        assert depths[one["id"]] <= MAX_DEPTH
    assert depths[0] == 0


def inner_seeds() -> list[bytes]:
    """A ClientHello and an answer behind each kind of proxy; and two tunnels in HTTP/2."""
    hello = record(22, client_hello(TLS13, extension(0, b"\0\x08\0\0\5inner"), suites=b"\x13\1\xc0\x2f"))
    answer = (
        record(22, server_hello(suite=b"\xc0\x2f")) + record(22, message(11, b"\0\0\7\0\0\4cert")) + record(22, message(14))
    )
    talk = [
        (CLIENT, hello),
        (SERVER, answer),
        (CLIENT, record(22, message(16, b"\1k")) + record(20, b"\1")),
        (SERVER, record(21, b"\2\x28")),
    ]
    ahead = [
        [(CLIENT, b"CONNECT a.test:443 HTTP/1.1\r\nHost: a.test\r\n\r\n"), (SERVER, b"HTTP/1.1 200 ok\r\n\r\n")],
        [(CLIENT, b"\5\1\0"), (SERVER, b"\5\0"), (CLIENT, b"\5\1\0\1\x7f\0\0\1\1\xbb"), (SERVER, b"\5\0\0\1" + bytes(6))],
        [(CLIENT, b"PROXY TCP4 203.0.113.77 10.0.0.9 55555 443\r\n")], [],
        [(CLIENT, b"CONNECT a:1 HTTP/1.1\r\n\r\n"), (SERVER, b"HTTP/1.1 407 no\r\nContent-Length: 2\r\n\r\nno")],
    ]  # fmt: skip
    found = [b"\1" + joined([*before, *talk]) for before in ahead]
    found.append(b"\1" + joined([*ahead[0], *ahead[1], *talk, (GAP, b"ab"), *talk]))
    coder = hpack.Encoder()
    section = coder.encode([(":method", "CONNECT"), (":authority", "a.test:443")])
    frames = [(CLIENT, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _http2(4, 0, 0, b"")), (SERVER, _http2(4, 0, 0, b""))]
    frames += [(CLIENT, _http2(1, 4, stream, section)) for stream in (1, 3)]
    frames += [(SERVER, _http2(1, 4, stream, b"\x88")) for stream in (1, 3)]
    frames += [(side, _http2(0, 0, stream, piece)) for side, piece in talk for stream in (1, 3)]
    return [*found, b"\2" + joined(frames)]


def _http2(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload
