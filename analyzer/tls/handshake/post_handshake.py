"""Authentication of the client after the handshake (RFC 9846 section 4.7.2)."""

from analyzer.secrets.suite_interface import Hash
from analyzer.tls.handshake.authentication import Authentication, FinishedKeys, compare, verify13
from analyzer.tls.handshake.certificate_messages import certificate_list
from analyzer.tls.handshake.compressed_certificate import decompressed
from analyzer.tls.limits import MAX_REQUESTS
from analyzer.tls.messages.certificate_tables import Certificate13, CompressedCertificate
from analyzer.tls.messages.numbers import (
    CERTIFICATE,
    CERTIFICATE_REQUEST,
    CERTIFICATE_VERIFY,
    COMPRESSED_CERTIFICATE,
    FINISHED,
    HEADER,
)


class PostHandshake:
    """Processes the requests of the server and the answers of the client. Each request begins a branch of the transcript.

    Results go to `authentication`, whose handshake is complete.
    """

    __slots__ = ("_authentication", "_branch", "_certificate", "_requests", "_running")

    def __init__(self, authentication: Authentication, running: Hash) -> None:
        """running: the hash of the whole handshake."""
        self._authentication = authentication
        self._running = running
        self._requests: dict[bytes, Hash] = {}
        self._branch: Hash | None = None
        self._certificate: bytes | None = None

    def take(self, role: int, raw: bytes, keys: FinishedKeys | None) -> None:
        """Process a complete message of a role that came after the handshake, with its header."""
        number = raw[0]
        if role == 1:
            if number == CERTIFICATE_REQUEST and len(self._requests) < MAX_REQUESTS:
                request = self._requests[_context(raw)] = self._running.copy()
                request.update(raw)
            return
        if number in (CERTIFICATE, COMPRESSED_CERTIFICATE):
            context, self._certificate = first_certificate(raw)
            self._branch = self._requests.pop(context or b"", None)
        branch = self._branch
        if branch is None:
            return
        if number == CERTIFICATE_VERIFY:
            self._authentication.sign(verify13(role, raw, branch.digest(), self._certificate))
        elif number == FINISHED:
            self._authentication.finish(role, compare(raw, None if keys is None else keys.verify_data_later(branch.digest())))
            self._branch = None
        branch.update(raw)


def _context(raw: bytes) -> bytes:
    """Return the certificate_request_context of a CertificateRequest of TLS 1.3."""
    return raw[HEADER + 1 : HEADER + 1 + raw[HEADER]] if len(raw) > HEADER else b""


def first_certificate(raw: bytes) -> tuple[bytes | None, bytes | None]:
    """Return context and the sender's own certificate of a Certificate of TLS 1.3, plain or compressed (RFC 8879).

    The context is that of the request which it answers. None for what is not there or cannot be read.
    """
    if raw[0] == COMPRESSED_CERTIFICATE:
        message, _ = decompressed(CompressedCertificate.read(raw[HEADER:])[0])
    else:
        message, _ = Certificate13.read(raw[HEADER:])
    if message is None:
        return None, None
    listed = certificate_list(message)
    return message.certificate_request_context, listed[0] if listed else None
