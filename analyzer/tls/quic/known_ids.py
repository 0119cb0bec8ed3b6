"""Keeps the connection IDs of one QUIC connection, and says what the ID of a packet proves (RFC 9000 section 5.1).

Each side chooses the IDs under which it is reached. Who is not on the path does not know them, so a packet that has one comes
from the peer, or from somebody who reads what is sent. That is no proof where an ID is so short that it is met by chance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import cython

MAX_IDS = 1024
"""Connection IDs of one connection that are known at a time, per role. The oldest ones are forgotten."""

SHORTEST_PROOF = 4
"""Bytes of a connection ID that nobody meets by chance. Below that, other traffic on the same port has it soon."""

MAX_HEARD = 64
"""Connection IDs that came once, and that nobody announced, of one connection."""

RESET_TOKEN = 16
"""Bytes of the token at the end of a stateless reset (RFC 9000 section 10.3)."""


class ConnectionIds:
    """The IDs of a connection.

    connection: whose they are, None at its end. table: from each known ID of the run to its connection and role. ids: by role,
    those under which it is reached; lengths: how long they are. tokens: of stateless resets, by role. heard: IDs that nobody
    announced, and whether the client has sent a Handshake packet to them.
    """

    __slots__ = ("connection", "heard", "ids", "lengths", "table", "tokens")

    def __init__(self, connection: Any, table: dict[bytes, Any]) -> None:
        self.connection = connection
        self.table = table
        self.ids: tuple[dict[bytes, None], dict[bytes, None]] = ({}, {})
        self.lengths: tuple[dict[int, None], dict[int, None]] = ({}, {})
        self.tokens: tuple[dict[bytes, None], dict[bytes, None]] = ({}, {})
        self.heard: dict[bytes, bool] = {}

    def add(self, role: cython.int, connection_id: bytes, chosen: cython.bint = True) -> None:
        """Note an ID under which a role is reached. chosen: whether that role chose it itself, so that others are as long."""
        known: dict[bytes, None] = self.ids[role]
        if chosen:
            self.lengths[role][len(connection_id)] = None
        if connection_id in known:
            return
        if len(known) >= MAX_IDS:
            oldest = next(iter(known))
            del known[oldest]
            self.forget(oldest)
        known[connection_id] = None
        if connection_id and self.connection is not None and connection_id not in self.table:
            self.table[connection_id] = (self.connection, role)

    def add_token(self, role: cython.int, token: bytes) -> None:
        """Note the token of a stateless reset."""
        tokens: dict[bytes, None] = self.tokens[role]
        if len(tokens) >= MAX_IDS:
            del tokens[next(iter(tokens))]
        tokens[token] = None

    def has(self, role: cython.int, connection_id: bytes) -> cython.bint:
        """Return whether a role is reached under an ID."""
        known: dict[bytes, None] = self.ids[role]
        return connection_id in known

    def has_token(self, role: cython.int, body: bytes) -> cython.bint:
        """Return whether the end of a packet is the token of a stateless reset of a role."""
        n_bytes: cython.Py_ssize_t = len(body) - RESET_TOKEN
        return n_bytes >= 0 and body[n_bytes:] in self.tokens[role]

    def comes_again(self, connection_id: bytes) -> cython.bint:
        """Return whether an ID that nobody announced has come before: then one side uses it, and the capture lacks where it
        was announced, or that is encrypted. Bytes of strangers do not come again.
        """
        if connection_id in self.heard:
            return True
        if len(self.heard) < MAX_HEARD:
            self.heard[connection_id] = False
        return False

    def name(self, connection_id: bytes) -> None:
        """Note an ID that nobody announced, but to which the client has sent a Handshake packet."""
        if len(self.heard) < MAX_HEARD or connection_id in self.heard:
            self.heard[connection_id] = True

    def is_named(self, connection_id: bytes) -> cython.bint:
        """Return whether the client has sent a Handshake packet to an ID that nobody announced."""
        return self.heard.get(connection_id, False)

    def leave(self) -> None:
        """Forget all IDs, at the end of the connection."""
        for known in self.ids:
            for connection_id in known:
                self.forget(connection_id)
        self.connection = None

    def forget(self, connection_id: bytes) -> None:
        """Let the run forget an ID."""
        entry = self.table.get(connection_id)
        if entry is not None and entry[0] is self.connection:
            del self.table[connection_id]
