# cython: annotation_typing=False
"""Explains why a session, or a part of it, did not decrypt: one cause from a closed list, the evidence, and what to do next.

If keys were given and there is no plaintext, there are only a few possible causes: the key log is of another run or of the
other side of a proxy, the capture began too late, or a label or a segment is missing. RFC 9850 section 2 says what a key log
must contain. A private key opens nothing but the RSA key exchange of its own server (RFC 9325 section 7.3). So evidence and
advice depend on what was given: a key log, private keys, pre-shared keys, or several of them.
"""

from analyzer.analysis.given_secrets import evidence_of_keylog, evidence_of_private_keys, evidence_of_psks, fitting_key
from analyzer.codec.codes import codes
from analyzer.codec.registry import registry
from analyzer.secrets.decryption_error import MISSING_SEGMENT, UNSUPPORTED_CIPHER, WRONG_SECRET
from analyzer.tls.decryption.decryption import Decryption
from analyzer.tls.decryption.key_material import EPHEMERAL, MISSING_LABEL, NO_HANDSHAKE, NO_SECRET, RESUMED_OUTSIDE
from analyzer.tls.session import Session
from analyzer.tls.session_log import ROLES

CAUSES = {code: (one.title, one.advice) for code, one in codes("decryption_failures").items()}
"""Maps the session record's `reason` to its meaning and to what to do next, whatever was given."""

NOTHING_GIVEN = "no key log, private key or secrets inside the capture were given"

GIVE_KEY_LOG = (
    "Have the client or the server write a key log (SSLKEYLOGFILE) of this very run, on this leg of the connection where a "
    "proxy stands between, and give it with -k."
)
GIVE_PRIVATE_KEY = "Give the private key of the server's certificate with --rsa-key, or a key log of this run with -k."
GIVE_PSK = "Give the key of this identity with --psk-file, or a key log of this run with -k."
REPAIR_KEY_LOG = (
    "Give the key log as it was written: UTF-8 text, one secret a line (label, client random, secret). `analyzer keys` says "
    "what is wrong with each line."
)
CHECK_PRIVATE_KEY = "The key is right, so what it opens must have been changed: look for damage in the ClientKeyExchange."
CHECK_PSK = "Compare the pre-shared key with that of the server, and look for damaged records."
CHECK_RECORDS = "The secret came from the handshake itself: look for damaged records."
BEGIN_EARLIER = "Begin the capture before the connection: without both hellos no secret opens it."


def reason_of(session: Session, known: bool) -> str:
    """Return the code of the cause why nothing of a session, or not all of it, was decrypted.

    known: whether its ClientHello is in the capture, without which nothing names its secrets.
    """
    work: Decryption | None = session.handshake.decryption
    if work is not None and (work.records or work.failed):
        return work.keys.reason or MISSING_SEGMENT
    if not known:
        return NO_HANDSHAKE
    reason = NO_SECRET if work is None else work.keys.reason or NO_SECRET
    if work is None or reason != NO_SECRET:
        return reason
    handshake = session.handshake
    parameters, material = handshake.parameters, handshake.material
    chosen = parameters.suite
    if material.keylog is not None and material.keylog.fault():
        return NO_SECRET
    if parameters.resumption and handshake.resumed_from is None and not parameters.tls13:
        return RESUMED_OUTSIDE
    if material.keylog is None and not material.psks:
        if parameters.tls13:
            return EPHEMERAL
        if chosen is not None and "RSA" not in chosen.key_exchange and fitting_key(session) is not None:
            return EPHEMERAL
    return reason


def evidence(session: Session, reason: str) -> str:
    """Return the observation that shows the cause, as a sentence without its full stop."""
    work: Decryption | None = session.handshake.decryption
    hellos = session.handshake.hellos
    if reason == NO_HANDSHAKE and hellos.client_seen and hellos.server_seen:
        return "its hellos come later in the capture than the records that need them"
    if reason == NO_HANDSHAKE:
        return f"the capture shows no {'ServerHello' if hellos.client_seen else 'ClientHello'} of this connection"
    if work is None:
        return NOTHING_GIVEN
    if work.keys.detail and work.keys.reason == reason:
        return str(work.keys.detail)
    if reason == MISSING_SEGMENT:
        return _gap(session)
    number = session.handshake.parameters.cipher_suite
    if reason == UNSUPPORTED_CIPHER and number >= 0:
        name = registry("cipher_suites").names[number]
        if session.handshake.parameters.suite is None:
            return f"{name} is no cipher suite that is known here"
        return f"{name} is not among the ciphers that can be opened here"
    if reason in (NO_SECRET, EPHEMERAL, RESUMED_OUTSIDE):
        return _given(session) or CAUSES[reason][0]
    return CAUSES[reason][0]


def advice(session: Session, reason: str) -> str:
    """Return what to do next, as whole sentences that fit what was given."""
    material = session.handshake.material
    keylog, parameters = material.keylog, session.handshake.parameters
    exchange = "" if parameters.suite is None else parameters.suite.key_exchange
    if reason == NO_SECRET and keylog is not None:
        if keylog.fault() or keylog.cut_lines(session.handshake.transcript.client_random):
            return REPAIR_KEY_LOG
    elif reason == NO_SECRET and material.private_keys and "RSA" in exchange:
        return GIVE_PRIVATE_KEY
    elif reason == NO_SECRET and material.psks and exchange.endswith("PSK"):
        return GIVE_PSK
    elif reason == NO_HANDSHAKE and keylog is None and material.given:
        return BEGIN_EARLIER
    elif reason == WRONG_SECRET and keylog is None:
        if material.psks and exchange.endswith("PSK"):
            return CHECK_PSK
        return CHECK_PRIVATE_KEY if material.private_keys else CHECK_RECORDS
    if reason == NO_SECRET:
        return GIVE_KEY_LOG
    if reason == MISSING_LABEL and keylog is not None and keylog.cut_lines(session.handshake.transcript.client_random):
        return REPAIR_KEY_LOG
    return CAUSES[reason][1]


def _given(session: Session) -> str:
    """Return what is wrong with each kind of secrets that was given."""
    parts = (evidence_of_keylog(session), evidence_of_private_keys(session), evidence_of_psks(session))
    return "; ".join(filter(None, parts))


def _gap(session: Session) -> str:
    gaps = session.log.gaps
    if not gaps:
        return "no record begins where one should"
    first = gaps[0]
    more = f", and {len(gaps) - 1} more such gaps" if len(gaps) > 1 else ""
    where = f"{first.length} bytes at {first.offset} of the {ROLES[first.role]}'s stream"
    if first.length == 0:
        where = f"bytes at {first.offset} of the {ROLES[first.role]}'s stream"
    return f"{where} are missing after frame {first.frame}{more}"
