"""Puts the flights of a session into EAP packets, as frames of 802.1X or datagrams of RADIUS."""

from collections.abc import Iterator
from io import BytesIO

from conversations import CLIENT, START
from keyed import MILLISECOND, Talk

from analyzer.capture.capture_writer import PcapngWriter

SUPPLICANT, AUTHENTICATOR, GROUP = (bytes.fromhex(text) for text in ("02005e00530a", "02005e005301", "0180c2000003"))
TLS, TTLS, PEAP, TEAP = 13, 21, 25, 55
LENGTH, MORE, START_FLAG = 0x80, 0x40, 0x20
REQUEST, RESPONSE, SUCCESS, FAILURE = 1, 2, 3, 4
IDENTITY = b"alice@example.org"


def eap(code: int, identifier: int, kind: int | None = None, content: bytes = b"") -> bytes:
    body = b"" if kind is None else bytes([kind]) + content
    return bytes([code, identifier]) + (4 + len(body)).to_bytes(2, "big") + body


def packets(
    talk: Talk, kind: int = TLS, size: int = 500, first: int = 1, end: int = SUCCESS, every_length: bool = False
) -> Iterator[bytes]:
    """The EAP packets of a session: name, start, fragments with their acknowledgements, and the end."""
    number = first
    yield eap(REQUEST, number, 1)
    yield eap(RESPONSE, number, 1, IDENTITY)
    number += 1
    version = 1 if kind in (PEAP, TEAP) else 0
    yield eap(REQUEST, number & 255, kind, bytes([START_FLAG | version]))
    owed = CLIENT
    for side, data in joined(talk):
        if side != owed:  # the other side has nothing to say
            yield eap(RESPONSE if owed == CLIENT else REQUEST, number & 255, kind, bytes([version]))
            number += owed == CLIENT
        pieces = [data[pos : pos + size] for pos in range(0, len(data), size)]
        for index, piece in enumerate(pieces):
            more = index + 1 < len(pieces)
            flags = (MORE if more else 0) | version
            length = b""
            if len(pieces) > 1 and (index == 0 or every_length):
                flags, length = flags | LENGTH, len(data).to_bytes(4, "big")
            yield eap(RESPONSE if side == CLIENT else REQUEST, number & 255, kind, bytes([flags]) + length + piece)
            number += side == CLIENT
            if more:
                yield eap(REQUEST if side == CLIENT else RESPONSE, number & 255, kind, bytes([version]))
                number += side != CLIENT
        owed = 1 - side
    if owed == CLIENT:
        yield eap(RESPONSE, number & 255, kind, bytes([version]))
    yield eap(end, number & 255)


def joined(talk: Talk) -> list[tuple[int, bytes]]:
    """The flights, those of one side behind each other in one."""
    found: list[tuple[int, bytes]] = []
    for side, data in talk.flights:
        if found and found[-1][0] == side:
            found[-1] = side, found[-1][1] + data
        else:
            found.append((side, data))
    return found


def port_frame(packet: bytes, group: bool = False, kind: int = 0) -> bytes:
    """An EAP packet in 802.1X on Ethernet, padded."""
    response = packet[:1] in (b"\2", b"")
    ends = (GROUP if group else AUTHENTICATOR) + SUPPLICANT if response else SUPPLICANT + AUTHENTICATOR
    return (ends + b"\x88\x8e\2" + bytes([kind]) + len(packet).to_bytes(2, "big") + packet).ljust(60, b"\0")


def radius(code: int, identifier: int, packet: bytes, state: bytes = b"", station: bytes = b"") -> bytes:
    """An EAP packet in RADIUS."""
    pieces = [packet[pos : pos + 253] for pos in range(0, len(packet), 253)]
    attributes = [(1, IDENTITY), *((79, piece) for piece in pieces), (24, state), (31, station), (80, bytes(16))]
    body = b"".join(bytes([kind, 2 + len(value)]) + value for kind, value in attributes if value)
    return bytes([code, identifier]) + (20 + len(body)).to_bytes(2, "big") + bytes(16) + body


def radius_datagrams(packets_of: Iterator[bytes], name: bytes, first: int = 0) -> Iterator[tuple[bool, bytes]]:
    """The RADIUS packets of a conversation, whose State attributes begin with a name; and whether the access point sends it."""
    listed = list(packets_of)[1:]  # the access point asks for the name itself
    state = b""
    for turn, start in enumerate(range(0, len(listed), 2)):
        yield True, radius(1, (first + turn) & 255, listed[start], state, b"02-00-5E-00-53-0A")
        answer = listed[start + 1]
        state = name + bytes([turn])
        code = {SUCCESS: 2, FAILURE: 3}.get(answer[0], 11)
        yield False, radius(code, (first + turn) & 255, answer, b"" if code != 11 else state)


def udp_frame(asks: bool, payload: bytes, port: int = 1812, source: int = 50000) -> bytes:
    """A datagram between access point and server, on Ethernet."""
    ends, ports = (b"\xc0\0\2\1", b"\xc0\0\2\2"), (source, port)
    (a, b), (c, d) = (ends, ports) if asks else (ends[::-1], ports[::-1])
    length = 8 + len(payload)
    header = b"\x45\0" + (20 + length).to_bytes(2, "big") + bytes(4) + b"\x40\x11\0\0" + a + b
    transport = c.to_bytes(2, "big") + d.to_bytes(2, "big") + length.to_bytes(2, "big") + b"\0\0"
    return AUTHENTICATOR + SUPPLICANT + b"\x08\0" + header + transport + payload


def capture(frames: list[bytes], talk: Talk | None = None, link_type: int = 1) -> bytes:
    """A capture of these frames, a millisecond apart, with the keys of a session."""
    file = BytesIO()
    writer = PcapngWriter(file)
    writer.write_interface(link_type)
    if talk is not None:
        writer.write_secrets(talk.keylog.encode())
    for number, frame in enumerate(frames):
        writer.write_frame(START + number * MILLISECOND, frame)
    return file.getvalue()
