"""Makes the record of one HTTP exchange, as `analyzer http` lists it: one request with its response.

Beside what was asked and answered, it has what the bodies were: media type, size without content coding, and SHA-256 (RFC 9110
section 8).
"""

from collections.abc import Iterator, Sequence
from typing import Any

from analyzer.application.exchange import CLIENT, SERVER, Exchange, Request, Response
from analyzer.application.request_target import content_type, target_of
from analyzer.engine.capture_events import PlainHttp
from analyzer.store.clock import rfc3339
from analyzer.store.session_record import endpoint_record
from analyzer.tls.session import Session


def session_exchanges(session: Session) -> list[dict[str, Any]]:
    """Return the records of the exchanges in a session that has ended; none if nothing of it was decrypted."""
    work: Any = session.handshake.decryption
    if work is None or work.application is None:
        return []
    return list(exchange_records(work.application.exchanges, session.id, session.flow.key))


def plain_exchanges(event: PlainHttp) -> list[dict[str, Any]]:
    """Return the records of the exchanges in a connection without TLS."""
    return list(exchange_records(event.exchanges, None, event.key))


def exchange_records(exchanges: Sequence[Exchange], session: int | None, key: bytes) -> Iterator[dict[str, Any]]:
    """Yield the record of each exchange. session: its number, None for no TLS. key: addresses and ports, from the client."""
    client, server = endpoint_record(key, CLIENT), endpoint_record(key, SERVER)
    for exchange in exchanges:
        yield {"session": session, "client": client, "server": server, **_exchange_record(exchange)}


def _exchange_record(exchange: Exchange) -> dict[str, Any]:
    request, response = exchange.request, exchange.response
    first = request or response
    return {
        "time": None if first is None else rfc3339(first.at),
        "frame": None if first is None else first.frame,
        "response_frame": None if response is None else response.frame,
        "version": None if first is None else first.version,
        "method": None if request is None else request.method,
        "url": None if request is None else target_of(request.scheme, request.authority, request.path),
        "request_type": None if request is None else content_type(request.headers),
        "request_size": None if request is None else request.body.length,
        "request_sha256": None if request is None else request.body.sha256,
        "status": None if response is None else response.status,
        "type": None if response is None else content_type(response.headers),
        "size": None if response is None else response.body.length,
        "sha256": None if response is None else response.body.sha256,
        "guessed": exchange.guessed,
        "response_seconds": _seconds(request, response),
        "stream": exchange.stream,
        "protocol": exchange.protocol,
        "datagrams": exchange.datagrams,
        "capsules": exchange.capsules,
    }


def _seconds(request: Request | None, response: Response | None) -> float | None:
    """Return how long the response took; None where one of them was not seen, or has no time."""
    if request is None or response is None or request.at < 0 or response.at < request.at:
        return None
    return (response.at - request.at) / 1_000_000_000
