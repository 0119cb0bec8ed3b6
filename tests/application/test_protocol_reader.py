import pytest

from analyzer.application.exchange import ConversationLog
from analyzer.application.http1 import Http1
from analyzer.application.http2 import Http2
from analyzer.application.protocol_reader import Reader, UnknownProtocol
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


def test_bytes_of_other_protocols_are_counted() -> None:
    opaque = UnknownProtocol()
    opaque.feed(0, b"abc", 1, 1)
    opaque.feed(1, b"defgh", 2, 2)
    assert opaque.n_bytes == [3, 5]
