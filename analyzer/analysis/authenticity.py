"""Whether a handshake is authentic: its signatures checked against the certificates sent, its Finished values as found.

A signature that verifies shows that whoever has the key of that certificate took part in this very handshake; whose certificate
it is, the chain says. A Finished value that agrees shows that the secrets given are of this handshake. Neither says anything
about what was sent later: who has the secrets of a session can make records of it (RFC 9850 section 4), so records are
"consistent with the supplied secrets" and no more.
"""

from functools import lru_cache
from typing import Any

from analyzer.codec.registry import registry
from analyzer.tls.proof import ABSENT, FAILED, UNVERIFIABLE, Signed, worse
from analyzer.tls.session import Session
from analyzer.x509.certificate import subject_public_key_info

CERTIFICATE, SERVER_KEY_EXCHANGE, FINISHED = 11, 12, 20

ROLES = ("client", "server")

REMEMBERED_KEYS = 4096
"""Keys kept ready; a handful of servers makes nearly all handshakes."""

HIDDEN = "the handshake behind the ServerHello is encrypted"


def authenticity(session: Session) -> dict[str, Any]:
    """The session record's `authenticity`; `detail` says why something is unverifiable or failed, else None.

    Each result is `verified`, `failed`, `absent` or `unverifiable`.
    """
    results = [ABSENT, ABSENT]
    details: list[str] = []
    for role in (1, 0):
        result: str | None = None
        for signed in session.signed:
            if signed.role == role:
                one, why = judge(signed)
                result = worse(result, one)
                if why:
                    details.append(f"{ROLES[role]}'s signature: {why}")
        if result is None:
            result, why = _unread_signature(session, role)
            if why:
                details.append(f"{ROLES[role]}'s signature: {why}")
        results[role] = result
    finished = [session.finished[role] or _unread_finished(session, role) for role in (0, 1)]
    for role in (1, 0):
        if finished[role] == UNVERIFIABLE:
            details.append(f"{ROLES[role]}'s Finished: {_why_not_finished(session)}")
        elif finished[role] == FAILED:
            details.append(f"{ROLES[role]}'s Finished is not what the supplied secrets and the messages before it make it")
    return {
        "server_signature": results[1],
        "client_signature": results[0],
        "finished": {"client": finished[0], "server": finished[1]},
        "detail": "; ".join(dict.fromkeys(details)) or None,
    }


def judge(signed: Signed) -> tuple[str, str]:
    """Check one signature: `verified`, `failed` or `unverifiable`, and why it is not verified."""
    if signed.problem:
        return UNVERIFIABLE, signed.problem
    if signed.certificate is None:
        return UNVERIFIABLE, "the signer's certificate was not seen"
    from analyzer.analysis.signatures import Unsupported, verify

    key = _key(signed.certificate)
    if isinstance(key, str):
        return UNVERIFIABLE, key
    try:
        agrees = verify(key, signed.scheme, signed.signature, signed.content, signed.digest)
    except Unsupported as unsupported:
        return UNVERIFIABLE, str(unsupported)
    if agrees:
        return "verified", ""
    scheme = "" if signed.scheme is None else f" ({registry('signature_schemes').names[signed.scheme]})"
    return FAILED, f"it{scheme} is not by the key of the certificate sent, over the messages captured"


@lru_cache(maxsize=REMEMBERED_KEYS)
def _key(certificate: bytes) -> Any:
    """The public key of a certificate, or of a bare SubjectPublicKeyInfo (RFC 7250); text that says why there is none."""
    from analyzer.analysis.signatures import Unsupported, read_key

    try:
        return read_key(subject_public_key_info(certificate) or certificate)
    except Unsupported as unsupported:
        return str(unsupported)


def _unread_signature(session: Session, role: int) -> tuple[str, str]:
    """What a role's signature is when none was read, and why."""
    if not session.answered:
        return ABSENT, ""
    if session.tls13:
        if session.resumption and role == 1:
            return ABSENT, ""
        read = any(message.encrypted for message in session.messages)
        return (ABSENT, "") if read or not session.established else (UNVERIFIABLE, HIDDEN)
    if role == 1 and any(message.type == SERVER_KEY_EXCHANGE for message in session.messages):
        anonymous = session.suite is None or session.suite.authentication in ("anon", "PSK", "SRP", "ECJPAKE", "ECCPWD")
        return (ABSENT, "") if anonymous else (UNVERIFIABLE, "the ServerKeyExchange could not be read")
    return ABSENT, ""


def _unread_finished(session: Session, role: int) -> str:
    """What a role's Finished is when none was read: encrypted, or not there."""
    side = session.sides[role ^ session.client]
    return UNVERIFIABLE if session.answered and (side.encrypted_finished or side.encrypted_records) else ABSENT


def _why_not_finished(session: Session) -> str:
    work = session.decryption
    if work is None or work.records == 0:
        return "it is encrypted, and did not open"
    return "a secret or a message before it is missing"
