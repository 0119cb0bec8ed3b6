"""The fields of frames of HTTP/2 (RFC 9113 sections 4.1 and 6), in the frame of the capture that completes them.

The fields of header sections are those of `http_fields`. In TLS they come from the decrypted data; without it from a first
reading (`plain_streams`).
"""

from analyzer.filters.decrypted_streams import DecryptedStreams
from analyzer.filters.frame_view import Found, FrameView
from analyzer.filters.http2_frame_reader import Http2FrameReader
from analyzer.filters.packet_values import Occurrence


class Http2Fields:
    """The source of the fields of frames of HTTP/2."""

    def __init__(self) -> None:
        self._streams = DecryptedStreams(lambda alpn: Http2FrameReader() if alpn == b"h2" else None)
        self._found: Found = {}

    def take(self, view: FrameView) -> None:
        """See `Source.take`."""
        self._found = self._streams.take(view)

    def find(self, view: FrameView) -> Found:
        """See `Source.find`."""
        if not self._found and view.facts is not None:
            plain = view.facts.plain.found.get(view.frame.number, {})
            self._found = {name: some for name, some in plain.items() if name.startswith("http2")}
        if not self._found and view.facts is not None:
            for exchange, answered in view.facts.sections.get(view.frame.number, ()):
                message = exchange.response if answered else exchange.request
                if message is None or message.version != "2":
                    continue
                self._found.setdefault("http2", []).append(Occurrence(b"", b"", 1))
                if exchange.stream is not None:
                    self._found.setdefault("http2.streamid", []).append(Occurrence(exchange.stream, None, 1))
        return self._found
