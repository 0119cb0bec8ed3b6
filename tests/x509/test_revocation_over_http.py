"""OCSP responses and revocation lists in plain HTTP of a capture are found, in all forms of connections."""

import random
import zlib
from datetime import UTC, datetime

import pytest
from authorities import AT, DAY, authority, der, leaf, respond, revoke
from conversations import CLIENT, SERVER, Tap, packetise, talk
from cryptography.x509.ocsp import OCSPCertStatus

from analyzer.capture.capture_reader import CaptureReader
from analyzer.engine import Engine
from analyzer.engine.capture_events import RevocationSeen
from analyzer.tls.events import Event
from analyzer.x509.ocsp_response import read_response
from analyzer.x509.revocation import judge_revocation
from analyzer.x509.revocation_data import RevocationData
from analyzer.x509.revocation_over_http import revocation_response_at

OCSP, CRL = "application/ocsp-response", "application/pkix-crl"
RESPONSE = respond(leaf(), authority(), OCSPCertStatus.REVOKED, revoked_at=AT - DAY)
LIST = revoke([(serial, AT, None) for serial in range(1, 2500)])
GET = b"GET /MFEw HTTP/1.1\r\nHost: ocsp.test\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: ocsp.test\r\nContent-Type: application/ocsp-request\r\nContent-Length: 3\r\n\r\nabc"


def answer(kind: str, body: bytes, fields: bytes = b"", length: bool = True) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nServer: test\r\nContent-Type: " + kind.encode() + b"\r\n" + fields
    return head + (b"Content-Length: %d\r\n" % len(body) if length else b"") + b"\r\n" + body


def chunked(kind: str, body: bytes) -> bytes:
    pieces = [body[pos : pos + 100] for pos in range(0, len(body), 100)]
    lines = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (*pieces, b""))
    return answer(kind, lines, b"Transfer-Encoding: chunked\r\n", length=False)


class Watching(Tap):
    """A tap that keeps the revocation data in plain HTTP."""

    def __init__(self) -> None:
        super().__init__()
        self.engine = Engine(watches_revocation=True)
        self.revocation_data = RevocationData()

    def take(self) -> list[Event]:
        events = super().take()
        keep(events, self.revocation_data)
        return events


def keep(events: list[Event], revocation_data: RevocationData) -> None:
    for event in events:
        if isinstance(event, RevocationSeen):
            revocation_data.take(event.content_type, event.body)


def found(flights, **options) -> RevocationData:
    tap = Watching()
    tap.feed(*packetise(flights, **options))
    tap.close()
    return tap.revocation_data


def test_the_bytes_that_identify_revocation_data():
    for kind in (OCSP, CRL, "application/x-pkcs7-crl"):
        data = b"before" + answer(kind, b"body")
        assert revocation_response_at(data, 6, len(data)) == 6
        assert revocation_response_at(data, 0, len(data)) == -1
        assert revocation_response_at(data, 6, 90) == -2
        interim = b"HTTP/1.1 100 Continue\r\n\r\n" + data[6:]
        assert revocation_response_at(interim, 0, len(interim)) == 25
    page = answer("text/html", b"application/ocsp-response application/pkix-crl")
    assert revocation_response_at(page, 0, len(page)) == -1
    assert revocation_response_at(b"application/ocsp-response", 0, 25) == -1
    long = b"HTTP/1.1 200 OK\r\nX: " + b"x" * 5000
    assert revocation_response_at(long, 0, len(long)) == -1


@pytest.mark.parametrize("mss", [60, 700, 1460, 100_000])
@pytest.mark.parametrize(
    "flights",
    [
        [(CLIENT, GET), (SERVER, answer(OCSP, RESPONSE))],
        [(CLIENT, POST), (SERVER, answer(OCSP, RESPONSE, b"Cache-Control: max-age=1\r\n"))],
        [(CLIENT, GET), (SERVER, chunked(OCSP, RESPONSE))],
        [(CLIENT, GET), (SERVER, answer(OCSP, RESPONSE, length=False))],
        [(CLIENT, GET), (SERVER, answer(OCSP, zlib.compress(RESPONSE), b"Content-Encoding: deflate\r\n"))],
        [(CLIENT, GET), (SERVER, answer("text/html", b"x" * 5000)), (CLIENT, GET), (SERVER, answer(OCSP, RESPONSE))],
        [(CLIENT, GET), (SERVER, b"HTTP/1.1 100 Continue\r\n\r\n"), (SERVER, answer(OCSP, RESPONSE))],
        [(CLIENT, GET), (SERVER, b"HTTP/1.1 100 Continue\r\n\r\n" + answer(OCSP, RESPONSE))],
    ],
)
def test_responses_are_found(flights, mss):
    revocation_data = found(flights, mss=mss)
    assert revocation_data.ocsp(der(leaf())) == (RESPONSE,)
    assert judge_revocation(der(leaf()), der(authority()), ocsp=revocation_data.ocsp(der(leaf())), at=AT).status == "revoked"


def test_many_responses_on_one_connection():
    others = [respond(leaf(serial=serial), authority()) for serial in range(100, 110)]
    flights = []
    for each in others:
        flights += [(CLIENT, GET), (SERVER, answer(OCSP, each)), (CLIENT, GET), (SERVER, answer("image/png", b"x" * 100))]
    revocation_data = found(flights)
    assert len(revocation_data) == 10


def test_a_list_longer_than_what_is_searched_for_tls():
    assert len(LIST) > 1 << 15
    assert found([(CLIENT, GET), (SERVER, answer(CRL, LIST))]).crls(der(leaf())) == (LIST,)


def test_a_late_response_on_a_connection_that_was_dropped():
    page = answer("text/html", b"y" * 40_000)
    flights = [(CLIENT, GET), (SERVER, page), (CLIENT, GET), (SERVER, answer(OCSP, RESPONSE))]
    assert found(flights).ocsp(der(leaf())) == (RESPONSE,)


def test_a_capture_that_begins_with_the_response():
    assert found([(SERVER, answer(OCSP, RESPONSE))], syn=False).ocsp(der(leaf())) == (RESPONSE,)


def test_mutated_connections_never_raise():
    generator = random.Random(9112)
    whole = [(CLIENT, GET), (SERVER, answer(OCSP, RESPONSE)), (CLIENT, POST), (SERVER, chunked(CRL, LIST[:3000]))]
    for _ in range(300):
        flights = []
        for side, data in whole:
            changed = bytearray(data)
            for _ in range(generator.choice((0, 0, 1, 3))):
                changed[generator.randrange(min(len(changed), 400))] = generator.choice(b"\r\n :/;HTP\0\xff0")
            flights.append((side, bytes(changed)))
        found(flights, mss=generator.choice((50, 300, 1460)))


def test_an_incomplete_body_is_not_taken():
    part = answer(OCSP, RESPONSE).replace(b"200 OK", b"206 Partial Content")
    assert len(found([(CLIENT, GET), (SERVER, part)])) == 0
    assert len(found([(CLIENT, GET), (SERVER, answer(OCSP, RESPONSE)[:-1])])) == 0
    tap = Watching()
    segments = packetise([(CLIENT, GET), (SERVER, answer(OCSP, RESPONSE)), (SERVER, answer(CRL, LIST))], mss=100)
    tap.feed(*segments[:6], *segments[7:])
    tap.close()
    assert tap.revocation_data.crls(der(leaf())) == (LIST,)
    assert tap.revocation_data.ocsp(der(leaf())) == ()


def test_only_what_is_http_is_watched():
    hidden = b"220 ready\r\n" + answer(OCSP, RESPONSE)
    assert len(found([(SERVER, hidden)])) == 0
    endless = b"HTTP/1.1 200 OK\r\nX: " + b"x" * 10_000 + b"\r\n" + answer(OCSP, RESPONSE)[17:]
    assert len(found([(CLIENT, GET), (SERVER, endless)])) == 0


def test_tls_is_found_all_the_same():
    tap = Watching()
    tunnel = [(CLIENT, b"CONNECT a.test:443 HTTP/1.1\r\n\r\n"), (SERVER, b"HTTP/1.1 200 OK\r\n\r\n"), *talk()]
    after = [(CLIENT, GET), (SERVER, answer(OCSP, RESPONSE)), *talk()]
    for number, flights in enumerate((talk(), tunnel, after)):
        tap.feed(*packetise(flights, ports=(50_000 + number, 443)))
    assert [record["established"] for record in tap.records()] == [True] * 3
    assert tap.revocation_data.ocsp(der(leaf())) == (RESPONSE,)


def test_sessions_are_the_same_with_and_without_a_watch():
    """A hello inside a long list is searched neither with the watch, which needs all bytes of the list, nor without it."""
    hello = talk()[0][1]
    body = b"\x30\x83\x01\x86\xa0" + b"x" * 50_000 + hello + b"x" * (50_000 - len(hello))
    flights = [(CLIENT, GET), (SERVER, answer(CRL, body)), *talk()]
    watching, plain = Watching(), Tap()
    for tap in (watching, plain):
        tap.feed(*packetise(flights))
        tap.close()
    assert [record["established"] for record in watching.records()] == [True]
    assert watching.records() == plain.records()


def test_without_the_option_nothing_is_watched():
    tap = Tap()
    tap.feed(*packetise([(CLIENT, GET), (SERVER, answer(OCSP, RESPONSE))]))
    tap.close()
    assert tap.events == []


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("ocsp-revoked", {"revoked"}),
        ("ocsp-http-get", {"good"}),
        ("ocsp-request-response", {"good"}),
        ("ocsp-response-only", {"good"}),
    ],
)
def test_responses_in_real_captures_are_found(corpus, name, statuses):
    kept = []

    class Listening(RevocationData):
        def take(self, content_type: str, body: bytes) -> None:
            kept.append(body)
            super().take(content_type, body)

    revocation_data = Listening()
    reader, engine = CaptureReader([str(corpus / "zeek" / "tls" / f"{name}.pcap")]), Engine(watches_revocation=True)
    for packet_reader in reader.packet_readers():
        engine.run(packet_reader)
        keep(engine.take(), revocation_data)
    engine.close()
    keep(engine.take(), revocation_data)
    assert {answer.status for body in kept for answer in read_response(body).answers} == statuses
    assert len(revocation_data) == len(set(kept))
    assert all(answer.this_update < datetime.now(UTC) for body in kept for answer in read_response(body).answers)
