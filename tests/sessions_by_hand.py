"""Makes sessions without a capture: records in, events out; and gives the events of the demonstration captures."""

from functools import cache
from pathlib import Path
from typing import Any

from analyzer.capture.capture_reader import CaptureReader
from analyzer.engine import Engine
from analyzer.flows.flow import TCP, Flow
from analyzer.secrets.keylog import KeyLog
from analyzer.tls.decryption.key_material import KeyMaterial
from analyzer.tls.events import Event, HandshakeMessage
from analyzer.tls.handshake.resumption import Resumptions
from analyzer.tls.record.record import LOST, NO_RECORD, Record, RecordSink, conflict, gap
from analyzer.tls.session import Session

CLIENT, SERVER = 0, 1
CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA, HEARTBEAT = 20, 21, 22, 23, 24
START, STEP = 1_700_000_000_000_000_000, 1_000_000
KEY = b"\x0a\0\0\1" + b"\x0a\0\0\2" + b"\xc3\x50" + b"\x01\xbb"
CAPTURES = Path(__file__).resolve().parents[1] / "captures"


def message(number: int, content: bytes = b"") -> bytes:
    """A handshake message."""
    return bytes([number]) + len(content).to_bytes(3, "big") + content


def extension(number: int, content: bytes) -> bytes:
    """An extension of a hello."""
    return number.to_bytes(2, "big") + len(content).to_bytes(2, "big") + content


def client_hello(*extensions: bytes, suites: bytes = b"\xc0\x2f\x13\x01") -> bytes:
    """A ClientHello."""
    body = b"\3\3" + b"C" * 32 + b"\0" + len(suites).to_bytes(2, "big") + suites + b"\1\0"
    listed = b"".join(extensions)
    return message(1, body + len(listed).to_bytes(2, "big") + listed)


def server_hello(*extensions: bytes, suite: bytes = b"\xc0\x2f", random: bytes = b"S" * 32) -> bytes:
    """A ServerHello."""
    listed = b"".join(extensions)
    return message(2, b"\3\3" + random + b"\0" + suite + b"\0" + len(listed).to_bytes(2, "big") + listed)


TLS13 = extension(43, b"\3\4")
RETRY_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")


class Hand:
    """Gives records to a session. Each has its own frame, and follows the one before it in its role's stream.

    session: takes the records. events: all its events. frame: number of the last frame, 1 for the first of the flow.
    """

    def __init__(self, material: KeyMaterial | None = None, mid_stream: bool = False) -> None:
        self.events: list[Event] = []
        flow = Flow(TCP, KEY, 1, START, mid_stream)
        self.session = Session(0, flow, material or KeyMaterial(), Resumptions(), self.events)
        self.sink: RecordSink = self.session
        self.frame = 1
        self.offsets = [0, 0]

    @property
    def at(self) -> int:
        """The time of the last frame."""
        return START + STEP * self.frame

    def say(self, role: int, content_type: int, body: bytes, *, version: int = 0x0303, missing: int = 0) -> list[Event]:
        """Give a record, of which `missing` bytes are not in the capture. Return the resulting events."""
        record = Record(role)
        record.content_type, record.version, record.header = content_type, version, 5
        record.body = body if self.sink.wants(role, content_type) else b""
        record.length, record.missing = len(body) + missing, missing
        record.offset = self.offsets[role]
        self.offsets[role] += 5 + record.length
        return self.give(record)

    def handshake(self, role: int, *messages: bytes) -> list[Event]:
        """Give a record of handshake messages."""
        return self.say(role, HANDSHAKE, b"".join(messages))

    def give(self, record: Record) -> list[Event]:
        """Give a record in the next frame."""
        n_events = len(self.events)
        self.frame += 1
        record.frame, record.at = self.frame, self.at
        self.sink.take(record)
        record.body = b"used again"  # a consumer that keeps a record must copy it
        return self.events[n_events:]

    def gap(self, role: int, length: int, lost: bool = True) -> list[Event]:
        """Leave out bytes of a role. lost: whether the number of missing records is unknown."""
        n_events = len(self.events)
        self.sink.take(gap(role, self.offsets[role], length, self.frame))
        if lost:
            self.emit(role, LOST)
        self.offsets[role] += length
        return self.events[n_events:]

    def emit(self, role: int, what: int, problem: str = "") -> list[Event]:
        """Give a record that is an event of the reader, and not data."""
        n_events = len(self.events)
        record = Record(role)
        record.content_type, record.offset, record.problem = what, self.offsets[role], problem
        record.frame, record.at = self.frame, self.at
        self.sink.take(record)
        return self.events[n_events:]

    def stray(self, role: int, problem: str) -> list[Event]:
        """Report that no record begins here."""
        return self.emit(role, NO_RECORD, problem) + self.emit(role, LOST)

    def conflict(self, role: int, offset: int, first: bytes, second: bytes) -> list[Event]:
        """Report that two segments disagree."""
        n_events = len(self.events)
        self.frame += 1
        self.sink.take(conflict(role, offset, first, second, self.frame))
        return self.events[n_events:]

    def end(self, reason: str = "fin") -> list[Event]:
        """End the flow."""
        n_events = len(self.events)
        self.session.flow.closed = reason
        self.sink.finish(self.frame, self.at)
        return self.events[n_events:]

    def of(self, kind: type[Any]) -> list[Any]:
        """The events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def messages(self) -> list[tuple[int, str]]:
        """Role and name of each message that was reported."""
        return [(event.role, event.name) for event in self.of(HandshakeMessage)]


def capture_of(name: str) -> Path:
    """The file of a demonstration capture."""
    (path,) = [*CAPTURES.glob(f"{name}.pcap*"), *(CAPTURES / name).glob("*.pcap*")]
    return path


def keylog_of(name: str) -> KeyLog | None:
    """The key log of a demonstration capture."""
    for path in (CAPTURES / name).glob("*.keys"):
        keylog = KeyLog()
        keylog.feed(path.read_bytes())
        return keylog
    return None


NAMES = sorted(path.name.partition(".")[0] for path in (*CAPTURES.glob("*.pcap*"), *CAPTURES.glob("*/*.pcap*")))


@cache
def chunks_of(name: str, keyed: bool = True) -> tuple[tuple[Event, ...], ...]:
    """Return the events of a demonstration capture, grouped by the frame that caused them, and then those of its end."""
    engine = Engine(detailed=True, keylog=keylog_of(name) if keyed else None)
    turns: list[tuple[Event, ...]] = []
    for packet_reader in CaptureReader([str(capture_of(name))]).packet_readers():
        while engine.step(packet_reader):
            turns.append(tuple(engine.take()))
    engine.close()
    return (*turns, tuple(engine.take()))


def events_of(name: str, keyed: bool = True) -> list[Event]:
    """The events of a demonstration capture."""
    return [event for turn in chunks_of(name, keyed) for event in turn]
