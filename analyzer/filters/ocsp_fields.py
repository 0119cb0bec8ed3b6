"""The fields of OCSP responses that a TLS server sends with its certificate (RFC 6960 section 4.2.1, RFC 8446 section 4.4.2.1).

A response is walked from its bytes, so one that strict parsers refuse has its fields too. What cannot be read ends the walk of
its structure, and the fields before it stay. A response in HTTP has no fields here.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from analyzer.codec.errors import ParseError
from analyzer.filters.der_parts import parts
from analyzer.filters.frame_view import Found, FrameView
from analyzer.filters.packet_values import Occurrence
from analyzer.tls.events import HandshakeMessage
from analyzer.tls.messages.numbers import CERTIFICATE, CERTIFICATE_STATUS
from analyzer.x509.der import (
    BIT_STRING,
    GENERALIZED_TIME,
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    object_identifier,
)
from analyzer.x509.times import time_text

MAX_RESPONSES = 64
"""Responses that are read of one message. A server sends one for each certificate of its chain, at most."""

MAX_STATUSES = 256
"""Statuses that are read of one response. Responders of the web send one."""

_STATUS_REQUEST = 5
_ENUMERATED = 0x0A
_CONTEXT = 0xA0
_BY_NAME, _BY_KEY = 1, 2


class OcspFields:
    """The source of `ocsp.*`."""

    def take(self, view: FrameView) -> None:
        """See `Source.take`."""

    def find(self, view: FrameView) -> Found:
        """See `Source.find`."""
        found: Found = {}
        for event in view.events:
            if isinstance(event, HandshakeMessage) and event.body is not None:
                for n_read, der in enumerate(_responses(event)):
                    if n_read == MAX_RESPONSES:
                        break
                    if der:
                        _Response(found).read(der)
        return found


def _responses(message: HandshakeMessage) -> Iterator[bytes]:
    """Yield the responses in a CertificateStatus message, or in the extensions of a Certificate message."""
    body: Any = message.body
    if message.type == CERTIFICATE_STATUS:
        yield from _ders(body)
    elif message.type == CERTIFICATE:
        for entry in getattr(body, "certificate_list", None) or ():
            for one in getattr(entry, "extensions", None) or ():
                if one.extension_type == _STATUS_REQUEST:
                    yield from _ders(one.extension_data)


def _ders(status: Any) -> Iterator[bytes]:
    response = getattr(status, "response", None)
    yield from response if isinstance(response, list) else (response,) if isinstance(response, bytes) else ()


class _Response:
    """Adds the fields of one response to `found`."""

    def __init__(self, found: Found) -> None:
        self.found = found

    def read(self, der: bytes) -> None:
        """Add the fields of an OCSPResponse in DER."""
        self._add("ocsp", der, der)
        for tag, content in parts(der):
            if tag != SEQUENCE:
                return
            for inner, part in parts(content):
                if inner == _ENUMERATED:
                    self._add("ocsp.responseStatus", int.from_bytes(part[:4]), part)
                elif inner == _CONTEXT:
                    for _, typed in parts(part):
                        self._read_typed(typed)

    def _add(self, name: str, value: object, raw: bytes) -> None:
        self.found.setdefault(name, []).append(Occurrence(value, raw, 1))  # type: ignore[arg-type]

    def _add_time(self, name: str, content: bytes) -> None:
        """Add a GeneralizedTime as nanoseconds since 1970."""
        try:
            text = time_text(content, (GENERALIZED_TIME, 0, len(content), len(content)), name)
        except ParseError:
            return  # a value that is no time is no value of a field
        seconds = int(datetime.fromisoformat(text[:19] + "+00:00").timestamp())
        self._add(name, seconds * 1_000_000_000 + int(text[20:-1] or 0), content)

    def _add_type(self, content: bytes) -> None:
        try:
            text = object_identifier(content)
        except ValueError:
            return  # as with times
        self._add("ocsp.responseType.id", text, content)

    def _read_typed(self, content: bytes) -> None:
        """Read ResponseBytes: the type, and the response of that type in an octet string."""
        for tag, part in parts(content):
            if tag == OBJECT_IDENTIFIER:
                self._add_type(part)
            elif tag == OCTET_STRING:
                for inner, basic in parts(part):
                    if inner == SEQUENCE:
                        self._read_basic(basic)

    def _read_basic(self, content: bytes) -> None:
        """Read a BasicOCSPResponse."""
        for place, (tag, part) in enumerate(parts(content)):
            if place == 0:
                self._read_data(part)
            elif tag == BIT_STRING:
                self._add("ocsp.signature", part[1:], part[1:])
            elif tag == _CONTEXT:
                for _, certificates in parts(part):
                    self._add("ocsp.certs", sum(1 for _ in parts(certificates)), certificates)

    def _read_data(self, content: bytes) -> None:
        """Read ResponseData, where [1] is the responder's name before the time, and extensions behind it."""
        dated = False
        for tag, part in parts(content):
            if tag in (_CONTEXT + _BY_NAME, _CONTEXT + _BY_KEY) and not dated:
                self._add("ocsp.responderID", tag - _CONTEXT, part)
                for _, key in parts(part) if tag == _CONTEXT + _BY_KEY else ():
                    self._add("ocsp.byKey", key, key)
            elif tag == GENERALIZED_TIME:
                dated = True
                self._add_time("ocsp.producedAt", part)
            elif tag == SEQUENCE:
                self._add("ocsp.responses", sum(1 for _ in parts(part)), part)
                for n_read, (_, single) in enumerate(parts(part)):
                    if n_read == MAX_STATUSES:
                        break
                    self._read_single(single)

    def _read_single(self, content: bytes) -> None:
        """Read a SingleResponse."""
        for place, (tag, part) in enumerate(parts(content)):
            if place == 0:
                self._read_certificate_id(part)
            elif place == 1:
                self._add("ocsp.certStatus", tag & 0x1F, part)
                for inner, reason in parts(part) if tag & 0x1F == 1 else ():
                    if inner == GENERALIZED_TIME:
                        self._add_time("ocsp.revocationTime", reason)
                    for _, number in parts(reason) if inner == _CONTEXT else ():
                        self._add("ocsp.revocationReason", int.from_bytes(number[:4]), number)
            elif tag == GENERALIZED_TIME:
                self._add_time("ocsp.thisUpdate", part)
            elif tag == _CONTEXT:
                for _, time in parts(part):
                    self._add_time("ocsp.nextUpdate", time)

    def _read_certificate_id(self, content: bytes) -> None:
        names = iter(("ocsp.issuerNameHash", "ocsp.issuerKeyHash"))
        for tag, part in parts(content):
            if tag == INTEGER:
                self._add("ocsp.serialNumber", part, part)
            elif tag == OCTET_STRING:
                name = next(names, None)
                if name is not None:
                    self._add(name, part, part)
