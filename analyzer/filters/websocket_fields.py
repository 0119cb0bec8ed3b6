"""The fields of frames of WebSocket (RFC 6455 section 5.2), in the frame of the capture that completes them.

In TLS they come from the decrypted data; without it from a first reading (`plain_streams`).
"""

from analyzer.filters.decrypted_streams import StreamFields
from analyzer.filters.websocket_reader import WebsocketReader


class WebsocketFields(StreamFields):
    """The source of `websocket.*`."""

    def __init__(self) -> None:
        super().__init__("websocket", lambda alpn: WebsocketReader() if alpn in (None, b"http/1.1") else None)
