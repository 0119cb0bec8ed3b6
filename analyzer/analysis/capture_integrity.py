"""Looks at all packets of a capture for signs that it is not what a network card delivered, one after the other.

Nothing here proves that a capture was changed. Each result is an observation that has ordinary causes; what fits none of them
is for a person to judge. Compared are: the order and the digits of times, lengths at which frames are cut, checksums, frames
that come twice, identifications and times to live (`sender_series`), clocks of the senders (`sender_clock`), and acknowledged
bytes that are in no frame (`sender_stream`).

Memory is bounded: senders are kept in two generations. When the younger one is full, it becomes the older one, and what the
older one has is concluded. Each packet takes one lookup and some comparisons.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.analysis.interface_series import InterfaceSeries
from analyzer.analysis.internet_checksum import UNCHECKED, UNFINISHED, WRONG, check_ip, check_transport
from analyzer.analysis.sender_clock import SenderClock
from analyzer.analysis.sender_series import MOST_ODD, MOST_SKIPS, STEADY_FOR_SKIPS, SenderSeries, keep_frame
from analyzer.analysis.sender_stream import SenderStream
from analyzer.capture.frame import Frame
from analyzer.flows.flow import TCP
from analyzer.packet.packet import Packet

if TYPE_CHECKING:
    import cython

_COMPILED: bool = not __file__.endswith(".py")

MOST_SENDERS = 8192
"""Senders of one generation: directions of conversations. Two generations need 10 MB."""

MOST_INTERFACES = 1024
"""Interfaces that are distinguished. Frames of further ones belong to the last."""

MOST_HOSTS = 64
"""Hosts that one observation keeps."""

MOST_WITNESSED = 256
"""Steps of the clock for which witnesses are kept."""

DUPLICATE_TIME = 10_000_000
"""Nanoseconds within which a frame with the same bytes is the same frame, captured twice. Senders repeat themselves later."""

SLOTS = 1024
"""Frames that are remembered for this, a power of two. RECENT: senders that are tried first."""

RECENT = 256

SYN, RST, ACK, FIN, WORD = 0x02, 0x04, 0x10, 0x01, 0xFFFFFFFF

# In the compiled build these are C variables, which other modules cannot see.
_TCP, _WRONG, _UNFINISHED, _UNCHECKED = TCP, WRONG, UNFINISHED, UNCHECKED
_MOST_SENDERS, _MOST_INTERFACES, _DUPLICATE_TIME, _SLOTS = MOST_SENDERS, MOST_INTERFACES, DUPLICATE_TIME, SLOTS
_RECENT, _SYN, _RST, _ACK, _FIN, _WORD = RECENT, SYN, RST, ACK, FIN, WORD
_STEADY_FOR_SKIPS = STEADY_FOR_SKIPS


_UNFINISHED_KINDS = ("checksum_unfinished_ip", "checksum_unfinished_tcp", "checksum_unfinished_udp")
_WRONG_KINDS = ("checksum_wrong_ip", "checksum_wrong_tcp", "checksum_wrong_udp")


class Sender:
    """One direction of a conversation. key: of its packets. peer: the other
    direction, None before it sends. older_frames: those whose timestamp is older than that of one
    before.
    """

    __slots__ = ("clock", "key", "older_frames", "peer", "series", "stream")

    def __init__(self, key: bytes) -> None:
        self.key = key
        self.peer: Sender | None = None
        self.begin()

    def begin(self) -> None:
        """Begin a connection, which may have the addresses and ports of an earlier one."""
        self.series = SenderSeries()
        self.stream = SenderStream()
        self.clock: SenderClock | None = None
        self.older_frames: list[int] | None = None


class Note:
    """One kind of observation. count: how often; n_senders: directions of conversations. hosts: senders, at most MOST_HOSTS."""

    __slots__ = ("count", "frames", "hosts", "n_senders")

    def __init__(self) -> None:
        self.count = self.n_senders = 0
        self.frames: list[int] = []
        self.hosts: dict[bytes, None] = {}

    def add(self, address: bytes, count: cython.longlong, frames: list[Any] | None) -> None:
        """Add what one sender caused."""
        self.count += count
        self.n_senders += 1
        for frame in frames or ():
            self.frames = keep_frame(self.frames, frame)
        if len(self.hosts) < MOST_HOSTS:
            self.hosts[address] = None


class Remembered:
    """A frame that may come again: its fingerprint, length, interface and time."""

    __slots__ = ("at", "fingerprint", "interface", "n_bytes")

    def __init__(self) -> None:
        self.fingerprint = self.n_bytes = 0
        self.interface = -1
        self.at = -1


class CaptureIntegrity:
    """Takes all packets of a run.

    interfaces: by number. notes: by kind. checked_ip, checked_tcp, checked_udp: how many checksums were compared. witnesses:
    for each frame at which the time made a step, hosts whose clocks did not make it, with the step in nanoseconds. n_series:
    directions with steady identifications; n_clocks: those whose clock has a known rate, and n_directions: all that were
    followed. furthest: the largest difference of such a clock, in seconds, with the seconds that it was watched and its
    address.
    """

    __slots__ = (
        "checked_ip", "checked_tcp", "checked_udp", "frames", "furthest", "interface", "interfaces", "last_offset",
        "n_clocks", "n_directions", "n_series", "notes", "number", "older", "recent", "remembered", "senders", "witnesses",
    )  # fmt: skip

    def __init__(self) -> None:
        self.frames = self.last_offset = 0
        self.number = -1
        self.interface: InterfaceSeries = InterfaceSeries()
        self.interfaces: dict[int, InterfaceSeries] = {}
        self.notes: dict[str, Note] = {}
        self.checked_ip = self.checked_tcp = self.checked_udp = 0
        self.witnesses: dict[int, dict[bytes, int]] = {}
        self.senders: dict[bytes, Sender] = {}
        self.older: dict[bytes, Sender] = {}
        self.recent: list[Sender | None] = [None] * RECENT
        self.remembered: list[Remembered] = [Remembered() for _ in range(SLOTS)]
        self.n_series = self.n_clocks = self.n_directions = 0
        self.furthest: tuple[float, float, bytes] = (0.0, 0.0, b"")

    def count(self, packet: Packet, frame: Frame) -> None:
        """Take one frame, which was read into `packet`."""
        self.frames += 1
        if frame.interface != self.number:
            self.switch(frame)
        self.interface.count(frame)
        self.last_offset = frame.offset
        if packet.ip < 0 or packet.fragment:
            return
        # What the last fragment of a datagram completes is one packet, but not in the bytes of the frame.
        whole: cython.bint = packet.data is frame.data
        if whole:
            self.check(packet, frame.number)
        if packet.transport < 0 or packet.payload <= packet.transport:
            return
        sender: Sender = self.find(packet)
        if sender is None:
            return
        if packet.copy_of > 0:
            self.note("duplicate_frames", sender.key, 1, [frame.number])
            return
        n_bytes: cython.longlong = packet.payload_end - packet.payload + packet.missing
        forward: cython.bint = False
        if packet.protocol == _TCP:
            forward = self.follow(sender, packet, frame, n_bytes)
        data: bytes = packet.data
        identification: cython.int = 0
        if packet.ip_version == 4:
            identification = data[packet.ip + 4] << 8 | data[packet.ip + 5]
            sender.series.take(identification, data[packet.ip + 8], n_bytes, forward, frame.number)
        else:
            sender.series.take(0, data[packet.ip + 7], n_bytes, forward, frame.number)
        if whole and frame.at >= 0 and (identification != 0 or n_bytes > 0) and self.is_repeated(frame):
            self.note("duplicate_frames", sender.key, 1, [frame.number])

    def switch(self, frame: Frame) -> None:
        """Go on with the interface of a frame. A new file begins new conversations: it may have been captured elsewhere."""
        number: cython.int = frame.interface
        known = self.interfaces.get(number)
        if known is None:
            if frame.offset <= self.last_offset:
                self.conclude()
            if len(self.interfaces) >= _MOST_INTERFACES:
                return
            known = self.interfaces[number] = InterfaceSeries()
        self.interface = known
        self.number = number

    def check(self, packet: Packet, frame: cython.longlong) -> None:
        """Compare the checksums of a packet."""
        result: cython.int = check_ip(packet)
        if result != _UNCHECKED:
            self.checked_ip += 1
            if result != 0:
                self.note_checksum(packet, 0, result, frame)
        if packet.transport < 0:
            return
        result = check_transport(packet)
        if result != _UNCHECKED:
            if packet.protocol == _TCP:
                self.checked_tcp += 1
            else:
                self.checked_udp += 1
            if result != 0:
                self.note_checksum(packet, packet.protocol, result, frame)

    def note_checksum(self, packet: Packet, protocol: cython.int, result: cython.int, frame: cython.longlong) -> None:
        """Note a checksum that does not fit."""
        first: cython.Py_ssize_t = packet.ip + (12 if packet.ip_version == 4 else 8)
        address = packet.data[first : first + (4 if packet.ip_version == 4 else 16)]
        place: cython.Py_ssize_t = 0 if protocol == 0 else 1 if protocol == _TCP else 2
        note: Note = self.find_note(_UNFINISHED_KINDS[place] if result == _UNFINISHED else _WRONG_KINDS[place])
        note.add(address, 1, [frame])

    def find(self, packet: Packet) -> Sender:
        """Return who sent a packet; None if it has no key."""
        place: cython.Py_ssize_t = (packet.source_port ^ packet.destination_port) % _RECENT
        sender: Sender = self.recent[place]  # type: ignore[assignment]
        if sender is not None:
            if packet.has_key(sender.key):
                return sender
            sender = sender.peer  # type: ignore[assignment]
            if sender is not None and packet.has_key(sender.key):
                return sender
        key: bytes = packet.key()
        if len(key) == 0:
            return None  # type: ignore[return-value]
        sender = self.senders.get(key)  # type: ignore[assignment]
        if sender is None:
            sender = self.open(key, packet.reverse_key())
        self.recent[place] = sender
        return sender

    def open(self, key: bytes, back: bytes) -> Sender:
        """Return a new sender, or one of the older generation, which goes to the younger one with its peer. back: their key."""
        if len(self.senders) >= _MOST_SENDERS:
            self.forget(self.older)
            self.older = self.senders
            self.senders = {}
            self.recent = [None] * RECENT
        sender: Sender = self.older.pop(key, None)  # type: ignore[arg-type]
        peer: Sender = self.older.pop(back, None)  # type: ignore[arg-type]
        if peer is None:
            peer = self.senders.get(back)
        else:
            self.senders[back] = peer
        if sender is None:
            sender = Sender(key)
            if peer is not None and back != key:
                sender.peer = peer
                peer.peer = sender
        self.senders[key] = sender
        return sender

    def forget(self, generation: dict[Any, Any]) -> None:
        """Conclude a generation of senders. Break their reference cycles, so that they are freed at once."""
        sender: Sender
        for sender in generation.values():
            self.judge(sender)
        for sender in generation.values():
            sender.peer = None

    def follow(self, sender: Sender, packet: Packet, frame: Frame, n_bytes: cython.longlong) -> cython.bint:
        """Follow sequence numbers and timestamps of a TCP segment. Return whether it was sent after those before it."""
        flags: cython.int = packet.flags
        if flags & _RST:
            return False
        stream: SenderStream = sender.stream
        peer: Sender = sender.peer  # type: ignore[assignment]
        if flags & _SYN and stream.started and (packet.sequence + 1 - stream.next + stream.offset) & _WORD != 0:
            self.judge(sender)
            sender.begin()
            stream = sender.stream
            if peer is not None:
                self.judge(peer)
                peer.begin()
        if flags & _SYN:
            n_bytes += 1
        if flags & _FIN:
            n_bytes += 1
        later: cython.bint = stream.feed(packet.sequence, n_bytes, frame.number)
        if flags & _ACK and peer is not None:
            stream = peer.stream
            if stream.acknowledge(packet.acknowledgement, frame.number) and n_bytes == 0 and stream.holes is None:
                later = True
        if frame.at >= 0:
            value: cython.longlong = timestamp_of(packet)
            if value >= 0:
                self.compare_clocks(sender, value, later and not flags & _SYN, frame)
        return later

    def compare_clocks(self, sender: Sender, value: cython.longlong, later: cython.bint, frame: Frame) -> None:
        """Compare the clock of a sender with that of the capture."""
        clock: SenderClock = sender.clock  # type: ignore[assignment]
        if clock is None:
            sender.clock = SenderClock(value, frame.at, frame.number)
            return
        if clock.is_older(value):
            if later:
                sender.older_frames = keep_frame(sender.older_frames, frame.number)
            return
        step: cython.longlong = clock.take(value, frame.at, frame.number)
        if step == 0:
            return
        place: cython.longlong = self.interface.step_within(clock.step_from, frame.number, step)
        address = sender.key[: (len(sender.key) - 4) >> 1]
        if place == 0:
            self.note("timestamp_step", sender.key, 1, [frame.number])
        elif place in self.witnesses or len(self.witnesses) < MOST_WITNESSED:
            seen = self.witnesses.setdefault(place, {})
            if address in seen or len(seen) < MOST_HOSTS:
                seen[address] = step

    def is_repeated(self, frame: Frame) -> cython.bint:
        """Return whether the same bytes came a moment ago on the same interface. Remember the frame."""
        fingerprint: cython.longlong = fingerprint_of(frame)
        n_bytes: cython.longlong = frame.end - frame.start
        slot: Remembered = self.remembered[fingerprint & (_SLOTS - 1)]
        passed: cython.longlong = frame.at - slot.at
        same: cython.bint = slot.fingerprint == fingerprint and slot.n_bytes == n_bytes and slot.interface == frame.interface
        slot.fingerprint = fingerprint
        slot.n_bytes = n_bytes
        slot.interface = frame.interface
        slot.at = frame.at
        return same and -_DUPLICATE_TIME <= passed <= _DUPLICATE_TIME

    def note(self, kind: str, key: bytes, count: cython.longlong, frames: list[Any] | None) -> None:
        """Note what the sender with this key caused."""
        note: Note = self.find_note(kind)
        note.add(key[: (len(key) - 4) >> 1], count, frames)

    def find_note(self, kind: str) -> Note:
        """Return the note of a kind."""
        found = self.notes.get(kind)
        if found is None:
            found = self.notes[kind] = Note()
        return found

    def judge(self, sender: Sender) -> None:
        """Conclude what the packets of a sender show."""
        series: SenderSeries = sender.series
        stream: SenderStream = sender.stream
        clock: SenderClock = sender.clock  # type: ignore[assignment]
        self.n_directions += 1
        if stream.holes is not None:
            stream.close()
        if stream.lost_frames is not None:
            self.note("acknowledged_not_captured", sender.key, stream.n_lost, stream.lost_frames)
        if series.is_steady():
            self.n_series += 1
            self.note_few("identification_stands_out", sender.key, series.odd_frames)
            self.note_few("identification_restarts", sender.key, series.restart_frames)
            self.note_few("identification_backward", sender.key, series.backward_frames)
            if series.n_steps >= _STEADY_FOR_SKIPS and series.n_skips * MOST_SKIPS <= series.n_steps and series.skipped > 0:
                self.note("identification_skips", sender.key, series.skipped, series.skip_frames)
        if series.changes <= MOST_ODD:
            self.note_few("hops_stand_out", sender.key, series.odd_hops)
        if sender.older_frames is not None:
            self.note("timestamp_older", sender.key, len(sender.older_frames), sender.older_frames)
        if clock is not None and clock.rate > 0:
            self.n_clocks += 1
            difference = clock.difference()
            if abs(difference) >= abs(self.furthest[0]):
                self.furthest = (difference, clock.span / 1e9, sender.key[: (len(sender.key) - 4) >> 1])

    def note_few(self, kind: str, key: bytes, frames: list[Any] | None) -> None:
        """Note frames that stand out, if they are few: where many do, it is not the frames that are odd."""
        if frames is not None and len(frames) <= MOST_ODD:
            self.note(kind, key, len(frames), frames)

    def conclude(self) -> None:
        """Conclude all conversations: the captures have ended, or another one begins."""
        self.forget(self.older)
        self.forget(self.senders)
        self.senders = {}
        self.older = {}
        self.recent = [None] * RECENT

    def observations(self) -> list[dict[str, Any]]:
        """Return what was observed: see `integrity_observations.observations`. No packets come after it."""
        from analyzer.analysis.integrity_observations import observations

        self.conclude()
        return observations(self)


def timestamp_of(packet: Packet) -> cython.longlong:
    """Return the TSval of a TCP segment (RFC 7323 section 3.2), -1 without one."""
    data: bytes = packet.data
    at: cython.Py_ssize_t = packet.transport + 20
    end: cython.Py_ssize_t = min(packet.payload, len(data))
    while end - at >= 10:
        kind: cython.int = data[at]
        if kind == 8:
            high: cython.longlong = data[at + 2] << 8 | data[at + 3]
            return high << 16 | data[at + 4] << 8 | data[at + 5] if data[at + 1] == 10 else -1
        if kind == 0 or (kind != 1 and data[at + 1] < 2):
            return -1
        at += 1 if kind == 1 else data[at + 1]
    return -1


def fingerprint_of(frame: Frame) -> cython.longlong:
    """Return a hash of a frame's first 448 and last 64 bytes. The checksums of its headers stand for those between them."""
    if frame.start < 0 or frame.end > len(frame.data) or frame.end < frame.start:
        raise IndexError(f"{frame.start}:{frame.end} is not inside {len(frame.data)} bytes")
    if _COMPILED:
        return hash_at(frame.data, frame.start, frame.end)  # type: ignore[name-defined,no-any-return]  # noqa: F821 - in the .pxd
    data = frame.data[frame.start : frame.end]
    return hash(data if len(data) <= 512 else data[:448] + data[-64:])


COMPILED: bool = not __file__.endswith(".py")
