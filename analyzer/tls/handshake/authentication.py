"""Authenticates a handshake: collects its signatures with what they cover, and compares Finished with the expected value.

Up to TLS 1.2 the server signs its key exchange with both randoms (RFC 5246 section 7.4.3), and a client with a certificate
signs all messages so far (section 7.4.8). In TLS 1.3 both sign the hash of all messages so far, after a context string (RFC
9846 section 4.5.2). A signature shows that the owner of the certificate's key took part in this handshake. No secret is needed
to check it. A Finished value only shows that the given secrets belong to this handshake: anybody who has the secrets can
compute it.

Checking a signature takes longer than everything else for a short session. So `analysis.authenticity` does it, only on request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.secrets.decryption_error import DecryptionError
from analyzer.secrets.key_schedule import SSL_3_0, TLS_1_2, ssl3_signed_hash, tls_version
from analyzer.secrets.suite_interface import Hash, HashFunction, hash_function
from analyzer.tls.handshake.transcript import Transcript, is_retry, message_hash
from analyzer.tls.limits import MAX_SIGNATURES
from analyzer.tls.messages.numbers import CERTIFICATE_VERIFY, FINISHED, HELLO_RETRY_REQUEST
from analyzer.tls.suites import Suite

if TYPE_CHECKING:
    import cython

VERIFIED, FAILED, UNVERIFIABLE, ABSENT = "verified", "failed", "unverifiable", "absent"

CONTEXTS = (b" " * 64 + b"TLS 1.3, client CertificateVerify\0", b" " * 64 + b"TLS 1.3, server CertificateVerify\0")
"""The bytes before the hash that a signature in TLS 1.3 covers; by role."""

FIRST_MESSAGE_HASH = 0x7F13
"""The version of draft 19: the first in which a hash replaces a ClientHello before a HelloRetryRequest."""

NOT_CAPTURED = "a message that it covers is not in the capture"


class FinishedKeys:
    """Gives access to the secrets of a handshake, if they are known. This base class knows none."""

    __slots__ = ()

    def master_secret(self) -> bytes | None:
        """Return the master secret up to TLS 1.2; None if it is not known."""
        return None

    def verify_data(self, role: cython.int, preceding: bytes) -> bytes | None:
        """Return the verify_data of a role's Finished; None if it is not known.

        See RFC 9846 section 4.5.3 and RFC 5246 section 7.4.9. preceding: the messages before it, or since TLS 1.2 their hash.
        """
        return None

    def verify_data_later(self, preceding: bytes) -> bytes | None:
        """Return the verify_data of a client's authentication after the handshake; None if it is not known.

        See RFC 9846 section 4.7.2.
        """
        return None


class Signed:
    """A signature of a handshake.

    role: who made it, 0 the client. scheme: its number, None if only the key determines it (up to TLS 1.1). content: the signed
    bytes. certificate: of the signer, in DER, or a bare SubjectPublicKeyInfo; None if it is not known. problem: why it cannot
    be checked, or "". digest: MD5 and SHA-1 of `content`, if the version does not compute them over that alone, else empty.
    tls13: whether it is of TLS 1.3. offered: the schemes that the peer accepts, None if it names none or they are not known.
    method: how the cipher suite authenticates the server, "" in TLS 1.3. result: of the check, when it was made.
    """

    __slots__ = (
        "certificate", "content", "digest", "method", "offered", "problem", "result", "role", "scheme", "signature", "tls13",
    )  # fmt: skip

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
        self.tls13 = False
        self.offered: tuple[int, ...] | None = None
        self.method = ""
        self.result: tuple[str, str] | None = None


class Authentication:
    """The authentication results of the handshakes of one session.

    The results of several handshakes are combined to the worst one.

    signed: the signatures of all of them, at most MAX_SIGNATURES. finished: the result for each role's Finished: `verified`,
    `failed` or `unverifiable`, None if none was read. running: in TLS 1.3, after a complete handshake with no missing message,
    the hash of all its messages; authentication after the handshake needs it. offered: by role, the signature schemes that its
    peer accepts, None if they are not known. doubts: by role, why messages of this role are no proof of its key, or "".
    verify_data: of each role's last decrypted Finished, which a renegotiation repeats.
    """

    __slots__ = ("doubts", "finished", "method", "offered", "running", "signed", "tls13", "verify_data")

    def __init__(self) -> None:
        self.signed: list[Signed] = []
        self.finished: list[str | None] = [None, None]
        self.running: Hash | None = None
        self.offered: list[tuple[int, ...] | None] = [None, None]
        self.doubts = ["", ""]
        self.method = ""
        self.tls13 = False
        self.verify_data = [b"", b""]

    def authenticate(
        self, transcript: Transcript, keys: FinishedKeys | None, chosen: Suite | None, version: cython.int, tls13: cython.bint
    ) -> None:
        """Take the results of a handshake. keys: access to its secrets, None without any; chosen: its cipher suite."""
        self.tls13 = tls13
        self.method = "" if chosen is None else chosen.authentication
        if tls13 and chosen is None:
            return
        if not tls13 and keys is None and not transcript.verifies:  # the common case without keys
            if transcript.exchanged is not None:
                self.sign(exchanged(transcript, transcript.certificates[1]))
            return
        hashed = None
        master = None if keys is None else keys.master_secret()
        if chosen is not None and (tls13 or (master is not None and tls_version(version) >= TLS_1_2)):
            try:
                hashed = hash_function(chosen.prf_hash)
            except DecryptionError:  # the hash of this suite is not available: the results stay unverifiable
                if tls13:
                    return
        self.process(transcript, version, tls13, hashed, keys)

    def process(
        self,
        transcript: Transcript,
        version: cython.int,
        tls13: cython.bint,
        hashed: HashFunction | None,
        keys: FinishedKeys | None,
    ) -> None:
        """Process all messages of a handshake once.

        hashed: the hash of a suite of TLS 1.3; before TLS 1.3 the hash of the PRF, or None if a Finished depends on the
        messages themselves.
        """
        if tls13:
            self.authenticate13(transcript, hashed, keys, 0x7F00 < version < FIRST_MESSAGE_HASH)
        else:
            self.authenticate12(transcript, version, hashed, keys)

    def sign(self, signed: Signed) -> None:
        """Keep a signature."""
        if len(self.signed) < MAX_SIGNATURES:
            signed.tls13 = self.tls13
            signed.method = self.method
            signed.offered = self.offered[signed.role]
            self.signed.append(signed)

    def finish(self, role: cython.int, result: str) -> None:
        """Keep the result for a role's Finished."""
        self.finished[role] = worse(self.finished[role], result)

    def authenticate13(self, transcript: Transcript, hashed: Any, keys: FinishedKeys | None, keeps_hello: cython.bint) -> None:
        """Process a handshake of TLS 1.3.

        keeps_hello: whether the first ClientHello stays in the transcript after a retry, instead of its hash.
        """
        running: Any = hashed(b"")
        preceding: list[bytes] = []  # since the hash was last computed
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
                    running = hashed(message_hash(_digest(running, preceding)))
            elif number == CERTIFICATE_VERIFY:
                self.sign(verify13(role, raw, _digest(running, preceding) if whole else None, transcript.certificates[role]))
            elif number == FINISHED and finished[role] is None:
                finished[role] = compare(raw, _expected(keys, role, _digest(running, preceding)) if whole else None)
            preceding.append(raw)
        running.update(b"".join(preceding))
        self.finished = [worse(self.finished[role], finished[role]) for role in range(2)]
        if whole and transcript.complete:
            self.running = running

    def authenticate12(self, transcript: Transcript, version: cython.int, hashed: Any, keys: FinishedKeys | None) -> None:
        """Process a handshake up to TLS 1.2."""
        running: Any = None if hashed is None else hashed(b"")
        preceding: list[bytes] = []
        finished: list[str | None] = [None, None]
        whole: cython.bint = True
        role: cython.int
        n_hashed: cython.Py_ssize_t = 0
        if transcript.exchanged is not None:
            self.sign(exchanged(transcript, transcript.certificates[1]))
        for role, raw in transcript.steps(False):
            if raw is None:
                whole = False
                continue
            number: cython.int = raw[0]
            if number == CERTIFICATE_VERIFY:
                covered = b"".join(preceding) if whole else None
                master = None if keys is None else keys.master_secret()
                self.sign(_verify12(role, raw, covered, version, transcript.certificates[role], master))
            elif number == FINISHED and finished[role] is None:
                if not whole:
                    finished[role] = UNVERIFIABLE
                elif running is None:
                    finished[role] = compare(raw, _expected(keys, role, b"".join(preceding)))
                else:
                    running.update(b"".join(preceding[n_hashed:]))
                    n_hashed = len(preceding)
                    finished[role] = compare(raw, _expected(keys, role, running.digest()))
            preceding.append(transcript.hashed(role, raw))
        self.finished = [worse(self.finished[role], finished[role]) for role in range(2)]


def _digest(running: Any, preceding: list[Any]) -> bytes:
    """Return the hash of all messages so far; messages in `preceding` are added to it and removed from the list."""
    running.update(b"".join(preceding))
    preceding.clear()
    digest: bytes = running.digest()
    return digest


def worse(known: str | None, new: str | None) -> str | None:
    """Return the combination of two results."""
    if known is None or known == new:
        return new
    if new is None:
        return known
    return FAILED if FAILED in (known, new) else UNVERIFIABLE


def _expected(keys: FinishedKeys | None, role: cython.int, preceding: bytes) -> bytes | None:
    """Return the expected value of a Finished; None without secrets.

    preceding: the messages before it, or since TLS 1.2 their hash.
    """
    return None if keys is None else keys.verify_data(role, preceding)


def compare(raw: bytes, expected: bytes | None) -> str:
    """Return the result for a Finished, given its expected verify_data; None if that is not known."""
    if expected is None:
        return UNVERIFIABLE
    return VERIFIED if raw[4:] == expected else FAILED


def exchanged(transcript: Transcript, certificate: bytes | None) -> Signed:
    """Return the signature of a ServerKeyExchange, which covers both randoms and the parameters."""
    parameters, scheme, signature = transcript.exchanged or (b"", None, b"")
    randoms = transcript.client_random + transcript.server_random
    problem = "" if len(randoms) == 64 else "a hello is not in the capture"
    return Signed(1, scheme, randoms + parameters, signature, certificate, problem)


def verify13(role: cython.int, raw: bytes, digest: bytes | None, certificate: bytes | None) -> Signed:
    """Return the signature of a CertificateVerify of TLS 1.3.

    digest: hash of the messages before it; None if one of them is missing.
    """
    scheme, signature, problem = _signature(raw, 4, True)
    if digest is None:
        return Signed(role, scheme, b"", signature, certificate, problem or NOT_CAPTURED)
    return Signed(role, scheme, CONTEXTS[role] + digest, signature, certificate, problem)


def _verify12(
    role: cython.int, raw: bytes, preceding: bytes | None, version: cython.int, certificate: bytes | None, master: bytes | None
) -> Signed:
    scheme, signature, problem = _signature(raw, 4, version >= TLS_1_2)
    if preceding is None:
        return Signed(role, scheme, b"", signature, certificate, problem or NOT_CAPTURED)
    if version > SSL_3_0:
        return Signed(role, scheme, preceding, signature, certificate, problem)
    if master is None:
        return Signed(role, scheme, b"", signature, certificate, "in SSL 3.0 it covers the master secret too")
    return Signed(role, scheme, b"", signature, certificate, problem, ssl3_signed_hash(master, preceding))


def _signature(raw: bytes, pos: cython.Py_ssize_t, names_scheme: cython.bint) -> tuple[int | None, bytes, str]:
    """Return scheme and signature at an offset of a message, and what is wrong with them, or ""."""
    scheme = int.from_bytes(raw[pos : pos + 2], "big") if names_scheme else None
    pos += 2 if names_scheme else 0
    length: cython.Py_ssize_t = int.from_bytes(raw[pos : pos + 2], "big")
    if len(raw) - pos - 2 != length:
        return scheme, b"", f"{max(0, len(raw) - pos - 2)} bytes hold no signature of {length}"
    return scheme, raw[pos + 2 :], ""
