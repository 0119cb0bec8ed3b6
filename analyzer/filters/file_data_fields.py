"""The field of the body of an HTTP/1 message, in the frame of the capture that ends it.

In TLS it comes from the decrypted data; without it from a first reading (`plain_streams`). A body that goes on until the
connection ends is in the frame of its last byte; in TLS, where only an alert is its end, it has no field.
"""

from analyzer.filters.decrypted_streams import StreamFields
from analyzer.filters.file_data_reader import FileDataReader, HeldBodies


class FileDataFields(StreamFields):
    """The source of `http.file_data`."""

    def __init__(self) -> None:
        held = HeldBodies()
        super().__init__("http.file_data", lambda alpn: FileDataReader(held) if alpn in (None, b"http/1.1") else None)
