"""Keeps the packets of a run as pcapng (draft-ietf-opsawg-pcapng), in one file or in a ring of files.

A file begins with its section and the interfaces, goes on with packets, and ends with the counters of the interfaces: how
many packets were received and dropped since the file before it ended. It is whole at each moment: what is older than a second
is on the disk in whole blocks. If there is no more room, keeping ends with a note, and the analysis goes on.

Readers want secrets before the packets that they decrypt, but they are known only after them. So a file that gets secrets has
room for them at its beginning: a Decryption Secrets Block of empty lines, which are filled in later. When it is full, further
blocks come behind the packets. They are written when a session ends, and when a file ends with packets of one that goes on.
"""

import contextlib
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from analyzer.capture.blocks import Interface, Statistics
from analyzer.capture.capture_writer import PcapngWriter
from analyzer.capture.frame import Frame
from analyzer.capture.live.live_options import InterfaceStatistics
from analyzer.engine.run import Listener
from analyzer.packet.packet import Packet
from analyzer.store.block_file import BlockFile
from analyzer.store.session_secrets import SessionSecrets
from analyzer.tls.decryption.key_material import KeyMaterial
from analyzer.tls.events import Event, SessionEnded
from analyzer.tls.session import Session

FLUSH = 0.8
"""Seconds after which packets are written, at most. With a turn of the run it is less than a second."""

MOST_WAITING = 1 << 20
"""Bytes of packets that wait in memory, at most."""


ROOM = 1 << 18
"""Bytes for secrets at the beginning of a file: those of about 300 sessions of TLS 1.3."""

_BEFORE_LINES = 16
"""Bytes of a Decryption Secrets Block before its lines: type, length, type of secrets, and their length."""

_Counters = tuple[int | None, int | None, int | None]
"""Packets that an interface has received, that it has dropped itself, and that the system has dropped."""


@dataclass(frozen=True, slots=True)
class Ring:
    """When the next file begins, and how many files stay.

    n_bytes: size of a file, about, without the room for secrets; None for any. seconds: time of a file; None for any. keep: how
    many files stay, while the oldest are removed; 0 for all.
    """

    n_bytes: int | None = None
    seconds: float | None = None
    keep: int = 0


@dataclass(frozen=True, slots=True)
class Origin:
    """What the source of the packets says of itself. interfaces: their descriptions. statistics: their counters now.

    application: the program, for the head of each file.
    """

    interfaces: Callable[[], Sequence[Interface]]
    statistics: Callable[[], Sequence[InterfaceStatistics]]
    application: str


class KeptPackets(Listener):
    """Writes all packets of a run.

    n_bytes: how many bytes of files were written. notes: what went wrong, in one line each. paths: the files that are there.
    """

    sees_packets = True

    def __init__(
        self,
        path: str,
        origin: Origin,
        ring: Ring | None = None,
        material: KeyMaterial | None = None,
        open_sessions: Callable[[int], Iterable[Session]] | None = None,
    ) -> None:
        """path: of the file; with a ring, the names get a number and the time, as dumpcap does it.

        material: the secrets of the run, if those of the sessions are to be in the file; then only its owner may read it.
        open_sessions: returns the sessions that are open and had a packet in that frame or later; None if nobody knows.
        Raises OSError if the file cannot be created.
        """
        self.n_bytes = 0
        self.notes: list[str] = []
        self.paths: deque[str] = deque()
        self._path = path
        self._origin = origin
        self._ring = ring
        self._material = material
        self._open_sessions = open_sessions
        self._first_frame = 0
        self._number = 0
        self._n_interfaces = 0
        self._totals: list[_Counters] = []
        self._began = self._flushed = time.monotonic()
        self._began_at = time.time_ns()
        self._comment = ""
        self._room: _Room | None = None
        self._file: BlockFile | None = None
        self._writer: PcapngWriter
        self._begin()

    def packet(self, packet: Packet, frame: Frame, events: Sequence[Event]) -> None:
        """See `Listener.packet`."""
        file = self._file
        if file is None:
            return
        if frame.interface >= self._n_interfaces:
            self._describe(frame.interface + 1, frame.link_type)
        self._first_frame = self._first_frame or frame.number
        data = bytes(frame.data[frame.start : frame.end])
        self._writer.write_frame(max(0, frame.at), data, frame.wire_length, frame.interface, self._comment)
        self._comment = ""
        if file.n_waiting >= MOST_WAITING:
            self._flush(file)
        ring = self._ring
        room = 0 if self._material is None else ROOM
        if ring is not None and ring.n_bytes is not None and file.size - room >= ring.n_bytes:
            self._rotate()

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`."""
        if self._material is None or self._file is None:
            return
        secrets = SessionSecrets(self._material)
        for event in events:
            if isinstance(event, SessionEnded):
                secrets.add(event.ended)
        self._write_secrets(secrets)

    def end_turn(self) -> None:
        """See `Listener.end_turn`."""
        now = time.monotonic()
        if self._file is not None and now - self._flushed >= FLUSH:
            self._flush(self._file)
        ring = self._ring
        if ring is not None and ring.seconds is not None and now - self._began >= ring.seconds:
            self._rotate()

    def close(self) -> None:
        """See `Listener.close`."""
        self._end()

    def comment(self, text: str) -> None:
        """Write a comment at the next packet: a note about the run, such as an interface that went down."""
        self._comment = f"{self._comment}\n{text}" if self._comment else text

    def _begin(self) -> None:
        path = self._path
        if self._ring is not None:
            self._number += 1
            root, ending = os.path.splitext(path)
            path = f"{root}_{self._number:05d}_{time.strftime('%Y%m%d%H%M%S')}{ending}"
        self._file = BlockFile(path, private=self._material is not None)
        self.paths.append(path)
        self._began = self._flushed = time.monotonic()
        self._began_at = time.time_ns()
        self._n_interfaces = self._first_frame = 0
        system = os.uname()
        self._writer = PcapngWriter(
            self._file,  # type: ignore[arg-type]  # it writes, which is all that is needed
            os=f"{system.sysname} {system.release}",
            hardware=system.machine,
            application=self._origin.application,
        )
        if self._material is not None:
            self._room = _Room(self._file.size + _BEFORE_LINES)
            self._writer.write_secrets(b"\n" * ROOM)
        self._describe()

    def _describe(self, n_interfaces: int = 0, link_type: int = 0) -> None:
        """Describe all interfaces that are known, and at least so many. link_type: of those that are not known."""
        known = self._origin.interfaces()
        while self._n_interfaces < max(n_interfaces, len(known)):
            one = known[self._n_interfaces] if self._n_interfaces < len(known) else None
            if one is None:
                self._writer.write_interface(link_type)
            else:
                texts = (one.name or "", one.description or "", one.filter or "")
                self._writer.write_interface(one.link_type, one.snap_length, *texts)
            self._n_interfaces += 1

    def _write_secrets(self, secrets: SessionSecrets) -> None:
        for block in secrets.blocks():
            if self._room is None or not self._room.take(block):
                self._writer.write_secrets(block)

    def _flush(self, file: BlockFile) -> None:
        before = file.size - file.n_waiting
        try:
            file.flush()
            if self._room is not None:
                self._room.fill(file)
        except OSError as error:
            self._give_up(error)
        self.n_bytes += file.size - file.n_waiting - before
        self._flushed = time.monotonic()

    def _give_up(self, error: OSError) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()
            if file.size == 0:  # not one block had room
                self.paths.pop()
                with contextlib.suppress(OSError):  # then it stays, and is empty
                    os.unlink(file.path)
        self.notes.append(f"{error.filename or self._path}: {error.strerror}; no more packets are kept, the analysis goes on")

    def _rotate(self) -> None:
        if self._file is None or self._ring is None:
            return
        if not self._end():
            return
        try:
            while self._ring.keep and len(self.paths) >= self._ring.keep:
                with contextlib.suppress(FileNotFoundError):  # somebody moved it away, which is what a ring is for
                    os.unlink(self.paths.popleft())
            self._begin()
        except OSError as error:
            self._give_up(error)

    def _end(self) -> bool:
        """End the file, and return whether it is whole.

        Its last blocks are the secrets of open sessions, and what the interfaces have counted since the file before it.
        """
        file = self._file
        if file is None:
            return False
        if self._material is not None and self._open_sessions is not None and self._first_frame:
            secrets = SessionSecrets(self._material)
            for session in self._open_sessions(self._first_frame):
                secrets.add(session)
            self._write_secrets(secrets)
        self._describe()
        now, before = time.time_ns(), self._totals
        self._totals = [_counters(one) for one in self._origin.statistics()]
        for number, totals in enumerate(self._totals[: self._n_interfaces]):
            received, by_interface, by_system = _since(totals, before[number] if number < len(before) else (0, 0, 0))
            self._writer.write_statistics(
                Statistics(
                    number,
                    now,
                    self._began_at,
                    now,
                    received=received,
                    dropped_by_interface=by_interface,
                    dropped_by_system=by_system,
                )
            )
        self._flush(file)
        if self._file is None:
            return False
        self._file.close()
        self._file = None
        return True


class _Room:
    """A Decryption Secrets Block of empty lines, which are filled in later."""

    def __init__(self, at: int) -> None:
        """at: where its lines begin in the file."""
        self._at = at
        self._n_left = ROOM
        self._new = b""

    def take(self, lines: bytes) -> bool:
        """Take lines if there is room for them, and return whether there is."""
        if len(lines) > self._n_left:
            return False
        self._n_left -= len(lines)
        self._new += lines
        return True

    def fill(self, file: BlockFile) -> None:
        """Write the new lines into the block, which was flushed. Raises OSError."""
        if self._new:
            file.overwrite(self._at, self._new)
            self._at += len(self._new)
            self._new = b""


def _counters(one: InterfaceStatistics) -> _Counters:
    by_system = None if one.dropped_by_kernel is None else one.dropped_by_kernel + one.dropped_by_queue
    return one.received, one.dropped_by_interface, by_system


def _since(now: _Counters, before: _Counters) -> _Counters:
    """Return the differences. A program that writes into a pipe may begin again, with smaller numbers."""
    received, by_interface, by_system = (
        None if count is None else max(0, count - (earlier or 0)) for count, earlier in zip(now, before, strict=True)
    )
    return received, by_interface, by_system
