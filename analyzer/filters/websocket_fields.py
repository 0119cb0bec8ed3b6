"""The fields of frames of WebSocket (RFC 6455 section 5.2), in the frame of the capture that completes them.

In TLS they come from the decrypted data; without it from a first reading (`plain_streams`).
"""

from analyzer.filters.decrypted_streams import DecryptedStreams
from analyzer.filters.frame_view import Found, FrameView
from analyzer.filters.websocket_reader import WebsocketReader


class WebsocketFields:
    """The source of `websocket.*`."""

    def __init__(self) -> None:
        self._streams = DecryptedStreams(lambda alpn: WebsocketReader() if alpn in (None, b"http/1.1") else None)
        self._found: Found = {}

    def take(self, view: FrameView) -> None:
        """See `Source.take`."""
        self._found = self._streams.take(view)

    def find(self, view: FrameView) -> Found:
        """See `Source.find`."""
        if not self._found and view.facts is not None:
            plain = view.facts.plain.found.get(view.frame.number, {})
            return {name: some for name, some in plain.items() if name.startswith("websocket")}
        return self._found
