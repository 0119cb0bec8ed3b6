"""Where fuzzing begins: what real programs sent, taken out of the captures with their keys."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from fuzz.chunked import joined
from hierarchy import Hierarchy, hierarchy

from analyzer.capture.capture_reader import CaptureReader
from analyzer.capture.frame import Frame
from analyzer.engine import Engine
from analyzer.packet.link_layers import READABLE_LINK_TYPES
from analyzer.secrets.keylog import KeyLog
from analyzer.tls.events import HandshakeMessage, SessionEnded

ROOT = Path(__file__).resolve().parents[2]
CAPTURES = ROOT / "captures"

LINK_TYPES = (*sorted(READABLE_LINK_TYPES), 195, 227, 253, 271)
"""What the first byte of a frame chooses: the link types that are read, and some that are not."""

STREAM, END, RESET, DATAGRAM, GAP = 0x40, 0x02, 0x04, 0x08, 0x10
"""Marks of chunks of a talk; the lowest bit is the side, and the three below STREAM's are the number of the stream."""

PROTOCOLS = (None, b"http/1.1", b"h2", b"h3", b"hq-interop", b"doq", b"http/1.0", b"unknown", b"h3-29", b"dot")
"""What the first byte of a talk chooses: the protocol that the handshake agreed on."""


@cache
def capture_files() -> tuple[Path, ...]:
    """All captures of the repository."""
    return tuple(sorted(path for path in CAPTURES.rglob("*") if path.suffix in (".pcap", ".pcapng")))


@cache
def key_log() -> KeyLog:
    """The secrets of all captures."""
    log = KeyLog()
    for path in sorted(CAPTURES.rglob("*.keys")):
        log.feed(path.read_bytes() + b"\n")
    log.close()
    return log


@cache
def made_chain() -> Hierarchy:
    """A root, an intermediate and a server's certificate."""
    return hierarchy()


class Overheard:
    """A reader of application data that keeps what it is given, as chunks."""

    def __init__(self, protocol: bytes | None) -> None:
        self.protocol = protocol
        self.pieces: list[tuple[int, bytes]] = []
        self.findings: list[Any] = []

    def feed(self, side: int, data: bytes, frame: int, at: int) -> None:
        """Keep bytes of a stream."""
        self.pieces.append((side, bytes(data)))

    def gap(self, side: int, length: int | None, why: str | None = None) -> None:
        """Keep that bytes are missing."""
        self.pieces.append((side | GAP, b""))

    def feed_stream(self, stream: int, role: int, data: bytes, end: bool, frame: int, at: int) -> None:
        """Keep bytes of one stream of many."""
        self.pieces.append((role | (END if end else 0) | (stream & 7) << 5, bytes(data)))

    def gap_stream(self, stream: int, role: int, length: int | None, why: str | None = None) -> None:
        """Keep that bytes are missing."""
        self.pieces.append((role | GAP | (stream & 7) << 5, b""))

    def reset_stream(self, stream: int, role: int, code: int, frame: int, at: int) -> None:
        """Keep a reset."""
        self.pieces.append((role | RESET | (stream & 7) << 5, b""))

    def stop_stream(self, stream: int, role: int, code: int, frame: int, at: int) -> None:
        """Nothing is sent with it."""

    def feed_datagram(self, role: int, data: bytes, frame: int, at: int) -> None:
        """Keep a datagram."""
        self.pieces.append((role | DATAGRAM, bytes(data)))

    def close(self, at: int = 0) -> None:
        """Nothing is held."""

    def record(self) -> list[dict[str, Any]]:
        """No exchanges."""
        return []


class Heard:
    """What was in the captures.

    talks: of decrypted sessions. messages: of handshakes, each with the name of its table. frames: of all captures.
    certificates: as they were sent, in DER. before: what stood before TLS, as chunks.
    """

    def __init__(self) -> None:
        self.talks: list[Overheard] = []
        self.messages: list[tuple[str, bytes]] = []
        self.frames: list[list[tuple[int, bytes]]] = []
        self.certificates: list[bytes] = []
        self.before: list[bytes] = []

    def overhear(self, protocol: bytes | None) -> Overheard:
        """A reader for a session."""
        talk = Overheard(protocol)
        self.talks.append(talk)
        return talk


@cache
def heard() -> Heard:
    """Read all captures once, with their keys."""
    found = Heard()
    for path in capture_files():
        kept = []
        engine = Engine(detailed=True, keylog=key_log(), application=found.overhear)
        for reader in CaptureReader([str(path)]).packet_readers():
            while reader.advance():
                frame: Frame = reader.frame
                kept.append((frame.link_type, bytes(frame.data[frame.start : frame.end])))
                engine.feed(frame)
        engine.close()
        found.frames.append(kept)
        for event in engine.take():
            if isinstance(event, HandshakeMessage) and event.body is not None:
                found.messages.append((type(event.body).__name__, bytes(event.raw[4:])))
            if isinstance(event, SessionEnded):
                before = event.ended.flow.before
                if before is not None:
                    found.before.append(joined((side, data) for side, data in before.pieces))
                found.certificates += [bytes(one) for role in (0, 1) for one in event.ended.handshake.certificates[role] or ()]
    return found


def talks() -> list[bytes]:
    """Inputs for the readers of application data."""
    made = []
    for talk in heard().talks:
        number = PROTOCOLS.index(talk.protocol) if talk.protocol in PROTOCOLS else 0
        if talk.pieces:
            made.append(bytes([number]) + joined(talk.pieces)[:20_000])
    return made


def packets() -> list[bytes]:
    """Inputs for what takes packets: one chunk for each, all of Ethernet."""
    return [joined((0, data) for _, data in frames[:60])[:40_000] for frames in heard().frames]


def single_frames() -> list[bytes]:
    """Each kind of frame: which of the link types as a byte, and the frame."""
    return [bytes([LINK_TYPES.index(link)]) + data for frames in heard().frames for link, data in frames[:6]]


def certificates() -> list[bytes]:
    """Certificates of the captures, and of a made hierarchy."""
    made = made_chain()
    return [*dict.fromkeys(heard().certificates), made.leaf.der, made.intermediate.der, made.root.der]


def whole_files() -> list[bytes]:
    """The captures that are small."""
    return [data for path in capture_files() if len(data := path.read_bytes()) < 30_000]


def compressed(compress: Callable[[bytes], bytes]) -> bytes:
    """A capture, compressed."""
    return compress(min((path.read_bytes() for path in capture_files()), key=len))


def key_logs() -> list[bytes]:
    """The key logs."""
    return [path.read_bytes()[:4000] for path in sorted(CAPTURES.rglob("*.keys"))]
