"""The fields of frames of HTTP/2 (RFC 9113 sections 4.1 and 6), in the frame of the capture that completes them.

The fields of header sections are those of `http_fields`. In TLS they come from the decrypted data; without it from a first
reading (`plain_streams`).
"""

from analyzer.filters.decrypted_streams import StreamFields
from analyzer.filters.frame_view import Found, FrameView
from analyzer.filters.http2_frame_reader import Http2FrameReader
from analyzer.filters.packet_values import Occurrence


class Http2Fields(StreamFields):
    """The source of the fields of frames of HTTP/2."""

    def __init__(self) -> None:
        super().__init__("http2", lambda alpn: Http2FrameReader() if alpn == b"h2" else None)

    def find(self, view: FrameView) -> Found:
        """See `Source.find`."""
        self._found = super().find(view)
        if not self._found and view.facts is not None:
            for exchange, answered in view.facts.sections.get(view.frame.number, ()):
                message = exchange.response if answered else exchange.request
                if message is None or message.version != "2":
                    continue
                self._found.setdefault("http2", []).append(Occurrence(b"", b"", 1))
                if exchange.stream is not None:
                    self._found.setdefault("http2.streamid", []).append(Occurrence(exchange.stream, None, 1))
        return self._found
