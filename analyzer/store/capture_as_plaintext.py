"""Writes what sessions carried as packets of plain TCP, for programs that detect attacks in traffic and have no keys.

Each session becomes a connection of its own between the same addresses and ports (RFC 9293). It has three packets that open it,
then the data of both sides in the order and at the times of their records, with an acknowledgement of each record, and two
FINs. Where data is missing, the sequence numbers have a gap, so a reader sees that data is missing. No part of TLS is in the
output. Headers are made here. Only addresses, ports and times come from the packets that carried the records.

A session inside another one has the addresses and ports of that one at the same time, and so have conversations of EAP in one
flow of RADIUS. So the port of their client is another one, by the number of the session. Hardware addresses become link-local
addresses of IPv6 (RFC 4291 appendix A).
"""

import heapq
import struct
from collections import Counter
from collections.abc import Collection
from typing import BinaryIO, Final

from analyzer.analysis.missing_data import Missing, MissingData
from analyzer.capture.capture_writer import PcapngWriter
from analyzer.engine.data_streams import DataReader, DataStreams
from analyzer.flows.flow import Flow
from analyzer.packet.addresses import HARDWARE, split_key
from analyzer.store.session_record import decryption_record
from analyzer.tls.events import Event, Gap, HandshakeMessage
from analyzer.tls.messages.numbers import FINISHED
from analyzer.tls.session import Session

FIN, SYN, PSH, ACK = 0x01, 0x02, 0x08, 0x10

MAX_SEGMENT: Final = 1440
"""The most bytes of data in a packet: what fits into an Ethernet frame with IPv6."""

LARGEST_GAP: Final = 1 << 24
"""The largest gap in the sequence numbers for missing data. Readers treat data beyond the window as an attack."""

LEAST_GAP: Final = 1
"""The gap in the sequence numbers where it is not known how much is missing."""

MAX_HELD: Final = 8 << 20
"""The most bytes of frames that are held for earlier frames: the end of a connection is reported a little after it."""

_ETHERNET = 1
_TCP = 6
_MACS = (b"\x02\0\0\0\0\x01", b"\x02\0\0\0\0\x02")
_FIRST_NUMBERS = (0x10000000, 0x50000000)
_WINDOW = 0xFFFF
# The largest possible window (RFC 7323): a gap is within it.
_SYN_OPTIONS = struct.pack("!BBH", 2, 4, MAX_SEGMENT) + b"\x01\x03\x03\x0e"
_FIRST_PORT, _N_PORTS = 49152, 16384  # those that nobody is assigned (RFC 6335 section 6)
_PORT_CONTROL = 0x888E  # as the EtherType of what has no ports
_LIFETIME = 64
_DO_NOT_FRAGMENT = 0x4000


class Beginning:
    """What is known of a session before and between its data.

    finished: the frame of each role's first Finished, 0 without one. gaps: role, bytes and frame of each.
    """

    def __init__(self) -> None:
        self.finished = [0, 0]
        self.gaps: list[tuple[int, int, int]] = []

    def missing_bytes(self, role: int) -> int:
        """Return how many bytes of a role are missing since its Finished."""
        finished = self.finished[role]
        return sum(n_bytes for one, n_bytes, frame in self.gaps if one == role and 0 < finished <= frame)


class PlainCapture(DataStreams):
    """Writes a capture.

    sessions, frames: how many were written. closed: sessions that were not decrypted, by the reason in their record.
    """

    def __init__(self, file: BinaryIO, sessions: Collection[int] = ()) -> None:
        """sessions: the numbers of the chosen sessions, all if empty."""
        super().__init__()
        self.sessions = 0
        self.frames = 0
        self.closed: Counter[str] = Counter()
        self._beginnings: dict[int, Beginning] = {}
        self._chosen = frozenset(sessions)
        self._writer = PcapngWriter(file, comment="plaintext of TLS sessions; packets are made up but for addresses and ports")
        self._writer.write_interface(_ETHERNET)
        self._held: list[tuple[int, int, bytes, str]] = []
        self._n_held = 0

    def open(self, session: int, alpn: bytes | None, missing: MissingData) -> DataReader | None:
        """See `DataStreams.open`."""
        if self._chosen and session not in self._chosen:
            return None
        self.sessions += 1
        return _Connection(self, session, self.flows[session], self._beginnings.setdefault(session, Beginning()), missing)

    def note(self, event: Event) -> None:
        """See `DataStreams.note`. Keeps what shows how much is missing before the data of a role."""
        beginning = self._beginnings.setdefault(event.session, Beginning())
        if isinstance(event, Gap):
            beginning.gaps.append((event.role, event.length, event.frame))
        elif isinstance(event, HandshakeMessage) and event.type == FINISHED and not beginning.finished[event.role]:
            beginning.finished[event.role] = event.frame

    def end(self, session: Session) -> None:
        """See `DataStreams.end`. Counts a session that was not decrypted."""
        self._beginnings.pop(session.id, None)
        decryption = decryption_record(session)
        if decryption["status"] == "none" and (not self._chosen or session.id in self._chosen):
            self.closed[decryption["reason"]] += 1

    def write(self, at: int, frame: bytes, comment: str = "") -> None:
        """Write a frame. It is held for a while, so that frames with earlier times come before it."""
        self.frames += 1
        heapq.heappush(self._held, (at, self.frames, frame, comment))
        self._n_held += len(frame)
        while self._n_held > MAX_HELD:
            self._write_first()

    def close(self) -> None:
        """See `Listener.close`. Writes the frames that are still held."""
        while self._held:
            self._write_first()

    def _write_first(self) -> None:
        at, _, frame, comment = heapq.heappop(self._held)
        self._n_held -= len(frame)
        self._writer.write_frame(max(0, at), frame, comment=comment)


class _Connection(DataReader):
    """Writes one session as a connection. Side 0 is the client, which opens it."""

    def __init__(self, capture: PlainCapture, session: int, flow: Flow, beginning: Beginning, missing: MissingData) -> None:
        super().__init__(missing)
        self._capture = capture
        self._beginning = beginning
        (client, client_port), (server, server_port) = split_key(flow.key)
        if flow.carrier is not None:
            client_port = _FIRST_PORT + session % _N_PORTS
        if len(client) == HARDWARE:
            client, server, server_port = link_local(client), link_local(server), _PORT_CONTROL
        self._hosts = client, server
        self._ports = client_port, server_port
        self._next = list(_FIRST_NUMBERS)
        self._latest = -1
        self._opened = False
        self._begun = [False, False]
        self._comment = f"plaintext of TLS session {session}, whose first frame is {flow.first_frame}"

    def feed(self, role: int, data: bytes, frame: int, at: int) -> None:
        """See `DataReader.feed`."""
        self._latest = max(self._latest, at)
        if not self._opened:
            self._open()
        self._leave_gaps(self.missing.take())
        self._begin(role)
        for pos in range(0, len(data), MAX_SEGMENT):
            segment = data[pos : pos + MAX_SEGMENT]
            self._send(role, ACK | PSH if MAX_SEGMENT >= len(data) - pos else ACK, segment)
        if data:
            self._send(1 - role, ACK)

    def close(self, at: int) -> None:
        """See `DataReader.close`. Ends the connection."""
        self._latest = max(self._latest, at)
        self._leave_gaps(self.missing.take())
        for side in (0, 1):
            self._begin(side)
        self._send(0, FIN | ACK)
        self._send(1, FIN | ACK)
        self._send(0, ACK)

    def _open(self) -> None:
        self._opened = True
        self._send(0, SYN, options=_SYN_OPTIONS, comment=self._comment)
        self._send(1, SYN | ACK, options=_SYN_OPTIONS)
        self._send(0, ACK)

    def _begin(self, side: int) -> None:
        """Leave a gap for what is missing between the Finished of a side and its first data."""
        if not self._begun[side]:
            self._begun[side] = True
            self._skip(side, self._beginning.missing_bytes(side))

    def _leave_gaps(self, missing: list[Missing]) -> None:
        for one in missing:
            if one.role is not None and self._begun[one.role]:
                self._skip(one.role, one.n_bytes or LEAST_GAP)

    def _skip(self, side: int, n_bytes: int) -> None:
        self._next[side] = (self._next[side] + min(n_bytes, LARGEST_GAP)) & 0xFFFFFFFF

    def _send(self, side: int, flags: int, data: bytes = b"", options: bytes = b"", comment: str = "") -> None:
        sequence = self._next[side]
        acknowledgement = self._next[1 - side] if flags & ACK else 0
        offset = (20 + len(options)) << 2
        ports = self._ports[side], self._ports[1 - side]
        hosts = self._hosts[side] + self._hosts[1 - side]
        n_bytes = 20 + len(options) + len(data)
        head = struct.pack("!HHIIBBHHH", *ports, sequence, acknowledgement, offset, flags, _WINDOW, 0, 0)
        tcp = head + options + data
        check = checksum(hosts + struct.pack("!II", n_bytes, _TCP) + tcp)
        tcp = tcp[:16] + check.to_bytes(2, "big") + tcp[18:]
        ether_type, ip = (b"\x08\0", ipv4(hosts, n_bytes)) if len(hosts) == 8 else (b"\x86\xdd", ipv6(hosts, n_bytes))
        self._capture.write(self._latest, _MACS[1 - side] + _MACS[side] + ether_type + ip + tcp, comment)
        self._next[side] = (sequence + len(data) + bool(flags & (SYN | FIN))) & 0xFFFFFFFF


def link_local(address: bytes) -> bytes:
    """Return the IPv6 address that an interface with a hardware address gives itself (RFC 4291 appendix A)."""
    return b"\xfe\x80" + bytes(6) + bytes([address[0] ^ 2]) + address[1:3] + b"\xff\xfe" + address[3:]


def ipv4(hosts: bytes, n_bytes: int) -> bytes:
    """Return the header of a packet with `n_bytes` bytes of TCP (RFC 791)."""
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + n_bytes, 0, _DO_NOT_FRAGMENT, _LIFETIME, _TCP, 0) + hosts
    return head[:10] + checksum(head).to_bytes(2, "big") + head[12:]


def ipv6(hosts: bytes, n_bytes: int) -> bytes:
    """Return the header of a packet with `n_bytes` bytes of TCP (RFC 8200)."""
    return struct.pack("!IHBB", 0x60000000, n_bytes, _TCP, _LIFETIME) + hosts


def checksum(data: bytes) -> int:
    """Return the Internet checksum (RFC 1071): the sum of all 16-bit words in one's complement, inverted."""
    # A number is congruent, modulo 2^16 - 1, to the sum of its digits in base 2^16.
    total = int.from_bytes(data if len(data) % 2 == 0 else data + b"\0", "big")
    return 0xFFFF - (total % 0xFFFF or (0xFFFF if total else 0))
