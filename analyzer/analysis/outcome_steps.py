"""Tells how far a session came, and how long its parts took, from the messages that the capture shows (RFC 9846 section 2)."""

from typing import Any

from analyzer.analysis.outcome_facts import DURATIONS, seconds
from analyzer.tls.record.content_types import ENCRYPTED_ALERT_13
from analyzer.tls.session import Session

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


def step_reached(session: Session) -> int:
    """Return the last step that a session reached, as a place in STEPS."""
    handshake, flow = session.handshake, session.flow
    if _has_data(session):
        return APPLICATION_DATA
    reached = TCP if flow.before is None else BEFORE_TLS
    for message in session.log.messages:
        place = _REACHED.get((message.name, message.role), TCP)
        if place > reached:
            reached = place
    if reached < SERVER_HELLO and handshake.hellos.server_seen:
        reached = SERVER_HELLO
    client, server = session.roles
    if client.n_protected and server.n_protected and reached < FINISHED:
        reached = FINISHED
    return reached


def _has_data(session: Session) -> bool:
    """Return whether a side is known to have sent application data."""
    work, client, server = session.handshake.decryption, session.roles[0], session.roles[1]
    if work is not None and (work.records or work.failed):
        return bool(work.sent[0] or work.sent[1])
    if not session.handshake.parameters.tls13:
        return bool(client.n_application or server.n_application)
    if session.established is not True:
        return False
    sent = session.sizes[0].first
    return len(sent) > 1 and any(length > ENCRYPTED_ALERT_13 for length in sent[client_flight(sent) :])


def client_flight(lengths: list[int]) -> int:
    """Return how many of a client's first records in TLS 1.3 are the end of its handshake.

    lengths: of its records. It ends with a Finished of 36 or 52 bytes, which has a certificate and its proof in front of it
    where the server asked for one (RFC 9846 section 2).
    """
    for place, length in enumerate(lengths[:4]):
        if length in FINISHED_RECORDS:
            return place + 1
    return 1


FINISHED_RECORDS = (53, 69)
"""Bytes of an encrypted record with a Finished of SHA-256 or SHA-384 alone: header 4, type 1, tag 16."""

NO_CERTIFICATE_RECORD = 25
"""Bytes of an encrypted record with a Certificate without any certificate: header 4, its lengths 4, type 1, tag 16."""


def durations(session: Session) -> dict[str, float | None]:
    """Return the seconds of the TCP handshake, from ClientHello to answer, of the handshake, and of the whole connection."""
    flow = session.flow
    hello = answer = finished = -1
    n_finished = 0
    for message in session.log.messages:
        name = message.name
        if name == "client_hello" and hello < 0:
            hello = message.at
        elif name == "server_hello" and answer < 0:
            answer = message.at
        elif name == "finished":
            n_finished += 1
            if n_finished == 2:
                finished = message.at
    ending: Any = flow.ending
    known = DURATIONS.copy()
    if ending is not None and ending.asked and ending.answered and not session.flow.mid_stream:
        known["tcp"] = seconds(flow.start, ending.answered_at)
    if hello >= 0:
        known["hello"] = seconds(hello, answer)
        known["handshake"] = seconds(hello, finished)
    known["total"] = seconds(flow.start, flow.end)
    return known


def last_word(session: Session) -> tuple[int, int]:
    """Return time and role of the last thing that a session shows of its sides; (-1, -1) if there is none."""
    words = [(fact.at, fact.role) for fact in (*session.log.messages, *session.log.alerts)]
    words += [(sizes.last_at, role) for role, sizes in enumerate(session.sizes) if sizes.last_frame]
    return max(words, default=(-1, -1))
