"""Tells whether a handshake is authentic: the results of its signatures and of its Finished values.

A signature that verifies shows that the owner of the certificate's private key took part in this handshake. The certificate
chain shows who the owner is. A Finished value that agrees shows that the given secrets belong to this handshake.

Neither of them shows anything about the data sent later: anybody who has the secrets of a session can make records of it
(RFC 9850 section 4). Records are therefore "consistent with the supplied secrets", and no more.
"""

from functools import lru_cache
from typing import Any

import cython

from analyzer.codec.registry import registry
from analyzer.tls.events import HandshakeMessage
from analyzer.tls.handshake.authentication import ABSENT, FAILED, UNVERIFIABLE, VERIFIED, Signed, worse
from analyzer.tls.handshake.states import RoleState
from analyzer.tls.messages.numbers import SERVER_KEY_EXCHANGE
from analyzer.tls.session import Session
from analyzer.tls.session_handshake import SessionHandshake
from analyzer.x509.layout import Layout

ROLES = ("client", "server")

REMEMBERED_KEYS = 4096
"""Maximum number of public keys in the cache. A few servers make nearly all handshakes."""

RECORDS: dict[tuple[str | None, ...], dict[str, Any]] = {}

REMEMBERED_RECORDS = 256
"""Maximum number of cached results. Nearly all sessions share a few of them."""

UNSIGNED = frozenset({"anon", "PSK", "SRP", "ECJPAKE", "ECCPWD"})
"""Authentication methods whose ServerKeyExchange has no signature."""

HIDDEN = "the handshake behind the ServerHello is encrypted"


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
    detail = "; ".join(details) if details else None
    outcome = (server, client, client_finished, server_finished, detail)
    record: dict[str, Any] | None = RECORDS.get(outcome)
    if record is None:
        record = {
            "server_signature": server,
            "client_signature": client,
            "finished": {"client": client_finished, "server": server_finished},
            "detail": detail,
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
    for signed in handshake.authentication.signed:
        if signed.role == role:
            one, why = judge(signed)
            result = worse(result, one)
            if why:
                details.append(f"{ROLES[role]}'s signature: {why}")
    if result is not None:
        return result
    if not handshake.hellos.server_seen or handshake.parameters.resumption:
        return ABSENT
    if handshake.parameters.tls13:
        sender: RoleState = session.roles[role]
        why = "" if opened or sender.n_protected == 0 else HIDDEN
    elif role == 1:
        why = unreadable_signature(session)
    if not why:
        return ABSENT
    details.append(f"{ROLES[role]}'s signature: {why}")
    return UNVERIFIABLE


def unreadable_signature(session: Session) -> str:
    """Return why the signature of a server up to TLS 1.2 was not read; empty if the server does not sign."""
    message: HandshakeMessage
    suite = session.handshake.parameters.suite
    if suite is not None and suite.authentication in UNSIGNED:
        return ""
    for message in session.log.messages:
        if message.type == SERVER_KEY_EXCHANGE:
            return "the ServerKeyExchange could not be read"
    return ""


def finished(session: Session, role: cython.int, opened: cython.bint, details: list[Any]) -> str:
    """Return the result of a role's Finished. Append to `details` why it is not verified."""
    result: str | None = session.handshake.authentication.finished[role]
    if result is None:
        sender: RoleState = session.roles[role]
        encrypted: cython.bint = sender.encrypted_finished_seen or sender.n_protected > 0
        result = UNVERIFIABLE if session.handshake.hellos.server_seen and encrypted else ABSENT
    if result == UNVERIFIABLE:
        why = "a secret or a message before it is missing" if opened else "it is encrypted, and did not open"
        details.append(f"{ROLES[role]}'s Finished: {why}")
    elif result == FAILED:
        details.append(f"{ROLES[role]}'s Finished is not what the supplied secrets and the messages before it make it")
    return result


def judge(signed: Signed) -> tuple[str, str]:
    """Check one signature. Return `verified`, `failed` or `unverifiable`, and the reason if it is not verified."""
    if signed.problem:
        return UNVERIFIABLE, signed.problem
    if signed.certificate is None:
        return UNVERIFIABLE, "the signer's certificate was not seen"
    from analyzer.analysis.handshake_signatures import verify
    from analyzer.x509.signature import Unsupported

    key = _key(signed.certificate)
    if type(key) is str:
        return UNVERIFIABLE, key
    try:
        agrees = verify(key, signed.scheme, signed.signature, signed.content, signed.digest)
    except Unsupported as unsupported:
        return UNVERIFIABLE, str(unsupported)
    if agrees:
        return VERIFIED, ""
    scheme = "" if signed.scheme is None else f" ({registry('signature_schemes').names[signed.scheme]})"
    return FAILED, f"it{scheme} is not by the key of the certificate sent, over the messages captured"


@lru_cache(maxsize=REMEMBERED_KEYS)
def _key(certificate: bytes) -> Any:
    """Return the public key of a certificate or of a bare SubjectPublicKeyInfo (RFC 7250), or text: why there is none."""
    from analyzer.analysis.handshake_signatures import read_key
    from analyzer.x509.signature import Unsupported

    try:
        place = Layout(certificate).key
        return read_key(certificate if place is None else certificate[place[0] : place[1]])
    except Unsupported as unsupported:
        return str(unsupported)
