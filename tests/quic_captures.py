"""The captures of QUIC of `captures/` as lists of frames, which a test changes and reads again."""

from functools import cache
from pathlib import Path
from typing import Any

from conversations import Tap

from analyzer.capture.capture_reader import CaptureReader
from analyzer.engine import Engine
from analyzer.secrets.keylog import KeyLog
from analyzer.store.session_record import session_record

CAPTURES = Path(__file__).resolve().parents[1] / "captures"
NAMES = sorted(path.name for path in CAPTURES.iterdir() if path.name.startswith("quic-") or path.name.endswith("-http3"))


@cache
def frames_of(name: str) -> tuple[bytes, ...]:
    """The Ethernet frames of a capture."""
    found = []
    (path,) = CAPTURES.joinpath(name).glob("*.pcap*")
    for reader in CaptureReader([str(path)]).packet_readers():
        while reader.advance():
            frame = reader.frame
            found.append(bytes(frame.data[frame.start : frame.end]))
    return tuple(found)


@cache
def keys_of(name: str) -> bytes:
    """The key log of a capture."""
    return CAPTURES.joinpath(name, f"{name}.keys").read_bytes()


def read_frames(frames: list[bytes], keys: bytes = b"", detailed: bool = False) -> Tap:
    """Read frames, a millisecond apart. detailed: as the packet list does, with events in the turn of their frames."""
    tap = Tap()
    keylog = None
    if keys:
        keylog = KeyLog()
        keylog.feed(keys)
        keylog.close()
    tap.engine = Engine(detailed=detailed, keylog=keylog, in_order=not detailed)
    for one in frames:
        tap.feed_bytes(one)
        tap.at += 1_000_000
    return tap


def records_of(frames: list[bytes], keys: bytes = b"", detailed: bool = False) -> list[dict[str, Any]]:
    """The session records of frames."""
    return [session_record(session, False) for session in read_frames(frames, keys, detailed).close()]
