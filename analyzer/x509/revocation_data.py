"""Keeps OCSP responses and revocation lists from plain HTTP, for certificates in the same capture.

Clients fetch both without TLS, because both are signed (RFC 6960, appendix A; RFC 5280, section 4.2.1.13). A capture of a
handshake therefore often contains them too. They are not verified here; the verdict on a certificate does that.

A list may also be in a SignedData that contains only lists (RFC 8551, section 3.8), but most bodies with that type are plain
lists.
"""

from base64 import b64decode
from collections.abc import Callable, Iterator

from analyzer.application.conversation import Conversation
from analyzer.application.exchange import Exchange
from analyzer.codec.errors import ParseError
from analyzer.x509.certificate_id import identity
from analyzer.x509.crl import LIST_SIZE, issuer_of
from analyzer.x509.der import INTEGER, OBJECT_IDENTIFIER, SEQUENCE, SET, encode_object_identifier, expect, read_element
from analyzer.x509.ocsp_response import RESPONSE_SIZE, read_response

OCSP_RESPONSE = "application/ocsp-response"
LISTS = frozenset(("application/pkix-crl", "application/x-pkcs7-crl"))

RESPONSES = 16384
"""Maximum number of responses that are kept, each for a certificate; a browser requests a few hundred a day."""

RESPONSE_BYTES = 64 << 20
"""Maximum bytes of all responses that are kept."""

REVOCATION_LISTS = 1024
"""Maximum number of lists that are kept, each of an issuer; the web has a few hundred issuers."""

LIST_BYTES = 64 << 20
"""Maximum bytes of all lists that are kept."""

OPEN_BODIES = 64
"""Maximum number of bodies of one connection that are collected at one time; HTTP/1 sends one after the other."""

_SIGNED_DATA = encode_object_identifier("1.2.840.113549.1.7.2")
_PEM = b"-----BEGIN X509 CRL-----"
_PEM_END = b"-----END X509 CRL-----"


class RevocationData:
    """Responses by the serial numbers in them, and lists by their issuers' names.

    dropped: how many were not kept because a limit was reached.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._responses: dict[int, list[bytes]] = {}
        self._lists: dict[bytes, list[bytes]] = {}
        self._known: set[bytes] = set()
        self._n_responses = self._n_response_bytes = self._n_lists = self._n_list_bytes = 0

    def __len__(self) -> int:
        """Return how many responses and lists are kept."""
        return self._n_responses + self._n_lists

    def copy(self) -> "RevocationData":
        """Return the same data as an object of its own."""
        copied = RevocationData()
        copied.__dict__.update(self.__dict__)
        copied._known = self._known.copy()
        copied._responses = {serial: found[:] for serial, found in self._responses.items()}
        copied._lists = {issuer: found[:] for issuer, found in self._lists.items()}
        return copied

    def take(self, content_type: str, body: bytes) -> None:
        """Keep the data in the body of an HTTP response, if its type (without parameters) and its content are of either
        kind."""
        kind = content_type.partition(";")[0].strip().lower()
        if kind == OCSP_RESPONSE:
            self._take_response(body)
        elif kind in LISTS:
            for crl in _lists(body):
                self._take_list(crl)

    def ocsp(self, certificate: bytes) -> tuple[bytes, ...]:
        """Return the responses about a certificate's serial number, in the order of arrival."""
        found = identity(certificate)
        return () if found is None else tuple(self._responses.get(found.serial, ()))

    def crls(self, certificate: bytes) -> tuple[bytes, ...]:
        """Return the lists of a certificate's issuer, in the order of arrival."""
        found = identity(certificate)
        return () if found is None else tuple(self._lists.get(found.issuer, ()))

    def _take_response(self, der: bytes) -> None:
        if der in self._known or len(der) > RESPONSE_SIZE:
            return
        serials = {answer.serial for answer in read_response(der).answers}
        if not serials:
            return
        if self._n_responses >= RESPONSES or len(der) > RESPONSE_BYTES - self._n_response_bytes:
            self.dropped += 1
            return
        self._known.add(der)
        self._n_responses += 1
        self._n_response_bytes += len(der)
        for serial in serials:
            self._responses.setdefault(serial, []).append(der)

    def _take_list(self, der: bytes) -> None:
        issuer = None if der in self._known else issuer_of(der)
        if issuer is None:
            return
        if self._n_lists >= REVOCATION_LISTS or len(der) > LIST_BYTES - self._n_list_bytes:
            self.dropped += 1
            return
        self._known.add(der)
        self._n_lists += 1
        self._n_list_bytes += len(der)
        self._lists.setdefault(issuer, []).append(der)


class RevocationDataReader:
    """Reads the server's side of one HTTP/1 connection, and calls `take` with the type and the body of each response or list in
    it."""

    def __init__(self, take: Callable[[str, bytes], None]) -> None:
        self._take = take
        self._bodies: list[tuple[Exchange, str, bytearray]] = []
        self._conversation: Conversation | None = Conversation("http/1.1", scheme="http", hashing=False, on_body=self._collect)

    def feed(self, data: bytes, frame: int, at: int) -> bool:
        """Take the server's next bytes. Return False if they belong to a response without revocation data."""
        conversation = self._conversation
        if conversation is None:
            return False
        conversation.feed(1, data, frame, at)
        self._take_whole_bodies()
        last = conversation.exchanges[-1:]
        return not last or _content_type(last[0]) is not None

    @property
    def n_held(self) -> int:
        """Bytes of memory for unfinished bodies."""
        return sum(len(body) for _, _, body in self._bodies)

    def gap(self, length: int) -> None:
        """Handle missing bytes of the server."""
        if self._conversation is not None:
            self._conversation.gap(1, length)

    def close(self, at: int) -> None:
        """Handle the end of the connection, which also ends some bodies."""
        if self._conversation is not None:
            self._conversation.close(at)
            self._take_whole_bodies()
            self._conversation = None

    def _collect(self, exchange: Exchange, side: int, piece: bytes) -> None:
        if not self._bodies or self._bodies[-1][0] is not exchange:
            kind = _content_type(exchange)
            if kind is None or len(self._bodies) == OPEN_BODIES:
                return
            self._bodies.append((exchange, kind, bytearray()))
        body = self._bodies[-1][2]
        limit = RESPONSE_SIZE if self._bodies[-1][1] == OCSP_RESPONSE else LIST_SIZE
        # One byte over the limit shows that it is too long; more need not be held.
        body += piece[: limit + 1 - len(body)]

    def _take_whole_bodies(self) -> None:
        """Take the complete bodies."""
        unfinished: list[tuple[Exchange, str, bytearray]] = []
        for exchange, kind, body in self._bodies:
            if exchange.response is not None and exchange.response.body.complete:
                self._take(kind, bytes(body))
            elif exchange is self._bodies[-1][0]:
                unfinished.append((exchange, kind, body))
        self._bodies = unfinished


def _content_type(exchange: Exchange) -> str | None:
    """Return the type of a response if it has revocation data. The status must be 200: others are errors or only have a
    part."""
    response = exchange.response
    for name, value in (response.headers or ()) if response is not None and response.status == 200 else ():
        if name.lower() == "content-type":
            kind = value.partition(";")[0].strip().lower()
            return kind if kind == OCSP_RESPONSE or kind in LISTS else None
    return None


def _lists(body: bytes) -> Iterator[bytes]:
    """Yield the lists in a body: the body itself, in PEM, or those in a SignedData."""
    if len(body) > LIST_SIZE:
        return
    if issuer_of(body) is not None:
        yield body
    elif body.lstrip()[: len(_PEM)] == _PEM:
        try:
            yield b64decode(body.partition(_PEM)[2].partition(_PEM_END)[0])
        except ValueError:
            return
    else:
        try:
            yield from _in_signed_data(body)
        except ParseError:
            return


def _in_signed_data(der: bytes) -> Iterator[bytes]:
    """Yield the lists in a ContentInfo with SignedData (RFC 5652, section 5.1). Raises `Malformed` if it is truncated."""
    _, pos, end, _ = expect(der, 0, len(der), SEQUENCE, "ContentInfo")
    _, start, stop, pos = expect(der, pos, end, OBJECT_IDENTIFIER, "contentType")
    if der[start:stop] != _SIGNED_DATA:
        return
    _, pos, end, _ = expect(der, pos, end, 0xA0, "content")
    _, pos, end, _ = expect(der, pos, end, SEQUENCE, "SignedData")
    pos = expect(der, pos, end, INTEGER, "version")[3]
    pos = expect(der, pos, end, SET, "digestAlgorithms")[3]
    pos = expect(der, pos, end, SEQUENCE, "encapContentInfo")[3]
    tag, start, stop, pos = read_element(der, pos, end, "crls")
    if tag == 0xA0:
        tag, start, stop, pos = read_element(der, pos, end, "crls")
    if tag != 0xA1:
        return
    for _ in range(REVOCATION_LISTS):
        if start >= stop:
            break
        after = expect(der, start, stop, SEQUENCE, "crls")[3]
        yield der[start:after]
        start = after
