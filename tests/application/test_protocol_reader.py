import pytest

from analyzer.application.doq import Doq
from analyzer.application.exchange import ConversationLog
from analyzer.application.http09 import Http09
from analyzer.application.http1 import Http1
from analyzer.application.http2 import Http2
from analyzer.application.http3 import Http3
from analyzer.application.protocol_reader import Reader, StreamReader, UnknownProtocol
from analyzer.application.undecided_streams import UndecidedStreams
from analyzer.application.websocket import WebSocket

LOG = ConversationLog("https", True, None)


@pytest.mark.parametrize(
    ("reader", "kind"),
    [
        (UnknownProtocol(), "bytes"),
        (Http1(LOG), "http/1.1"),
        (Http2(LOG), "h2"),
        (WebSocket(LOG, None, []), "websocket"),
    ],
)
def test_every_reader_takes_everything(reader: Reader, kind: str) -> None:
    assert reader.kind == kind
    for side in (0, 1):
        reader.feed(side, bytes(range(256)) * 4, 1, 1)
        reader.gap(side, 10)
        reader.gap(side, None)
        reader.feed(side, b"", 1, 1)
        reader.feed(side, bytes(range(255, -1, -1)) * 4, 1, 1)
    reader.close()


@pytest.mark.parametrize(
    "reader",
    [UnknownProtocol(), Http3(LOG), Http09(LOG), Doq(LOG), UndecidedStreams(LOG)],
    ids=lambda reader: type(reader).__name__,
)
def test_every_reader_of_streams_takes_everything(reader: StreamReader) -> None:
    for stream in range(8):
        for role in (0, 1):
            reader.feed_stream(stream, role, bytes(range(256)) * 4, False, 1, 1)
            reader.gap_stream(stream, role, 10)
            reader.gap_stream(stream, role, None)
            reader.stop_stream(stream, role, 1 << 61, 1, 1)
            reader.feed_stream(stream, role, b"", stream > 3, 1, 1)
            reader.reset_stream(stream, role, 1 << 61, 1, 1)
    reader.feed_datagram(0, b"", 1, 1)
    reader.feed_datagram(1, b"\0abc", 1, 1)
    reader.close()


def test_bytes_of_other_protocols_are_counted() -> None:
    opaque = UnknownProtocol()
    opaque.feed(0, b"abc", 1, 1)
    opaque.feed(1, b"defgh", 2, 2)
    assert opaque.n_bytes == [3, 5]
