"""Passes the application data of each session to its own reader, with what is missing in the data."""

from collections.abc import Sequence

from analyzer.analysis.missing_data import MissingData
from analyzer.engine.run import Listener
from analyzer.flows.flow import Flow
from analyzer.tls.events import Data, DataBegan, DataMissing, Event, Gap, HandshakeMessage, SessionBegan, SessionEnded
from analyzer.tls.session import Session


class DataReader:
    """Takes the application data of one session. Role 0 is the client. missing: what is missing in the data."""

    def __init__(self, missing: MissingData) -> None:
        self.missing = missing

    def feed(self, role: int, data: bytes, frame: int, at: int) -> None:
        """Take the data of one record. frame, at: the frame in which it became available, and that frame's time."""

    def feed_stream(self, stream: int, role: int, data: bytes, end: bool, frame: int, at: int) -> None:
        """Take the next bytes of a role in a QUIC stream. end: whether they are the last; then there may be none."""
        self.feed(role, data, frame, at)

    def reset_stream(self, stream: int, role: int, code: int, frame: int, at: int) -> None:
        """Handle that a role resets a stream with an error code of the application."""

    def miss_stream(self, stream: int, role: int, length: int | None, reason: str | None) -> None:
        """Note that bytes of a role are missing here in a QUIC stream. length: None if it is not known."""
        self.miss(role, reason)

    def miss(self, role: int, reason: str | None) -> None:
        """Note that data of a role is missing here. `missing` contains how much."""

    def close(self, at: int) -> None:
        """End the data."""


class DataStreams(Listener):
    """A listener that opens a reader for each session when its data begins. It needs an engine that is `detailed`.

    flows: the flows of the sessions that have not ended, by session number.
    """

    def __init__(self) -> None:
        self.flows: dict[int, Flow] = {}
        self._missing_data: dict[int, MissingData] = {}
        self._readers: dict[int, DataReader] = {}

    def open(self, session: int, alpn: bytes | None, missing: MissingData) -> DataReader | None:
        """Return the reader of a session's data, None if the data is not read. alpn: the agreed protocol (ALPN)."""
        return None

    def end(self, session: Session) -> None:
        """Take a session that has ended, after its reader was closed."""

    def note(self, event: Event) -> None:
        """Take a handshake message or a gap, in its position between the data."""

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`."""
        for event in events:
            if isinstance(event, Data):
                reader = self._readers.get(event.session)
                if reader is None:
                    continue
                if event.reset >= 0:
                    reader.reset_stream(event.stream, event.role, event.reset, event.frame, event.at)
                elif event.stream >= 0:
                    reader.feed_stream(event.stream, event.role, event.data, event.end, event.frame, event.at)
                else:
                    reader.feed(event.role, event.data, event.frame, event.at)
            elif isinstance(event, Gap):
                self._missing_data.setdefault(event.session, MissingData()).gap(event)
                self.note(event)
            elif isinstance(event, HandshakeMessage):
                self.note(event)
            elif isinstance(event, DataMissing):
                self._missing_data[event.session].miss(event)
                reader = self._readers.get(event.session)
                if reader is not None and event.stream >= 0:
                    length = None if event.length < 0 else event.length
                    reader.miss_stream(event.stream, event.role, length, event.reason)
                elif reader is not None:
                    reader.miss(event.role, event.reason)
            elif isinstance(event, DataBegan):
                missing = self._missing_data.setdefault(event.session, MissingData())
                missing.begin(event)
                reader = self.open(event.session, event.alpn, missing)
                if reader is not None:
                    self._readers[event.session] = reader
            elif isinstance(event, SessionBegan):
                self.flows[event.session] = event.flow
            elif isinstance(event, SessionEnded):
                self._missing_data.pop(event.session, None)
                reader = self._readers.pop(event.session, None)
                if reader is not None:
                    reader.close(event.at)
                self.end(event.ended)
                self.flows.pop(event.session, None)
