"""Follows the decrypted data of sessions, for the fields of what is inside: each session that is open has a reader."""

from collections.abc import Callable
from typing import Protocol

from analyzer.filters.frame_view import Found, FrameView
from analyzer.tls.events import Data, DataBegan, DataMissing, SessionEnded

MAX_SESSIONS = 4096
"""Sessions that are followed at one time; beyond it the oldest is dropped."""


class StreamReader(Protocol):
    """Reads the data of one session."""

    def feed(self, role: int, data: bytes, found: Found) -> None:
        """Take the next bytes of a role, and add the fields of what they complete to `found`."""

    def gap(self, role: int) -> None:
        """Bytes of a role are missing here."""


class DecryptedStreams:
    """The readers of the sessions that are open. begin: returns the reader of a session with this ALPN protocol, or None."""

    def __init__(self, begin: Callable[[bytes | None], StreamReader | None]) -> None:
        self._begin = begin
        self._readers: dict[int, StreamReader] = {}

    def take(self, view: FrameView) -> Found:
        """Take the events of the next frame. Return the fields that they complete."""
        found: Found = {}
        for event in view.events:
            if isinstance(event, Data):
                reader = self._readers.get(event.session)
                if reader is not None:
                    reader.feed(event.role, event.data, found)
            elif isinstance(event, DataBegan):
                self._open(event.session, event.alpn)
            elif isinstance(event, DataMissing):
                reader = self._readers.get(event.session)
                if reader is not None:
                    reader.gap(event.role)
            elif isinstance(event, SessionEnded):
                self._readers.pop(event.session, None)
        return found

    def _open(self, session: int, alpn: bytes | None) -> None:
        reader = self._begin(alpn)
        if reader is not None:
            self._readers[session] = reader
            if len(self._readers) > MAX_SESSIONS:
                del self._readers[next(iter(self._readers))]
