"""Reads conversations in tests: takes pieces, and returns facts that do not depend on how the stream was split."""

from typing import Any

from analyzer.application.conversation import Conversation

CLIENT, SERVER = 0, 1

Pieces = list[tuple[int, bytes]]


def read(pieces: Pieces, alpn: str | None = None, **options: Any) -> Conversation:
    """Read all pieces, each in its own frame; frames and times are counted from 1.

    An int in place of bytes is a gap; 0 is a gap of unknown length.
    """
    conversation = Conversation(alpn, **options)
    for n, (side, data) in enumerate(pieces, 1):
        if isinstance(data, int):
            conversation.gap(side, data or None)
        else:
            conversation.feed(side, data, n, n)
    conversation.close(len(pieces) + 1)
    return conversation


def facts(conversation: Conversation) -> list[tuple[Any, ...]]:
    """Return the contents of the conversation's exchanges, without frames and times."""
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
    """Return method, path, status, length of the response's body and whether it is complete."""
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
    """Return the same bytes, `n` at a time."""
    return [(side, data[i : i + n]) for side, data in pieces for i in range(0, len(data), n)]
