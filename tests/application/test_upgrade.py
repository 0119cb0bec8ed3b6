import pytest

from analyzer.application.body import Bodies, Body
from analyzer.application.exchange import ConversationLog, Exchange, Request, Response
from analyzer.application.upgrade import successor_of


@pytest.mark.parametrize(
    ("status", "upgrade", "kind"),
    [
        (101, "websocket", "websocket"),
        (101, "WebSocket", "websocket"),
        (101, "h2c", "h2"),
        (101, "TLS/1.2", "bytes"),
        (200, "websocket", "bytes"),
    ],
)
@pytest.mark.parametrize("settings", ["AAMAAABkAAQAoAAAAAIAAAAA", "not base64!", "A", "ü", ""])
def test_the_response_names_the_protocol(status: int, upgrade: str, kind: str, settings: str) -> None:
    log = ConversationLog("https", True, None)
    body = Body(Bodies(True, log.note), [], None)
    request = Request("GET", "https", "h", "/", [("HTTP2-Settings", settings)], "1.1", 1, 1, body)
    response = Response(status, [("Upgrade", upgrade)], "1.1", 2, 2, body)
    exchange = Exchange(request, response)
    assert successor_of(exchange, response, log).kind == kind
    assert exchange.response is (None if kind == "h2" else response)
