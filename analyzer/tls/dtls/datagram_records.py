"""Splits datagrams into their records for views of single packets, which see each datagram once and in order.

A datagram is DTLS if its first byte is one of those that DTLS has (RFC 7983) and it begins with a whole record; with one of a
unified header only where its ends have sent a hello before. How long a connection ID is, the hellos say.
"""

from collections import OrderedDict, deque
from typing import Any, Final

from analyzer.codec.registry import registry
from analyzer.packet.addresses import reverse_key
from analyzer.tls.dtls.hello_ids import HelloIds
from analyzer.tls.dtls.record_headers import END_OF_FIRST_BYTES, FIRST_BYTES, FRAGMENT_HEADER, UNIFIED, begins_dtls, read_record
from analyzer.tls.events import NO_ROLE, HandshakeMessage, handshake_message
from analyzer.tls.handshake.transcript import is_retry
from analyzer.tls.messages.hello import DTLSClientHello
from analyzer.tls.messages.message_tables import table_of
from analyzer.tls.messages.numbers import (
    CLIENT_HELLO,
    HEADER,
    HELLO_RETRY_REQUEST,
    SERVER_HELLO,
    SUPPORTED_VERSIONS,
    TLS_1_2,
    TLS_OF_DTLS,
)
from analyzer.tls.record.content_types import HANDSHAKE
from analyzer.tls.record.record import Record
from analyzer.tls.suites import Suite, suite

PAIRS_MAX: Final = 1 << 14
"""Pairs of ends whose hellos are remembered; beyond it the oldest is forgotten."""

SEEN_MAX: Final = 64
"""Messages of two ends that are remembered, to know them where the engine has them later than the datagram."""

_RANDOM: Final = slice(27, 59)
_SERVER_HELLO: Final = bytes((SERVER_HELLO,))
_FIRST: Final = b"\0\0\0"


class Association:
    """Two ends that speak DTLS.

    client: the key of the client's datagrams. random: of its hello. ids: the connection IDs of the hellos. version, suite: of
    the last ServerHello, by which the messages behind it are read; 0 and None before it. seen: hashes of the last messages that
    were whole in one fragment.
    """

    __slots__ = ("client", "ids", "random", "seen", "suite", "version")

    def __init__(self, client: bytes, random: bytes) -> None:
        self.client = client
        self.random = random
        self.ids = HelloIds()
        self.version = 0
        self.suite: Suite | None = None
        self.seen: deque[int] = deque(maxlen=SEEN_MAX)

    def learn(self, body: bytes) -> None:
        """Learn version and cipher suite from a handshake record, if it begins with a whole ServerHello."""
        length = int.from_bytes(body[9:12])
        if (
            body[:1] == _SERVER_HELLO
            and body[6:9] == _FIRST
            and body[1:4] == body[9:12]
            and len(body) >= FRAGMENT_HEADER + length
        ):
            self.read(body[:4] + body[FRAGMENT_HEADER : FRAGMENT_HEADER + length])

    def read(self, raw: bytes) -> HandshakeMessage | None:
        """Read a whole message in plaintext, with the header of TLS; None for one of an unknown type."""
        number = raw[0]
        table: Any = DTLSClientHello if number == CLIENT_HELLO else table_of(number, self.version, self.suite, raw)
        if table is None:
            return None
        body, problems = table.read(raw[HEADER:])
        if number == SERVER_HELLO and isinstance(body.cipher_suite, int):
            chosen = body.extension(SUPPORTED_VERSIONS)
            version = getattr(chosen, "selected_version", None) or body.legacy_version
            self.version = TLS_OF_DTLS.get(version, TLS_1_2)
            self.suite = suite(body.cipher_suite)
        message = handshake_message(number, _name(number, raw), NO_ROLE, 0, -1, len(raw), raw, body, problems, False)
        message.version = self.version
        self.seen.append(hash(raw))
        return message


class DatagramRecords:
    """The records of the datagrams of a capture. association: of the datagram that was split last, None if it has none."""

    def __init__(self) -> None:
        self.association: Association | None = None
        self._pairs: OrderedDict[bytes, Association] = OrderedDict()

    def split(self, data: bytes, key: bytes) -> list[Record]:
        """Return the records of a datagram up to the first that is none; empty if it is not DTLS. key: see `Packet.key`."""
        found: list[Record] = []
        self.association = None
        if not data or not FIRST_BYTES <= data[0] < END_OF_FIRST_BYTES:
            return found
        pair = self.association = self._association(data, key)
        if pair is None and data[0] > 26:
            return found
        role = 0 if pair is None or pair.client == key else 1
        pos = 0
        while pos < len(data):
            record = Record(role)
            n_id = -1 if pair is None else pair.ids.length_in(1 - role, data, pos, len(data))
            pos = read_record(record, data, pos, len(data), n_id, 0)
            if pos < 0:
                break
            found.append(record)
            if pair is not None and record.content_type == HANDSHAKE and record.epoch == 0 and record.version != UNIFIED:
                pair.ids.take(role, record.body[record.header :])
                pair.learn(record.body[record.header :])
        return found

    def _association(self, data: bytes, key: bytes) -> Association | None:
        """Return the association of a datagram, which can begin with it."""
        pair = self._pairs.get(key) or self._pairs.get(reverse_key(key))
        if not begins_dtls(data, 0, len(data)):
            return pair
        hello = data[13] == CLIENT_HELLO
        client, random = (key, data[_RANDOM]) if hello else (reverse_key(key), b"")
        if pair is None or (hello and data[19:22] == _FIRST and pair.random != random):
            pair = self._pairs[client] = Association(client, random)
            self._pairs.pop(reverse_key(client), None)
            if len(self._pairs) > PAIRS_MAX:
                self._pairs.popitem(last=False)
        return pair


def _name(number: int, raw: bytes) -> str:
    retry = number == SERVER_HELLO and is_retry(raw)
    return registry("handshake_types").name(HELLO_RETRY_REQUEST if retry else number)
