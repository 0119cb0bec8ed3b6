"""Why a session, or a part of it, did not decrypt: one cause out of a closed list, the evidence, and what to do next.

Who gave keys and sees no plaintext has met one of a few causes, and each shows: the log is of another run or of the other leg
of a proxy, the capture began too late, a label or a segment is missing (RFC 9850 section 2 says what a log must hold).
"""

from analyzer.codec.registry import registry
from analyzer.tls.session import Session
from analyzer.tls.session_log import ROLES

CAUSES: dict[str, tuple[str, str]] = {
    "no_secret": (
        "no secret of this session was given",
        "Have the client or the server write a key log (SSLKEYLOGFILE) of this very run, on this leg of the connection where a "
        "proxy stands between, and give it with -k.",
    ),
    "missing_label": (
        "some of this session's secrets are not in the key log",
        "Give the whole key log: a session of TLS 1.3 needs the handshake and the traffic secrets of both sides.",
    ),
    "no_handshake": (
        "its handshake is not in the capture",
        "Begin the capture before the connection: secrets are found by the random of the ClientHello.",
    ),
    "missing_segment": (
        "bytes that this needs are not in the capture",
        "Capture again without loss (a larger buffer, a whole snapshot length), or nearer to the endpoint.",
    ),
    "wrong_secret": (
        "the secret given for it does not open it",
        "The log names this session and its tags do not agree: look for a log that was edited, or for damaged records.",
    ),
    "unsupported_cipher": (
        "no kept library has its cipher",
        "Everything but the protected records is shown; decrypt these with a program that has the cipher.",
    ),
    "malformed": (
        "its protected records have no form in which they could be opened",
        "Look at the frames named: something on the way may have changed them.",
    ),
    "ephemeral_key_exchange": (
        "its key exchange is ephemeral: the keys given lead to no secret",
        "Give a key log (SSLKEYLOGFILE) of this run: with an ephemeral exchange nothing else opens a session.",
    ),
    "resumed_outside": (
        "it resumes a session that is not in the capture",
        "Give the key log of that earlier session, or capture from before it.",
    ),
    "key_update_missed": (
        "keys were changed in a part that is not in the capture",
        "What comes after cannot be opened from here on: capture again without loss.",
    ),
    "ech_inner_unknown": (
        "its secrets stand under the inner random of Encrypted Client Hello, and that is not in the key log",
        "Give the whole key log: ECH_SECRET and ECH_CONFIG stand under the outer random and lead to the inner one, under "
        "which the other secrets are.",
    ),
}
"""By the session record's `reason`: what it means, and what to do next."""

NOTHING_GIVEN = "no key log, private key or secrets inside the capture were given"


def evidence(session: Session, reason: str) -> str:
    """What was seen that shows the cause, in a sentence without its full stop."""
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
