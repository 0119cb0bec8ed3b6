"""Says of each kind of secrets that was given why it has nothing for a session: key log, private keys, pre-shared keys.

A key log names a session by its client random (RFC 9850 section 2). A private key belongs to a certificate, and decrypts only
what was encrypted to it: the premaster secret of the RSA key exchange (RFC 5246 section 7.4.7.1); in all other exchanges it
signs at most. A pre-shared key belongs to an identity that the client sends (RFC 4279 section 2).

No sentence contains a secret.
"""

from typing import TYPE_CHECKING

from analyzer.secrets.keylog_source import THE_CAPTURE
from analyzer.tls.limits import MAX_IDENTITIES
from analyzer.tls.messages.numbers import PRE_SHARED_KEY
from analyzer.tls.session import Session

if TYPE_CHECKING:
    from analyzer.secrets.private_keys import PrivateKey

SHOWN_RANDOM = 16
"""Hex digits of a client random that name it in a sentence."""


def fitting_key(session: Session) -> "PrivateKey | None":
    """Return the private key that belongs to a certificate that the server of a session sent; None if there is none."""
    chain = session.handshake.certificates[1] or []
    keys = session.handshake.material.private_keys
    return next((key for der in chain[:1] for key in keys if key.belongs_to(der)), None)


def evidence_of_keylog(session: Session) -> str:
    """Return why the key log does not open a session, as a sentence without its full stop; "" without a key log."""
    handshake = session.handshake
    material, random = handshake.material, handshake.transcript.client_random
    keylog = material.keylog
    if keylog is None:
        return ""
    log = "the key log in the capture" if list(keylog.sources()) == [THE_CAPTURE] else "the key log"
    fault, cut = keylog.fault(), keylog.cut_lines(random)
    shown = f"{random.hex()[:SHOWN_RANDOM]}…"
    if cut:
        first = f"{cut[0].why}, in line {cut[0].line}"
        if len(cut) == 1:
            return f"{log} names client random {shown} in a line whose secret cannot be read: {first}"
        return f"{log} names client random {shown} in {len(cut)} lines whose secrets cannot be read: {first}"
    if fault:
        return f"{log} {fault}"
    counts = keylog.counts_of_lines()
    bad = f" ({counts[0]} of its {counts[1]} lines cannot be read)" if counts[0] else ""
    others = "" if material.matched else ", nor for any session of this capture so far: it may be of another run"
    return f"{log} has nothing for client random {shown}{others}{bad}"


def evidence_of_private_keys(session: Session) -> str:
    """Return why the private keys do not open a session, as a sentence without its full stop; "" if none was given."""
    handshake = session.handshake
    keys, chain = handshake.material.private_keys, handshake.certificates[1]
    parameters = handshake.parameters
    if not keys:
        return ""
    if parameters.tls13:
        return "no RSA key opens TLS 1.3, whose key exchange is always ephemeral"
    if parameters.resumption:
        return "a resumed session has no key exchange that an RSA key could open"
    chosen = parameters.suite
    exchange = "" if chosen is None else chosen.key_exchange
    if chain and fitting_key(session) is None:
        signs = "" if "RSA" in exchange or not exchange else f", and no such key opens a key exchange by {exchange}"
        if len(keys) == 1:
            return f"the RSA key given is the key of no certificate of this session{signs}"
        return f"the {len(keys)} RSA keys given are the keys of no certificate of this session{signs}"
    if exchange and "RSA" not in exchange:
        if chain:
            return f"the RSA key given is the server's, but in a key exchange by {exchange} it only signs"
        return f"no RSA key opens a key exchange by {exchange}"
    if not chain:
        return "no certificate of the server is seen, and no RSA key given opens its key exchange"
    return "the RSA key given is the server's, but no key exchange that it could open is seen"


def evidence_of_psks(session: Session) -> str:
    """Return why the pre-shared keys do not open a session, as a sentence without its full stop; "" if none was given."""
    handshake = session.handshake
    parameters = handshake.parameters
    if not handshake.material.psks:
        return ""
    if parameters.tls13:
        if parameters.resumption != "psk":
            return "the server chose no pre-shared key"
        offered = getattr((handshake.hellos.offers or {}).get(PRE_SHARED_KEY), "identities", None) or ()
        if any(one.identity in handshake.material.psks for one in offered[:MAX_IDENTITIES]):
            return "the pre-shared key given for an identity of the client does not fit its binder, or the server chose another"
        return "no pre-shared key given has an identity that the client sent"
    exchange = "" if parameters.suite is None else parameters.suite.key_exchange
    if exchange.endswith("PSK"):
        return "no pre-shared key given has the identity that the client sent"
    return f"no pre-shared key opens a key exchange by {exchange}" if exchange else ""
