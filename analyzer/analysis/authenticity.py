"""Whether a handshake is authentic: its signatures checked against the certificates sent, its Finished values as found.

A signature that verifies shows that whoever has the key of that certificate took part in this very handshake; whose certificate
it is, the chain says. A Finished value that agrees shows that the secrets given are of this handshake. Neither says anything
about what was sent later: who has the secrets of a session can make records of it (RFC 9850 section 4), so records are
"consistent with the supplied secrets" and no more.
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
"""Keys kept ready; a handful of servers makes nearly all handshakes."""

RECORDS: dict[tuple[str | None, ...], dict[str, Any]] = {}

REMEMBERED_RECORDS = 256
"""Results that are kept; nearly all sessions share a handful."""

UNSIGNED = frozenset({"anon", "PSK", "SRP", "ECJPAKE", "ECCPWD"})
"""Authentications whose ServerKeyExchange has no signature."""

HIDDEN = "the handshake behind the ServerHello is encrypted"


def authenticity(session: Session) -> dict[str, Any]:
    """The session record's `authenticity`; `detail` says why something is unverifiable or failed, else None.

    Each result is `verified`, `failed`, `absent` or `unverifiable`. Equal results are one object, so nobody may change it.
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
    """What becomes of a role's signatures; why one is not verified goes to `details`."""
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
    """Why the signature of a server up to TLS 1.2 was not read; empty when there is none."""
    message: HandshakeMessage
    suite = session.handshake.parameters.suite
    if suite is not None and suite.authentication in UNSIGNED:
        return ""
    for message in session.log.messages:
        if message.type == SERVER_KEY_EXCHANGE:
            return "the ServerKeyExchange could not be read"
    return ""


def finished(session: Session, role: cython.int, opened: cython.bint, details: list[Any]) -> str:
    """What became of a role's Finished; why it is not verified goes to `details`."""
    result: str | None = session.handshake.authentication.finished[role]
    if result is None:
        sender: RoleState = session.roles[role]
        encrypted: cython.bint = sender.finished_hidden or sender.n_protected > 0
        result = UNVERIFIABLE if session.handshake.hellos.server_seen and encrypted else ABSENT
    if result == UNVERIFIABLE:
        why = "a secret or a message before it is missing" if opened else "it is encrypted, and did not open"
        details.append(f"{ROLES[role]}'s Finished: {why}")
    elif result == FAILED:
        details.append(f"{ROLES[role]}'s Finished is not what the supplied secrets and the messages before it make it")
    return result


def judge(signed: Signed) -> tuple[str, str]:
    """Check one signature: `verified`, `failed` or `unverifiable`, and why it is not verified."""
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
    """The public key of a certificate, or of a bare SubjectPublicKeyInfo (RFC 7250); text that says why there is none."""
    from analyzer.analysis.handshake_signatures import read_key
    from analyzer.x509.signature import Unsupported

    try:
        place = Layout(certificate).key
        return read_key(certificate if place is None else certificate[place[0] : place[1]])
    except Unsupported as unsupported:
        return str(unsupported)
