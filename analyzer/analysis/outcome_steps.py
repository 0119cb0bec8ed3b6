"""Tells how far a session came, and how long its parts took, from the messages that the capture shows (RFC 9846 section 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.flows.ending import Ending
from analyzer.flows.flow import Flow
from analyzer.tls.events import HandshakeMessage
from analyzer.tls.handshake.states import RoleState
from analyzer.tls.messages import numbers
from analyzer.tls.record.content_types import ENCRYPTED_ALERT_13
from analyzer.tls.record.sealed_sizes import SealedSizes
from analyzer.tls.session import Session
from analyzer.tls.session_handshake import SessionHandshake

if TYPE_CHECKING:
    import cython

(
    TCP,
    BEFORE_TLS,
    CLIENT_HELLO,
    HELLO_RETRY_REQUEST,
    SERVER_HELLO,
    CERTIFICATE,
    KEY_EXCHANGE,
    CLIENT_CERTIFICATE,
    FINISHED,
    APPLICATION_DATA,
) = range(10)
"""Places in `outcome_facts.STEPS`."""

_REACHED: dict[tuple[str, int], int] = {
    ("client_hello", 0): CLIENT_HELLO,
    ("ssl2_client_hello", 0): CLIENT_HELLO,
    ("hello_retry_request", 1): HELLO_RETRY_REQUEST,
    ("server_hello", 1): SERVER_HELLO,
    ("ssl2_server_hello", 1): SERVER_HELLO,
    ("encrypted_extensions", 1): SERVER_HELLO,
    ("certificate", 1): CERTIFICATE,
    ("compressed_certificate", 1): CERTIFICATE,
    ("certificate_verify", 1): CERTIFICATE,
    ("server_key_exchange", 1): KEY_EXCHANGE,
    ("client_key_exchange", 0): KEY_EXCHANGE,
    ("certificate", 0): CLIENT_CERTIFICATE,
    ("compressed_certificate", 0): CLIENT_CERTIFICATE,
    ("certificate_verify", 0): CLIENT_CERTIFICATE,
    ("finished", 0): FINISHED,
    ("finished", 1): FINISHED,
}
"""The step that a message of a role (0 the client) reaches."""


# In the compiled build these are C variables, which other modules cannot see.
_ALERT_13, _DATA = ENCRYPTED_ALERT_13, APPLICATION_DATA
_CLIENT_HELLO_TYPE, _SERVER_HELLO_TYPE, _FINISHED_TYPE = numbers.CLIENT_HELLO, numbers.SERVER_HELLO, numbers.FINISHED

_LONGEST_FLIGHT = 4
"""Records with which a client of TLS 1.3 ends its handshake at most; they look like application data."""


def step_reached(session: Session) -> cython.int:
    """Return the last step that a session reached, as a place in STEPS."""
    handshake: SessionHandshake = session.handshake
    flow: Flow = session.flow
    client: RoleState = session.roles[0]
    server: RoleState = session.roles[1]
    message: HandshakeMessage
    if _has_data(session):
        return _DATA
    reached: cython.int = TCP if flow.before is None else BEFORE_TLS
    place: cython.int
    for message in session.log.messages:
        place = _REACHED.get((message.name, message.role), TCP)
        if place > reached:
            reached = place
    if reached < SERVER_HELLO and handshake.hellos.server_seen:
        reached = SERVER_HELLO
    if client.n_protected > 0 and server.n_protected > 0 and reached < FINISHED:
        reached = FINISHED
    return reached


def _has_data(session: Session) -> cython.bint:
    """Return whether a side is known to have sent application data."""
    work: Any = session.handshake.decryption
    client: RoleState = session.roles[0]
    server: RoleState = session.roles[1]
    if work is not None and (work.records or work.failed):
        return bool(work.sent[0] or work.sent[1])
    if not session.handshake.parameters.tls13:
        if session.handshake.parameters.version == 0:  # it may be TLS 1.3, with handshakes in records of application data
            return client.n_application > _LONGEST_FLIGHT
        return client.n_application > 0 or server.n_application > 0
    if session.established is not True or not session.whole:
        return False
    sizes: SealedSizes = session.sizes[0]
    sent: list[Any] = sizes.first
    n_data: cython.int = 0
    place: cython.Py_ssize_t
    for place in range(client_flight(sent), len(sent)):
        n_data += sent[place] > _ALERT_13
    return n_data > 0


def client_flight(lengths: list[Any]) -> cython.int:
    """Return how many of a client's first records in TLS 1.3 are the end of its handshake.

    lengths: of its records. It ends with a Finished of 36 or 52 bytes, which has a certificate and its proof in front of it
    where the server asked for one (RFC 9846 section 2).
    """
    place: cython.Py_ssize_t
    for place in range(min(4, len(lengths))):
        if lengths[place] in FINISHED_RECORDS:
            return place + 1
    return 1


FINISHED_RECORDS = (53, 69)
"""Bytes of an encrypted record with a Finished of SHA-256 or SHA-384 alone: header 4, type 1, tag 16."""

NO_CERTIFICATE_RECORD = 25
"""Bytes of an encrypted record with a Certificate without any certificate: header 4, its lengths 4, type 1, tag 16."""


def durations(session: Session) -> dict[str, float | None]:
    """Return the seconds of the TCP handshake, from ClientHello to answer, of the handshake, and of the whole connection."""
    tcp, hello, handshake, total = spans(session)
    return {"tcp": _seconds(tcp), "hello": _seconds(hello), "handshake": _seconds(handshake), "total": _seconds(total)}


def _seconds(nanoseconds: cython.longlong) -> float | None:
    return None if nanoseconds < 0 else nanoseconds / 1e9  # a float: compiled, integers divide to an integer


def spans(session: Session) -> tuple[int, int, int, int]:
    """Return what `durations` does, in nanoseconds and that order; -1 where one is not known, or the clock was set back."""
    flow: Flow = session.flow
    handshake: SessionHandshake = session.handshake
    client: RoleState = session.roles[0]
    server: RoleState = session.roles[1]
    hello: cython.longlong = -1
    answer: cython.longlong = -1
    of_client: cython.longlong = -1
    of_server: cython.longlong = -1
    message: HandshakeMessage
    for message in session.log.messages:
        if message.type == _CLIENT_HELLO_TYPE:
            if hello < 0 and message.name == "client_hello":  # not one of SSL 2.0
                hello = message.at
        elif message.type == _SERVER_HELLO_TYPE:
            if answer < 0 and message.name == "server_hello":  # not a HelloRetryRequest
                answer = message.at
        elif message.type == _FINISHED_TYPE:
            if message.role == 0 and of_client < 0:
                of_client = message.at
            elif message.role == 1 and of_server < 0:
                of_server = message.at
    ending: Ending = flow.ending
    tcp: cython.longlong = -1
    first_answer: cython.longlong = -1
    whole: cython.longlong = -1
    if ending is not None and ending.asked and ending.answered and not flow.mid_stream:
        tcp = _span(flow.start, ending.answered_at)
    if hello >= 0 and handshake.hellos.fingerprint_input is not None:  # whole, and the first one
        if handshake.hellos.server_fingerprint_input is not None:
            first_answer = _span(hello, answer)
        if of_client >= 0 and of_server >= 0 and not client.missed and not server.missed:
            whole = _span(hello, max(of_client, of_server))
    return tcp, first_answer, whole, _span(flow.start, flow.end)


def _span(begin: cython.longlong, end: cython.longlong) -> cython.longlong:
    return end - begin if 0 <= begin <= end else -1


def quickest_answer(session: Session) -> int:
    """Return the least time from a handshake message of the client to the next one of the server; -1 if there is none."""
    least = asked_at = -1
    for message in session.log.messages:
        if message.role == 0:
            asked_at = message.at
        elif 0 <= asked_at <= message.at:
            waited = message.at - asked_at
            least = waited if least < 0 else min(least, waited)
            asked_at = -1
    return least


def last_word(session: Session) -> tuple[int, int]:
    """Return time and role of the last thing that a session shows of its sides; (-1, -1) if there is none."""
    words = [(fact.at, fact.role) for fact in (*session.log.messages, *session.log.alerts)]
    words += [(sizes.last_at, role) for role, sizes in enumerate(session.sizes) if sizes.last_frame]
    return max(words, default=(-1, -1))
