"""Reading conversations in tests: pieces in, facts out that do not hang on how the stream was cut."""

from typing import Any

from analyzer.application.conversation import Conversation

CLIENT, SERVER = 0, 1

Pieces = list[tuple[int, bytes]]


def read(pieces: Pieces, alpn: str | None = None, **options: Any) -> Conversation:
    """All pieces, each in a frame of its own, frames and times counted from 1; an int instead of bytes is a gap, 0 of unknown
    length."""
    conversation = Conversation(alpn, **options)
    for n, (side, data) in enumerate(pieces, 1):
        if isinstance(data, int):
            conversation.gap(side, data or None)
        else:
            conversation.feed(side, data, n, n)
    conversation.close(len(pieces) + 1)
    return conversation


def facts(conversation: Conversation) -> list[tuple[Any, ...]]:
    """What the conversation's exchanges say, without frames and times."""
    found = []
    for exchange in conversation.exchanges:
        request, response = exchange.request, exchange.response
        found.append((
            request and (request.method, request.scheme, request.authority, request.path, request.headers, request.trailers),
            request and (request.body.length, request.body.sha256, request.body.complete),
            response and (response.status, response.headers, response.trailers),
            response and (response.body.length, response.body.sha256, response.body.complete),
            [interim.status for interim in exchange.interim],
            exchange.pushed,
            exchange.reset,
        ))  # fmt: skip
    return found


def outline(conversation: Conversation) -> list[tuple[Any, ...]]:
    """Method, path, status, length of the response's body and whether it is whole."""
    return [
        (
            exchange.request and exchange.request.method,
            exchange.request and exchange.request.path,
            exchange.response and exchange.response.status,
            exchange.response and exchange.response.body.length,
            exchange.response and exchange.response.body.complete,
        )
        for exchange in conversation.exchanges
    ]


def codes(conversation: Conversation) -> list[str]:
    """The codes of its findings."""
    return [finding.code for finding in conversation.findings]


def drip(pieces: Pieces, n: int = 1) -> Pieces:
    """The same bytes, `n` at a time."""
    return [(side, data[i : i + n]) for side, data in pieces for i in range(0, len(data), n)]
