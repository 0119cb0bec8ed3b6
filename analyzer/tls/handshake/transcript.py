"""Keeps the messages of one handshake, and puts them in the order in which both sides hash them, in any order of the capture.

Signatures and Finished values cover all handshake messages before them (RFC 9846 section 4.1, RFC 5246 section 7.4.9). A
capture may show one direction late, but the messages of each direction are in order, and the protocol defines which side sends
next. So the two directions are kept separately, and are combined when they are complete. A missing message is represented by a
mark, and nothing after it can be checked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.secrets.suite_interface import hash_function
from analyzer.tls.handshake.compatible_hello import offered_version_of
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

if TYPE_CHECKING:
    import cython

RANDOM_BEGIN, RANDOM_END = RANDOM.start, RANDOM.stop

RETRY_SHOWN = 8
"""Bytes of the random of a HelloRetryRequest that suffice to know it by, where the rest is not in the capture."""

_RETRY_SHOWN = RETRY_SHOWN  # in the compiled build a C variable, which other modules cannot see

Step = tuple[int, bytes | None]
"""(role that sent the message, 0 the client; its bytes with the header, None if it is missing)."""


class Transcript:
    """The messages of a handshake, by role: 0 the client, 1 the server.

    client_random, server_random: of the hellos, empty before they came. exchanged: for a signed ServerKeyExchange, the
    parameters, the number of the signature's scheme (None if only the key determines it) and the signature. early: whether the
    server accepted early data. complete: whether both Finished came. certificates: each role's own, in DER. verifies: whether
    there is a CertificateVerify. dtls: whether the transport is DTLS; sequence: then the number of the message that comes next.
    """

    __slots__ = (
        "_client", "_sequences", "_server", "_size", "certificates", "client_random", "complete", "dtls", "early", "exchanged",
        "sequence", "server_random", "verifies",
    )  # fmt: skip

    def __init__(self) -> None:
        self.dtls = False
        self.sequence = 0
        self.begin()

    def begin(self) -> None:
        """Prepare for a handshake, which can also be a renegotiation."""
        self._client: list[bytes | None] = []
        self._server: list[bytes | None] = []
        self._sequences: dict[tuple[int, bytes], int] = {}
        self._size = 0
        self.client_random = self.server_random = b""
        self.exchanged: tuple[bytes, int | None, bytes] | None = None
        self.certificates: list[bytes | None] = [None, None]
        self.early = self.complete = self.verifies = False

    def add_message(self, role: cython.int, raw: bytes, whole: cython.bint) -> cython.bint:
        """Add a message with its header; `whole` is False if its end is missing.

        Returns whether the handshake is now complete.
        """
        number: cython.int = raw[0]
        if self.complete or number == HELLO_REQUEST:
            return False
        if number == CLIENT_HELLO and role == 0 and not self.client_random:
            self.client_random = raw[RANDOM] if len(raw) >= RANDOM_END else b""
        elif number == SERVER_HELLO and role == 1 and raw[RANDOM] != HELLO_RETRY_REQUEST_RANDOM:
            self.server_random = raw[RANDOM] if len(raw) >= RANDOM_END else b""
        elif number == CERTIFICATE_VERIFY:
            self.verifies = True
        self._size += len(raw)
        sent = self._server if role else self._client
        if not whole or self._size > MAX_TRANSCRIPT:
            self.lose(role)
            return False
        sent.append(raw)
        if self.dtls:
            self._sequences[role, raw] = self.sequence
        if number != FINISHED:
            return False
        other = self._client if role else self._server
        self.complete = _through(other, 0, FINISHED) > 0
        return self.complete

    def lose(self, role: cython.int) -> None:
        """Note that messages of a role may be missing here."""
        sent = self._server if role else self._client
        if not self.complete and (not sent or sent[len(sent) - 1] is not None):
            sent.append(None)

    def lose_beginning(self) -> None:
        """Note that messages of the client may be missing before those that came."""
        if not self._client or self._client[0] is not None:
            self._client.insert(0, None)

    def forget(self) -> None:
        """Free the messages."""
        self._client.clear()
        self._server.clear()
        self._sequences.clear()
        self._size = 0

    @property
    def has_messages(self) -> bool:
        """Whether there are messages to authenticate."""
        return bool(self._client or self._server)

    @property
    def begun(self) -> bool:
        """Whether both hellos came. A ClientHello after that begins another handshake."""
        return bool(self.client_random and self.server_random)

    def hashed(self, role: cython.int, raw: bytes) -> bytes:
        """Return a message as both sides hash it up to TLS 1.2: in DTLS with its number, and as if it were one fragment.

        See RFC 6347 section 4.2.6. DTLS 1.3 hashes the header of TLS (RFC 9147 section 5.2).
        """
        if not self.dtls:
            return raw
        sequence: cython.int = self._sequences.get((role, raw), 0)
        length: bytes = raw[1:4]
        return raw[:4] + sequence.to_bytes(2, "big") + b"\0\0\0" + length + raw[4:]

    def before_change(self) -> bytes | None:
        """Return the messages from ClientHello to ClientKeyExchange, up to TLS 1.2; None if one is missing."""
        preceding: list[bytes] = []
        for role, raw in self.steps(False):
            if raw is None:
                return None
            preceding.append(self.hashed(role, raw))
            if raw[0] == CLIENT_KEY_EXCHANGE:
                return b"".join(preceding)
        return None

    def before_answer(self, hash_name: str, hellos: list[bytes]) -> bytes | None:
        """Return the transcript before the ServerHello of TLS 1.3 if these were the ClientHellos; None if one is missing."""
        retry = self._server[0] if self._server and _is_retry(self._server[0]) else None
        if retry is None:
            return hellos[0] if len(hellos) == 1 and self._server and self._server[0] is not None else None
        if len(hellos) < 2:
            return None
        return message_hash(hash_function(hash_name)(hellos[0]).digest()) + retry + hellos[1]

    def through(self, last: int, hash_name: str) -> bytes | None:
        """Return the messages of TLS 1.3 up to the server's message of that type, as they are hashed.

        Returns None if one is missing.
        """
        preceding = b""
        for role, raw in self.steps(True):
            if raw is None:
                return None
            if raw[0] == HELLO_RETRY_REQUEST or _is_retry(raw):
                preceding = message_hash(hash_function(hash_name)(preceding).digest())
            preceding += raw
            if role == 1 and raw[0] == last and not _is_retry(raw):
                return preceding
        return None

    def hellos(self) -> tuple[bytes | None, tuple[bytes, bytes] | None]:
        """Return the last ClientHello, and after a HelloRetryRequest also the first one and the retry."""
        client, server = self._client, self._server
        if not client or _kind(client[0]) != CLIENT_HELLO:
            return None, None
        if server and _is_retry(server[0]) and len(client) > 1 and _kind(client[1]) == CLIENT_HELLO:
            assert client[0] is not None
            assert server[0] is not None
            return client[1], (client[0], server[0])
        return client[0], None

    def lose_hellos(self) -> None:
        """Note that the real ClientHellos are not those that were received."""
        self._client = [None if _kind(raw) == CLIENT_HELLO else raw for raw in self._client]

    def replace_hellos(self, hellos: list[bytes]) -> None:
        """Replace the outer ClientHellos by the inner ones (RFC 9849 section 6.1.5)."""
        for number, raw in enumerate(hellos):
            if number < len(self._client) and _kind(self._client[number]) == CLIENT_HELLO:
                self._client[number] = raw

    def offered_version(self) -> int | None:
        """Return the version number in the first ClientHello; None without one."""
        first = self._client[0] if self._client else None
        return offered_version_of(first) if first is not None and first[0] == CLIENT_HELLO else None

    def _first(self, hellos: cython.Py_ssize_t, tls13: cython.bint) -> bytes | None:
        """Return the ClientHello with which the hash begins, None if it is not there. hellos: how many the client begins with.

        In DTLS the numbers of the hellos show what is missing. Up to 1.2 the ClientHello has that of its ServerHello, and one
        before a HelloVerifyRequest does not count (RFC 6347 sections 4.2.2, 4.2.6). In 1.3 only a HelloRetryRequest comes
        before a ServerHello (RFC 9147 section 5.2).
        """
        first = self._client[0] if hellos else None
        answer = next((raw for raw in self._server if _kind(raw) == SERVER_HELLO and not _is_retry(raw)), None)
        if first is None or answer is None or not self.dtls:
            return first
        number: cython.int = self._sequences.get((1, answer), 0)
        if tls13:
            begins: cython.bint = self._sequences.get((0, first), 0) == 0
            return first if begins and (number == 0 or _is_retry(self._server[0])) else None
        return next((raw for raw in self._client[:hellos] if raw and self._sequences.get((0, raw)) == number), None)

    def is_answered(self) -> bool:
        """Return whether a ClientHello came that answers the server's message that comes only now. It has a higher number."""
        return any(sent[0] == 0 and sent[1][0] == CLIENT_HELLO and n > self.sequence for sent, n in self._sequences.items())

    def steps(self, tls13: cython.bint) -> list[Step]:
        """Return all messages in the order of the protocol. After the first missing one the order is not reliable."""
        client, server = self._client, self._server
        following: cython.Py_ssize_t
        end: cython.Py_ssize_t
        hellos: cython.Py_ssize_t = 0
        while hellos < len(client) and _kind(client[hellos]) == CLIENT_HELLO:
            hellos += 1
        sent: list[Step] = [(0, self._first(hellos, tls13))]
        if not hellos:
            _say(sent, 1, server, 0, len(server))
            _say(sent, 0, client, 0, len(client))
            return sent
        at: cython.Py_ssize_t = 0
        if server and (_kind(server[0]) == HELLO_RETRY_REQUEST or _is_retry(server[0])):
            sent.append((1, server[0]))
            sent.append((0, client[1] if hellos > 1 else None))
            at = 1
        # A server's flight ends with its Finished, but in a full handshake up to TLS 1.2 with ServerHelloDone.
        following = 0 if tls13 else _through(server, at, SERVER_HELLO_DONE)
        if following == 0:
            following = _through(server, at, FINISHED)
        if following == 0:
            _say(sent, 1, server, at, len(server))
            sent.append((1, None))
            _say(sent, 0, client, hellos, len(client))
            return sent
        _say(sent, 1, server, at, following)
        end = _through(client, hellos, FINISHED)
        if tls13 and self.early and not _through(client, 0, END_OF_EARLY_DATA):
            # Its keys may be unknown, but its content is always the same.
            sent.append((0, END_OF_EARLY_DATA.to_bytes(4, "little")))
        _say(sent, 0, client, hellos, end or len(client))
        if not end:
            sent.append((0, None))
        _say(sent, 1, server, following, len(server))
        return sent


def message_hash(digest: bytes) -> bytes:
    """Return what replaces the first ClientHello before a HelloRetryRequest, since draft 19 (RFC 9846 section 4.1)."""
    return MESSAGE_HASH.to_bytes(1, "big") + len(digest).to_bytes(3, "big") + digest


def is_retry(raw: bytes) -> cython.bint:
    """Return whether a message is a ServerHello that is used as a HelloRetryRequest."""
    n: cython.Py_ssize_t = len(raw) - RANDOM_BEGIN
    return raw[0] == SERVER_HELLO and n >= _RETRY_SHOWN and raw[RANDOM] == HELLO_RETRY_REQUEST_RANDOM[:n]


def tells_retry(raw: bytes) -> cython.bint:
    """Return whether so much of a ServerHello is there that it shows whether it is a HelloRetryRequest."""
    n: cython.Py_ssize_t = len(raw) - RANDOM_BEGIN
    return n >= _RETRY_SHOWN or (n > 0 and raw[RANDOM_BEGIN:] != HELLO_RETRY_REQUEST_RANDOM[:n])


def _kind(raw: bytes | None) -> cython.int:
    return -1 if raw is None else raw[0]


def _is_retry(raw: bytes | None) -> cython.bint:
    return raw is not None and is_retry(raw)


def _through(sent: list[Any], start: cython.Py_ssize_t, last: cython.int) -> cython.Py_ssize_t:
    """Return the index after the first message of that type; 0 without one."""
    number: cython.Py_ssize_t
    for number in range(start, len(sent)):
        if _kind(sent[number]) == last:
            return number + 1
    return 0


def _say(steps: list[Any], role: cython.int, sent: list[Any], start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> None:
    """Add the messages of a role, from one index up to another."""
    steps += [(role, sent[number]) for number in range(start, end)]
