"""Tells whether a handshake is authentic: the results of its signatures and of its Finished values.

A signature that verifies shows that the owner of the certificate's private key took part in this handshake. The certificate
chain shows who the owner is. A Finished value that agrees shows that the given secrets belong to this handshake.

Neither of them shows anything about the data sent later: anybody who has the secrets of a session can make records of it
(RFC 9850 section 4). Records are therefore "consistent with the supplied secrets", and no more.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from analyzer.analysis.shown_certificates import NONE, shown_certificates
from analyzer.codec.registry import registry
from analyzer.tls.events import HandshakeMessage
from analyzer.tls.handshake.authentication import ABSENT, FAILED, UNVERIFIABLE, VERIFIED, Signed, worse
from analyzer.tls.handshake.parameters import Parameters
from analyzer.tls.handshake.states import RoleState
from analyzer.tls.messages.numbers import SERVER_KEY_EXCHANGE, SSL2
from analyzer.tls.session import Session
from analyzer.tls.session_handshake import SessionHandshake
from analyzer.x509.layout import Layout

if TYPE_CHECKING:
    import cython

ROLES = ("client", "server")

REMEMBERED_KEYS = 4096
"""Maximum number of public keys in the cache. A few servers make nearly all handshakes."""

RECORDS: dict[tuple[str | None, ...], dict[str, Any]] = {}

REMEMBERED_RECORDS = 256
"""Maximum number of cached results. Nearly all sessions share a few of them."""

UNSIGNED = frozenset({"anon", "PSK", "SRP", "ECJPAKE", "ECCPWD"})
"""Authentication methods whose ServerKeyExchange has no signature."""

UNSIGNED_EXCHANGES = frozenset({"RSA", "DH", "ECDH", "PSK", "RSA_PSK", "NULL", "KRB5"})
"""Key exchanges in which the server sends no signature (RFC 5246 section 7.4.3, RFC 4279 section 4, RFC 2712)."""

UNREAD = tuple(f"{role}'s signature: the records of the {role}'s handshake did not open" for role in ROLES)
UNSEEN = tuple(f"{role}'s signature: its message is not in the capture" for role in ROLES)
NOT_SEEN = tuple(f"{role}'s Finished: it is not in the capture" for role in ROLES)
UNSIGNED_CERTIFICATE = tuple(f"{role}'s signature: there is none for its certificate" for role in ROLES)
HIDDEN = tuple(f"{role}'s signature: the handshake behind the ServerHello is encrypted" for role in ROLES)
UNOPENED = tuple(f"{role}'s Finished: it is encrypted, and did not open" for role in ROLES)
MISSING = tuple(f"{role}'s Finished: a secret or a message before it is missing" for role in ROLES)
WRONG = tuple(f"{role}'s Finished is not what the supplied secrets and the messages before it make it" for role in ROLES)
"""Parts of `detail` by role. As constants they are hashed once, and not for every session."""


def authenticity(session: Session) -> dict[str, Any]:
    """Return the session record's `authenticity`.

    Each result is `verified`, `failed`, `absent` or `unverifiable`. `detail` says why a result is unverifiable or failed; it is
    None if there is nothing to say. Equal results are one shared object, so the caller must not change it.
    """
    details: list[str] = []
    handshake: SessionHandshake = session.handshake
    opened: cython.bint = handshake.decryption is not None and handshake.decryption.records > 0
    server: str = signature(session, 1, opened, details)
    client: str = signature(session, 0, opened, details)
    server_finished: str = finished(session, 1, opened, details)
    client_finished: str = finished(session, 0, opened, details)
    outcome = (server, client, client_finished, server_finished, *details)
    record: dict[str, Any] | None = RECORDS.get(outcome)
    if record is None:
        record = {
            "server_signature": server,
            "client_signature": client,
            "finished": {"client": client_finished, "server": server_finished},
            "detail": "; ".join(details) or None,
        }
        if len(RECORDS) >= REMEMBERED_RECORDS:
            RECORDS.clear()
        RECORDS[outcome] = record
    return record


def signature(session: Session, role: cython.int, opened: cython.bint, details: list[Any]) -> str:
    """Return the result of a role's signatures. Append to `details` why one is not verified."""
    result: str | None = None
    why: str = ""
    handshake: SessionHandshake = session.handshake
    doubt: str = handshake.authentication.doubts[role]
    for signed in handshake.authentication.signed:
        if signed.role == role:
            if signed.result is None:
                signed.result = judge(signed)
            one, why = signed.result
            result = worse(result, one)
            if why:
                details.append(f"{ROLES[role]}'s signature: {why}")
    if doubt and (result is not None or proves(session, role)):
        details.append(f"{ROLES[role]}'s signature: {doubt}")
        return worse(result, UNVERIFIABLE) or UNVERIFIABLE
    if result is not None:
        return result
    if role == 1 and not handshake.parameters.tls13:
        why = unreadable_signature(session)
    if not why and shows_no_signature(session, role):
        return ABSENT
    sender: RoleState = session.roles[role]
    if handshake.parameters.tls13 and sender.n_application > 0:
        why = UNREAD[role] if opened else HIDDEN[role]
    details.append(why or UNSEEN[role])
    return UNVERIFIABLE


def shows_no_signature(session: Session, role: cython.int) -> cython.bint:
    """Return whether the capture shows that a role signed nothing: it had no certificate for that, or its part was read."""
    handshake: SessionHandshake = session.handshake
    sender: RoleState = session.roles[role]
    suite = handshake.parameters.suite
    if role == 1 and not handshake.parameters.tls13:
        if handshake.parameters.resumption or handshake.parameters.version == SSL2:
            return True
        if suite is not None and (suite.authentication in UNSIGNED or suite.key_exchange in UNSIGNED_EXCHANGES):
            return not suite.export  # these exchanges sign where the key is long (RFC 2246 section 7.4.3)
    if shown_certificates(session, role) == NONE:
        return True
    if session.flow.late and not handshake.hellos.server_seen:
        return False
    if role == 0 and handshake.parameters.tls13:
        return False
    return sender.connected and not sender.missed and not handshake.certificates[role]


def proves(session: Session, role: cython.int) -> cython.bint:
    """Return whether a role that sends a certificate proves the possession of its key by a signature."""
    parameters: Parameters = session.handshake.parameters
    if role == 0 or parameters.tls13:
        return True
    if parameters.version == SSL2:
        return False
    suite = parameters.suite
    return suite is None or suite.key_exchange not in UNSIGNED_EXCHANGES


def unproved(session: Session, role: cython.int) -> str:
    """Return why nobody proved the key of a role's certificate, or "": it was proved, or is used without a signature.

    Up to TLS 1.2 a server with a static key exchange proves its key by its Finished (RFC 5246 section 7.4.7.1). A message that
    comes twice or is out of order leaves open which certificate counts.
    """
    handshake: SessionHandshake = session.handshake
    if handshake.authentication.doubts[role]:
        return str(handshake.authentication.doubts[role])
    details: list[str] = []
    result: str = signature(session, role, False, details)
    if result == VERIFIED or (result == ABSENT and (handshake.parameters.resumption or not proves(session, role))):
        return ""
    return details[0] if details else UNSIGNED_CERTIFICATE[role]


def unreadable_signature(session: Session) -> str:
    """Return why the signature of a server up to TLS 1.2 was not read; empty if the server does not sign."""
    message: HandshakeMessage
    suite = session.handshake.parameters.suite
    if suite is not None and (suite.authentication in UNSIGNED or suite.key_exchange in ("PSK", "RSA_PSK")):
        return ""
    for message in session.log.messages:
        if message.type == SERVER_KEY_EXCHANGE:
            return "server's signature: the ServerKeyExchange could not be read"
    return ""


def finished(session: Session, role: cython.int, opened: cython.bint, details: list[Any]) -> str:
    """Return the result of a role's Finished. Append to `details` why it is not verified."""
    result: str | None = session.handshake.authentication.finished[role]
    sender: RoleState = session.roles[role]
    if result is None:
        ended: cython.bint = session.established is False and session.whole
        result = ABSENT if ended and sender.n_protected == 0 else UNVERIFIABLE
    if result == UNVERIFIABLE:
        if sender.n_protected == 0 and not sender.encrypted_finished_seen:
            details.append(NOT_SEEN[role])
        else:
            details.append(MISSING[role] if opened else UNOPENED[role])
    elif result == FAILED:
        details.append(WRONG[role])
    return result


def judge(signed: Signed) -> tuple[str, str]:
    """Check one signature. Return `verified`, `failed` or `unverifiable`, and the reason if it is not verified."""
    if signed.problem:
        return UNVERIFIABLE, signed.problem
    if signed.certificate is None:
        return UNVERIFIABLE, "the signer's certificate was not seen"
    verify, objection, unsupported = _library()
    key = _key(signed.certificate)
    if type(key) is str:
        return UNVERIFIABLE, key
    try:
        agrees = verify(key, signed.scheme, signed.signature, signed.content, signed.digest)
    except unsupported as error:
        return UNVERIFIABLE, str(error)
    if agrees:
        why = objection(signed, key, _public_key(signed.certificate))
        return (UNVERIFIABLE, why) if why else (VERIFIED, "")
    scheme = "" if signed.scheme is None else f" ({registry('signature_schemes').names[signed.scheme]})"
    return FAILED, f"it{scheme} is not by the key of the certificate sent, over the messages captured"


@cache
def _library() -> tuple[Any, Any, type[Exception]]:
    """Return the functions that verify and that object, and what the first raises. The first signature imports them."""
    from analyzer.analysis.handshake_signatures import verify
    from analyzer.analysis.signature_rules import objection
    from analyzer.x509.signature import Unsupported

    return verify, objection, Unsupported


@lru_cache(maxsize=REMEMBERED_KEYS)
def _key(certificate: bytes) -> Any:
    """Return the public key of a certificate or of a bare SubjectPublicKeyInfo (RFC 7250), or text: why there is none."""
    from analyzer.analysis.handshake_signatures import read_key
    from analyzer.x509.signature import Unsupported

    try:
        return read_key(_public_key(certificate))
    except Unsupported as unsupported:
        return str(unsupported)


@lru_cache(maxsize=REMEMBERED_KEYS)
def _public_key(certificate: bytes) -> bytes:
    """Return the SubjectPublicKeyInfo of a certificate; a bare one is returned as it is."""
    place = Layout(certificate).key
    return certificate if place is None else certificate[place[0] : place[1]]
