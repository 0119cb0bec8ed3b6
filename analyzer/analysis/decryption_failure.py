"""Explains why a session, or a part of it, did not decrypt: one cause from a closed list, the evidence, and what to do next.

If keys were given and there is no plaintext, there are only a few possible causes: the key log is of another run or of the
other side of a proxy, the capture began too late, or a label or a segment is missing. RFC 9850 section 2 says what a key log
must contain.
"""

from analyzer.codec.codes import codes
from analyzer.codec.registry import registry
from analyzer.tls.session import Session
from analyzer.tls.session_log import ROLES

CAUSES = {code: (one.title, one.advice) for code, one in codes("decryption_failures").items()}
"""Maps the session record's `reason` to its meaning and to what to do next."""

NOTHING_GIVEN = "no key log, private key or secrets inside the capture were given"


def evidence(session: Session, reason: str) -> str:
    """Return the observation that shows the cause, as a sentence without its full stop."""
    work = session.decryption
    if reason == "no_handshake":
        what = "a ServerHello" if session.handshake.hellos.client_seen else "a ClientHello"
        return f"the capture shows no {what.partition(' ')[2]} of this connection"
    if work is None:
        return NOTHING_GIVEN
    if work.keys.detail:
        return str(work.keys.detail)
    if reason == "missing_segment":
        return _gap(session)
    number = session.handshake.parameters.cipher_suite
    if reason == "unsupported_cipher" and number >= 0:
        return f"{registry('cipher_suites').names[number]} is not among the ciphers that can be opened here"
    if reason == "no_secret":
        return _no_secret(session)
    return CAUSES[reason][0]


def _gap(session: Session) -> str:
    gaps = session.log.gaps
    if not gaps:
        return "no record begins where one should"
    first = gaps[0]
    more = f", and {len(gaps) - 1} more such gaps" if len(gaps) > 1 else ""
    where = f"{first.length} bytes at {first.offset} of the {ROLES[first.role]}'s stream"
    return f"{where} are missing after frame {first.frame}{more}"


def _no_secret(session: Session) -> str:
    material = session.handshake.material
    client_random = session.handshake.transcript.client_random.hex()
    if material.keylog is None:
        return "no private key given is the server's, or the key exchange is not by RSA"
    others = "" if material.matched else ", nor for any session of this capture so far: it may be of another run"
    return f"the key log has nothing for client random {client_random[:16]}…{others}"
