"""What a handshake proves: its signatures with what they cover, and its Finished values compared with what they must be.

Until TLS 1.2 the server signs its key exchange with both randoms (RFC 5246 section 7.4.3), and a client with a certificate all
messages so far (section 7.4.8). In TLS 1.3 both sign the hash of all messages so far behind a context (RFC 9846 section 4.5.3).
A signature shows that who has the certificate's key took part in this very handshake, and needs no secret. Finished values show
no more than that the secrets given are of this handshake: who has the secrets can compute them. Checking a signature takes
longer than all else about a short session, and so it is left to `analysis.authenticity`, which does it when somebody asks. This
module is compiled (see setup.cfg) and runs the same uncompiled.
"""

from typing import TYPE_CHECKING, Any

import cython

from analyzer.secrets.refused import Refused
from analyzer.secrets.schedule import SSL_3_0, TLS_1_2, ssl3_signed_hash, tls_version
from analyzer.secrets.suite import Hash, HashFunction, hash_function
from analyzer.tls.decrypt import Decryption
from analyzer.tls.limits import MAX_REQUESTS, MAX_SIGNATURES
from analyzer.tls.suites import Suite
from analyzer.tls.transcript import Transcript, is_retry, message_hash

if TYPE_CHECKING:
    from analyzer.tls.session import Session

HELLO_RETRY_REQUEST, CERTIFICATE, CERTIFICATE_REQUEST, CERTIFICATE_VERIFY, FINISHED = 6, 11, 13, 15, 20

VERIFIED, FAILED, UNVERIFIABLE, ABSENT = "verified", "failed", "unverifiable", "absent"

CONTEXTS = (b" " * 64 + b"TLS 1.3, client CertificateVerify\0", b" " * 64 + b"TLS 1.3, server CertificateVerify\0")
"""What a signature in TLS 1.3 covers before the hash; by role."""

FIRST_MESSAGE_HASH = 0x7F13
"""Version: draft 19 is the first in which its hash replaces a ClientHello before a HelloRetryRequest."""

NOT_CAPTURED = "a message that it covers is not in the capture"


class Signed:
    """A signature of a handshake.

    role: who made it, 0 the client. scheme: its number, None where only the key tells (until TLS 1.1). content: what it covers.
    certificate: of the signer, in DER, or a bare SubjectPublicKeyInfo; None where it is not known. problem: why it cannot be
    checked, or "". digest: MD5 and SHA-1 of `content`, where the version computes them otherwise than over that, else empty.
    """

    __slots__ = ("certificate", "content", "digest", "problem", "role", "scheme", "signature")

    def __init__(
        self,
        role: cython.int,
        scheme: Any,
        content: bytes,
        signature: bytes,
        certificate: bytes | None,
        problem: str,
        digest: bytes = b"",
    ) -> None:
        self.role = role
        self.scheme: int | None = scheme
        self.content = content
        self.signature = signature
        self.certificate = certificate
        self.problem = problem
        self.digest = digest


class Proof:
    """Of one handshake: its signatures, and what became of each role's Finished; None where none was read.

    running: in TLS 1.3 the hash of all messages, on which authentication after the handshake rests; None if one is missing.
    """

    __slots__ = ("finished", "running", "signed")

    def __init__(self, signed: list[Signed], finished: list[str | None], running: Hash | None = None) -> None:
        self.signed = signed
        self.finished = finished
        self.running = running


def settle(
    transcript: Transcript, work: Decryption | None, chosen: Suite | None, version: cython.int, tls13: cython.bint
) -> Proof | None:
    """What the handshake proves that a session has heard, whose secrets are at `work`; None where it cannot be gone through."""
    if tls13 and chosen is None:
        return None
    if not tls13 and work is None and not transcript.verifies:  # the common case without keys
        signed = [] if transcript.exchanged is None else [exchanged(transcript, transcript.certificates[1])]
        return Proof(signed, [None, None])
    hashed = None
    if chosen is not None and (tls13 or (work is not None and work.master is not None and tls_version(version) >= TLS_1_2)):
        try:
            hashed = hash_function(chosen.prf_hash)
        except Refused:  # nobody can hash for this suite, nor open its records: what is there stays unverifiable
            if tls13:
                return None
    return prove(transcript, version, tls13, hashed, work)


def prove(
    transcript: Transcript, version: cython.int, tls13: cython.bint, hashed: HashFunction | None, work: Decryption | None
) -> Proof:
    """Go through a handshake once. work: what knows the secrets, and so what each Finished must be; None without any.

    hashed: the hash of a suite of TLS 1.3; before TLS 1.3 of the PRF, or None where Finished hang on the messages themselves.
    """
    if not tls13:
        return _prove12(transcript, version, hashed, work)
    return _prove13(transcript, hashed, work, 0x7F00 < version < FIRST_MESSAGE_HASH)


def _prove13(transcript: Transcript, hashed: Any, work: Decryption | None, keeps_hello: cython.bint) -> Proof:
    running: Any = hashed(b"")
    heard: list[bytes] = []  # since the hash was last wanted
    signed: list[Signed] = []
    finished: list[str | None] = [None, None]
    whole: cython.bint = True
    role: cython.int
    for role, raw in transcript.steps(True):
        if raw is None:
            whole = False
            continue
        number: cython.int = raw[0]
        if number == HELLO_RETRY_REQUEST or is_retry(raw):
            if not keeps_hello:
                running = hashed(message_hash(_digest(running, heard)))
        elif number == CERTIFICATE_VERIFY:
            signed.append(verify13(role, raw, _digest(running, heard) if whole else None, transcript.certificates[role]))
        elif number == FINISHED and finished[role] is None:
            finished[role] = compare(raw, _expected(work, role, _digest(running, heard)) if whole else None)
        heard.append(raw)
    running.update(b"".join(heard))
    return Proof(signed, finished, running if whole else None)


def _digest(running: Any, heard: list[Any]) -> bytes:
    """The hash of all messages up to now; it takes those that it has not yet."""
    running.update(b"".join(heard))
    heard.clear()
    digest: bytes = running.digest()
    return digest


def _prove12(transcript: Transcript, version: cython.int, hashed: Any, work: Decryption | None) -> Proof:
    running: Any = None if hashed is None else hashed(b"")
    heard: list[bytes] = []
    signed: list[Signed] = []
    finished: list[str | None] = [None, None]
    whole: cython.bint = True
    role: cython.int
    n_hashed: cython.Py_ssize_t = 0
    if transcript.exchanged is not None:
        signed.append(exchanged(transcript, transcript.certificates[1]))
    for role, raw in transcript.steps(False):
        if raw is None:
            whole = False
            continue
        number: cython.int = raw[0]
        if number == CERTIFICATE_VERIFY:
            covered = b"".join(heard) if whole else None
            master = None if work is None else work.master
            signed.append(_verify12(role, raw, covered, version, transcript.certificates[role], master))
        elif number == FINISHED and finished[role] is None:
            if not whole:
                finished[role] = UNVERIFIABLE
            elif running is None:
                finished[role] = compare(raw, _expected(work, role, b"".join(heard)))
            else:
                running.update(b"".join(heard[n_hashed:]))
                n_hashed = len(heard)
                finished[role] = compare(raw, _expected(work, role, running.digest()))
        heard.append(raw)
    return Proof(signed, finished)


class Later:
    """Authentication of the client after the handshake (RFC 9846 section 4.7.2); each request begins a branch."""

    __slots__ = ("_certificate", "_requests", "_running", "_turn")

    def __init__(self, running: Hash) -> None:
        """running: the hash of the whole handshake."""
        self._running = running
        self._requests: dict[bytes, Hash] = {}
        self._turn: Hash | None = None
        self._certificate: bytes | None = None

    def hear(self, session: "Session", role: int, raw: bytes) -> None:
        """Take a whole message that came after the handshake."""
        number = raw[0]
        if role == 1:
            if number == CERTIFICATE_REQUEST and len(self._requests) < MAX_REQUESTS:
                asked = self._requests[_context(raw)] = self._running.copy()
                asked.update(raw)
            return
        if number == CERTIFICATE:
            self._turn = self._requests.pop(_context(raw), None)
            self._certificate = first_certificate(raw)
        turn = self._turn
        if turn is None:
            return
        if number == CERTIFICATE_VERIFY and len(session.signed) < MAX_SIGNATURES:
            session.signed.append(verify13(role, raw, turn.digest(), self._certificate))
        elif number == FINISHED:
            work = session.decryption
            result = compare(raw, None if work is None else work.verify_data_later(turn.digest()))
            session.finished[role] = worse(session.finished[role], result)
            self._turn = None
        turn.update(raw)


def _context(raw: bytes) -> bytes:
    """The certificate_request_context, with its length, at the beginning of a CertificateRequest or Certificate of TLS 1.3."""
    return raw[4 : 5 + raw[4]] if len(raw) > 4 else b""


def first_certificate(raw: bytes) -> bytes | None:
    """The sender's own certificate in a Certificate of TLS 1.3; None without one."""
    pos = 4 + len(_context(raw)) + 3
    length = int.from_bytes(raw[pos : pos + 3], "big")
    return raw[pos + 3 : pos + 3 + length] if 0 < length <= len(raw) - pos - 3 else None


def worse(known: str | None, new: str | None) -> str | None:
    """The result that two together come to."""
    if known is None or known == new:
        return new
    if new is None:
        return known
    return FAILED if FAILED in (known, new) else UNVERIFIABLE


def _expected(work: Decryption | None, role: cython.int, heard: bytes) -> bytes | None:
    """What a Finished must be behind these messages, or since TLS 1.2 their hash; None: without secrets nobody knows."""
    return None if work is None else work.verify_data(role, heard)


def compare(raw: bytes, expected: bytes | None) -> str:
    """What becomes of a Finished whose verify_data must be so; None: nobody knows."""
    if expected is None:
        return UNVERIFIABLE
    return VERIFIED if raw[4:] == expected else FAILED


def exchanged(transcript: Transcript, certificate: bytes | None) -> Signed:
    """The signature of a ServerKeyExchange, which covers both randoms and the parameters."""
    parameters, scheme, signature = transcript.exchanged or (b"", None, b"")
    randoms = transcript.client_random + transcript.server_random
    problem = "" if len(randoms) == 64 else "a hello is not in the capture"
    return Signed(1, scheme, randoms + parameters, signature, certificate, problem)


def verify13(role: cython.int, raw: bytes, digest: bytes | None, certificate: bytes | None) -> Signed:
    """The signature of a CertificateVerify of TLS 1.3 behind messages of that hash; None: one of them is missing."""
    scheme, signature, problem = _signature(raw, 4, True)
    if digest is None:
        return Signed(role, scheme, b"", signature, certificate, problem or NOT_CAPTURED)
    return Signed(role, scheme, CONTEXTS[role] + digest, signature, certificate, problem)


def _verify12(
    role: cython.int, raw: bytes, heard: bytes | None, version: cython.int, certificate: bytes | None, master: bytes | None
) -> Signed:
    scheme, signature, problem = _signature(raw, 4, version >= TLS_1_2)
    if heard is None:
        return Signed(role, scheme, b"", signature, certificate, problem or NOT_CAPTURED)
    if version > SSL_3_0:
        return Signed(role, scheme, heard, signature, certificate, problem)
    if master is None:
        return Signed(role, scheme, b"", signature, certificate, "in SSL 3.0 it covers the master secret too")
    return Signed(role, scheme, b"", signature, certificate, problem, ssl3_signed_hash(master, heard))


def _signature(raw: bytes, pos: cython.Py_ssize_t, names_scheme: cython.bint) -> tuple[int | None, bytes, str]:
    """Scheme and signature at an offset of a message, and what is wrong with them, or ""."""
    scheme = int.from_bytes(raw[pos : pos + 2], "big") if names_scheme else None
    pos += 2 if names_scheme else 0
    length: cython.Py_ssize_t = int.from_bytes(raw[pos : pos + 2], "big")
    if len(raw) - pos - 2 != length:
        return scheme, b"", f"{max(0, len(raw) - pos - 2)} bytes hold no signature of {length}"
    return scheme, raw[pos + 2 :], ""
