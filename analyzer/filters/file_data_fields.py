"""The field of the body of an HTTP/1 message, in the frame of the capture that ends it.

In TLS it comes from the decrypted data; without it from a first reading (`plain_streams`). A body that goes on until the
connection ends is in the frame of its last byte; in TLS, where only an alert is its end, it has no field.
"""

from analyzer.filters.decrypted_streams import DecryptedStreams
from analyzer.filters.file_data_reader import FileDataReader
from analyzer.filters.frame_view import Found, FrameView


class FileDataFields:
    """The source of `http.file_data`."""

    def __init__(self) -> None:
        self._streams = DecryptedStreams(lambda alpn: FileDataReader() if alpn in (None, b"http/1.1") else None)
        self._found: Found = {}

    def take(self, view: FrameView) -> None:
        """See `Source.take`."""
        self._found = self._streams.take(view)

    def find(self, view: FrameView) -> Found:
        """See `Source.find`."""
        if not self._found and view.facts is not None:
            plain = view.facts.plain.found.get(view.frame.number, {})
            return {name: some for name, some in plain.items() if name == "http.file_data"}
        return self._found
