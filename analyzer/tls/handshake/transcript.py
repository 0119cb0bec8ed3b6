"""The messages of one handshake, in the order in which both sides hash them, whatever order the capture has.

Signatures and Finished values cover all handshake messages before them (RFC 9846 section 4.1, RFC 5246 section 7.4.9). A
capture may show one direction late, but each direction in order, and the protocol says whose turn it is: so the two directions
are kept apart, and put together when they are complete. Where a message is missing stands a mark; nothing behind it can be
checked.
"""

from typing import Any

import cython

from analyzer.secrets.suite_interface import hash_function
from analyzer.tls.limits import MAX_TRANSCRIPT
from analyzer.tls.messages.hello import HELLO_RETRY_REQUEST_RANDOM
from analyzer.tls.messages.numbers import (
    CERTIFICATE_VERIFY,
    CLIENT_HELLO,
    CLIENT_KEY_EXCHANGE,
    END_OF_EARLY_DATA,
    FINISHED,
    HELLO_REQUEST,
    HELLO_RETRY_REQUEST,
    MESSAGE_HASH,
    RANDOM,
    SERVER_HELLO,
    SERVER_HELLO_DONE,
)

Step = tuple[int, bytes | None]
"""Who sent a message, 0 the client, and its bytes with their header; None where one is missing."""


class Transcript:
    """What is said in a handshake, by roles: 0 the client, 1 the server.

    client_random, server_random: of the hellos, empty before they came. exchanged: of a signed ServerKeyExchange the
    parameters, the number of the signature's scheme (None where the key alone tells it) and the signature. early: whether the
    server took early data. complete: whether both Finished came. certificates: each role's own, in DER. verifies: whether
    there is a CertificateVerify.
    """

    __slots__ = (
        "_client", "_server", "_size", "certificates", "client_random", "complete", "early", "exchanged", "server_random",
        "verifies",
    )  # fmt: skip

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Be ready for a handshake; a renegotiation is one more."""
        self._client: list[bytes | None] = []
        self._server: list[bytes | None] = []
        self._size = 0
        self.client_random = self.server_random = b""
        self.exchanged: tuple[bytes, int | None, bytes] | None = None
        self.certificates: list[bytes | None] = [None, None]
        self.early = self.complete = self.verifies = False

    def hear(self, role: cython.int, raw: bytes, whole: cython.bint) -> cython.bint:
        """Take a message with its header, not `whole` where its end is missing; whether the handshake is complete with it."""
        number: cython.int = raw[0]
        if self.complete or number == HELLO_REQUEST:
            return False
        if number == CLIENT_HELLO and role == 0 and not self.client_random:
            self.client_random = raw[RANDOM]
        elif number == SERVER_HELLO and role == 1 and raw[RANDOM] != HELLO_RETRY_REQUEST_RANDOM:
            self.server_random = raw[RANDOM]
        elif number == CERTIFICATE_VERIFY:
            self.verifies = True
        self._size += len(raw)
        said = self._server if role else self._client
        if not whole or self._size > MAX_TRANSCRIPT:
            self.lose(role)
            return False
        said.append(raw)
        if number != FINISHED:
            return False
        other = self._client if role else self._server
        self.complete = _through(other, 0, FINISHED) > 0
        return self.complete

    def lose(self, role: cython.int) -> None:
        """Hear that messages of a side may be missing here."""
        said = self._server if role else self._client
        if not self.complete and (not said or said[len(said) - 1] is not None):
            said.append(None)

    def forget(self) -> None:
        """Let go of the messages."""
        self._client = []
        self._server = []
        self._size = 0

    @property
    def said(self) -> bool:
        """Whether there is something to prove."""
        return bool(self._client or self._server)

    @property
    def begun(self) -> bool:
        """Whether both hellos came: a ClientHello after that begins another handshake."""
        return bool(self.client_random and self.server_random)

    def before_change(self) -> bytes | None:
        """The messages from ClientHello through ClientKeyExchange, up to TLS 1.2; None where one is missing."""
        heard: list[bytes] = []
        for _, raw in self.steps(False):
            if raw is None:
                return None
            heard.append(raw)
            if raw[0] == CLIENT_KEY_EXCHANGE:
                return b"".join(heard)
        return None

    def before_answer(self, hash_name: str, hellos: list[bytes]) -> bytes | None:
        """What stands before the ServerHello of TLS 1.3 if these were the ClientHellos; None where one is missing."""
        retry = self._server[0] if self._server and _is_retry(self._server[0]) else None
        if retry is None:
            return hellos[0]
        if len(hellos) < 2:
            return None
        return message_hash(hash_function(hash_name)(hellos[0]).digest()) + retry + hellos[1]

    def through(self, last: int, hash_name: str) -> bytes | None:
        """The messages of TLS 1.3 through the server's of that type, as they are hashed; None where one is missing."""
        heard = b""
        for role, raw in self.steps(True):
            if raw is None:
                return None
            if raw[0] == HELLO_RETRY_REQUEST or _is_retry(raw):
                heard = message_hash(hash_function(hash_name)(heard).digest())
            heard += raw
            if role == 1 and raw[0] == last and not _is_retry(raw):
                return heard
        return None

    def hellos(self) -> tuple[bytes | None, tuple[bytes, bytes] | None]:
        """The ClientHello that counts, and after a HelloRetryRequest the first one and the retry."""
        client, server = self._client, self._server
        if not client or _kind(client[0]) != CLIENT_HELLO:
            return None, None
        if server and _is_retry(server[0]) and len(client) > 1 and _kind(client[1]) == CLIENT_HELLO:
            assert client[0] is not None
            assert server[0] is not None
            return client[1], (client[0], server[0])
        return client[0], None

    def lose_hellos(self) -> None:
        """Hear that the ClientHellos that count are not those that were heard."""
        self._client = [None if _kind(raw) == CLIENT_HELLO else raw for raw in self._client]

    def replace_hellos(self, hellos: list[bytes]) -> None:
        """Put inner ClientHellos in the place of the outer ones that were heard (RFC 9849 section 6.1.5)."""
        for number, raw in enumerate(hellos):
            if number < len(self._client) and _kind(self._client[number]) == CLIENT_HELLO:
                self._client[number] = raw

    def offered_version(self) -> int | None:
        """The version number in the first ClientHello; None without one."""
        first = self._client[0] if self._client else None
        return int.from_bytes(first[4:6], "big") if first is not None and first[0] == CLIENT_HELLO else None

    def steps(self, tls13: cython.bint) -> list[Step]:
        """All messages in the order of the protocol; after the first that is missing nothing can be relied on."""
        client, server = self._client, self._server
        following: cython.Py_ssize_t
        end: cython.Py_ssize_t
        hellos: cython.Py_ssize_t = 0
        while hellos < len(client) and _kind(client[hellos]) == CLIENT_HELLO:
            hellos += 1
        said: list[Step] = [(0, client[0] if hellos else None)]
        if not hellos:
            _say(said, 1, server, 0, len(server))
            _say(said, 0, client, 0, len(client))
            return said
        at: cython.Py_ssize_t = 0
        if server and (_kind(server[0]) == HELLO_RETRY_REQUEST or _is_retry(server[0])):
            said.append((1, server[0]))
            said.append((0, client[1] if hellos > 1 else None))
            at = 1
        # A server's flight ends with its Finished, but in a full handshake up to TLS 1.2 with ServerHelloDone.
        following = 0 if tls13 else _through(server, at, SERVER_HELLO_DONE)
        if following == 0:
            following = _through(server, at, FINISHED)
        if following == 0:
            _say(said, 1, server, at, len(server))
            said.append((1, None))
            _say(said, 0, client, hellos, len(client))
            return said
        _say(said, 1, server, at, following)
        end = _through(client, hellos, FINISHED)
        if tls13 and self.early and not _through(client, 0, END_OF_EARLY_DATA):
            # It came under keys that need not be known, and it always says the same.
            said.append((0, END_OF_EARLY_DATA.to_bytes(4, "little")))
        _say(said, 0, client, hellos, end or len(client))
        if not end:
            said.append((0, None))
        _say(said, 1, server, following, len(server))
        return said


def message_hash(digest: bytes) -> bytes:
    """What stands for the first ClientHello in front of a HelloRetryRequest, since draft 19 (RFC 9846 section 4.5.1)."""
    return MESSAGE_HASH.to_bytes(1, "big") + len(digest).to_bytes(3, "big") + digest


def is_retry(raw: bytes) -> cython.bint:
    """Whether a message is a ServerHello that stands for a HelloRetryRequest."""
    return raw[0] == SERVER_HELLO and raw[RANDOM] == HELLO_RETRY_REQUEST_RANDOM


def _kind(raw: bytes | None) -> cython.int:
    return -1 if raw is None else raw[0]


def _is_retry(raw: bytes | None) -> cython.bint:
    return raw is not None and is_retry(raw)


def _through(said: list[Any], start: cython.Py_ssize_t, last: cython.int) -> cython.Py_ssize_t:
    """The index behind the first message of that type; 0 without one."""
    number: cython.Py_ssize_t
    for number in range(start, len(said)):
        if _kind(said[number]) == last:
            return number + 1
    return 0


def _say(steps: list[Any], role: cython.int, said: list[Any], start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> None:
    """Add what a role said, from one index up to another."""
    steps += [(role, said[number]) for number in range(start, end)]
