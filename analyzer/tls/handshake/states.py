"""Defines the handshake of each role as named states, and what has been seen of a role.

Each role sends a sequence of messages, and the allowed next message depends on the last one. Up to TLS 1.2 (RFC 5246 section
7.3) the sequences are

    client: ClientHello [Certificate] ClientKeyExchange [CertificateVerify] (ChangeCipherSpec) Finished
    server: ServerHello [Certificate] [CertificateStatus] [ServerKeyExchange] [CertificateRequest] ServerHelloDone
            [NewSessionTicket] (ChangeCipherSpec) Finished

A resumed session goes from its hellos directly to ChangeCipherSpec. After a Finished a ClientHello can begin again. In TLS 1.3
(RFC 9846 section 2 and appendix A) they are

    client: ClientHello [ClientHello, after a retry] [EndOfEarlyData] [Certificate [CertificateVerify]] Finished
    server: [HelloRetryRequest] ServerHello EncryptedExtensions [CertificateRequest] [Certificate CertificateVerify] Finished

After a Finished either role can update its keys. The server can send tickets and can request a certificate, and the client
answers the request.

These are tables and not code: (state, message) to state. A passive reader continues after any message. A message that the table
does not allow in this state is out of order, and an event reports it. The new state is then the one to which this message leads
in any other state, or UNKNOWN if there are several. If messages may be missing from the capture, or cannot be read because they
are encrypted, the state is UNKNOWN, and from there nothing is out of order.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from analyzer.tls.messages.numbers import (
    CERTIFICATE,
    CERTIFICATE_REQUEST,
    CERTIFICATE_STATUS,
    CERTIFICATE_URL,
    CERTIFICATE_VERIFY,
    CHANNEL_ID,
    CLIENT_HELLO,
    CLIENT_KEY_EXCHANGE,
    COMPRESSED_CERTIFICATE,
    ENCRYPTED_EXTENSIONS,
    END_OF_EARLY_DATA,
    FINISHED,
    HELLO_REQUEST,
    HELLO_RETRY_REQUEST,
    KEY_UPDATE,
    NEW_SESSION_TICKET,
    NEXT_PROTOCOL,
    SERVER_HELLO,
    SERVER_HELLO_DONE,
    SERVER_KEY_EXCHANGE,
    SUPPLEMENTAL_DATA,
)

if TYPE_CHECKING:
    import cython

CHANGE = 256
"""ChangeCipherSpec, which is not a handshake message: the first number that no handshake message can have."""

WIDTH = 257
"""Message numbers in one row of a table."""

DATA = 257
"""Application data before the role may send any, which is no handshake message either."""

UNASSIGNED, DATA_SENT, EMPTY_CERTIFICATE, CHANGE_SENT, LOST = 251, 252, 253, 254, 255
"""What `RoleState.sent` has in addition to message types. None of them is the type of a message that is sent.

UNASSIGNED: a message of the type 251 or more. DATA_SENT: DATA. EMPTY_CERTIFICATE: a Certificate without certificates.
CHANGE_SENT: ChangeCipherSpec. LOST: messages may be missing here.
"""

MAX_SENT = 128
"""Messages of a role in one handshake whose order is checked. The longest legal handshake has about ten."""


class State(IntEnum):
    """The position of a role in its handshake, named by the message that it sent last."""

    START = 0
    UNKNOWN = 1
    HELLO = 2
    RETRY = 3
    EXTENSIONS = 4
    EARLY_DATA_ENDED = 5
    CERTIFICATE_REQUESTED = 6
    CERTIFICATE = 7
    CERTIFICATE_STATUS = 8
    KEY_EXCHANGE = 9
    HELLO_DONE = 10
    CERTIFICATE_VERIFY = 11
    TICKET = 12
    CHANGED = 13
    CONNECTED = 14


Table = dict[State, dict[int, State]]

_KEY_EXCHANGED = {
    CERTIFICATE_REQUEST: State.CERTIFICATE_REQUESTED,
    SERVER_HELLO_DONE: State.HELLO_DONE,
}
_SERVER_CERTIFIED = {SERVER_KEY_EXCHANGE: State.KEY_EXCHANGE, **_KEY_EXCHANGED}

CLIENT_12: Table = {
    State.START: {CLIENT_HELLO: State.HELLO},
    State.HELLO: {
        CLIENT_HELLO: State.HELLO,  # again, with the cookie of a HelloVerifyRequest
        SUPPLEMENTAL_DATA: State.HELLO,
        CERTIFICATE: State.CERTIFICATE,
        CERTIFICATE_URL: State.CERTIFICATE,
        CLIENT_KEY_EXCHANGE: State.KEY_EXCHANGE,
        CHANGE: State.CHANGED,
    },
    State.CERTIFICATE: {CLIENT_KEY_EXCHANGE: State.KEY_EXCHANGE},
    State.KEY_EXCHANGE: {CERTIFICATE_VERIFY: State.CERTIFICATE_VERIFY, CHANGE: State.CHANGED},
    State.CERTIFICATE_VERIFY: {CHANGE: State.CHANGED},
    State.CHANGED: {NEXT_PROTOCOL: State.CHANGED, CHANNEL_ID: State.CHANGED, FINISHED: State.CONNECTED},
    State.CONNECTED: {CLIENT_HELLO: State.HELLO},
}
"""The client up to TLS 1.2 (RFC 5246 section 7.3; RFC 4680, RFC 6066 section 5)."""

_SERVER_12: Table = {
    State.START: {SERVER_HELLO: State.HELLO},
    State.HELLO: {
        SUPPLEMENTAL_DATA: State.HELLO,
        CERTIFICATE: State.CERTIFICATE,
        COMPRESSED_CERTIFICATE: State.CERTIFICATE,
        NEW_SESSION_TICKET: State.TICKET,
        CHANGE: State.CHANGED,
        **_SERVER_CERTIFIED,
    },
    State.CERTIFICATE: {CERTIFICATE_STATUS: State.CERTIFICATE_STATUS, **_SERVER_CERTIFIED},
    State.CERTIFICATE_STATUS: _SERVER_CERTIFIED,
    State.KEY_EXCHANGE: _KEY_EXCHANGED,
    State.CERTIFICATE_REQUESTED: {SERVER_HELLO_DONE: State.HELLO_DONE},
    State.HELLO_DONE: {NEW_SESSION_TICKET: State.TICKET, CHANGE: State.CHANGED},
    State.TICKET: {CHANGE: State.CHANGED},
    State.CHANGED: {FINISHED: State.CONNECTED},
    State.CONNECTED: {SERVER_HELLO: State.HELLO},
}

SERVER_12: Table = {state: {**row, HELLO_REQUEST: state} for state, row in _SERVER_12.items()}
"""The server up to TLS 1.2 (RFC 5246 section 7.3; RFC 5077 section 3.1, RFC 6066 section 8).

Its HelloRequest can come at any time (RFC 5246 section 7.4.1.1).
"""

CLIENT_13: Table = {
    State.START: {CLIENT_HELLO: State.HELLO},
    State.HELLO: {
        CLIENT_HELLO: State.HELLO,
        END_OF_EARLY_DATA: State.EARLY_DATA_ENDED,
        ENCRYPTED_EXTENSIONS: State.HELLO,  # from clients that negotiate application settings (ALPS)
        CERTIFICATE: State.CERTIFICATE,
        COMPRESSED_CERTIFICATE: State.CERTIFICATE,
        FINISHED: State.CONNECTED,
    },
    State.EARLY_DATA_ENDED: {
        ENCRYPTED_EXTENSIONS: State.EARLY_DATA_ENDED,
        CERTIFICATE: State.CERTIFICATE,
        COMPRESSED_CERTIFICATE: State.CERTIFICATE,
        FINISHED: State.CONNECTED,
    },
    State.CERTIFICATE: {CERTIFICATE_VERIFY: State.CERTIFICATE_VERIFY, FINISHED: State.CONNECTED},
    State.CERTIFICATE_VERIFY: {CHANNEL_ID: State.CERTIFICATE_VERIFY, FINISHED: State.CONNECTED},
    State.CONNECTED: {
        KEY_UPDATE: State.CONNECTED,
        CERTIFICATE: State.CERTIFICATE,
        COMPRESSED_CERTIFICATE: State.CERTIFICATE,
    },
}
"""The client in TLS 1.3 (RFC 9846 appendix A.1, section 4.7)."""

SERVER_13: Table = {
    State.START: {HELLO_RETRY_REQUEST: State.RETRY, SERVER_HELLO: State.HELLO},
    State.RETRY: {SERVER_HELLO: State.HELLO},
    State.HELLO: {ENCRYPTED_EXTENSIONS: State.EXTENSIONS},
    State.EXTENSIONS: {
        CERTIFICATE_REQUEST: State.CERTIFICATE_REQUESTED,
        CERTIFICATE: State.CERTIFICATE,
        COMPRESSED_CERTIFICATE: State.CERTIFICATE,
        FINISHED: State.CONNECTED,
    },
    State.CERTIFICATE_REQUESTED: {CERTIFICATE: State.CERTIFICATE, COMPRESSED_CERTIFICATE: State.CERTIFICATE},
    State.CERTIFICATE: {CERTIFICATE_VERIFY: State.CERTIFICATE_VERIFY},
    State.CERTIFICATE_VERIFY: {FINISHED: State.CONNECTED},
    State.CONNECTED: {
        NEW_SESSION_TICKET: State.CONNECTED,
        KEY_UPDATE: State.CONNECTED,
        CERTIFICATE_REQUEST: State.CONNECTED,
    },
}
"""The server in TLS 1.3 (RFC 9846 appendix A.2, section 4.7)."""

NO_STATE = 255


def default_states(table: Table) -> dict[int, State]:
    """Return the state to which each message of a table leads, in any state; UNKNOWN if there are several."""
    found: dict[int, State] = {}
    for row in table.values():
        for number, state in row.items():
            found[number] = state if found.get(number, state) == state else State.UNKNOWN
    return found


def packed(table: Table) -> bytes:
    """Return a table as bytes, one for each state and message: index WIDTH times the state plus the message.

    The byte is NO_STATE if the table does not allow the message. From UNKNOWN every message leads to its state in
    `default_states`.
    """
    states = bytearray([NO_STATE]) * (WIDTH * len(State))
    for number, state in default_states(table).items():
        states[WIDTH * State.UNKNOWN + number] = state
    for state, row in table.items():
        for number, following in row.items():
            states[WIDTH * state + number] = following
    return bytes(states)


TABLES: tuple[bytes, ...] = (packed(CLIENT_12), packed(SERVER_12), packed(CLIENT_13), packed(SERVER_13))
"""By role, plus 2 in TLS 1.3."""

UNKNOWN = int(State.UNKNOWN)

# In the compiled build these are C variables, which other modules cannot see.
_UNKNOWN, _WIDTH = UNKNOWN, WIDTH
_CONNECTED, _DATA, _MAX_SENT = int(State.CONNECTED), DATA, MAX_SENT
_UNASSIGNED, _DATA_SENT, _EMPTY_CERTIFICATE, _CHANGE_SENT, _LOST = 251, 252, 253, 254, 255


class SentMessages:
    """What a role sent in one handshake, or after it: `message_order` checks it.

    numbers: one byte for each message, see LOST. frames: the frame of each, 0 for a loss. origin: the state before them.
    """

    __slots__ = ("frames", "numbers", "origin")

    def __init__(self) -> None:
        self.numbers = bytearray()
        self.frames: list[int] = []
        self.origin = 0

    def add(self, number: cython.int, frame: cython.longlong) -> None:
        """Keep what is sent now: a message type, CHANGE or DATA."""
        n: cython.Py_ssize_t = len(self.numbers)
        if n >= _MAX_SENT:
            self.lose()
            return
        if number >= _UNASSIGNED:
            number = _CHANGE_SENT if number == 256 else _DATA_SENT if number == 257 else _UNASSIGNED
        self.numbers.append(number)
        self.frames.append(frame)

    def lose(self) -> None:
        """Note that messages may be missing here."""
        n: cython.Py_ssize_t = len(self.numbers)
        if n == 0 or self.numbers[n - 1] != _LOST:
            self.numbers.append(_LOST)
            self.frames.append(0)

    def empty(self) -> None:
        """Note that the last message, a Certificate, has no certificate."""
        n: cython.Py_ssize_t = len(self.numbers)
        if n > 0:
            self.numbers[n - 1] = _EMPTY_CERTIFICATE

    def begin(self, origin: cython.int) -> None:
        """Forget the messages of a handshake that is over; origin: the state of the role now."""
        del self.numbers[:]
        del self.frames[:]
        self.origin = origin


class RoleState:
    """What has been seen of one role.

    state: its position in its handshake. change_frame: frame of its first ChangeCipherSpec, 0 before it (in SSL 2.0: of the
    message after which everything is encrypted). encrypted_finished_seen: whether it sent an encrypted Finished, or a record
    that must be one. missed: whether messages of its handshake are not in the capture, or cannot be read; connected: whether
    its handshake was read to the end. unsure: whether a ChangeCipherSpec may be missing, so that its records may be encrypted;
    hidden: whether handshake messages after its Finished cannot be read. n_hellos: number of its hellos that count. seals:
    whether it sent a record of the content type application_data. exposed: whether it sent application data, or its Finished,
    in plaintext. plain_alert: frame of its alert in plaintext behind the ServerHello of TLS 1.3, 0 without one. n_protected:
    number of its records with keys that follow the handshake; n_application: of records of application data; n_bytes: their
    bytes on the wire. sent_no_record: whether it sent bytes that are not a record. finished: whether its Finished was read, in
    plaintext or decrypted (TLS 1.3). sent: what it sent in this handshake. ended: how it ended its side (`record_rules`), 0
    before; reported: bits of rules that it broke (`record_check`).
    """

    __slots__ = (
        "change_frame", "connected", "encrypted_finished_seen", "ended", "exposed", "finished", "hidden", "missed",
        "n_application", "n_bytes", "n_hellos", "n_protected", "plain_alert", "reported", "role", "seals",
        "sent", "sent_no_record", "state", "unsure",
    )  # fmt: skip

    def __init__(self, role: cython.int) -> None:
        self.role = role
        self.state = 0
        self.change_frame = 0
        self.finished = False
        self.encrypted_finished_seen = False
        self.n_hellos = 0
        self.seals = False
        self.exposed = False
        self.plain_alert = 0
        self.n_protected = 0
        self.n_application = 0
        self.n_bytes = 0
        self.sent_no_record = False
        self.sent = SentMessages()
        self.missed = False
        self.connected = False
        self.unsure = False
        self.hidden = False
        self.ended = 0
        self.reported = 0

    def expects(self, number: cython.int) -> cython.bint:
        """Return whether a message can come now up to TLS 1.2, as far as it is known where in its handshake the role is."""
        table: bytes = TABLES[self.role]
        return self.state == _UNKNOWN or table[_WIDTH * self.state + number] != 255

    def advance(self, number: cython.int, tls13: cython.bint) -> cython.bint:
        """Process a message of this role, or CHANGE. Returns False if it is out of order."""
        table: bytes = TABLES[self.role + 2 if tls13 else self.role]
        following: cython.int = table[_WIDTH * self.state + number]
        if following != 255:
            self.state = following
            self.connected = self.connected or following == _CONNECTED
            return True
        following = table[_WIDTH * _UNKNOWN + number]
        expected: cython.bint = self.state == _UNKNOWN
        self.state = following if following != 255 else _UNKNOWN
        self.connected = self.connected or following == _CONNECTED
        return expected

    def count_data(self, frame: cython.longlong) -> None:
        """Count a record of decrypted application data that is not early data. Before the Finished it is out of order."""
        self.n_protected += 1
        if self.state != _CONNECTED and self.state != _UNKNOWN:
            self.sent.add(_DATA, frame)

    def lose(self) -> None:
        """Note that messages of this role may be missing here, or cannot be read."""
        self.lose_place()
        self.missed = self.missed or not self.connected

    def lose_place(self) -> None:
        """Note that its position in the handshake is not known from here on, although nothing of it is missing."""
        self.state = _UNKNOWN
        self.sent.lose()

    @property
    def name(self) -> str:
        """The name of the state."""
        return State(self.state).name
