"""Decides which plaintext records a passive reader must not believe, because their sender had already changed to encryption.

Once a role encrypts, everybody on the path can still insert a record in plaintext, and no endpoint accepts it. In TLS 1.3 the
server encrypts everything behind its ServerHello; between a HelloRetryRequest and the ServerHello it has nothing else to send.
The client's only handshake messages in plaintext are its ClientHellos (RFC 9846 sections 2 and 5). A ChangeCipherSpec has no
meaning there. Up to TLS 1.2 everything behind the ChangeCipherSpec of a role is encrypted, and its Finished always is (RFC 5246
section 7.1, 7.4.9). An endpoint that cannot compute keys sends its alert in plaintext (RFC 9846 section 6.2), so an alert of a
client that has not encrypted anything yet is legal behind the ServerHello.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.tls.events import Gap
from analyzer.tls.handshake.states import RoleState
from analyzer.tls.messages.numbers import (
    CERTIFICATE,
    CERTIFICATE_REQUEST,
    CERTIFICATE_STATUS,
    CERTIFICATE_URL,
    CERTIFICATE_VERIFY,
    CLIENT_HELLO,
    CLIENT_KEY_EXCHANGE,
    COMPRESSED_CERTIFICATE,
    EARLY_DATA,
    FINISHED,
    HEADER,
    HELLO_RETRY_REQUEST,
    NEW_SESSION_TICKET,
    SERVER_HELLO,
    SERVER_HELLO_DONE,
    SERVER_KEY_EXCHANGE,
    SUPPLEMENTAL_DATA,
)
from analyzer.tls.record.content_types import ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, LENGTH_OF_ALERT, SSL2
from analyzer.tls.record.record import Record
from analyzer.tls.suites import Suite

if TYPE_CHECKING:
    import cython

_CLIENT = 0

PLAINTEXT_TYPES = (
    bytes((CLIENT_HELLO, CERTIFICATE, CLIENT_KEY_EXCHANGE, CERTIFICATE_VERIFY, CERTIFICATE_URL, SUPPLEMENTAL_DATA)),
    bytes(
        (
            SERVER_HELLO, NEW_SESSION_TICKET, HELLO_RETRY_REQUEST, CERTIFICATE, SERVER_KEY_EXCHANGE, CERTIFICATE_REQUEST,
            SERVER_HELLO_DONE, CERTIFICATE_STATUS, SUPPLEMENTAL_DATA, COMPRESSED_CERTIFICATE,
        )
    ),
)  # fmt: skip
"""The messages that a role sends before it encrypts, by role."""

_PLAINTEXT_TYPES = PLAINTEXT_TYPES  # in the compiled build a C variable, which other modules cannot see


def is_forged(
    number: cython.int, sender: RoleState, other: RoleState, tls13: cython.bint, answered: cython.bint
) -> cython.bint:
    """Return whether a handshake message in plaintext is not to be believed.

    number: its type. sender, other: the states of the role that sent it and of the other one. tls13, answered: whether the
    version is known as TLS 1.3, and whether the ServerHello has come, a HelloRetryRequest excepted.
    """
    if not tls13:
        return answered and (number == FINISHED or sender.change_frame > 0)
    if sender.role != _CLIENT:
        return answered or (number != SERVER_HELLO and number != HELLO_RETRY_REQUEST)
    retries: cython.int = other.n_hellos - 1 if answered else other.n_hellos
    return number != CLIENT_HELLO or sender.n_hellos > retries


def is_disbelieved(handshake: Any, role: cython.int, number: cython.int, whole: cython.bint) -> cython.bint:
    """Return whether a message in plaintext is not to be believed in a session (`is_forged`).

    handshake: its `SessionHandshake`. number: type of the message; whole: whether all its bytes are there.
    """
    parameters: Any = handshake.parameters
    transcript: Any = handshake.transcript
    if transcript.dtls and (not parameters.tls13 or (number == CLIENT_HELLO and transcript.sequence <= 1)):
        return False  # datagrams come in any order, and messages are numbered
    if parameters.version == 0 or (len(handshake.log.gaps) > 0 and (not whole or number == CLIENT_HELLO)):
        return False
    roles: Any = handshake.roles
    return is_forged(number, roles[role], roles[1 - role], parameters.tls13, handshake.hellos.server_seen)


def is_forged_alert(sender: RoleState, tls13: cython.bint, answered: cython.bint, encrypts: cython.bint) -> cython.bint:
    """Return whether an alert record of two bytes in plaintext is not to be believed.

    encrypts: whether this role is known to have encrypted a record that is not early data (TLS 1.3).
    """
    if not tls13:
        return sender.change_frame > 0
    return answered and (sender.role != _CLIENT or encrypts)


def offers_early_data(fingerprint_input: Any) -> bool:
    """Return whether a ClientHello offers early data, from its fingerprint input; True if that is not known."""
    return fingerprint_input is None or EARLY_DATA in fingerprint_input[2]


def is_plain(record: Record, chosen: Suite | None) -> cython.bint:
    """Return whether a record after the ChangeCipherSpec of its role, up to TLS 1.2, is in plaintext: its length shows it.

    chosen: the cipher suite. A ciphertext is longer than an alert or a ChangeCipherSpec, and its bytes are the header of a
    message of just its length by chance only.
    """
    content_type: cython.int = record.content_type
    body: bytes = record.body
    if record.missing > 0 or record.version == SSL2 or (chosen is not None and chosen.mode == "null"):
        return False
    if content_type == HANDSHAKE:
        return len(body) >= 4 and body[0] < 26 and (body[1] << 16 | body[2] << 8 | body[3]) == len(body) - 4
    if content_type == ALERT:
        return record.length == LENGTH_OF_ALERT
    return content_type == CHANGE_CIPHER_SPEC and record.length == 1


def is_without_gap(role: int, gaps: list[Gap]) -> bool:
    """Return whether no bytes of a role are missing: else its ChangeCipherSpec can be among them."""
    return all(gap.role != role for gap in gaps)


def may_be_encrypted(record: Record) -> cython.bint:
    """Return whether a record of a role whose ChangeCipherSpec may be missing can be encrypted.

    What cannot be ciphertext is an alert of two bytes, and whole handshake messages that fill the record exactly.
    """
    if record.content_type == ALERT:
        return record.length != LENGTH_OF_ALERT or len(record.body) != LENGTH_OF_ALERT or not 1 <= record.body[0] <= 2
    return record.content_type != HANDSHAKE or record.missing > 0 or not fills_record(record.body, record.role)


def is_behind_change(record: Record, other: RoleState) -> cython.bint:
    """Return whether a record of a role whose ChangeCipherSpec may be missing comes behind it, up to TLS 1.2.

    Application data does. After the Finished of the other role, so does everything that may be encrypted.
    """
    return record.content_type == APPLICATION_DATA or (other.encrypted_finished_seen and may_be_encrypted(record))


def fills_record(body: bytes, role: cython.int) -> cython.bint:
    """Return whether the body of a record is nothing but whole handshake messages that this role can send in plaintext.

    Ciphertext is so only by an accident of one in 2^24 records.
    """
    pos: cython.Py_ssize_t = 0
    end: cython.Py_ssize_t = len(body)
    length: cython.longlong
    sent: bytes = _PLAINTEXT_TYPES[1 if role else 0]
    while HEADER <= end - pos:
        length = body[pos + 1] << 16 | body[pos + 2] << 8 | body[pos + 3]
        if body[pos] not in sent or length > end - pos - HEADER:
            return False
        pos += HEADER + length
    return pos == end and end > 0
