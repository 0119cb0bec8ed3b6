"""Recognizes alerts that are encrypted and were not decrypted, by their size and their place (RFC 9846 sections 5.2 and 6).

The record of an alert has two bytes of content: 19 with the tag and the hidden type in TLS 1.3. Nothing else in a handshake
is as short. Such a record where a Finished should be, or as the only one that a server sends after the client's Finished, is
an alert that ends the handshake. What it says is hidden, but what came before it is not: a client that answers with an empty
Certificate, whose record has a length of its own, was asked for one and has none.
"""

from typing import NamedTuple

from analyzer.analysis.outcome_facts import LIKELY, POSSIBLE
from analyzer.analysis.outcome_steps import FINISHED_RECORDS, NO_CERTIFICATE_RECORD, client_flight
from analyzer.flows.ending import Ending
from analyzer.tls.record.content_types import ENCRYPTED_ALERT_13
from analyzer.tls.session import Session

CLIENT, SERVER = 0, 1


class SealedAlert(NamedTuple):
    """An encrypted alert that ends a session: the cause, how sure that is, the sentence, who sent it, the step, the frames."""

    code: str
    certainty: str
    detail: str
    role: int
    step: str
    frames: list[int]


def sealed_alert(session: Session, ending: Ending, closer: int) -> SealedAlert | None:
    """Return the encrypted alert with which a side gave up; None if there is none, or it can be a close_notify."""
    work = session.handshake.decryption
    if work is not None and work.records and not work.failed:
        return None
    if session.handshake.parameters.tls13:
        return _of_client(session) or _instead_of_extensions(session, ending, closer) or _of_server(session, ending, closer)
    return _before_13(session)


def _before_13(session: Session) -> SealedAlert | None:
    """Return an encrypted alert before both Finished, up to TLS 1.2."""
    if session.established is True:
        return None
    for alert in session.log.alerts:
        if alert.level < 0:
            who = "client" if alert.role == CLIENT else "server"
            detail = f"the {who} sent an encrypted alert where its Finished, or data, should be"
            return SealedAlert("other_alert", LIKELY, detail, alert.role, "finished", [alert.frame])
    return None


def _of_client(session: Session) -> SealedAlert | None:
    """Return the alert that a client sends in the place of its Finished (TLS 1.3)."""
    sizes = session.sizes[CLIENT]
    if sizes.first != [ENCRYPTED_ALERT_13] or not session.sizes[SERVER].first:
        return None
    detail = (
        "the client sent an encrypted record as long as an alert where its Finished should be: "
        "most often it does not accept the server's certificate"
    )
    return SealedAlert("other_alert", LIKELY, detail, CLIENT, "server_hello", [sizes.last_frame])


def _instead_of_extensions(session: Session, ending: Ending, closer: int) -> SealedAlert | None:
    """Return the alert that a server sends in the place of its EncryptedExtensions, whose record has 23 bytes or more.

    It was content with what the ServerHello answers. Of the rest, only the application protocol is often refused. A client
    that gets such an alert often closes before the server does.
    """
    sizes = session.sizes[SERVER]
    if sizes.first != [ENCRYPTED_ALERT_13]:
        return None
    if closer != SERVER and (closer != CLIENT or ending.end_frame(CLIENT) < sizes.last_frame):
        return None
    place = "the server sent an encrypted record as long as an alert where its EncryptedExtensions should be"
    offer = session.handshake.hellos.offer
    if offer is None or not offer.protocols:
        return SealedAlert("other_alert", LIKELY, place, SERVER, "server_hello", [sizes.last_frame])
    names = ", ".join(ascii(name.decode("latin-1"))[1:-1] for name in offer.protocols[:8])
    detail = f"{place}: perhaps it speaks none of the protocols that the client offers: {names}"
    return SealedAlert("no_common_alpn", POSSIBLE, detail, SERVER, "server_hello", [sizes.last_frame])


def _of_server(session: Session, ending: Ending, closer: int) -> SealedAlert | None:
    """Return the alert that a server sends after the client's Finished, as its only record from there on (TLS 1.3)."""
    client, server = session.sizes
    lengths = client.first
    n = client_flight(lengths)
    if n < 2 or len(lengths) < n or lengths[n - 1] not in FINISHED_RECORDS:
        return None
    if closer != SERVER and (closer != CLIENT or not _meets_nobody(session, ending, n)):
        return None
    finished = client.frames[n - 1]
    behind = [length for length, frame in zip(server.first, server.frames, strict=True) if frame > finished]
    if behind != [ENCRYPTED_ALERT_13] or server.last_frame != server.frames[-1]:
        return None
    after = "after the client's Finished, the server sent only a record as long as an alert"
    frames = [finished, server.last_frame]
    if lengths[0] == NO_CERTIFICATE_RECORD:
        detail = f"{after}; before it the client sent a record as long as a Certificate without any certificate"
        return SealedAlert("client_certificate_missing", LIKELY, detail, SERVER, "client_certificate", frames)
    detail = f"{after}; before it the client sent what is as long as a certificate and its proof"
    return SealedAlert("client_certificate_refused", LIKELY, detail, SERVER, "client_certificate", frames)


def _meets_nobody(session: Session, ending: Ending, n: int) -> bool:
    """Return whether a client that closed first had not asked for anything, or asked a server that had left, and got an RST.

    n: how many of its records are the end of its handshake. A client with a certificate that asks for nothing may be content.
    """
    client, server = session.sizes
    if len(client.first) == n:
        return client.first[0] == NO_CERTIFICATE_RECORD
    return client.frames[n] > server.last_frame and ending.resets[SERVER] is not None and not ending.fins[SERVER]
