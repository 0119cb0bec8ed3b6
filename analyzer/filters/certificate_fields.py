"""The fields of certificates in Certificate messages (RFC 5280), as Wireshark's ASN.1 modules name them: `x509af` and others.

A certificate is walked from its bytes, so one that strict parsers refuse has its fields too. What cannot be read ends the walk
of its structure, and the fields before it stay.
"""

from collections.abc import Iterator

from analyzer.filters.asn1_grammar import read_der
from analyzer.filters.certificate_grammar import CERTIFICATE, OCSP_RESPONSE
from analyzer.filters.compressed_certificates import uncompressed
from analyzer.filters.frame_view import Found, FrameView
from analyzer.filters.stapled_responses import responses_of, stapled_responses
from analyzer.tls.events import Event, HandshakeMessage
from analyzer.tls.messages.numbers import CERTIFICATE as CERTIFICATE_MESSAGE
from analyzer.tls.messages.ssl2_tables import SSL2ServerHello

MAX_CERTIFICATES = 64
"""Certificates that are read of one message. Real chains have less than ten."""


class CertificateFields:
    """The source of the fields of certificates, also of those in the OCSP responses that come with them."""

    def take(self, view: FrameView) -> None:
        """See `Source.take`."""

    def find(self, view: FrameView) -> Found:
        """See `Source.find`."""
        found: Found = {}
        for event in view.events:
            for reader, ders in ((CERTIFICATE, certificates_of(event)), (OCSP_RESPONSE, stapled_responses(event))):
                for der in ders:
                    read_der(reader, der, found)
        return {name: occurrences for name, occurrences in found.items() if not name.startswith("ocsp.")}


def certificates_and_responses(event: Event) -> Iterator[bytes]:
    """Yield the certificates and the OCSP responses of a message, in their order in the message."""
    message = uncompressed(event)
    entries = getattr(message.body, "certificate_list", None) if isinstance(message, HandshakeMessage) else None
    if not entries or all(isinstance(entry, bytes) or entry is None for entry in entries):
        yield from certificates_of(message)
        yield from stapled_responses(message)
        return
    for entry in entries[:MAX_CERTIFICATES]:
        if entry is not None and entry.cert_data:
            yield entry.cert_data
        yield from responses_of(entry)


def certificates_of(event: Event) -> Iterator[bytes]:
    """Yield the certificates in DER of a Certificate message, compressed or not, or a hello of SSL 2.0; else nothing."""
    event = uncompressed(event)
    if isinstance(event, HandshakeMessage) and isinstance(event.body, SSL2ServerHello):
        if event.body.certificate:
            yield event.body.certificate
    elif isinstance(event, HandshakeMessage) and event.type == CERTIFICATE_MESSAGE and event.body is not None:
        for entry in (getattr(event.body, "certificate_list", None) or ())[:MAX_CERTIFICATES]:
            der = entry if isinstance(entry, bytes) else getattr(entry, "cert_data", None)
            if der:  # an entry that could not be read is None
                yield der
