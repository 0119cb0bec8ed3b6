"""Follows the decrypted data of sessions, for the fields of what is inside: each session that is open has a reader."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from analyzer.filters.frame_view import Found, FrameView
from analyzer.tls.events import Data, DataBegan, DataMissing, SessionEnded

MAX_SESSIONS = 4096
"""Sessions that are followed at one time; beyond it the oldest is dropped."""


class StreamReader:
    """Reads the data of one session: without streams by `feed`, with those of QUIC by `feed_stream`.

    n_readings: how often Wireshark reads the last bytes: once for a frame that was put together, and once for what is behind.
    Both count only where a frame is complete.
    complete: the streams whose body ended in them.
    """

    n_readings = 0
    complete: Sequence[int] = ()

    def feed(self, role: int, data: bytes, found: Found) -> None:
        """Take the next bytes of a role, and add the fields of what they complete to `found`."""

    def gap(self, role: int) -> None:
        """Bytes of a role are missing here."""

    def feed_stream(self, stream: int, role: int, data: bytes, end: bool, found: Found) -> None:
        """Take the next bytes of a role in a QUIC stream. end: whether they are the last."""

    def gap_stream(self, stream: int, role: int, length: int | None) -> None:
        """Bytes of a role are missing here in a QUIC stream. length: None if it is not known."""

    def drop(self) -> None:
        """Give back what is held: nothing more is read."""


class DataReading(NamedTuple):
    """How often the data of an event are read, and the streams whose body they complete."""

    n_readings: int
    complete: Sequence[int]


class DecryptedStreams:
    """The readers of the sessions that are open. begin: returns the reader of a session with this ALPN protocol, or None.

    readings: those of the data in the last frame that have a reader, by the place of their event in the frame.
    """

    def __init__(self, begin: Callable[[bytes | None], StreamReader | None]) -> None:
        self._begin = begin
        self._readers: dict[int, StreamReader] = {}
        self.readings: dict[int, DataReading] = {}

    def take(self, view: FrameView) -> Found:
        """Take the events of the next frame. Return the fields that they complete."""
        found: Found = {}
        self.readings = {}
        if not view.events:
            return found
        for place, event in enumerate(view.events):
            if isinstance(event, Data):
                reader = self._readers.get(event.session)
                if reader is not None and event.stream >= 0:
                    reader.feed_stream(event.stream, event.role, event.data, event.end or event.reset >= 0, found)
                elif reader is not None:
                    reader.feed(event.role, event.data, found)
                if reader is not None and event.data:
                    self.readings[place] = DataReading(reader.n_readings, reader.complete)
            elif isinstance(event, DataBegan):
                self._open(event.session, event.alpn)
            elif isinstance(event, DataMissing):
                reader = self._readers.get(event.session)
                if reader is not None and event.stream >= 0:
                    reader.gap_stream(event.stream, event.role, None if event.length < 0 else event.length)
                elif reader is not None:
                    reader.gap(event.role)
            elif isinstance(event, SessionEnded):
                self._drop(event.session)
        return found

    def _open(self, session: int, alpn: bytes | None) -> None:
        reader = self._begin(alpn)
        if reader is not None:
            self._readers[session] = reader
            if len(self._readers) > MAX_SESSIONS:
                self._drop(next(iter(self._readers)))

    def _drop(self, session: int) -> None:
        reader = self._readers.pop(session, None)
        if reader is not None:
            reader.drop()


class StreamFields:
    """The source of the fields that readers of decrypted data find; without TLS they come from a first reading.

    prefix: the names of its fields begin with it. begin: see `DecryptedStreams`.
    """

    def __init__(self, prefix: str, begin: Callable[[bytes | None], StreamReader | None]) -> None:
        self._prefix = prefix
        self._streams = DecryptedStreams(begin)
        self.readings = self._streams.readings
        self._found: Found = {}

    def take(self, view: FrameView) -> None:
        """See `Source.take`."""
        self._found = self._streams.take(view)
        self.readings = self._streams.readings

    def find(self, view: FrameView) -> Found:
        """See `Source.find`."""
        if not self._found and view.facts is not None:
            plain = view.facts.plain.found.get(view.frame.number, {})
            return {name: some for name, some in plain.items() if name.startswith(self._prefix)}
        return self._found
