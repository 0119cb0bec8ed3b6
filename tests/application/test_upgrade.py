import pytest

from analyzer.application.body import Bodies, Body
from analyzer.application.exchange import ConversationLog, Exchange, Request, Response
from analyzer.application.header_fields import Fields
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


KEY, ACCEPT = "dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
"""The example of RFC 6455 section 1.3."""


@pytest.mark.parametrize(
    ("asked", "answered", "told"),
    [
        ([("Sec-WebSocket-Key", KEY)], [("Sec-WebSocket-Accept", ACCEPT)], []),
        ([("Sec-WebSocket-Key", KEY)], [("Sec-WebSocket-Accept", "A" * 27 + "=")], ["bad_websocket_accept"]),
        ([("Sec-WebSocket-Key", KEY)], [], ["bad_websocket_accept"]),
        ([], [("Sec-WebSocket-Accept", ACCEPT)], ["bad_websocket_key"]),
        (
            [("Sec-WebSocket-Key", KEY), ("Sec-WebSocket-Protocol", "chat, b")],
            [("Sec-WebSocket-Accept", ACCEPT), ("Sec-WebSocket-Protocol", "b")],
            [],
        ),
        (
            [("Sec-WebSocket-Key", KEY), ("Sec-WebSocket-Protocol", "chat")],
            [("Sec-WebSocket-Accept", ACCEPT), ("Sec-WebSocket-Protocol", "b")],
            ["bad_websocket_subprotocol"],
        ),
        (
            [("Sec-WebSocket-Key", KEY), ("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits")],
            [("Sec-WebSocket-Accept", ACCEPT), ("Sec-WebSocket-Extensions", "permessage-deflate")],
            [],
        ),
        (
            [("Sec-WebSocket-Key", KEY)],
            [("Sec-WebSocket-Accept", ACCEPT), ("Sec-WebSocket-Extensions", "permessage-deflate")],
            ["bad_websocket_extension"],
        ),
    ],
)
@pytest.mark.parametrize("lost", [False, True])
def test_the_answer_of_a_websocket(asked: Fields, answered: Fields, told: list[str], lost: bool) -> None:
    log = ConversationLog("https", True, None)
    body = Body(Bodies(True, log.note), [], None)
    request = None if lost else Request("GET", "https", "h", "/", asked, "1.1", 1, 1, body)
    response = Response(101, [("Upgrade", "websocket"), *answered], "1.1", 2, 2, body)
    exchange = Exchange(request, response)
    assert successor_of(exchange, response, log).kind == "websocket"
    assert [finding.code for finding in log.findings] == ([] if lost else told)
    assert all(finding.frame == 2 for finding in log.findings)
    guessed = Exchange(request, response)
    guessed.guessed = True
    before = len(log.findings)
    successor_of(guessed, response, log)
    assert len(log.findings) == before
