"""Takes the verdict `valid` from a chain whose key nobody proved in the handshake.

Certificates are public, and anybody can send those of somebody else. A chain without fault shows who owns a key, and only the
handshake shows that the sender has it: by a signature, or by a key exchange that needs the key (RFC 9846 section 4.5.2, RFC
5246 section 7.4.3). Without that the verdict is `unknown`. Faults of a chain stay faults, unless two lists were sent in one
handshake: then nobody knows which of them counts.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import orjson

from analyzer.analysis.authenticity import unproved
from analyzer.tls.session import Session

if TYPE_CHECKING:
    from analyzer.store.chain_verdicts import ChainVerdict

PROVED, UNPROVED, UNDECIDED = 0, 1, 2
"""Whether the key of a chain was proved. UNDECIDED: two different lists were sent in one handshake."""

UNPROVED_KEY = "unproved_key"
"""The note of a chain whose verdict is `unknown` for that reason."""

NOTE: dict[str, Any] = {
    "code": UNPROVED_KEY,
    "certificate": 0,
    "detail": "nobody proved in this handshake to have its key",
}

REMEMBERED = 256
"""Maximum number of verdicts whose variant is kept."""

_VARIANTS: dict[int, tuple["ChainVerdict", "ChainVerdict"]] = {}
"""Variants by the identity of the verdict, which the entry keeps alive."""

_MARK = b"\0"


def key_proof(session: Session, role: int) -> int:
    """Return whether a role proved the key of its certificates: PROVED, UNPROVED or UNDECIDED. The session has ended."""
    known = getattr(session, "key_proofs", None)
    if known is not None:
        return cast(int, known[role])
    if not unproved(session, role):
        return PROVED
    changed = any(sender == role for sender, _, _ in session.log.certificate_changes)
    return UNDECIDED if changed and session.handshake.authentication.doubts[role] else UNPROVED


def key_proofs(session: Session) -> tuple[int, int]:
    """Return the values of `key_proof` for both roles, for another process; PROVED for a role without certificates."""
    client, server = session.handshake.certificates
    return key_proof(session, 0) if client else PROVED, key_proof(session, 1) if server else PROVED


def as_proved(session: Session, role: int, judged: "ChainVerdict") -> "ChainVerdict":
    """Return the verdict on the chain of a role in this session: as judged, or `unknown` if nobody proved its key."""
    if not judged.verdict.valid and not session.log.certificate_changes:
        return judged
    proof = key_proof(session, role)
    if proof == PROVED or (proof == UNPROVED and not judged.verdict.valid):
        return judged
    known = _VARIANTS.get(id(judged))
    if known is None:
        if len(_VARIANTS) >= REMEMBERED:
            _VARIANTS.clear()
        known = _VARIANTS[id(judged)] = judged, _variant(judged)
    return known[1]


def _variant(judged: "ChainVerdict") -> "ChainVerdict":
    record = judged.record | {"verdict": "unknown", "notes": [*judged.record["notes"], NOTE]}
    before, behind = orjson.dumps(record | {"at": orjson.Fragment(_MARK)}).split(_MARK)
    return replace(judged, record=record, written=(before, behind))
